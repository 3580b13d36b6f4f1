/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which of several hardware RNGs the kernel hands on as /dev/hwrng. The kernel takes the best by its
 * driver's word, and keeps it however bad its bytes are. [hwrng] device= names the one to use; without
 * it, and as long as no hand wrote rng_current, one that fails its tests for good is left for the next
 * that has not. Where sysfs may not be written nothing is chosen, and the kernel's choice is used.
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"
#include "lib/kernel/hwrng.h"

#define HWRNG_CHOICE_FAILED_MAX 8U

typedef struct HwrngChoice {
        char failed[HWRNG_CHOICE_FAILED_MAX][HWRNG_NAME_MAX];
        size_t n_failed;
        char own[HWRNG_NAME_MAX]; /* what was written to rng_current last; a hand's word is another */
} HwrngChoice;

/* Asks for the device of [hwrng] device=, if it is there and another one is current. */
void hwrng_choice_prefer(const RootDir *root, const char *device);

/* The current one failed for good. True if another one is current now. */
bool hwrng_choice_leave(HwrngChoice *choice, const RootDir *root);

/* Devices came or went: a name may stand for another one now. */
void hwrng_choice_forget(HwrngChoice *choice);
