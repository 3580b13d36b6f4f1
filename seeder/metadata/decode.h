/* SPDX-License-Identifier: MIT */
#pragma once

/* From the body of an answer to the bytes of the seed in it. */

#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/sources/metadata-format.h"
#include "lib/sources/seed.h"

/*
 * 0, or METADATA_E_FORMAT or one of its kinds, and a text that says why. A seed has SEED_MIN_BYTES to SEED_MAX_BYTES.
 * Text under METADATA_RAW is refused: it is somebody's error page, not random bytes.
 */
_must_check_ int decode_seed(
        const MetadataFormat *format,
        const uint8_t *body,
        size_t length,
        uint8_t buffer[static SEED_MAX_BYTES],
        size_t *ret_length,
        const char **ret_why);
