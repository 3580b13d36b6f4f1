/* SPDX-License-Identifier: MIT */
#pragma once

/* From the body of an answer to the bytes of the seed in it. */

#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/sources/seed.h"

typedef enum FormatKind {
        FORMAT_RAW,    /* the body is the seed */
        FORMAT_BASE64, /* the body is its base64 */
        FORMAT_JSON,   /* the body is a JSON object, its top-level key holds the base64 */
} FormatKind;

typedef struct Format {
        FormatKind kind;
        const char *key; /* FORMAT_JSON */
} Format;

/* "raw", "base64", "json:KEY" (KEY is not empty): 0 or -EINVAL. The key stays the text's. */
_must_check_ int decode_parse_format(const char *text, Format *ret_format);

/*
 * 0, or METADATA_E_FORMAT and a text that says why. A seed has SEED_MIN_BYTES to SEED_MAX_BYTES.
 * Text under FORMAT_RAW is refused: it is somebody's error page, not random bytes.
 */
_must_check_ int decode_seed(
        const Format *format,
        const uint8_t *body,
        size_t length,
        uint8_t buffer[static SEED_MAX_BYTES],
        size_t *ret_length,
        const char **ret_why);
