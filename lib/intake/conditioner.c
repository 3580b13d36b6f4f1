/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/hash.h"
#include "lib/intake/conditioner.h"

static int fill(const Secret *input, size_t input_length, uint8_t *output, size_t output_length) {
        uint8_t digest[HASH_SHA512_BYTES];
        int r = 0;

        for (uint32_t block = 0; (size_t)block * sizeof(digest) < output_length; block++) {
                size_t at = (size_t)block * sizeof(digest);
                const HashPart parts[] = {
                        { &block, sizeof(block) },
                        { input->bytes, input_length },
                };

                r = hash_sha512("guest-entropy conditioner v1", parts, ELEMENTSOF(parts), digest);
                if (r < 0)
                        break;
                memcpy(output + at, digest, MIN(sizeof(digest), output_length - at));
        }
        explicit_bzero(digest, sizeof(digest));
        return r;
}

int conditioner_run(Secret *secret, size_t length, uint32_t bits, size_t *ret_length) {
        _cleanup_secret_ Secret *output = NULL;
        size_t output_length = bits / 8;
        int r;

        if (length == 0 || length > secret->size_bytes || bits > 8 * length)
                return -EINVAL;

        r = secret_new(secret->size_bytes, &output);
        if (r < 0)
                return r;
        r = fill(secret, length, output->bytes, output_length);
        if (r < 0)
                return r;

        secret_wipe(secret);
        memcpy(secret->bytes, output->bytes, output_length);
        *ret_length = output_length;
        return 0;
}
