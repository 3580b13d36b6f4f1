/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/base64.h"
#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/sources/seed.h"

/* Printable ASCII, white space, and the zero bytes that end strings and fill UTF-16. */
static bool is_plain(uint8_t byte) {
        return text_is_plain((char)byte) || seed_is_padding(byte);
}

/* How many bytes a character of UTF-8 beyond ASCII has (RFC 3629); 0: there is none. */
static size_t take_character(const uint8_t *bytes, size_t length) {
        size_t n = bytes[0] >= 0xf0 && bytes[0] <= 0xf4   ? 4
                   : bytes[0] >= 0xe0 && bytes[0] <= 0xef ? 3
                   : bytes[0] >= 0xc2 && bytes[0] <= 0xdf ? 2
                                                          : 0;

        if (n > length)
                return 0;
        for (size_t i = 1; i < n; i++)
                if ((bytes[i] & 0xc0) != 0x80)
                        return 0;
        return n;
}

bool seed_is_padding(uint8_t byte) {
        return byte == '\0' || strchr(" \t\r\n", byte);
}

size_t seed_length_without_padding(const uint8_t *bytes, size_t length) {
        while (length > SEED_MIN_BYTES && seed_is_padding(bytes[length - 1]))
                length--;
        return length;
}

bool seed_is_text(const uint8_t *bytes, size_t length) {
        for (size_t i = 0; i < length;) {
                size_t n = is_plain(bytes[i]) ? 1 : take_character(bytes + i, length - i);

                if (n == 0)
                        return false;
                i += n;
        }
        return true;
}

const char *seed_error_to_string(int error) {
        switch (error) {
        case SEED_E_DOCUMENT:
                return "this is no JSON object";
        case SEED_E_ABSENT:
                return "the document has no such top-level key";
        case SEED_E_TYPE:
                return "the seed is null, or no string";
        case SEED_E_ENCODING:
                return "the seed is not base64";
        case SEED_E_LENGTH:
                return "the seed has fewer than 32 or more than 4096 bytes";
        case SEED_E_TOO_LONG:
                return "the document is longer than 1 MiB";
        default:
                return NULL;
        }
}

_Static_assert(JSON_DOCUMENT_MAX_BYTES == 1U << 20, "what SEED_E_TOO_LONG says");

int seed_from_base64(
        const char *text,
        size_t length,
        uint8_t *buffer,
        size_t size,
        size_t *ret_length) {
        size_t n = 0;
        int r;

        r = base64_decode(text, length, buffer, MIN(size, SEED_MAX_BYTES), &n);
        if (r == -EMSGSIZE || (r >= 0 && n < SEED_MIN_BYTES))
                return SEED_E_LENGTH;
        if (r < 0)
                return SEED_E_ENCODING;
        *ret_length = n;
        return 0;
}

int seed_from_json(
        const char *text,
        size_t length,
        const char *key,
        uint8_t *buffer,
        size_t size,
        size_t *ret_length) {
        _cleanup_json_ Json *document = NULL;
        Json *value;
        int r;

        r = json_parse(text, length, &document);
        if (r < 0)
                return r;
        if (!json_object_object_get_ex(document, key, &value))
                return SEED_E_ABSENT;
        if (!json_object_is_type(value, json_type_string))
                return SEED_E_TYPE;
        return seed_from_base64(
                json_object_get_string(value),
                (size_t)json_object_get_string_len(value),
                buffer,
                size,
                ret_length);
}
