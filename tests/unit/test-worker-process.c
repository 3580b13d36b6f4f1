/* SPDX-License-Identifier: MIT */
/* Real processes, also under a filter like that of systemd's RestrictNamespaces=. */
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "lib/feed/worker-process.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOW_HALF 4U
#else
#define LOW_HALF 0U
#endif

/* Exit codes of a child that looks at itself. */
enum {
        CHILD_FIRST = 20, /* of a PID namespace of its own */
        CHILD_ORDINARY,
        CHILD_FAILED,
};

/* A child that waits, or that ends at once and says what it is. */
static pid_t start(bool own_pids, bool wait, int *ret_pidfd, bool *ret_missing) {
        pid_t pid = -1;

        CU_ASSERT_EQUAL(worker_process_start(own_pids, &pid, ret_pidfd, ret_missing), 0);
        while (pid == 0 && wait)
                (void)pause();
        if (pid == 0)
                _exit(getpid() == 1 ? CHILD_FIRST : CHILD_ORDINARY);
        CU_ASSERT(pid > 0);
        return pid;
}

static int start_and_see(bool own_pids, bool *ret_missing) {
        int pidfd, status = 0;
        pid_t pid = start(own_pids, false, &pidfd, ret_missing);

        cleanup_close(&pidfd);
        if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
                return -1;
        return WEXITSTATUS(status);
}

static void test_namespace(void) {
        bool missing = true;

        CU_ASSERT_EQUAL(start_and_see(false, &missing), CHILD_ORDINARY);
        CU_ASSERT_FALSE(missing);
        if (geteuid() != 0)
                HARNESS_SKIP("only root can make PID namespaces");
        CU_ASSERT_EQUAL(start_and_see(true, &missing), CHILD_FIRST);
        CU_ASSERT_FALSE(missing);
}

/* clone3() is not there, as its flags cannot be seen; clone() is, maybe without PID namespaces. */
static bool install_filter(bool forbid_pids) {
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + LOW_HALF),
                BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, forbid_pids ? CLONE_NEWPID : 0, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const struct sock_fprog program = { ELEMENTSOF(filter), filter };

        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
               prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int see_under_filter(void *userdata) {
        const bool *forbid_pids = userdata;
        bool missing;
        int seen;

        if (!install_filter(*forbid_pids))
                return CHILD_FAILED;
        seen = start_and_see(true, &missing);
        return missing == *forbid_pids ? seen : CHILD_FAILED;
}

static void test_filter(void) {
        bool forbid_pids = false;

        if (geteuid() != 0)
                HARNESS_SKIP("only root can make PID namespaces");
#if defined(__s390__)
        HARNESS_SKIP("clone() has its flags elsewhere");
#endif
        CU_ASSERT_EQUAL(scratch_in_child(see_under_filter, &forbid_pids), CHILD_FIRST);
        forbid_pids = true;
        CU_ASSERT_EQUAL(scratch_in_child(see_under_filter, &forbid_pids), CHILD_ORDINARY);
}

/* A process with this pid, as chance gives them out again; or -1. */
static pid_t fork_as(pid_t pid) {
        const struct clone_args arguments = {
                .exit_signal = SIGCHLD,
                .set_tid = (uint64_t)(uintptr_t)&pid,
                .set_tid_size = 1,
        };
        long r = syscall(SYS_clone3, &arguments, sizeof(arguments));

        while (r == 0)
                (void)pause();
        return (pid_t)r;
}

/* Reaped by somebody, and its pid is another process's now: that one is not meant. */
static void test_pid_of_another(void) {
        bool missing;
        int pidfd, status;
        pid_t pid, other;

        pid = start(false, true, &pidfd, &missing);
        CU_ASSERT_EQUAL(kill(pid, SIGKILL), 0);
        CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
        if (pidfd < 0 || geteuid() != 0)
                HARNESS_SKIP("no pidfd, or not root, who may choose a pid");
        other = fork_as(pid);
        CU_ASSERT_EQUAL(other, pid);
        worker_process_kill(pid, pidfd);
        cleanup_close(&pidfd);
        (void)usleep(20000);
        CU_ASSERT_EQUAL(waitpid(other, &status, WNOHANG), 0);

        CU_ASSERT_EQUAL(kill(other, SIGKILL), 0);
        CU_ASSERT_EQUAL(waitpid(other, &status, 0), other);
}

/* By the one and by the other; and nobody, when there is nobody. */
static void test_kill(void) {
        for (unsigned with_pidfd = 0; with_pidfd < 2; with_pidfd++) {
                bool missing;
                int pidfd, status = 0;
                pid_t pid = start(false, true, &pidfd, &missing);

                if (!with_pidfd)
                        cleanup_close(&pidfd);
                worker_process_kill(pid, pidfd);
                cleanup_close(&pidfd);
                CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
                CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        }
        worker_process_kill(0, -1);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_namespace), HARNESS_TEST(test_filter), HARNESS_TEST(test_pid_of_another),
        HARNESS_TEST(test_kill),      CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("worker-process", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
