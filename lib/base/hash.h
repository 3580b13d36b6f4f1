/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * SHA-512 by libgcrypt, always over a domain string and length-prefixed parts, so that two
 * different inputs can never be the same hash input. libgcrypt is started at the first use only:
 * a daemon that never conditions never pays for it.
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#define HASH_SHA512_BYTES 64U

typedef struct HashPart {
        const void *bytes;
        size_t length;
} HashPart;

#define HASH_PARTS_MAX 8U

/* -EINVAL for more than HASH_PARTS_MAX parts, -EIO if libgcrypt refuses. */
_must_check_ int hash_sha512(
        const char *domain,
        const HashPart *parts,
        size_t n_parts,
        uint8_t ret_digest[static HASH_SHA512_BYTES]);
