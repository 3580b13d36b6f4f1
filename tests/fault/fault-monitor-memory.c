/* SPDX-License-Identifier: MIT */
/* No memory to sample into, or none that may be locked. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/fault/fault.h"
#include "tests/unit/harness.h"

static void *fault_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
        return FAULT(MAP_FAILED, mmap(at, size, protection, flags, fd, offset));
}

static int fault_mlock(const void *at, size_t size) {
        return FAULT(-1, mlock(at, size));
}

#define mmap  fault_mmap
#define mlock fault_mlock
#include "monitor/memory.c"
#undef mmap
#undef mlock

static void test_memory(void) {
        unsigned int rounds = 0;

        FAULT_EACH(error, ENOMEM) {
                Memory memory = {};
                int r;

                r = memory_new(10000, 1000, &memory);
                rounds++;
                CU_ASSERT_EQUAL(r, rounds == 1 ? -ENOMEM : 0);
                if (r < 0) {
                        CU_ASSERT_PTR_NULL(memory.map);
                        continue;
                }
                /* Unlocked memory still records, and says so. */
                if (rounds == 2)
                        CU_ASSERT(!memory.locked);
                memory_add_sample(&memory, 0, 5);
                CU_ASSERT_EQUAL(memory.n_samples, 1);
                memory_free(&memory);
        }
        CU_ASSERT_EQUAL(rounds, 3);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_memory),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("monitor-memory", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
