/* SPDX-License-Identifier: MIT */
#include <sys/mman.h>

#include "lib/base/own-pages.h"

void *own_pages_new(size_t size_bytes) {
        void *pages;

        pages = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED)
                return NULL;
        (void)madvise(pages, size_bytes, MADV_DONTFORK);
        return pages;
}

void own_pages_free(void *pages, size_t size_bytes) {
        (void)munmap(pages, size_bytes);
}
