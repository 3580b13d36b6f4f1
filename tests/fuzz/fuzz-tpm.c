/* SPDX-License-Identifier: MIT */
/* Any bytes as a TPM's answer; the first one says how many random bytes were asked for. */
#include <stdlib.h>
#include <string.h>

#include "lib/sources/tpm-command.h"

static void check(int right) {
        if (!right)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        uint8_t *buffer;
        size_t length = 0, asked;
        int r;

        if (size == 0)
                return 0;
        asked = data[0] % (TPM_RANDOM_MAX + 1);
        buffer = malloc(asked + 1); /* exact, for ASan */
        if (!buffer)
                return 0;
        r = tpm_take_random(data + 1, size - 1, asked, buffer, &length);
        if (r == 0) {
                check(length > 0 && length <= asked);
                check(memcmp(buffer, data + size - length, length) == 0);
        } else
                check(length == 0 && (r == -EBADMSG || r == -EOPNOTSUPP || r == -EAGAIN ||
                                      r == -EIO || r == -ENODATA));
        free(buffer);
        return 0;
}
