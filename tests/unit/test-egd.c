/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib/kernel/clock.h"
#include "lib/sources/egd.h"
#include "lib/sources/source-list.h"
#include "tests/unit/harness.h"

#define WAIT_USEC 600000U /* of a read; half of it is for the bytes */

static void test_addresses(void) {
        static const struct {
                const char *text;
                int family; /* 0: refused. AF_VSOCK is only a number here: no socket is made */
        } rows[] = {
                { "unix:/run/egd-pool", AF_UNIX },
                { "tcp:127.0.0.1:708", AF_INET },
                { "tcp:[::1]:8888", AF_INET6 },
                { "tcp:[fd00:ec2::254]:1", AF_INET6 },
                { "vsock:2:8888", AF_VSOCK },
                { "vsock:4294967294:0", AF_VSOCK },
                { "", 0 },
                { "/run/egd-pool", 0 },
                { "unix:", 0 },
                { "unix:run/egd-pool", 0 },
                { "unix:/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                  0 },
                { "tcp:localhost:708", 0 },
                { "tcp:127.0.0.1", 0 },
                { "tcp:127.0.0.1:", 0 },
                { "tcp:127.0.0.1:0", 0 },
                { "tcp:127.0.0.1:65536", 0 },
                { "tcp:127.0.0.1:708x", 0 },
                { "tcp:127.0.0.256:708", 0 },
                { "tcp:::1:708", 0 },
                { "tcp:[::1:708", 0 },
                { "tcp:[]:708", 0 },
                { "tcp:[127.0.0.1]:708", 0 },
                { "tcp::708", 0 },
                { "vsock:2", 0 },
                { "vsock:host:1", 0 },
                { "vsock:4294967295:1", 0 }, /* VMADDR_CID_ANY */
                { "vsock:2:-1", 0 },
                { "udp:127.0.0.1:1", 0 },
                { "UNIX:/x", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                EgdAddress address = {};
                int r;

                harness_row("%s", rows[i].text);
                r = egd_parse_address(rows[i].text, &address);
                CU_ASSERT_EQUAL(r, rows[i].family ? 0 : -EINVAL);
                CU_ASSERT_EQUAL(address.address.any.sa_family, rows[i].family);
        }
}

/* ---- servers, each in a child of its own ---- */

typedef enum Manner {
        GOOD,
        EMPTY_AT_FIRST, /* 01 gets nothing, 02 waits for it */
        SHORT,          /* 01 gets 10 of what is asked for */
        DRIBBLES,       /* one byte every millisecond */
        STOPS_HALF_WAY, /* 20 bytes of a 02, then silence */
        CLOSES_HALF_WAY,
        SILENT,
        CLOSES_AT_ONCE,
        CLOSES_AFTER_LEVEL,
        SPEAKS_FIRST,
        LEVEL_TOO_LONG,
        LEVEL_TOO_SHORT,
        COUNT_TOO_BIG,
} Manner;

static char path[96];
static pid_t server_pid;

/* The n-th byte that a server ever sends as random. */
static uint8_t next_byte(void) {
        static uint32_t n;

        return (uint8_t)(n++ * 2654435761U >> 13);
}

static void send_random(int fd, size_t n, Manner manner) {
        for (size_t i = 0; i < n; i++) {
                const uint8_t byte = next_byte();

                if (manner == DRIBBLES)
                        (void)usleep(1000);
                if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
                        _exit(0);
        }
}

static uint8_t receive_byte(int fd) {
        uint8_t byte;

        if (recv(fd, &byte, 1, 0) != 1)
                _exit(0);
        return byte;
}

static void send_level(int fd, Manner manner) {
        (void)send(
                fd,
                "\0\0\x10\0\0",
                manner == LEVEL_TOO_LONG    ? 5
                : manner == LEVEL_TOO_SHORT ? 3
                                            : 4,
                MSG_NOSIGNAL);
        if (manner == CLOSES_AFTER_LEVEL)
                _exit(0);
}

static void answer_now(int fd, Manner manner, uint8_t wanted) {
        uint8_t count = wanted;

        if (manner == EMPTY_AT_FIRST || manner == STOPS_HALF_WAY || manner == CLOSES_HALF_WAY)
                count = 0;
        else if (manner == SHORT)
                count = MIN(wanted, 10);
        else if (manner == COUNT_TOO_BIG)
                count = (uint8_t)(wanted + 1);
        (void)send(fd, &count, 1, MSG_NOSIGNAL);
        send_random(fd, count, manner);
}

static _Noreturn void serve(int fd, Manner manner) {
        if (manner == SPEAKS_FIRST)
                (void)send(fd, "SSH-2.0\r\n", 9, MSG_NOSIGNAL);
        if (manner == CLOSES_AT_ONCE)
                _exit(0);
        for (;;) {
                uint8_t command = receive_byte(fd);

                if (manner == SILENT)
                        (void)pause();
                if (command == 0) {
                        send_level(fd, manner);
                        continue;
                }
                if (command == 1)
                        answer_now(fd, manner, receive_byte(fd));
                else if (command == 2 && manner == STOPS_HALF_WAY) {
                        send_random(fd, 20, manner);
                        (void)pause();
                } else if (command == 2 && manner == CLOSES_HALF_WAY) {
                        send_random(fd, 20, manner);
                        _exit(0);
                } else if (command == 2)
                        send_random(fd, receive_byte(fd), manner);
                else
                        _exit(1);
        }
}

static void start_server(Manner manner, const EgdAddress *address, EgdAddress *ret_bound) {
        int fd = socket(address->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        CU_ASSERT(fd >= 0);
        CU_ASSERT_EQUAL(bind(fd, &address->address.any, address->length), 0);
        CU_ASSERT_EQUAL(listen(fd, 1), 0);
        *ret_bound = *address;
        CU_ASSERT_EQUAL(getsockname(fd, &ret_bound->address.any, &ret_bound->length), 0);
        server_pid = fork();
        if (server_pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                serve(accept4(fd, NULL, NULL, SOCK_CLOEXEC), manner);
        }
        (void)close(fd);
}

static void start_unix_server(Manner manner) {
        EgdAddress address, bound;
        char text[128];

        (void)snprintf(path, sizeof(path), "/tmp/test-egd.%d", (int)getpid());
        (void)unlink(path);
        (void)snprintf(text, sizeof(text), "unix:%s", path);
        CU_ASSERT_EQUAL(egd_parse_address(text, &address), 0);
        start_server(manner, &address, &bound);
}

static void stop_server(void) {
        if (server_pid > 0) {
                (void)kill(server_pid, SIGKILL);
                CU_ASSERT_EQUAL(waitpid(server_pid, NULL, 0), server_pid);
        }
        server_pid = 0;
        if (path[0])
                (void)unlink(path);
        path[0] = '\0';
}

static void check_bytes(const uint8_t *bytes, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (bytes[i] != (uint8_t)((uint32_t)i * 2654435761U >> 13)) {
                        CU_FAIL("not the server's bytes");
                        return;
                }
}

static void test_servers(void) {
        static const struct {
                const char *what;
                Manner manner;
                size_t asked;
                int opened, result;
                size_t n;
                bool stays;
        } rows[] = {
                { "good", GOOD, 64, 0, 0, 64, true },
                { "one byte", GOOD, 1, 0, 0, 1, true },
                { "255 bytes", GOOD, 255, 0, 0, 255, true },
                { "two requests at once", GOOD, 256, 0, 0, 256, true },
                { "as many as it goes", GOOD, 4096, 0, 0, 4096, true },
                { "empty at first", EMPTY_AT_FIRST, 600, 0, 0, 600, true },
                { "short answers", SHORT, 300, 0, 0, 300, true },
                { "dribbles", DRIBBLES, 64, 0, 0, 64, true },
                { "dribbles too slowly", DRIBBLES, 4096, 0, 0, 0, false },
                { "stops half-way", STOPS_HALF_WAY, 64, 0, 0, 20, false },
                { "closes half-way", CLOSES_HALF_WAY, 64, 0, 0, 20, false },
                { "silent", SILENT, 64, -ETIMEDOUT, 0, 0, false },
                { "closes at once", CLOSES_AT_ONCE, 64, -ECONNRESET, 0, 0, false },
                { "closes after the level", CLOSES_AFTER_LEVEL, 64, 0, -ECONNRESET, 0, false },
                { "speaks first", SPEAKS_FIRST, 64, -EPROTO, 0, 0, false },
                { "a level of five bytes", LEVEL_TOO_LONG, 64, -EPROTO, 0, 0, false },
                { "a level of three bytes", LEVEL_TOO_SHORT, 64, -ETIMEDOUT, 0, 0, false },
                { "a count too big", COUNT_TOO_BIG, 64, 0, -EPROTO, 0, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Source source = { .ops = &source_egd, .fd = -1 };
                uint64_t since_usec = clock_monotonic_usec();
                uint8_t buffer[4096];
                char address[128];
                size_t n = 0;
                int r;

                harness_row("%s", rows[i].what);
                start_unix_server(rows[i].manner);
                (void)snprintf(address, sizeof(address), "unix:%s", path);
                source.config = (SourceConfig){ .address = address, .wait_usec = WAIT_USEC };
                r = source_egd.open(&source);
                /* It may speak before it is asked, or while it is: neither is an answer. */
                if (rows[i].opened == -EPROTO && r == -ECONNRESET)
                        r = -EPROTO;
                CU_ASSERT_EQUAL(r, rows[i].opened);
                if (r == 0) {
                        r = source_egd.read(&source, buffer, rows[i].asked, &n);
                        CU_ASSERT_EQUAL(r, rows[i].result);
                        if (rows[i].n > 0 || r < 0) {
                                CU_ASSERT_EQUAL(n, rows[i].n);
                        }
                        check_bytes(buffer, n);
                        CU_ASSERT_EQUAL(source.fd >= 0, rows[i].stays);
                        if (!rows[i].stays)
                                CU_ASSERT_EQUAL(
                                        source_egd.read(&source, buffer, 1, &n),
                                        -ECONNRESET);
                }
                CU_ASSERT(clock_monotonic_usec() - since_usec < 3 * WAIT_USEC);
                cleanup_close(&source.fd);
                stop_server();
        }
}

/* The connection stays between two reads, and nothing of the first is left for the second. */
static void test_two_reads(void) {
        Source source = { .ops = &source_egd, .fd = -1 };
        uint8_t buffer[400];
        char address[128];
        size_t n = 0, m = 0;

        start_unix_server(SHORT);
        (void)snprintf(address, sizeof(address), "unix:%s", path);
        source.config = (SourceConfig){ .address = address, .wait_usec = WAIT_USEC };
        CU_ASSERT_EQUAL(source_egd.open(&source), 0);
        CU_ASSERT_EQUAL(source_egd.read(&source, buffer, 100, &n), 0);
        CU_ASSERT_EQUAL(source_egd.read(&source, buffer + 100, 300, &m), 0);
        CU_ASSERT_EQUAL(n + m, 400);
        check_bytes(buffer, 400);
        cleanup_close(&source.fd);
        stop_server();
}

static void test_nobody_listens(void) {
        static const char *const rows[] = { "unix:/tmp/no-such-egd-socket", "tcp:127.0.0.1:1" };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Source source = {
                        .ops = &source_egd,
                        .config = { .address = rows[i], .wait_usec = WAIT_USEC },
                        .fd = -1,
                };

                harness_row("%s", rows[i]);
                CU_ASSERT_EQUAL(source_egd.open(&source), -ECONNREFUSED);
                CU_ASSERT_EQUAL(source.fd, -1);
        }
}

static void test_tcp(void) {
        Source source = { .ops = &source_egd, .fd = -1 };
        EgdAddress any = { .address.ipv4 = { .sin_family = AF_INET,
                                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
                           .length = sizeof(struct sockaddr_in) };
        EgdAddress bound;
        uint8_t buffer[300];
        char address[64];
        size_t n = 0;

        start_server(GOOD, &any, &bound);
        (void)snprintf(
                address,
                sizeof(address),
                "tcp:127.0.0.1:%u",
                (unsigned)ntohs(bound.address.ipv4.sin_port));
        source.config = (SourceConfig){ .address = address, .wait_usec = WAIT_USEC };
        CU_ASSERT_EQUAL(source_egd.open(&source), 0);
        CU_ASSERT_EQUAL(source_egd.read(&source, buffer, sizeof(buffer), &n), 0);
        CU_ASSERT_EQUAL(n, sizeof(buffer));
        check_bytes(buffer, n);
        cleanup_close(&source.fd);
        stop_server();
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_addresses),      HARNESS_TEST(test_servers), HARNESS_TEST(test_two_reads),
        HARNESS_TEST(test_nobody_listens), HARNESS_TEST(test_tcp),     CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("egd", NULL, stop_server, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
