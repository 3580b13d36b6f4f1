/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/sources/metadata-status.h"
#include "seeder/metadata/decode.h"

/* The words of seed.h, and the exit status for them. */
static int refuse(int error, const char **ret_why) {
        const char *why = seed_error_to_string(error);

        *ret_why = why ? why : "no memory";
        return metadata_error_to_status(error);
}

static int decode_raw(
        const uint8_t *body,
        size_t length,
        uint8_t *buffer,
        size_t *ret_length,
        const char **ret_why) {
        if (length < SEED_MIN_BYTES || length > SEED_MAX_BYTES)
                return refuse(SEED_E_LENGTH, ret_why);
        if (seed_is_text(body, length)) {
                *ret_why = "the answer is text, expected raw bytes";
                return METADATA_E_FORMAT;
        }
        memcpy(buffer, body, length);
        *ret_length = length;
        return 0;
}

int decode_seed(
        const MetadataFormat *format,
        const uint8_t *body,
        size_t length,
        uint8_t buffer[static SEED_MAX_BYTES],
        size_t *ret_length,
        const char **ret_why) {
        const char *text = (const char *)body;
        int r;

        switch (format->kind) {
        case METADATA_BASE64:
                r = seed_from_base64(text, length, buffer, SEED_MAX_BYTES, ret_length);
                break;
        case METADATA_JSON:
                r = seed_from_json(text, length, format->key, buffer, SEED_MAX_BYTES, ret_length);
                break;
        case METADATA_RAW:
        default:
                return decode_raw(body, length, buffer, ret_length, ret_why);
        }
        return r < 0 ? refuse(r, ret_why) : 0;
}
