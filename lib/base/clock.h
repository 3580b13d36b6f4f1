/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/* Now: with the time that this machine was suspended, and without. */
uint64_t clock_boottime_usec(void);
uint64_t clock_monotonic_usec(void);
