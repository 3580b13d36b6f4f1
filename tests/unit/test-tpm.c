/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "lib/sources/source-list.h"
#include "lib/sources/tpm-command.h"
#include "tests/unit/harness.h"

static void test_command(void) {
        static const uint8_t expected[] = { 0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x7b, 0x01, 0x02 };
        uint8_t command[TPM_COMMAND_BYTES];

        tpm_put_get_random(0x0102, command);
        CU_ASSERT(memcmp(command, expected, sizeof(expected)) == 0);
}

#define ANSWER(text) text, sizeof(text) - 1

static void test_answers(void) {
        static const struct {
                const char *what, *answer;
                size_t length;
                int result;
        } rows[] = {
                { "four bytes",
                  ANSWER("\x80\x01\0\0\0\x10\0\0\0\0\0\x04"
                         "abcd"),
                  0 },
                { "none", ANSWER("\x80\x01\0\0\0\x0c\0\0\0\0\0\0"), -ENODATA },
                { "more than asked",
                  ANSWER("\x80\x01\0\0\0\x11\0\0\0\0\0\x05"
                         "abcde"),
                  -EBADMSG },
                { "count beyond the end",
                  ANSWER("\x80\x01\0\0\0\x0e\0\0\0\0\0\x04"
                         "ab"),
                  -EBADMSG },
                { "bytes behind the end",
                  ANSWER("\x80\x01\0\0\0\x11\0\0\0\0\0\x04"
                         "abcde"),
                  -EBADMSG },
                { "no count", ANSWER("\x80\x01\0\0\0\x0b\0\0\0\0\0"), -EBADMSG },
                { "success without a body", ANSWER("\x80\x01\0\0\0\x0a\0\0\0\0"), -EBADMSG },
                { "half a header", ANSWER("\x80\x01\0\0\0\x09\0\0\0"), -EBADMSG },
                { "nothing", ANSWER(""), -EBADMSG },
                { "another length",
                  ANSWER("\x80\x01\0\0\0\x0f\0\0\0\0\0\x04"
                         "abcd"),
                  -EBADMSG },
                { "sessions",
                  ANSWER("\x80\x02\0\0\0\x10\0\0\0\0\0\x04"
                         "abcd"),
                  -EBADMSG },
                { "TPM 1.2", ANSWER("\0\xc4\0\0\0\x0a\0\0\0\x1e"), -EOPNOTSUPP },
                { "retry", ANSWER("\x80\x01\0\0\0\x0a\0\0\x09\x22"), -EAGAIN },
                { "testing", ANSWER("\x80\x01\0\0\0\x0a\0\0\x09\x0a"), -EAGAIN },
                { "failure mode", ANSWER("\x80\x01\0\0\0\x0a\0\0\x01\x01"), -EIO },
                { "refusal with bytes",
                  ANSWER("\x80\x01\0\0\0\x10\0\0\x01\x01\0\x04"
                         "abcd"),
                  -EIO },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint8_t buffer[8] = "........";
                size_t n = 0;
                int r;

                harness_row("%s", rows[i].what);
                r = tpm_take_random((const uint8_t *)rows[i].answer, rows[i].length, 4, buffer, &n);
                CU_ASSERT_EQUAL(r, rows[i].result);
                CU_ASSERT_EQUAL(n, r == 0 ? 4 : 0);
                CU_ASSERT(memcmp(buffer, r == 0 ? "abcd...." : "........", 8) == 0);
        }
}

static void test_look(void) {
        const SourceConfig config = { .path = "/dev/tty" }, usual = {}, absent = { .path = "/x/y" };
        static const char *const no_tpm[] = { "/dev/urandom", "/dev/null", "/", "/etc/passwd" };
        SourceProbe probe = {};
        RootDir root;

        CU_ASSERT_EQUAL(rootdir_open("/", &root), 0);
        CU_ASSERT_EQUAL(source_probe(&source_tpm, &config, &root, &probe), 0);
        CU_ASSERT_STRING_EQUAL(probe.detail, "/dev/tty");
        CU_ASSERT(probe.fresh);
        CU_ASSERT_EQUAL(source_probe(&source_tpm, &absent, &root, &probe), -ENOENT);
        for (size_t i = 0; i < ELEMENTSOF(no_tpm); i++) {
                const SourceConfig other = { .path = no_tpm[i] };
                Source source = { .ops = &source_tpm, .config = other, .fd = -1 };

                CU_ASSERT_EQUAL(source_probe(&source_tpm, &other, &root, &probe), -ENODEV);
                CU_ASSERT(source_tpm.open(&source) < 0);
                cleanup_close(&source.fd);
        }
        CU_ASSERT_EQUAL(probe.source_class, SOURCE_CLASS_LOCAL_HARDWARE);
        rootdir_close(&root);

        CU_ASSERT_EQUAL(rootdir_open("/tmp", &root), 0);
        CU_ASSERT_EQUAL(source_probe(&source_tpm, &usual, &root, &probe), -ENODEV);
        CU_ASSERT_STRING_EQUAL(probe.detail, "/dev/tpmrm0");
        rootdir_close(&root);
}

/* ---- a TPM in software, whose socket speaks as the kernel's device does ---- */

static char directory[64];

static pid_t start_swtpm(void) {
        char state[96], server[128];
        pid_t pid;

        (void)snprintf(state, sizeof(state), "dir=%s", directory);
        (void)snprintf(server, sizeof(server), "type=unixio,path=%s/socket", directory);
        pid = fork();
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void)execlp(
                        "swtpm",
                        "swtpm",
                        "socket",
                        "--tpm2",
                        "--tpmstate",
                        state,
                        "--server",
                        server,
                        "--flags",
                        "not-need-init,startup-clear",
                        NULL);
                _exit(127);
        }
        return pid;
}

static int connect_swtpm(pid_t pid) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%.60s/socket", directory);
        for (unsigned i = 0; i < 500; i++) {
                int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

                if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) >= 0)
                        return fd;
                (void)close(fd);
                if (waitpid(pid, NULL, WNOHANG) != 0)
                        return -1;
                (void)usleep(10000);
        }
        return -1;
}

static void setup_directory(void) {
        (void)snprintf(directory, sizeof(directory), "/tmp/test-tpm.XXXXXX");
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
}

static void teardown_directory(void) {
        char command[96];

        (void)snprintf(command, sizeof(command), "rm -rf %s", directory);
        CU_ASSERT_EQUAL(system(command), 0);
}

static void test_swtpm(void) {
        Source source = { .ops = &source_tpm, .fd = -1 };
        uint8_t first[64] = {}, second[64] = {}, zero[64] = {};
        size_t n = 0, length = 0;
        pid_t pid;

        if (system("command -v swtpm >/dev/null") != 0)
                HARNESS_SKIP("no swtpm (package swtpm)");
        pid = start_swtpm();
        source.fd = connect_swtpm(pid);
        CU_ASSERT(source.fd >= 0);
        if (source.fd < 0)
                return;

        /* As many as its largest digest has, at most: the rest needs another command. */
        CU_ASSERT_EQUAL(source_tpm.read(&source, first, sizeof(first), &n), 0);
        CU_ASSERT_EQUAL(n, TPM_RANDOM_MAX);
        CU_ASSERT_EQUAL(source_tpm.read(&source, first + n, sizeof(first) - n, &length), 0);
        CU_ASSERT_EQUAL(length, sizeof(first) - TPM_RANDOM_MAX);
        CU_ASSERT_EQUAL(source_tpm.read(&source, second, 1, &n), 0);
        CU_ASSERT_EQUAL(n, 1);
        CU_ASSERT_EQUAL(source_tpm.read(&source, second, TPM_RANDOM_MAX, &n), 0);
        CU_ASSERT_EQUAL(n, TPM_RANDOM_MAX);
        CU_ASSERT(memcmp(first, second, TPM_RANDOM_MAX) != 0);
        CU_ASSERT(memcmp(first, zero, TPM_RANDOM_MAX) != 0);
        CU_ASSERT(memcmp(first + TPM_RANDOM_MAX, zero, 64 - TPM_RANDOM_MAX) != 0);

        cleanup_close(&source.fd);
        CU_ASSERT_EQUAL(source.fd, -1);
        (void)kill(pid, SIGKILL);
        CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
}

static CU_TestInfo command_tests[] = {
        HARNESS_TEST(test_command),
        HARNESS_TEST(test_answers),
        HARNESS_TEST(test_look),
        CU_TEST_INFO_NULL,
};

static CU_TestInfo swtpm_tests[] = {
        HARNESS_TEST(test_swtpm),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("TPM2_GetRandom", command_tests),
        HARNESS_SUITE_WITH("swtpm", setup_directory, teardown_directory, swtpm_tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
