/* SPDX-License-Identifier: MIT */
#include <jitterentropy.h>

#include "lib/sources/jitter-library.h"

bool jitter_library_is_there(void) {
        return true;
}

int jitter_library_new(void **ret_collector) {
        struct rand_data *collector;

        if (jent_entropy_init() != 0)
                return -EOPNOTSUPP;
        collector = jent_entropy_collector_alloc(1, 0);
        if (!collector)
                return -ENOMEM;
        *ret_collector = collector;
        return 0;
}

int jitter_library_read(void *collector, uint8_t *buffer, size_t size) {
        ssize_t n = jent_read_entropy(collector, (char *)buffer, size);

        return n < 0 || (size_t)n != size ? -EIO : 0;
}
