/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Zeroed memory that a child does not inherit: a worker has no use for its parent's state, and each
 * page of it that the parent writes to would be there twice. Touching it there is a fault.
 */

#include <stddef.h>

/* NULL without memory. */
void *own_pages_new(size_t size_bytes);
void own_pages_free(void *pages, size_t size_bytes);
