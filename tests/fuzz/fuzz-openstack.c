/* SPDX-License-Identifier: MIT */
/* Any file as meta_data.json: a seed of the right length, or one of the documented answers. */
#include <stdlib.h>

#include "lib/sources/seed.h"

static void check(int right) {
        if (!right)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static uint8_t bytes[SEED_MAX_BYTES];
        size_t length = 0;
        int r;

        r = seed_from_json((const char *)data, size, "random_seed", bytes, sizeof(bytes), &length);
        if (r == 0) {
                check(length >= SEED_MIN_BYTES && length <= sizeof(bytes));
                /* A text stays one without its end, but for half a character. */
                check(!seed_is_text(bytes, length) || bytes[length - 1] >= 0x80 ||
                      seed_is_text(bytes, length - 1));
        } else {
                check(length == 0);
                check(seed_error_to_string(r) != NULL);
        }
        return 0;
}
