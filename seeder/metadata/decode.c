/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/base64.h"
#include "lib/base/json.h"
#include "lib/base/secret.h"
#include "lib/sources/metadata-status.h"
#include "seeder/metadata/decode.h"

/* Base64 of SEED_MAX_BYTES, and as much again for line breaks. */
#define ENCODED_MAX_BYTES (4U * SEED_MAX_BYTES)

static int refuse(const char *why, const char **ret_why) {
        *ret_why = why;
        return METADATA_E_FORMAT;
}

static int decode_raw(
        const uint8_t *body,
        size_t length,
        uint8_t *buffer,
        size_t *ret_length,
        const char **ret_why) {
        if (length > SEED_MAX_BYTES)
                return refuse("the seed is longer than 4096 bytes", ret_why);
        if (length >= SEED_MIN_BYTES && seed_is_text(body, length))
                return refuse("the answer is text, expected raw bytes", ret_why);

        memcpy(buffer, body, length);
        *ret_length = length;
        return 0;
}

static int decode_text(
        const char *text,
        size_t length,
        uint8_t *buffer,
        size_t *ret_length,
        const char **ret_why) {
        int r;

        r = base64_decode(text, length, buffer, SEED_MAX_BYTES, ret_length);
        if (r == -EMSGSIZE)
                return refuse("the seed is longer than 4096 bytes", ret_why);
        if (r < 0)
                return refuse("the seed is not base64", ret_why);
        return 0;
}

static int decode_json(
        const MetadataFormat *format,
        const uint8_t *body,
        size_t length,
        uint8_t *buffer,
        size_t *ret_length,
        const char **ret_why) {
        _cleanup_secret_ Secret *encoded = NULL;
        size_t encoded_length;
        int r;

        r = secret_new(ENCODED_MAX_BYTES, &encoded);
        if (r < 0)
                return refuse("no memory", ret_why);
        r = json_get_string(
                (const char *)body,
                length,
                format->key,
                (char *)encoded->bytes,
                encoded->size_bytes,
                &encoded_length);
        if (r == JSON_E_ABSENT)
                return refuse("the document has no such top-level key", ret_why);
        if (r == -EMSGSIZE)
                return refuse("the seed is longer than 4096 bytes", ret_why);
        if (r < 0)
                return refuse("the answer is no JSON object with a string at that key", ret_why);
        return decode_text(
                (const char *)encoded->bytes,
                encoded_length,
                buffer,
                ret_length,
                ret_why);
}

int decode_seed(
        const MetadataFormat *format,
        const uint8_t *body,
        size_t length,
        uint8_t buffer[static SEED_MAX_BYTES],
        size_t *ret_length,
        const char **ret_why) {
        size_t n = 0;
        int r;

        switch (format->kind) {
        case METADATA_BASE64:
                r = decode_text((const char *)body, length, buffer, &n, ret_why);
                break;
        case METADATA_JSON:
                r = decode_json(format, body, length, buffer, &n, ret_why);
                break;
        case METADATA_RAW:
        default:
                r = decode_raw(body, length, buffer, &n, ret_why);
                break;
        }
        if (r != 0)
                return r;
        if (n < SEED_MIN_BYTES)
                return refuse("the seed is shorter than 32 bytes", ret_why);

        *ret_length = n;
        return 0;
}
