/* SPDX-License-Identifier: MIT */
/* No memory, or no protection for it: an error, except where the header says that it may be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/fault/fault.h"
#include "tests/unit/harness.h"

static bool lock_failed, wipe_on_fork_failed;

static void *fault_calloc(size_t n, size_t size) {
        return FAULT(NULL, calloc(n, size));
}

static void *fault_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
        return FAULT(MAP_FAILED, mmap(at, length, protection, flags, fd, offset));
}

static int fault_mprotect(void *at, size_t length, int protection) {
        return FAULT(-1, mprotect(at, length, protection));
}

static int fault_madvise(void *at, size_t length, int advice) {
        int r = FAULT(-1, madvise(at, length, advice));

        wipe_on_fork_failed |= r < 0 && advice == MADV_WIPEONFORK;
        return r;
}

static int fault_mlock(const void *at, size_t length) {
        int r = FAULT(-1, mlock(at, length));

        lock_failed |= r < 0;
        return r;
}

#define calloc   fault_calloc
#define mmap     fault_mmap
#define mprotect fault_mprotect
#define madvise  fault_madvise
#define mlock    fault_mlock
#include "lib/base/secret.c"
#undef calloc
#undef mmap
#undef mprotect
#undef madvise
#undef mlock

/* How much is mapped: what ASan does not see leak. */
static unsigned long mapped_pages(void) {
        FILE *stream = fopen("/proc/self/statm", "re");
        char text[64] = "";

        if (!stream)
                return 0;
        if (!fgets(text, sizeof(text), stream))
                text[0] = '\0';
        (void)fclose(stream);
        return strtoul(text, NULL, 10);
}

static void test_new(void) {
        unsigned rounds = 0;

        FAULT_EACH(error, ENOMEM) {
                bool forgiven;
                Secret *secret = NULL;
                int r;

                rounds++;
                lock_failed = wipe_on_fork_failed = false;
                r = secret_new(100, &secret);
                forgiven = lock_failed || wipe_on_fork_failed;
                CU_ASSERT_EQUAL(r, fault_hit() && !forgiven ? -ENOMEM : 0);
                CU_ASSERT_EQUAL(secret == NULL, r < 0);
                if (r == 0) {
                        CU_ASSERT(!lock_failed || !secret->locked);
                        memset(secret->bytes, 1, secret->size_bytes);
                }
                CU_ASSERT_PTR_NULL(secret_free(secret));
        }
        /* calloc, mmap, mprotect, two madvise, mlock, and a round without failure */
        CU_ASSERT_EQUAL(rounds, 7);
}

static void test_no_leak(void) {
        const size_t length = 1024 * 1024;
        unsigned long before = mapped_pages();

        for (unsigned i = 0; i < 20; i++)
                FAULT_EACH(error, ENOMEM) {
                        Secret *secret = NULL;

                        if (secret_new(length, &secret) == 0)
                                (void)secret_free(secret);
                }
        CU_ASSERT(mapped_pages() < before + 2 * length / 4096);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_new),
        HARNESS_TEST(test_no_leak),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("secret", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
