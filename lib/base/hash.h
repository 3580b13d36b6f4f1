/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * SHA-512, always over a domain string and length-prefixed parts, so that two different inputs can
 * never be the same hash input. Our own, since it is needed before the kernel's RNG is ready: in FIPS mode
 * a library tests itself first, and waits for random bytes to do so. And the initramfs is spared one.
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

/* -EINVAL for more than HASH_PARTS_MAX parts; nothing else fails. */
_must_check_ int hash_sha512(
        const char *domain,
        const HashPart *parts,
        size_t n_parts,
        uint8_t ret_digest[static HASH_SHA512_BYTES]);
