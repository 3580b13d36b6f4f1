/* SPDX-License-Identifier: MIT */
#pragma once

/* write_wakeup_threshold: below which level a counting kernel calls for bits. Put back at the end. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/rootdir.h"

typedef struct Threshold {
        bool changed;
        uint32_t saved_bits;
        uint32_t bits; /* what was asked for; 0: left alone */
} Threshold;

/* bits: 0 leaves it alone, as it was found. Failures are logged. */
void threshold_set(Threshold *threshold, const RootDir *root, uint32_t bits);
void threshold_restore(Threshold *threshold, const RootDir *root);
