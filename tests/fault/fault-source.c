/* SPDX-License-Identifier: MIT */
/* Devices that cannot be opened, files that cannot be read. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "tests/fault/fault.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static int fault_open(const char *path, int flags) {
        return FAULT(-1, open(path, flags));
}

static int fault_fstat(int fd, struct stat *status) {
        return FAULT(-1, fstat(fd, status));
}

static int fault_fstatfs(int fd, struct statfs *status) {
        return FAULT(-1, fstatfs(fd, status));
}

static ssize_t fault_read(int fd, void *buffer, size_t size) {
        return FAULT(-1, read(fd, buffer, size));
}

static int fault_poll(struct pollfd *entries, nfds_t n_entries, int timeout_msec) {
        return FAULT(-1, poll(entries, n_entries, timeout_msec));
}

#define open    fault_open
#define fstat   fault_fstat
#define fstatfs fault_fstatfs
#define read    fault_read
#define poll    fault_poll
#include "lib/sources/device.c"
#include "lib/sources/wait-read.c"
#undef open
#undef fstat
#undef fstatfs
#undef read
#undef poll

static unsigned files;

static void setup(void) {
        scratch_setup();
        files = scratch_open_files();
}

static void teardown(void) {
        CU_ASSERT_EQUAL(scratch_open_files(), files);
        scratch_teardown();
}

static void test_device(void) {
        unsigned rounds = 0;

        (void)scratch_write("file", "x");
        FAULT_EACH(error, EMFILE) {
                DeviceKind kind = DEVICE_HWRNG;
                int fd = -1, r;

                rounds++;
                r = device_open(scratch_path("file"), &kind, &fd);
                CU_ASSERT_EQUAL(r, fault_hit() ? -EMFILE : 0);
                CU_ASSERT_EQUAL(fd < 0, r < 0);
                CU_ASSERT_EQUAL(kind, r < 0 ? DEVICE_HWRNG : DEVICE_REGULAR);
                cleanup_close(&fd);
                CU_ASSERT_EQUAL(scratch_open_files(), files);
        }
        /* Looked at twice: before and after it is opened. */
        CU_ASSERT_EQUAL(rounds, 7);
}

static void test_wait_read(void) {
        (void)scratch_write("file", "0123456789");
        FAULT_EACH(error, EIO) {
                int fd = open(scratch_path("file"), O_RDONLY | O_NONBLOCK | O_CLOEXEC), r;
                uint8_t buffer[20];
                size_t length = 99;

                r = wait_read(fd, 1000000, buffer, sizeof(buffer), &length);
                CU_ASSERT_EQUAL(r, fault_hit() ? -EIO : 0);
                CU_ASSERT_EQUAL(length, r < 0 ? 99 : 10);
                cleanup_close(&fd);
        }
        FAULT_EACH(error, EINTR) {
                int fd = open(scratch_path("file"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
                uint8_t buffer[20];
                size_t length = 99;

                CU_ASSERT_EQUAL(wait_read(fd, 1000000, buffer, sizeof(buffer), &length), 0);
                CU_ASSERT_EQUAL(length, 10);
                cleanup_close(&fd);
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_device),
        HARNESS_TEST(test_wait_read),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("source", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
