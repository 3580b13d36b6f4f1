/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * libjitterentropy, where it was there at build time. Every other call of the fallback is -EOPNOTSUPP.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

bool jitter_library_is_there(void);

/* -EOPNOTSUPP: no library, or its tests refuse this CPU's timer. */
_must_check_ int jitter_library_new(void **ret_collector);

/* -EIO: its health tests failed. */
_must_check_ int jitter_library_read(void *collector, uint8_t *buffer, size_t size);
