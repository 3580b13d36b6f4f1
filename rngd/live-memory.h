/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What servers on the network sent before: one that sends the same again is as good as a static seed.
 * Remembered where it lasts, beside what the seeder remembers, and in the runtime directory for this
 * boot.
 */

#include <stdbool.h>

#include "lib/intake/batch.h"
#include "lib/policy/credit.h"

typedef struct LiveMemory {
        int state_fd; /* /var/lib/guest-entropy; -1: not there, or it does not last */
        int boot_fd;  /* not owned; -1: not there */
        bool opened;
} LiveMemory;

#define LIVE_MEMORY_NULL \
        { .state_fd = -1, .boot_fd = -1 }

/*
 * Whether the batch repeats bytes, or that cannot be known; else it is remembered, and synced, before
 * this returns. False for what no server sent, and for what is not credited anyway.
 */
bool live_memory_is_repeated(LiveMemory *memory, const CreditInput *credit, const Batch *batch);

void live_memory_deinit(LiveMemory *memory);
