/* SPDX-License-Identifier: MIT */
/* The lock and the way to the background: an error, no file left open, nobody left waiting. */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "tests/fault/fault.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static int fault_open(const char *path, int flags, mode_t mode, ...) {
        return FAULT(-1, open(path, flags, mode));
}

static int fault_fstat(int fd, struct stat *status) {
        return FAULT(-1, fstat(fd, status));
}

static int fault_unlink(const char *path) {
        return FAULT(-1, unlink(path));
}

static int fault_fcntl(int fd, int command, struct flock *lock) {
        return FAULT(-1, fcntl(fd, command, lock));
}

static int fault_ftruncate(int fd, off_t length) {
        return FAULT(-1, ftruncate(fd, length));
}

static int fault_write_full(int fd, const void *bytes, size_t length) {
        return FAULT(-ENOSPC, io_write_full(fd, bytes, length));
}

static int fault_pipe2(int fds[2], int flags) {
        return FAULT(-1, pipe2(fds, flags));
}

static pid_t fault_fork(void) {
        return FAULT(-1, fork());
}

static int fault_chdir(const char *path) {
        return FAULT(-1, chdir(path));
}

#define open(_path, ...) fault_open(_path, __VA_ARGS__, 0)
#define fstat            fault_fstat
#define unlink           fault_unlink
#define fcntl            fault_fcntl
#define ftruncate        fault_ftruncate
#define io_write_full    fault_write_full
#define pipe2            fault_pipe2
#define fork             fault_fork
#define chdir            fault_chdir
#include "rngd/daemonize.c"
#undef open
#undef fstat
#undef unlink
#undef fcntl
#undef ftruncate
#undef io_write_full
#undef pipe2
#undef fork
#undef chdir

static void close_locks(void) {
        for (int fd = 3; fd < 64; fd++) {
                char target[SCRATCH_PATH_MAX] = "", path[64];

                (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
                if (readlink(path, target, sizeof(target) - 1) > 0 && strstr(target, "/lock"))
                        (void)close(fd);
        }
}

/* With and without a file that others could open. */
static void check_lock(mode_t mode) {
        const char *path = scratch_path("lock");
        unsigned files = scratch_open_files();

        FAULT_EACH(error, EIO) {
                struct stat status;
                pid_t holder = 99;
                int r;

                if (mode != 0)
                        CU_ASSERT_EQUAL(chmod(scratch_write("lock", "old"), mode), 0);
                r = lock_file(path, &holder);
                CU_ASSERT(fault_hit() ? r == -EIO || r == -ENOSPC : r == 0);
                CU_ASSERT_EQUAL(holder, 99);
                if (r < 0) {
                        CU_ASSERT_EQUAL(scratch_open_files(), files);
                        continue;
                }
                CU_ASSERT(stat(path, &status) == 0 && (status.st_mode & 07777) == 0600);
        }
        close_locks();
        CU_ASSERT_EQUAL(scratch_open_files(), files);
}

static void test_lock(void) {
        check_lock(0);
        check_lock(0644);
}

static void test_no_file(void) {
        pid_t holder = 99;

        fault_at = 0;
        CU_ASSERT_EQUAL(mkfifo(scratch_path("fifo"), 0600), 0);
        CU_ASSERT_EQUAL(lock_file(scratch_path("fifo"), &holder), -ENOTSUP);
        CU_ASSERT_EQUAL(holder, 99);
}

/* Another process holds it; F_GETLK may fail, and then nobody knows who it is. */
static int lock_again(void *userdata) {
        const pid_t *first = userdata;
        pid_t holder = 99;
        char text[32];

        /* Here, since a process that closes any file of it loses its lock (fcntl(2)). */
        if (io_read_text_at(AT_FDCWD, scratch_path("lock"), text, sizeof(text)) < 0 ||
            atoi(text) != *first) // NOLINT(cert-err34-c)
                return 3;
        if (lock_file(scratch_path("lock"), &holder) != -EALREADY || holder != *first)
                return 1;
        (void)fault_first(EIO);
        fault_at = 4; /* open, fstat, F_SETLK, F_GETLK */
        return lock_file(scratch_path("lock"), &holder) == -EALREADY && holder == 0 ? 0 : 2;
}

static void test_locked(void) {
        pid_t holder = 0, mine = getpid();

        fault_at = 0;
        CU_ASSERT_EQUAL(lock_file(scratch_path("lock"), &holder), 0);
        CU_ASSERT_EQUAL(scratch_in_child(lock_again, &mine), 0);
}

static void test_symlink(void) {
        pid_t holder;

        fault_at = 0;
        (void)scratch_write("precious", "content");
        CU_ASSERT_EQUAL(symlink("precious", scratch_path("link")), 0);
        CU_ASSERT_EQUAL(lock_file(scratch_path("link"), &holder), -ELOOP);
}

/* As a program: the parent's exit status is what a caller sees. */
static int start(void *userdata) {
        const unsigned *at = userdata;
        int ready_fd = -1, r;

        (void)fault_first(EAGAIN);
        fault_at = *at;
        r = daemonize_start(&ready_fd);
        if (r < 0)
                return 40; /* of whichever process could not go on */
        fault_at = 0;
        daemonize_ready(&ready_fd);
        return 41; /* the daemon's own, which nobody waits for */
}

static void test_start(void) {
        static const int expected[] = { 40, 40, 40, 0 }; /* pipe2, fork, chdir, none */

        for (unsigned at = 1; at <= ELEMENTSOF(expected); at++) {
                harness_row("at %u", at);
                CU_ASSERT_EQUAL(scratch_in_child(start, &at), expected[at - 1]);
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_lock),    HARNESS_TEST(test_locked), HARNESS_TEST(test_symlink),
        HARNESS_TEST(test_no_file), HARNESS_TEST(test_start),  CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("daemonize", scratch_setup, scratch_teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
