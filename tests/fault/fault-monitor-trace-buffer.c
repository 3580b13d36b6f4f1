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
#include "monitor/sample/trace-buffer.c"
#undef mmap
#undef mlock

static void test_memory(void) {
        unsigned int rounds = 0;

        FAULT_EACH(error, ENOMEM) {
                TraceBuffer trace = {};
                int r;

                r = trace_buffer_new(10000, 1000, &trace);
                rounds++;
                CU_ASSERT_EQUAL(r, rounds == 1 ? -ENOMEM : 0);
                if (r < 0) {
                        CU_ASSERT_PTR_NULL(trace.map);
                        continue;
                }
                /* Unlocked memory still records, and says so. */
                if (rounds == 2)
                        CU_ASSERT(!trace.locked);
                trace_buffer_add_sample(&trace, 0, 5);
                CU_ASSERT_EQUAL(trace.n_samples, 1);
                trace_buffer_free(&trace);
        }
        CU_ASSERT_EQUAL(rounds, 3);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_memory),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("monitor-trace-buffer", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
