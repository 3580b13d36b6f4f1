/* SPDX-License-Identifier: MIT */
#include "lib/feed/batch.h"

int batch_init(Batch *ret_batch) {
        Secret *secret;
        int r;

        r = secret_new(SOURCE_READ_MAX_BYTES, &secret);
        if (r < 0)
                return r;
        *ret_batch = (Batch){ .secret = secret };
        return 0;
}

void batch_deinit(Batch *batch) {
        batch->secret = secret_free(batch->secret);
}
