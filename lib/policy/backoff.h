/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How long to wait before a source that did not deliver is asked again: 1 s, doubling to 5 min,
 * from 1 s again after a success. Pure: the caller owns the clock. A zeroed struct is ready to use.
 */

#include <stdint.h>

#define BACKOFF_MIN_USEC UINT64_C(1000000)
#define BACKOFF_MAX_USEC UINT64_C(300000000)

typedef struct Backoff {
        uint64_t last_usec; /* the delay that was given out last; 0 = none since a success */
} Backoff;

/* Call after a failure: the delay to wait now. */
uint64_t backoff_next_usec(Backoff *backoff);

/* Call after a success, and when something new makes another try worthwhile (a plugged device). */
void backoff_reset(Backoff *backoff);
