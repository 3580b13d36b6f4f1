/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "lib/base/io.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static int read_pipe[2] = { -1, -1 };

static void setup(void) {
        scratch_setup();
        CU_ASSERT_EQUAL_FATAL(pipe2(read_pipe, O_CLOEXEC), 0);
}

static void teardown(void) {
        cleanup_close(&read_pipe[0]);
        cleanup_close(&read_pipe[1]);
        scratch_teardown();
}

static void test_read_full(void) {
        char buffer[8] = "";
        size_t length = 99;

        CU_ASSERT_EQUAL(write(read_pipe[1], "abcdef", 6), 6);
        CU_ASSERT_EQUAL(io_read_full(read_pipe[0], buffer, 4, &length), 0);
        CU_ASSERT_EQUAL(length, 4);
        CU_ASSERT_NSTRING_EQUAL(buffer, "abcd", 4);

        cleanup_close(&read_pipe[1]);
        CU_ASSERT_EQUAL(io_read_full(read_pipe[0], buffer, sizeof(buffer), &length), 0);
        CU_ASSERT_EQUAL(length, 2);
        CU_ASSERT_EQUAL(io_read_full(read_pipe[0], buffer, sizeof(buffer), &length), 0);
        CU_ASSERT_EQUAL(length, 0);
        CU_ASSERT_EQUAL(io_read_full(read_pipe[0], buffer, 0, &length), 0);
        CU_ASSERT_EQUAL(length, 0);
}

static int write_slowly(void *userdata) {
        for (unsigned i = 0; i < 8; i++) {
                (void)usleep(5000);
                if (write(read_pipe[1], "x", 1) != 1)
                        return 1;
        }
        return 0;
}

static void on_alarm(int number) {
}

/* Bytes come one at a time, and a signal comes in between. */
static void test_read_full_in_pieces(void) {
        const struct sigaction action = { .sa_handler = on_alarm }; /* no SA_RESTART */
        const struct itimerval often = { .it_interval.tv_usec = 2000, .it_value.tv_usec = 2000 };
        const struct itimerval never = { .it_value.tv_usec = 0 };
        char buffer[8];
        size_t length = 0;
        int status;
        pid_t pid;

        pid = fork();
        if (pid == 0)
                _exit(write_slowly(NULL));
        CU_ASSERT_EQUAL(sigaction(SIGALRM, &action, NULL), 0);
        CU_ASSERT_EQUAL(setitimer(ITIMER_REAL, &often, NULL), 0);
        CU_ASSERT_EQUAL(io_read_full(read_pipe[0], buffer, sizeof(buffer), &length), 0);
        CU_ASSERT_EQUAL(setitimer(ITIMER_REAL, &never, NULL), 0);
        CU_ASSERT_EQUAL(length, sizeof(buffer));
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
}

static void test_read_full_fails(void) {
        char buffer[8];
        size_t length = 99;

        CU_ASSERT_EQUAL(io_read_full(-1, buffer, sizeof(buffer), &length), -EBADF);
        CU_ASSERT_EQUAL(fcntl(read_pipe[0], F_SETFL, O_NONBLOCK), 0);
        CU_ASSERT_EQUAL(io_read_full(read_pipe[0], buffer, sizeof(buffer), &length), -EAGAIN);
        CU_ASSERT_EQUAL(length, 99);
}

static void test_read_all(void) {
        static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 9999, 10000 };
        static char bytes[10001];
        size_t length = 7;
        char *text = NULL;
        int fd;

        memset(bytes, 'x', sizeof(bytes));
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                harness_row("%zu bytes", sizes[i]);
                fd = open(scratch_write_bytes("file", bytes, sizes[i]), O_RDONLY | O_CLOEXEC);
                CU_ASSERT_EQUAL(io_read_all(fd, 10000, &text, &length), 0);
                CU_ASSERT_EQUAL(length, sizes[i]);
                CU_ASSERT_EQUAL(strlen(text), sizes[i]);
                cleanup_free(&text);
                cleanup_close(&fd);
        }
        fd = open(scratch_write_bytes("file", bytes, sizeof(bytes)), O_RDONLY | O_CLOEXEC);
        CU_ASSERT_EQUAL(io_read_all(fd, 10000, &text, &length), -EFBIG);
        CU_ASSERT_EQUAL(io_read_all(-1, 10000, &text, &length), -EBADF);
        CU_ASSERT_PTR_NULL(text);
        CU_ASSERT_EQUAL(length, 10000);
        cleanup_close(&fd);
}

static void test_write_full(void) {
        char buffer[8];
        int pair[2];

        CU_ASSERT_EQUAL(io_write_full(read_pipe[1], "abc", 3), 0);
        CU_ASSERT_EQUAL(read(read_pipe[0], buffer, sizeof(buffer)), 3);
        CU_ASSERT_EQUAL(io_write_full(read_pipe[1], "", 0), 0);
        CU_ASSERT_EQUAL(io_write_full(-1, "abc", 3), -EBADF);

        CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        (void)signal(SIGPIPE, SIG_IGN);
        (void)close(pair[0]);
        CU_ASSERT_EQUAL(io_write_full(pair[1], "abc", 3), -EPIPE);
        (void)close(pair[1]);
}

static int read_text(const char *name, char *buffer, size_t size) {
        return io_read_text_at(AT_FDCWD, scratch_path(name), buffer, size);
}

static void test_read_text(void) {
        char text[8] = "before";

        (void)scratch_write("plain", "abc\n");
        CU_ASSERT_EQUAL(read_text("plain", text, sizeof(text)), 0);
        CU_ASSERT_STRING_EQUAL(text, "abc");

        (void)scratch_write("blank", " \t\r\n \n");
        CU_ASSERT_EQUAL(read_text("blank", text, sizeof(text)), 0);
        CU_ASSERT_STRING_EQUAL(text, "");
        (void)scratch_write("empty", "");
        CU_ASSERT_EQUAL(read_text("empty", text, sizeof(text)), 0);
        CU_ASSERT_STRING_EQUAL(text, "");
        (void)scratch_write("inside", " a b \n");
        CU_ASSERT_EQUAL(read_text("inside", text, sizeof(text)), 0);
        CU_ASSERT_STRING_EQUAL(text, " a b");

        (void)scratch_write("fits", "1234567");
        CU_ASSERT_EQUAL(read_text("fits", text, sizeof(text)), 0);
        CU_ASSERT_STRING_EQUAL(text, "1234567");
}

static void test_read_text_refuses(void) {
        char text[8];

        (void)scratch_write("long", "12345678");
        CU_ASSERT_EQUAL(read_text("long", text, sizeof(text)), -EFBIG);
        (void)scratch_write_bytes("zero", "ab\0c", 4);
        CU_ASSERT_EQUAL(read_text("zero", text, sizeof(text)), -EINVAL);
        CU_ASSERT_EQUAL(read_text("missing", text, sizeof(text)), -ENOENT);
        CU_ASSERT_EQUAL(read_text(".", text, sizeof(text)), -EISDIR);

        /* Nobody writes into it, and it must not wait for somebody. */
        CU_ASSERT_EQUAL(mkfifo(scratch_path("fifo"), 0600), 0);
        CU_ASSERT_EQUAL(read_text("fifo", text, sizeof(text)), 0);
        CU_ASSERT_STRING_EQUAL(text, "");
}

static void check_file(const char *name, const char *expected, mode_t mode) {
        struct stat status;
        char text[64];

        CU_ASSERT_EQUAL(read_text(name, text, sizeof(text)), 0);
        CU_ASSERT_STRING_EQUAL(text, expected);
        CU_ASSERT_EQUAL(stat(scratch_path(name), &status), 0);
        CU_ASSERT_EQUAL(status.st_mode & 07777, mode);
}

static void test_write_atomic(void) {
        int directory = open(scratch_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        mode_t before = umask(0077);

        CU_ASSERT_EQUAL(io_write_atomic_at(directory, "file", 0644, "one\n", 4), 0);
        check_file("file", "one", 0644);
        CU_ASSERT_EQUAL(io_write_atomic_at(directory, "file", 0600, "two", 3), 0);
        check_file("file", "two", 0600);
        CU_ASSERT_EQUAL(io_write_atomic_at(directory, "file", 0640, "", 0), 0);
        check_file("file", "", 0640);
        CU_ASSERT(access(scratch_path("file.new"), F_OK) < 0);
        (void)umask(before);

        /* What an earlier, interrupted write left is in nobody's way. */
        (void)scratch_write("file.new", "rubbish that is longer");
        CU_ASSERT_EQUAL(io_write_atomic_at(directory, "file", 0644, "three", 5), 0);
        check_file("file", "three", 0644);
        (void)close(directory);
}

static void test_write_atomic_fails(void) {
        char name[300];
        int directory = open(scratch_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        (void)scratch_write("file", "old");
        CU_ASSERT_EQUAL(symlink("file", scratch_path("file.new")), 0);
        CU_ASSERT_EQUAL(io_write_atomic_at(directory, "file", 0644, "new", 3), -ELOOP);
        check_file("file", "old", 0644);

        CU_ASSERT_EQUAL(mkdir(scratch_path("directory"), 0755), 0);
        CU_ASSERT_EQUAL(io_write_atomic_at(directory, "directory", 0644, "new", 3), -EISDIR);
        CU_ASSERT(access(scratch_path("directory.new"), F_OK) < 0);
        CU_ASSERT_EQUAL(io_write_atomic_at(directory, "no/file", 0644, "new", 3), -ENOENT);

        memset(name, 'x', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        CU_ASSERT_EQUAL(io_write_atomic_at(directory, name, 0644, "new", 3), -ENAMETOOLONG);
        (void)close(directory);
}

/* A reader sees the old or the new content, whenever it looks. */
static void test_write_atomic_for_readers(void) {
        int directory = open(scratch_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int status;
        pid_t pid;

        CU_ASSERT_EQUAL(io_write_atomic_at(directory, "file", 0644, "aaaaaaaa", 8), 0);
        pid = fork();
        if (pid == 0) {
                for (unsigned i = 0; i < 200; i++)
                        if (io_write_atomic_at(
                                    directory,
                                    "file",
                                    0644,
                                    i % 2 ? "aaaaaaaa" : "bbbbbbbb",
                                    8) < 0)
                                _exit(1);
                _exit(0);
        }
        while (waitpid(pid, &status, WNOHANG) == 0) {
                char text[16];

                CU_ASSERT_EQUAL_FATAL(read_text("file", text, sizeof(text)), 0);
                CU_ASSERT_FATAL(strcmp(text, "aaaaaaaa") == 0 || strcmp(text, "bbbbbbbb") == 0);
        }
        CU_ASSERT_EQUAL(status, 0);
        (void)close(directory);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_read_full),
        HARNESS_TEST(test_read_full_in_pieces),
        HARNESS_TEST(test_read_all),
        HARNESS_TEST(test_read_full_fails),
        HARNESS_TEST(test_write_full),
        HARNESS_TEST(test_read_text),
        HARNESS_TEST(test_read_text_refuses),
        HARNESS_TEST(test_write_atomic),
        HARNESS_TEST(test_write_atomic_fails),
        HARNESS_TEST(test_write_atomic_for_readers),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("io", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
