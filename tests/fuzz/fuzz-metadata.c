/* SPDX-License-Identifier: MIT */
/* Any answer of a metadata service, in each format: the first byte chooses. What is taken for a seed
 * has a seed's length and is the same each time; what is refused comes with a reason. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sources/metadata-status.h"
#include "seeder/metadata/decode.h"

static void check(bool right) {
        if (!right)
                abort();
}

/* Exactly as long as what was received, so that a read past its end is seen. */
static uint8_t *copy_of(const uint8_t *data, size_t size) {
        uint8_t *copy = malloc(size + 1);

        check(copy);
        if (size == 0)
                return copy;
        memcpy(copy, data, size);
        return realloc(copy, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const formats[] = { "raw", "base64", "json:random_seed", "json:k" };
        static uint8_t seed[SEED_MAX_BYTES], again[SEED_MAX_BYTES];
        size_t length = 0, length_again = 0;
        const char *why = NULL;
        MetadataFormat format;
        uint8_t *body;
        int r;

        if (size == 0)
                return 0;
        check(metadata_parse_format(formats[*data % ELEMENTSOF(formats)], &format) == 0);
        body = copy_of(data + 1, size - 1);
        check(body);

        r = decode_seed(&format, body, size - 1, seed, &length, &why);
        if (r == 0) {
                check(length >= SEED_MIN_BYTES && length <= SEED_MAX_BYTES);
                check(decode_seed(&format, body, size - 1, again, &length_again, &why) == 0);
                check(length == length_again && memcmp(seed, again, length) == 0);
        } else
                check((r == METADATA_E_FORMAT ||
                       (r >= METADATA_E_SEED_ABSENT && r <= METADATA_E_TOO_LONG)) &&
                      why && *why && length == 0);
        free(body);
        return 0;
}
