/* SPDX-License-Identifier: MIT */
/* In a child each time: there is no way back out. */
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "lib/base/io.h"
#include "lib/feed/sandbox.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

#define NOBODY 65534U

/* Exit codes of the child: which of its checks failed. */
#define REQUIRE(_condition)                                     \
        do {                                                    \
                if (!(_condition)) {                            \
                        printf("#   child: %s\n", #_condition); \
                        (void)fflush(stdout);                   \
                        return 1;                               \
                }                                               \
        } while (0)

static const SandboxSpec nobody = { .uid = NOBODY, .gid = NOBODY };
static char namespaces_before[4][64];
static const char *const namespaces[4] = { "mnt", "ipc", "net", "uts" };

static uint32_t missing;

static int enter(const SandboxSpec *spec) {
        return sandbox_enter(spec, &missing);
}

static void read_namespace(const char *name, char target[static 64]) {
        char path[64];
        ssize_t n;

        (void)snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
        n = readlink(path, target, 63);
        target[n > 0 ? n : 0] = '\0';
}

static void setup(void) {
        scratch_setup();
        for (unsigned i = 0; i < 4; i++)
                read_namespace(namespaces[i], namespaces_before[i]);
}

static bool status_has(const char *line) {
        char text[4096];

        return io_read_text_at(AT_FDCWD, "/proc/self/status", text, sizeof(text)) >= 0 &&
               strstr(text, line);
}

static int check_identity(void *userdata) {
        const gid_t some[] = { 4, 24, 27 };

        REQUIRE(setgroups(3, some) == 0);
        REQUIRE(enter(&nobody) == 0);
        REQUIRE(status_has("\nUid:\t65534\t65534\t65534\t65534\n"));
        REQUIRE(status_has("\nGid:\t65534\t65534\t65534\t65534\n"));
        REQUIRE(status_has("\nGroups:\t \n") || status_has("\nGroups:\t\n"));
        REQUIRE(getgroups(0, NULL) == 0);
        REQUIRE(setuid(0) < 0 && setgid(0) < 0 && seteuid(0) < 0);
        return 0;
}

static int check_capabilities(void *userdata) {
        REQUIRE(enter(&nobody) == 0);
        REQUIRE(status_has("\nCapInh:\t0000000000000000\n"));
        REQUIRE(status_has("\nCapPrm:\t0000000000000000\n"));
        REQUIRE(status_has("\nCapEff:\t0000000000000000\n"));
        REQUIRE(status_has("\nCapBnd:\t0000000000000000\n"));
        REQUIRE(status_has("\nCapAmb:\t0000000000000000\n") || !status_has("\nCapAmb:"));
        REQUIRE(status_has("\nNoNewPrivs:\t1\n"));
        REQUIRE(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
        return 0;
}

static int check_death(void *userdata) {
        int number = 0;

        REQUIRE(enter(&nobody) == 0);
        REQUIRE(prctl(PR_GET_PDEATHSIG, &number, 0, 0, 0) == 0);
        REQUIRE(number == SIGKILL);
        return 0;
}

static int check_limits(void *userdata) {
        struct rlimit limit;
        pid_t pid;
        int fd;

        REQUIRE(enter(&nobody) == 0);
        REQUIRE(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0);
        REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max <= 64);
        fd = open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
        (void)signal(SIGXFSZ, SIG_IGN);
        REQUIRE(fd < 0 || write(fd, "x", 1) < 0);
        pid = fork();
        if (pid == 0)
                _exit(0);
        REQUIRE(pid < 0 && errno == EAGAIN);
        return 0;
}

/* What is lower already stays: root's power to raise it is gone by then, or was never there. */
static int check_lower_limits(void *userdata) {
        const rlim_t *n_files = userdata;
        struct rlimit limit = { *n_files / 2, *n_files };
        SandboxSpec spec = nobody;

        spec.may_fork = true;
        REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        REQUIRE(enter(&spec) == 0);
        REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
        REQUIRE(limit.rlim_max == MIN(*n_files, (rlim_t)32));
        REQUIRE(limit.rlim_cur == MIN(*n_files / 2, (rlim_t)32));
        return 0;
}

static int check_may_fork(void *userdata) {
        SandboxSpec spec = nobody;
        int status;
        pid_t pid;

        spec.may_fork = true;
        REQUIRE(enter(&spec) == 0);
        pid = fork();
        if (pid == 0)
                _exit(5);
        REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
        REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 5);
        REQUIRE(status_has("\nNoNewPrivs:\t1\n"));
        return 0;
}

static int check_namespaces(void *userdata) {
        const bool *keep_network = userdata;
        SandboxSpec spec = nobody;
        char now[64];

        spec.keep_network = *keep_network;
        REQUIRE(enter(&spec) == 0);
        for (unsigned i = 0; i < 4; i++) {
                bool same, kept = i == 3 || (i == 2 && *keep_network);

                read_namespace(namespaces[i], now);
                same = strcmp(now, namespaces_before[i]) == 0;
                if (same != kept) {
                        printf("#   child: namespace %s\n", namespaces[i]);
                        return 1;
                }
        }
        return 0;
}

static bool write_text(const char *path, const char *text) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

        return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* A user namespace in which root and the test's users are who they are: only a process outside of it
 * may map them. */
static int enter_user_namespace(void) {
        char path[64], go = 'x';
        int pair[2], status;
        pid_t parent = getpid(), mapper;
        bool good;

        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
        mapper = fork();
        if (mapper == 0) {
                good = read(pair[1], &go, 1) == 1;
                (void)snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)parent);
                good = good && write_text(path, "0 0 70000");
                (void)snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)parent);
                _exit(good && write_text(path, "0 0 70000") ? 0 : 1);
        }
        REQUIRE(mapper > 0 && unshare(CLONE_NEWUSER) == 0);
        REQUIRE(write(pair[0], &go, 1) == 1);
        REQUIRE(waitpid(mapper, &status, 0) == mapper && status == 0);
        REQUIRE(setresuid(0, 0, 0) == 0);
        return 0;
}

/* The kernel's own way of having none of some kinds: this limit is the user namespace's. */
static int enter_without(const char *const names[], unsigned n_names) {
        char path[64];

        REQUIRE(enter_user_namespace() == 0);
        for (unsigned i = 0; i < n_names; i++) {
                (void)snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", names[i]);
                REQUIRE(write_text(path, "0"));
        }
        REQUIRE(enter(&nobody) == 0);
        return 0;
}

static bool is_own(unsigned i) {
        char now[64];

        read_namespace(namespaces[i], now);
        return strcmp(now, namespaces_before[i]) != 0;
}

static int check_no_ipc(void *userdata) {
        const char *const names[] = { "ipc" };

        REQUIRE(enter_without(names, 1) == 0);
        REQUIRE(missing == 1U << SANDBOX_NAMESPACE_IPC);
        REQUIRE(is_own(0) && !is_own(1) && is_own(2));
        return 0;
}

static int check_no_mounts_and_network(void *userdata) {
        const char *const names[] = { "mnt", "net" };

        REQUIRE(enter_without(names, 2) == 0);
        REQUIRE(missing == (1U << SANDBOX_NAMESPACE_MOUNT | 1U << SANDBOX_NAMESPACE_NETWORK));
        REQUIRE(!is_own(0) && is_own(1) && !is_own(2));
        return 0;
}

typedef struct Needed {
        unsigned number;
        const char *name;
} Needed;

static int check_capability(void *userdata) {
        const Needed *needed = userdata;
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        REQUIRE(sandbox_missing_capability() == NULL);
        REQUIRE(syscall(SYS_capget, &header, data) == 0);
        data[0].effective &= ~(1U << needed->number);
        REQUIRE(syscall(SYS_capset, &header, data) == 0);
        REQUIRE(strncmp(sandbox_missing_capability(), needed->name, strlen(needed->name)) == 0);
        return 0;
}

/* What is open stays usable: that is why a source opens first. */
static int check_open_files(void *userdata) {
        char byte;
        int fd;

        REQUIRE(chmod(scratch_write("private", "x"), 0600) == 0);
        fd = open(scratch_path("private"), O_RDONLY | O_CLOEXEC);
        REQUIRE(enter(&nobody) == 0);
        REQUIRE(read(fd, &byte, 1) == 1 && byte == 'x');
        REQUIRE(open(scratch_path("private"), O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
        return 0;
}

static int check_mounts(void *userdata) {
        SandboxSpec spec = nobody;

        REQUIRE(mkdir(scratch_path("mount"), 0755) == 0);
        REQUIRE(sandbox_own_mounts() == 0);
        REQUIRE(mount("none", scratch_path("mount"), "tmpfs", 0, NULL) == 0);
        REQUIRE(scratch_write("mount/inside", "x") != NULL);
        spec.has_mounts = true;
        REQUIRE(enter(&spec) == 0);
        REQUIRE(access(scratch_path("mount/inside"), F_OK) == 0);
        return 0;
}

static int check_not_root(void *userdata) {
        const SandboxSpec spec = { .uid = 0, .gid = 0 };

        REQUIRE(setgroups(0, NULL) == 0 && setgid(1000) == 0 && setuid(1000) == 0);
        REQUIRE(enter(&spec) == 0);
        REQUIRE(getuid() == 1000 && geteuid() == 1000 && getgid() == 1000);
        REQUIRE(status_has("\nCapPrm:\t0000000000000000\n"));
        REQUIRE(status_has("\nNoNewPrivs:\t1\n"));
        REQUIRE(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
        return 0;
}

/* Not root, but with root's power: that goes all the same. */
static int check_capable_user(void *userdata) {
        REQUIRE(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
        REQUIRE(setgid(1000) == 0 && setuid(1000) == 0);
        REQUIRE(!status_has("\nCapPrm:\t0000000000000000\n"));
        REQUIRE(enter(&nobody) == 0);
        REQUIRE(status_has("\nCapPrm:\t0000000000000000\n"));
        REQUIRE(status_has("\nCapInh:\t0000000000000000\n"));
        return 0;
}

static void check(int (*function)(void *userdata), void *userdata) {
        CU_ASSERT_EQUAL(scratch_in_child(function, userdata), 0);
}

#define SKIP_UNLESS_ROOT()                                                  \
        do {                                                                \
                if (geteuid())                                              \
                        HARNESS_SKIP("only root has something to give up"); \
        } while (0)

static void test_identity(void) {
        SKIP_UNLESS_ROOT();
        check(check_identity, NULL);
}

static void test_capabilities(void) {
        SKIP_UNLESS_ROOT();
        check(check_capabilities, NULL);
        check(check_death, NULL);
}

static void test_limits(void) {
        rlim_t n_files[] = { 16, 31, 32, 33, 1024 };

        SKIP_UNLESS_ROOT();
        for (size_t i = 0; i < ELEMENTSOF(n_files); i++)
                check(check_lower_limits, &n_files[i]);
        check(check_limits, NULL);
        check(check_may_fork, NULL);
}

static void test_namespaces(void) {
        bool keep_network = false;

        SKIP_UNLESS_ROOT();
        check(check_namespaces, &keep_network);
        keep_network = true;
        check(check_namespaces, &keep_network);
}

static void test_missing_namespaces(void) {
        SKIP_UNLESS_ROOT();
        if (access("/proc/sys/user/max_ipc_namespaces", F_OK) < 0)
                HARNESS_SKIP("no user namespaces here");
        check(check_no_ipc, NULL);
        check(check_no_mounts_and_network, NULL);
}

static void test_missing_capability(void) {
        Needed needed[] = {
                { CAP_SETPCAP, "CAP_SETPCAP" },
                { CAP_SETUID, "CAP_SETUID" },
                { CAP_SETGID, "CAP_SETGID" },
                { CAP_KILL, "CAP_KILL" },
        };

        SKIP_UNLESS_ROOT();
        for (size_t i = 0; i < ELEMENTSOF(needed); i++)
                check(check_capability, &needed[i]);
}

static void test_files_and_mounts(void) {
        SKIP_UNLESS_ROOT();
        check(check_open_files, NULL);
        check(check_mounts, NULL);
        CU_ASSERT(access(scratch_path("mount/inside"), F_OK) < 0);
}

static void test_users(void) {
        SKIP_UNLESS_ROOT();
        check(check_not_root, NULL);
        check(check_capable_user, NULL);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_identity),
        HARNESS_TEST(test_capabilities),
        HARNESS_TEST(test_limits),
        HARNESS_TEST(test_namespaces),
        HARNESS_TEST(test_missing_namespaces),
        HARNESS_TEST(test_missing_capability),
        HARNESS_TEST(test_files_and_mounts),
        HARNESS_TEST(test_users),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("sandbox", setup, scratch_teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
