/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/mman.h>

#include "lib/base/secret.h"

static size_t page_size_bytes(void) {
        long size = sysconf(_SC_PAGESIZE);

        return size > 0 ? (size_t)size : 4096;
}

static size_t mapping_bytes(size_t size_bytes) {
        size_t page = page_size_bytes();

        return (size_bytes + page - 1) / page * page;
}

/* Opens the pages between the two guards; the mapping itself was made without any access. */
static int protect_pages(uint8_t *pages, size_t length) {
        if (mprotect(pages, length, PROT_READ | PROT_WRITE) < 0)
                return negative_errno();
        if (madvise(pages, length, MADV_DONTDUMP) < 0)
                return negative_errno();

        /* Linux 4.14 has it; where it is absent a child inherits what its parent had. */
        (void)madvise(pages, length, MADV_WIPEONFORK);
        return 0;
}

int secret_new(size_t size_bytes, Secret **ret_secret) {
        size_t page = page_size_bytes(), length = mapping_bytes(size_bytes);
        _cleanup_free_ Secret *secret = NULL;
        uint8_t *mapping;
        int r;

        if (size_bytes == 0 || length < size_bytes || length > SIZE_MAX - 2 * page)
                return -EINVAL;

        secret = calloc(1, sizeof(*secret));
        if (!secret)
                return -ENOMEM;

        mapping =
                mmap(NULL,
                     length + 2 * page,
                     PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                     -1,
                     0);
        if (mapping == MAP_FAILED)
                return negative_errno();

        r = protect_pages(mapping + page, length);
        if (r < 0) {
                (void)munmap(mapping, length + 2 * page);
                return r;
        }

        secret->bytes = mapping + page;
        secret->size_bytes = size_bytes;
        secret->locked = mlock(secret->bytes, length) >= 0;
        *ret_secret = TAKE_PTR(secret);
        return 0;
}

void secret_wipe(Secret *secret) {
        explicit_bzero(secret->bytes, secret->size_bytes);
}

Secret *secret_free(Secret *secret) {
        if (!secret)
                return NULL;

        if (secret->bytes) {
                size_t page = page_size_bytes();

                secret_wipe(secret);
                (void)munmap(secret->bytes - page, mapping_bytes(secret->size_bytes) + 2 * page);
        }
        free(secret);
        return NULL;
}

_noinline_ void secret_wipe_stack(void) {
        uint8_t below[4096];

        explicit_bzero(below, sizeof(below));
}
