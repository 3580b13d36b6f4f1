/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include "lib/base/base64.h"
#include "lib/base/json.h"
#include "lib/base/secret.h"
#include "lib/sources/seed.h"

/* Base64 of SEED_MAX_BYTES, and as much again for line breaks. */
#define ENCODED_MAX_BYTES (4U * SEED_MAX_BYTES)

#define QUALITY_CODED 512U
#define QUALITY_WORDS 1U

static bool is_text(uint8_t byte) {
        return (byte >= 0x20 && byte < 0x7f) || (byte && strchr("\t\r\n", byte));
}

static bool is_code(uint8_t byte) {
        return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
               (byte >= 'a' && byte <= 'z') || (byte && strchr("+/=-_\r\n", byte));
}

uint32_t seed_quality_per_1024(const uint8_t *bytes, size_t length) {
        bool code = true;

        /* 32 random bytes are text once in 2^43 times. */
        for (size_t i = 0; i < length; i++) {
                if (!is_text(bytes[i]))
                        return 0;
                code = code && is_code(bytes[i]);
        }
        return code ? QUALITY_CODED : QUALITY_WORDS;
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
