/* SPDX-License-Identifier: MIT */
/* A step that fails is an error, except where there are no namespaces; never a half sandbox that
 * says 0. In a child each time, which tells whether the failure was reached. */
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "tests/fault/fault.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static int fault_unshare(int flags) {
        return FAULT(-1, unshare(flags));
}

static int fault_mount(
        const char *from,
        const char *to,
        const char *type,
        unsigned long flags,
        const void *data) {
        return FAULT(-1, mount(from, to, type, flags, data));
}

static int fault_getrlimit(__rlimit_resource_t resource, struct rlimit *limit) {
        return FAULT(-1, getrlimit(resource, limit));
}

static int fault_setrlimit(__rlimit_resource_t resource, const struct rlimit *limit) {
        return FAULT(-1, setrlimit(resource, limit));
}

static int fault_prctl(int option, unsigned long a, unsigned long b, unsigned long c, int d) {
        return FAULT(-1, prctl(option, a, b, c, d));
}

static int fault_setgroups(size_t n, const gid_t *groups) {
        return FAULT(-1, setgroups(n, groups));
}

static int fault_setresgid(gid_t real, gid_t effective, gid_t saved) {
        return FAULT(-1, setresgid(real, effective, saved));
}

static int fault_setresuid(uid_t real, uid_t effective, uid_t saved) {
        return FAULT(-1, setresuid(real, effective, saved));
}

static long fault_capset(long number, void *header, const void *data) {
        return FAULT(-1, syscall(number, header, data));
}

#define unshare   fault_unshare
#define mount     fault_mount
#define getrlimit fault_getrlimit
#define setrlimit fault_setrlimit
#define prctl     fault_prctl
#define setgroups fault_setgroups
#define setresgid fault_setresgid
#define setresuid fault_setresuid
#define syscall   fault_capset
#include "lib/feed/sandbox.c"
#undef unshare
#undef mount
#undef getrlimit
#undef setrlimit
#undef prctl
#undef setgroups
#undef setresgid
#undef setresuid
#undef syscall

/* What the child tells. */
enum {
        CHILD_REACHED = 10, /* the failure was reached, and what came of it is right */
        CHILD_FORGIVEN,     /* the same, and the sandbox was entered all the same */
        CHILD_DONE,         /* nothing failed */
};

typedef struct Try {
        unsigned at;
        int error;
} Try;

static bool is_harmless(void) {
        static const char *const lines[] = {
                "\nUid:\t65534\t65534\t65534\t65534\n", "\nGid:\t65534\t65534\t65534\t65534\n",
                "\nCapPrm:\t0000000000000000\n",        "\nCapEff:\t0000000000000000\n",
                "\nCapBnd:\t0000000000000000\n",        "\nNoNewPrivs:\t1\n",
        };
        char text[4096];

        if (io_read_text_at(AT_FDCWD, "/proc/self/status", text, sizeof(text)) < 0)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                if (!strstr(text, lines[i]))
                        return false;
        return getgroups(0, NULL) == 0 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
}

static int child(void *userdata) {
        const SandboxSpec spec = { .uid = 65534, .gid = 65534 };
        const Try *attempt = userdata;
        uint32_t missing = UINT32_MAX;
        int r;

        fault_at = attempt->at;
        fault_calls = 0;
        fault_errno = attempt->error;
        r = sandbox_enter(&spec, &missing);
        if (!fault_hit())
                return r == 0 && missing == 0 && is_harmless() ? CHILD_DONE : 1;
        if (r == 0) /* one kind of namespace, and it is said which */
                return is_harmless() && __builtin_popcount(missing) == 1 ? CHILD_FORGIVEN : 2;
        return r == -attempt->error && missing == UINT32_MAX ? CHILD_REACHED : 3;
}

static void check_error(int error, unsigned expected_forgiven) {
        unsigned forgiven = 0, reached = 0;
        Try attempt = { .error = error };
        int told = 0;

        for (attempt.at = 1; attempt.at < FAULT_MAX && told != CHILD_DONE; attempt.at++) {
                told = scratch_in_child(child, &attempt);
                harness_row("errno %d at %u", error, attempt.at);
                CU_ASSERT_FATAL(told >= CHILD_REACHED && told <= CHILD_DONE);
                forgiven += told == CHILD_FORGIVEN;
                reached += told == CHILD_REACHED;
        }
        CU_ASSERT_EQUAL(told, CHILD_DONE);
        CU_ASSERT_EQUAL(forgiven, expected_forgiven);
        /* Every capability, three identities, the limits and the rest. */
        CU_ASSERT(reached > CAP_LAST_CAP);
}

static void test_each_step(void) {
        if (geteuid() != 0)
                HARNESS_SKIP("only root has something to give up");
        check_error(EIO, 0);
        check_error(ENOMEM, 0);
        check_error(EPERM, 3); /* unshare() */
        check_error(ENOSPC, 3);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_each_step),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("sandbox", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
