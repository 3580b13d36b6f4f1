/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/unix-socket.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

/* The directory of the test is its working directory, so that any directory's name fits. */
static int listen_at(const char *name, int backlog) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd;

        (void)stpcpy(address.sun_path, name);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CU_ASSERT_FATAL(fd >= 0);
        CU_ASSERT_EQUAL_FATAL(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        if (backlog >= 0)
                CU_ASSERT_EQUAL_FATAL(listen(fd, backlog), 0);
        return fd;
}

static void setup(void) {
        scratch_setup();
        CU_ASSERT_EQUAL_FATAL(chdir(scratch_directory), 0);
}

static void teardown(void) {
        CU_ASSERT_EQUAL(chdir("/"), 0);
        scratch_teardown();
}

static void test_connect(void) {
        _cleanup_close_ int server = listen_at("s", 1), accepted = -1, fd = -1;
        char byte = 0;

        CU_ASSERT_EQUAL_FATAL(unix_socket_connect("s", 5, &fd), 0);
        accepted = accept(server, NULL, NULL);
        CU_ASSERT_EQUAL(write(accepted, "x", 1), 1);
        CU_ASSERT_EQUAL(read(fd, &byte, 1), 1);
        CU_ASSERT_EQUAL(byte, 'x');
}

static void test_nobody_there(void) {
        _cleanup_close_ int bound = listen_at("deaf", -1);
        char path[200];
        int fd = -1;

        CU_ASSERT(bound >= 0);
        memset(path, 'a', sizeof(path));
        path[sizeof(path) - 1] = '\0';
        CU_ASSERT_EQUAL(unix_socket_connect(path, 5, &fd), -ENAMETOOLONG);
        path[sizeof(((struct sockaddr_un *)NULL)->sun_path)] = '\0';
        CU_ASSERT_EQUAL(unix_socket_connect(path, 5, &fd), -ENAMETOOLONG);
        path[sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1] = '\0';
        CU_ASSERT_EQUAL(unix_socket_connect(path, 5, &fd), -ENOENT);
        CU_ASSERT_EQUAL(unix_socket_connect("deaf", 5, &fd), -ECONNREFUSED);
        CU_ASSERT_EQUAL(fd, -1);
}

/* A server that takes nobody, and one that takes and says nothing. */
static void test_silence(void) {
        _cleanup_close_ int server = listen_at("s", 0), first = -1;
        int fd = -1;
        char byte;

        CU_ASSERT(server >= 0);
        CU_ASSERT_EQUAL_FATAL(unix_socket_connect("s", 1, &first), 0);
        CU_ASSERT_EQUAL(unix_socket_connect("s", 1, &fd), -EAGAIN);
        CU_ASSERT_EQUAL(fd, -1);
        CU_ASSERT(read(first, &byte, 1) < 0 && errno == EAGAIN);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_connect),
        HARNESS_TEST(test_nobody_there),
        HARNESS_TEST(test_silence),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("unix-socket", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
