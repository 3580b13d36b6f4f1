/* SPDX-License-Identifier: MIT */
/* Each call of a client fails once, with a good server at the other end: an error or fewer bytes, never
 * bytes that the server did not send, never a descriptor left. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib/base/clock.h"
#include "lib/base/parse.h"
#include "lib/sources/egd.h"
#include "tests/fault/fault.h"
#include "tests/unit/harness.h"

static int fault_socket(int family, int type, int protocol) {
        return FAULT(-1, socket(family, type, protocol));
}

static int fault_connect(int fd, const struct sockaddr *address, socklen_t length) {
        return FAULT(-1, connect(fd, address, length));
}

static int fault_poll(struct pollfd *entries, nfds_t n, int timeout) {
        return FAULT(-1, poll(entries, n, timeout));
}

static ssize_t fault_send(int fd, const void *bytes, size_t length, int flags) {
        return FAULT(-1, send(fd, bytes, length, flags));
}

/* Half of what is wanted, so that there are several; a look ahead is no read that could fail. */
static ssize_t fault_recv(int fd, void *buffer, size_t size, int flags) {
        if (flags & MSG_PEEK)
                return recv(fd, buffer, size, flags);
        return FAULT(-1, recv(fd, buffer, (size + 1) / 2, flags));
}

#define socket  fault_socket
#define connect fault_connect
#define poll    fault_poll
#define send    fault_send
#define recv    fault_recv
#include "lib/sources/egd.c"
#include "lib/sources/wait-read.c"
#undef socket
#undef connect
#undef poll
#undef send
#undef recv

static char path[64];
static pid_t server_pid;

/* 01 is answered by half of what is asked for, so that 02 is used, too. All bytes are 0x5a. */
static void serve(int fd) {
        uint8_t command[2], answer[256];

        while (recv(fd, command, 1, MSG_WAITALL) == 1) {
                if (command[0] == 0) {
                        (void)send(fd, "\0\0\1\0", 4, MSG_NOSIGNAL);
                        continue;
                }
                if (recv(fd, command + 1, 1, MSG_WAITALL) != 1)
                        return;
                memset(answer, 0x5a, sizeof(answer));
                if (command[0] == 1) {
                        answer[0] = command[1] / 2;
                        (void)send(fd, answer, 1U + answer[0], MSG_NOSIGNAL);
                } else
                        (void)send(fd, answer, command[1], MSG_NOSIGNAL);
        }
}

static void setup_server(void) {
        EgdAddress address;
        char text[96];
        int fd;

        (void)snprintf(path, sizeof(path), "/tmp/fault-egd.%d", (int)getpid());
        (void)snprintf(text, sizeof(text), "unix:%s", path);
        (void)unlink(path);
        CU_ASSERT_EQUAL_FATAL(egd_parse_address(text, &address), 0);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CU_ASSERT_EQUAL_FATAL(bind(fd, &address.address.any, address.length), 0);
        CU_ASSERT_EQUAL_FATAL(listen(fd, 8), 0);
        server_pid = fork();
        if (server_pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;) {
                        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

                        if (client < 0)
                                _exit(0);
                        serve(client);
                        (void)close(client);
                }
        }
        (void)close(fd);
}

static void teardown_server(void) {
        (void)kill(server_pid, SIGKILL);
        (void)waitpid(server_pid, NULL, 0);
        (void)unlink(path);
}

static int lowest_free_fd(void) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        (void)close(fd);
        return fd;
}

static int run_client(uint8_t buffer[static 300], size_t *ret_length, bool *ret_reusable) {
        EgdConnection connection = {
                .fd = -1,
                .until_usec = clock_monotonic_usec() + 5 * USEC_PER_SEC,
        };
        EgdAddress address;
        uint32_t level_bits;
        char text[96];
        int r;

        (void)snprintf(text, sizeof(text), "unix:%s", path);
        r = egd_parse_address(text, &address);
        if (r >= 0)
                r = egd_connect(&address, &connection);
        if (r >= 0)
                r = egd_level_bits(&connection, &level_bits);
        if (r >= 0)
                r = egd_read(&connection, buffer, 300, ret_length, ret_reusable);
        cleanup_close(&connection.fd);
        return r;
}

static void test_each_call(void) {
        unsigned rounds = 0;

        FAULT_EACH(error, EIO) {
                uint8_t buffer[300] = {};
                int free_fd = lowest_free_fd(), r;
                bool reusable = false;
                size_t n = 0;

                rounds++;
                r = run_client(buffer, &n, &reusable);
                CU_ASSERT_EQUAL(lowest_free_fd(), free_fd);
                for (size_t i = 0; i < n; i++)
                        CU_ASSERT_EQUAL(buffer[i], 0x5a);
                if (fault_hit()) {
                        CU_ASSERT(r == -EIO || (r == 0 && n > 0 && n < 300));
                        CU_ASSERT_FALSE(reusable);
                } else {
                        CU_ASSERT_EQUAL(r, 0);
                        CU_ASSERT_EQUAL(n, 300);
                        CU_ASSERT(reusable);
                }
        }
        /* Connecting, two requests, and the bytes in ever smaller pieces. */
        CU_ASSERT(rounds > 15);
}

/* Interrupted calls are made again. */
static void test_interrupted(void) {
        FAULT_EACH(error, EINTR) {
                uint8_t buffer[300] = {};
                bool reusable = false;
                size_t n = 0;
                int r;

                r = run_client(buffer, &n, &reusable);
                CU_ASSERT(r == -EINTR || (r == 0 && n == 300 && reusable));
                CU_ASSERT(r == 0 || fault_at <= 2); /* socket() and connect() are not */
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_each_call),
        HARNESS_TEST(test_interrupted),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("egd", setup_server, teardown_server, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
