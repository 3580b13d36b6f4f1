/* SPDX-License-Identifier: MIT */
#include "lib/policy/backoff.h"
#include "lib/base/cleanup.h"

uint64_t backoff_next_usec(Backoff *backoff) {
        if (backoff->last_usec >= BACKOFF_MAX_USEC / 2)
                backoff->last_usec = BACKOFF_MAX_USEC;
        else
                backoff->last_usec = MAX(2 * backoff->last_usec, BACKOFF_MIN_USEC);

        return backoff->last_usec;
}

void backoff_reset(Backoff *backoff) {
        backoff->last_usec = 0;
}
