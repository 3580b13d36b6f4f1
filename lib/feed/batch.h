/* SPDX-License-Identifier: MIT */
#pragma once

/* Bytes of one source on their way to the kernel. They are used at once and wiped. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/secret.h"
#include "lib/sources/source.h"

typedef struct Batch {
        Secret *secret; /* SOURCE_READ_MAX_BYTES long, owned by whoever owns the batch */
        size_t length;
        size_t stale_bytes; /* the first so many may be older than a copy of this machine */
        char label[SOURCE_LABEL_MAX]; /* which seed of its source; empty where it has but one */
        SourceId source;
        SeedOrigin origin;   /* of a static seed */
        bool replay;         /* of a regular file: not made for this request */
        uint64_t asked_usec; /* CLOCK_BOOTTIME when it was asked for and when it came */
        uint64_t arrived_usec;
} Batch;

_must_check_ int batch_init(Batch *ret_batch);
void batch_deinit(Batch *batch);
