/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <time.h>

#include "lib/kernel/clock.h"
#include "tests/unit/harness.h"

static int fd = -1;

static void setup(void) {
        CU_ASSERT_EQUAL_FATAL(clock_jump_open(&fd), 0);
}

static void teardown(void) {
        cleanup_close(&fd);
}

static bool is_readable(int timeout_msec) {
        struct pollfd entry = { .fd = fd, .events = POLLIN };

        return poll(&entry, 1, timeout_msec) == 1 && (entry.revents & POLLIN);
}

static void test_times(void) {
        uint64_t monotonic = clock_monotonic_usec(), boottime = clock_boottime_usec();
        uint64_t suspended = clock_suspended_usec();

        CU_ASSERT(monotonic > 0);
        CU_ASSERT(boottime >= monotonic);
        CU_ASSERT(boottime - monotonic + 1000000 > suspended);
        CU_ASSERT(clock_monotonic_usec() >= monotonic);
        CU_ASSERT(clock_boottime_usec() >= boottime);
        (void)poll(NULL, 0, 20);
        CU_ASSERT(clock_monotonic_usec() >= monotonic + 20000);
        CU_ASSERT(clock_suspended_usec() < suspended + 10000);
        CU_ASSERT(clock_suspended_usec() + 10000 > suspended);
}

static void test_no_jump(void) {
        bool jumped = true;

        CU_ASSERT_FALSE(is_readable(20));
        CU_ASSERT_EQUAL(clock_jump_receive(fd, &jumped), 0);
        CU_ASSERT_FALSE(jumped);
        CU_ASSERT_FALSE(is_readable(0));
}

static void test_jump(void) {
        struct timespec now;
        bool jumped = false;

        CU_ASSERT_EQUAL_FATAL(clock_gettime(CLOCK_REALTIME, &now), 0);
        /* To what it is: an event all the same. */
        if (clock_settime(CLOCK_REALTIME, &now) < 0)
                HARNESS_SKIP("the clock may not be set here");
        CU_ASSERT(is_readable(1000));
        CU_ASSERT_EQUAL(clock_jump_receive(fd, &jumped), 0);
        CU_ASSERT(jumped);
        CU_ASSERT_FALSE(is_readable(20));

        /* Armed again by that. */
        CU_ASSERT_EQUAL(clock_gettime(CLOCK_REALTIME, &now), 0);
        CU_ASSERT_EQUAL(clock_settime(CLOCK_REALTIME, &now), 0);
        CU_ASSERT(is_readable(1000));
        CU_ASSERT_EQUAL(clock_jump_receive(fd, &jumped), 0);
        CU_ASSERT(jumped);
}

static void test_bad_fd(void) {
        bool jumped = true;

        CU_ASSERT_EQUAL(clock_jump_receive(-1, &jumped), -EBADF);
        CU_ASSERT(jumped);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_times),  HARNESS_TEST(test_no_jump), HARNESS_TEST(test_jump),
        HARNESS_TEST(test_bad_fd), CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("clock", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
