/* SPDX-License-Identifier: MIT */
/* Each system call of the running of a program fails once: the error is told, no bytes are, and
 * neither a process nor a file descriptor is left. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sources/run-program.h"
#include "tests/fault/fault.h"
#include "tests/unit/harness.h"

static int fault_pipe2(int fds[2], int flags) {
        return FAULT(-1, pipe2(fds, flags));
}

static int fault_fcntl(int fd, int command, int argument) {
        return FAULT(-1, fcntl(fd, command, argument));
}

static pid_t fault_fork(void) {
        return FAULT(-1, fork());
}

#define pipe2 fault_pipe2
#define fcntl fault_fcntl
#define fork  fault_fork
#include "lib/base/child.c" // NOLINT(bugprone-suspicious-include)
#undef pipe2
#undef fcntl
#undef fork

static unsigned count_files(void) {
        DIR *directory = opendir("/proc/self/fd");
        unsigned n = 0;

        if (!directory)
                return 0;
        while (readdir(directory))
                n++;
        (void)closedir(directory);
        return n;
}

static void test_program_read(void) {
        char *argv[] = { (char[]){ "/bin/echo" }, (char[]){ "seed" }, NULL };
        unsigned n_files = count_files(), n_rounds = 0;

        FAULT_EACH(error, EMFILE) {
                uint8_t buffer[16];
                size_t length = 0;
                int status = 0, r;

                harness_row("call %u", fault_at);
                r = program_read(argv, 5000000, buffer, sizeof(buffer), &length, &status);
                if (fault_hit()) {
                        CU_ASSERT_EQUAL(r, -EMFILE);
                        CU_ASSERT_EQUAL(length, 0);
                } else {
                        CU_ASSERT_EQUAL(r, 0);
                        CU_ASSERT_EQUAL(length, 5);
                }
                CU_ASSERT_EQUAL(count_files(), n_files);
                CU_ASSERT(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
                n_rounds++;
        }
        CU_ASSERT_EQUAL(n_rounds, 4); /* three calls, and none */
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_program_read),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("child/faults", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
