/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What servers on the network sent before: one that sends the same again is as good as a static seed.
 * Remembered where it lasts, beside what the seeder remembers, and in the runtime directory for this
 * boot.
 */

#include <stdbool.h>

#include "lib/feed/batch.h"
#include "lib/policy/credit.h"

/*
 * Whether the batch repeats bytes, or that cannot be known; else it is remembered, and synced, before
 * this returns. False for what no server sent, and for what is not credited anyway. boot_fd: of the
 * runtime directory; -1: it is not there.
 */
bool live_memory_is_repeated(int boot_fd, const CreditInput *credit, const Batch *batch);
