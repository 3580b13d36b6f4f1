/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/base64.h"
#include "lib/base/json.h"
#include "lib/base/secret.h"
#include "lib/sources/seed.h"

/* Base64 of SEED_MAX_BYTES, and as much again for line breaks. */
#define ENCODED_MAX_BYTES (4U * SEED_MAX_BYTES)

/* Printable ASCII, white space, and the zero bytes that end strings and fill UTF-16. */
static bool is_plain(uint8_t byte) {
        return byte < 0x7f && (byte >= 0x20 || byte == '\0' || strchr("\t\r\n", byte));
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

int seed_from_openstack(
        const char *text,
        size_t length,
        uint8_t *buffer,
        size_t size,
        size_t *ret_length) {
        _cleanup_secret_ Secret *encoded = NULL;
        size_t encoded_length, n = 0;
        int r;

        r = secret_new(ENCODED_MAX_BYTES, &encoded);
        if (r < 0)
                return r;
        r = json_get_string(
                text,
                length,
                "random_seed",
                (char *)encoded->bytes,
                encoded->size_bytes,
                &encoded_length);
        if (r == JSON_E_ABSENT)
                return SEED_E_ABSENT;
        if (r == 0)
                r = base64_decode(
                        (const char *)encoded->bytes,
                        encoded_length,
                        buffer,
                        MIN(size, SEED_MAX_BYTES),
                        &n);
        if (r == -EMSGSIZE)
                return -ERANGE;
        if (r < 0)
                return r;
        if (n < SEED_MIN_BYTES)
                return -ERANGE;

        *ret_length = n;
        return 0;
}
