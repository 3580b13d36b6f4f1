/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What servers on the network sent before: one that sends the same again is as good as a static seed.
 * Remembered in the state directory and, for this boot, in /run; rngd and the seeder share both.
 */

#include <stdbool.h>

#include "lib/feed/batch.h"
#include "lib/policy/credit.h"

typedef struct LiveMemory {
        const char *state_directory; /* NULL: what was sent in earlier boots does not count */
        int boot_fd;                 /* of /run/guest-entropy; -1: it is not there */
        bool look_only;
} LiveMemory;

/*
 * Says in credit whether the batch repeats bytes, or that cannot be known; else it is remembered, and
 * synced, before this returns. Nothing is done for what no server sent, or is not credited anyway.
 * Negative: it could not be recorded, or the state directory is there but of no use (-EPERM: others can
 * write to it; -ENOTCONN: what should be mounted there is not), and so it must not be credited.
 */
int live_memory_judge(const LiveMemory *memory, const Batch *batch, CreditInput *credit);
