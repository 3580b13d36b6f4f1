/* SPDX-License-Identifier: MIT */
#include "lib/base/cleanup.h"
#include "lib/policy/backoff.h"
#include "tests/unit/harness.h"

static void test_doubles_to_five_minutes(void) {
        static const uint64_t seconds[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300 };
        Backoff backoff = {};

        for (size_t i = 0; i < ELEMENTSOF(seconds); i++) {
                harness_row("failure %zu", i + 1);
                CU_ASSERT_EQUAL(backoff_next_usec(&backoff), seconds[i] * 1000000);
        }
}

static void test_success_starts_over(void) {
        Backoff backoff = {};

        for (unsigned i = 0; i < 5; i++)
                (void)backoff_next_usec(&backoff);
        backoff_reset(&backoff);

        CU_ASSERT_EQUAL(backoff_next_usec(&backoff), BACKOFF_MIN_USEC);
        CU_ASSERT_EQUAL(backoff_next_usec(&backoff), 2 * BACKOFF_MIN_USEC);
}

static void test_stays_within_bounds(void) {
        static const uint64_t odd[] = { 1,
                                        BACKOFF_MIN_USEC - 1,
                                        BACKOFF_MAX_USEC / 2,
                                        BACKOFF_MAX_USEC / 2 - 1,
                                        BACKOFF_MAX_USEC + 1,
                                        UINT64_MAX / 2 + 1,
                                        UINT64_MAX };

        for (size_t i = 0; i < ELEMENTSOF(odd); i++) {
                Backoff backoff = { .last_usec = odd[i] };
                uint64_t delay_usec = backoff_next_usec(&backoff);

                harness_row("last %llu", (unsigned long long)odd[i]);
                CU_ASSERT(delay_usec >= BACKOFF_MIN_USEC);
                CU_ASSERT(delay_usec <= BACKOFF_MAX_USEC);
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_doubles_to_five_minutes),
        HARNESS_TEST(test_success_starts_over),
        HARNESS_TEST(test_stays_within_bounds),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("backoff", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
