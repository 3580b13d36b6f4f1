/* SPDX-License-Identifier: MIT */
/* Any call that fails: the error arrives, the old file stays, nothing is left behind or open. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "tests/fault/fault.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static ssize_t fault_read(int fd, void *buffer, size_t size) {
        return FAULT(-1, read(fd, buffer, size));
}

/* A short write is no failure: one byte at a time. */
static ssize_t fault_write(int fd, const void *buffer, size_t size) {
        return FAULT(-1, write(fd, buffer, MIN(size, 1U)));
}

static int fault_openat(int dirfd, const char *path, int flags, ...) {
        mode_t mode = 0;
        va_list args;

        if (flags & O_CREAT) {
                va_start(args, flags);
                mode = va_arg(args, mode_t);
                va_end(args);
        }
        return FAULT(-1, openat(dirfd, path, flags, mode));
}

static int fault_fchmod(int fd, mode_t mode) {
        return FAULT(-1, fchmod(fd, mode));
}

static int fault_fsync(int fd) {
        return FAULT(-1, fsync(fd));
}

/* A close that fails has closed. */
static int fault_close(int fd) {
        int r = close(fd);

        return FAULT(-1, r);
}

static void *fault_realloc(void *bytes, size_t size) {
        return FAULT(NULL, realloc(bytes, size));
}

static int fault_renameat(int from_fd, const char *from, int to_fd, const char *to) {
        return FAULT(-1, renameat(from_fd, from, to_fd, to));
}

#define read     fault_read
#define write    fault_write
#define openat   fault_openat
#define fchmod   fault_fchmod
#define fsync    fault_fsync
#define close    fault_close
#define realloc  fault_realloc
#define renameat fault_renameat
#include "lib/base/io.c"
#undef read
#undef write
#undef openat
#undef fchmod
#undef fsync
#undef close
#undef realloc
#undef renameat

static int directory = -1;

static void setup(void) {
        scratch_setup();
        directory = open(scratch_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void teardown(void) {
        cleanup_close(&directory);
        scratch_teardown();
}

static bool content_is(const char *name, const char *expected) {
        char text[32] = "";
        int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

        cleanup_close(&fd);
        return n >= 0 && strcmp(text, expected) == 0;
}

static void test_write_atomic(void) {
        unsigned files = scratch_open_files(), rounds = 0;

        FAULT_EACH(error, EIO) {
                int r;

                rounds++;
                (void)scratch_write("file", "old");
                r = io_write_atomic_at(directory, "file", 0644, "new", 3);
                CU_ASSERT_EQUAL(r, fault_hit() ? -EIO : 0);
                CU_ASSERT(content_is("file", fault_hit() ? "old" : "new"));
                CU_ASSERT(access(scratch_path("file.new"), F_OK) < 0);
                CU_ASSERT_EQUAL(scratch_open_files(), files);
        }
        /* openat, three writes, fchmod, fsync, close, renameat, and a round without failure */
        CU_ASSERT_EQUAL(rounds, 9);
}

/* A signal is no failure, where it is said so. */
static void test_interrupted(void) {
        FAULT_EACH(error, EINTR) {
                int fd = openat(directory, "x", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                char buffer[8];
                size_t length = 0;

                CU_ASSERT_EQUAL(io_write_full(fd, "abcdef", 6), 0);
                CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_SET), 0);
                CU_ASSERT_EQUAL(io_read_full(fd, buffer, sizeof(buffer), &length), 0);
                CU_ASSERT_EQUAL(length, 6);
                cleanup_close(&fd);
        }
}

static void test_read(void) {
        unsigned files = scratch_open_files();

        (void)scratch_write("file", "text\n");
        FAULT_EACH(error, EIO) {
                char text[16] = "before";
                int r;

                r = io_read_text_at(directory, "file", text, sizeof(text));
                CU_ASSERT_EQUAL(r, fault_hit() ? -EIO : 0);
                CU_ASSERT(r < 0 || strcmp(text, "text") == 0);
                CU_ASSERT_EQUAL(scratch_open_files(), files);
        }
        FAULT_EACH(error, EIO) {
                int fd = openat(directory, "file", O_RDONLY | O_CLOEXEC), r;
                char buffer[8];
                size_t length = 99;

                r = io_read_full(fd, buffer, sizeof(buffer), &length);
                CU_ASSERT_EQUAL(r, fault_hit() ? -EIO : 0);
                CU_ASSERT_EQUAL(length, r < 0 ? 99 : 5);
                cleanup_close(&fd);
        }
}

static void test_read_all(void) {
        (void)scratch_write("file", "bytes");
        FAULT_EACH(error, EIO) {
                int fd = openat(directory, "file", O_RDONLY | O_CLOEXEC), r;
                _cleanup_free_ char *text = NULL;
                size_t length = 99;

                r = io_read_all(fd, 100, &text, &length);
                CU_ASSERT_EQUAL(r < 0, fault_hit());
                CU_ASSERT_EQUAL(length, r < 0 ? 99 : 5);
                CU_ASSERT_EQUAL(text == NULL, r < 0);
                cleanup_close(&fd);
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_write_atomic),
        HARNESS_TEST(test_interrupted),
        HARNESS_TEST(test_read),
        HARNESS_TEST(test_read_all),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("io", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
