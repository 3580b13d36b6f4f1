/* SPDX-License-Identifier: MIT */
#include "lib/sources/jitter-library.h"

bool jitter_library_is_there(void) {
        return false;
}

int jitter_library_new(void **ret_collector) {
        return -EOPNOTSUPP;
}

int jitter_library_read(void *collector, uint8_t *buffer, size_t size) {
        return -EOPNOTSUPP;
}
