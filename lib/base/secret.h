/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Memory for bytes that must not leak: own pages between guard pages, locked (never swapped), not
 * in core dumps, wiped in a forked child and wiped before they are given back.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

typedef struct Secret {
        uint8_t *bytes;
        size_t size_bytes;
        bool locked; /* false where RLIMIT_MEMLOCK refused: still wiped and not dumped */
} Secret;

_must_check_ int secret_new(size_t size_bytes, Secret **ret_secret);
Secret *secret_free(Secret *secret);
void secret_wipe(Secret *secret);

/* For the few bytes that a library leaves on the stack below its caller. */
void secret_wipe_stack(void);

static inline void cleanup_secret(Secret **secret) {
        *secret = secret_free(*secret);
}

#define _cleanup_secret_ _cleanup_(cleanup_secret)
