/* SPDX-License-Identifier: MIT */
#pragma once

/* What the source metadata and the program that it runs both take: URLs and formats, as text. */

#include "lib/base/error.h"

#define METADATA_URL_MAX 1024U

typedef enum MetadataFormatKind {
        METADATA_RAW,    /* the answer is the seed */
        METADATA_BASE64, /* the answer is its base64 */
        METADATA_JSON,   /* the answer is a JSON object, its top-level key holds the base64 */
} MetadataFormatKind;

typedef struct MetadataFormat {
        MetadataFormatKind kind;
        const char *key; /* METADATA_JSON */
} MetadataFormat;

/* "raw", "base64", "json:KEY" (KEY is not empty): 0 or -EINVAL. The key stays the text's. */
_must_check_ int metadata_parse_format(const char *text, MetadataFormat *ret_format);

/*
 * 0 for http://HOST... or https://HOST... under METADATA_URL_MAX bytes without white space or
 * control characters, else -EINVAL. Also without user and password: it becomes a word of a command
 * line, which everybody on the machine can read.
 */
_must_check_ int metadata_check_url(const char *text);
