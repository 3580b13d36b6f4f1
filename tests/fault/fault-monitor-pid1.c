/* SPDX-License-Identifier: MIT */
/* The monitor as the first process: whatever call fails, init is executed all the same, and once;
 * where there is none, the kernel is given the same end as without a monitor. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/base/io.h"
#include "lib/kernel/mountinfo.h"
#include "monitor/sample/sampler.h"
#include "monitor/sample/views.h"
#include "monitor/sample/write.h"
#include "tests/fault/fault.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static uint32_t root_type;
static bool root_known;
static char executed[1024]; /* the paths, each with a blank behind it */
static bool sampled, written;
static int sampler_result;

static pid_t fault_fork(void) {
        return FAULT(-1, 4711);
}

static int fault_execv(const char *path, char *const argv[]) {
        CU_ASSERT_STRING_EQUAL(argv[0], path);
        CU_ASSERT_STRING_EQUAL(argv[1], "single");
        CU_ASSERT_PTR_NULL(argv[2]);
        (void)strncat(executed, path, sizeof(executed) - strlen(executed) - 2);
        (void)strcat(executed, " ");
        errno = ENOENT;
        return -1;
}

static int fault_pipe2(int fds[2], int flags) {
        CU_ASSERT_EQUAL(flags, O_CLOEXEC);
        return FAULT(-1, pipe2(fds, flags));
}

static int fault_statfs(const char *path, struct statfs *ret_status) {
        int r = FAULT(-1, path ? 0 : -1);

        *ret_status = (struct statfs){ .f_type = (__fsword_t)root_type };
        root_known = r >= 0;
        return r;
}

static void fault_views_open(bool own, Views *ret_views) {
        CU_ASSERT(own);
        *ret_views = (Views)VIEWS_NULL;
        /* Nothing goes to this machine's kernel log. */
        ret_views->proc_fd =
                FAULT(-1, open(scratch_path("proc"), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static int fault_read_all(int fd, size_t max_bytes, char **ret_text, size_t *ret_length) {
        return FAULT(-EIO, io_read_all(fd, max_bytes, ret_text, ret_length));
}

static int fault_mountinfo(
        const RootDir *root,
        const char *path,
        MountVisit visit,
        void *userdata) {
        return FAULT(-EIO, mountinfo_each(root, path, visit, userdata));
}

static int fault_setenv(const char *name, const char *value, int overwrite) {
        return FAULT(-1, setenv(name, value, overwrite));
}

static void fault_block_signals(sigset_t *ret_before) {
        CU_ASSERT_PTR_NULL(ret_before);
}

static int fault_sampler_new(const MonitorSettings *settings, const Views *views, Sampler *ret) {
        *ret = (Sampler)SAMPLER_NULL;
        ret->settings = *settings;
        ret->views = *views;
        return sampler_result;
}

static void fault_sampler_begin(Sampler *sampler) {
        CU_ASSERT(sampler->as_pid1);
}

static RecordingEnd fault_sampler_run(Sampler *sampler) {
        sampled = true;
        return sampler->as_pid1 ? RECORDING_END_BOOT : RECORDING_END_SIGNAL;
}

static void fault_sampler_free(Sampler *sampler) {
        *sampler = (Sampler)SAMPLER_NULL;
}

static int fault_write_recording(
        const Sampler *sampler,
        RecordingEnd end_why,
        int dirfd,
        const char *path,
        const char *documents_directory) {
        CU_ASSERT_STRING_EQUAL(path, "run/guest-entropy/boot.json");
        CU_ASSERT_STRING_EQUAL(documents_directory, "run/guest-entropy");
        /* Below the root of PID 1, which the way there has no link to. */
        written = dirfd == AT_FDCWD && end_why == RECORDING_END_BOOT && sampler &&
                  access("mark", F_OK) == 0;
        return FAULT(-EROFS, 0);
}

static int fault_mkdir(const char *path, mode_t mode) {
        return FAULT(-1, !path || !mode ? -1 : 0);
}

static int fault_fchdir(int fd) {
        return FAULT(-1, fchdir(fd));
}

static int fault_socket(int family, int type, int protocol) {
        return FAULT(-1, socket(family, type, protocol));
}

static int fault_bind(int fd, const struct sockaddr *address, socklen_t size) {
        /* Not the real name: a sampler may run on this machine. */
        return FAULT(-1, fd < 0 || !address || !size ? -1 : 0);
}

static int fault_chroot(const char *path) {
        return FAULT(-1, path ? 0 : -1);
}

static int fault_nanosleep(const struct timespec *time, struct timespec *left) {
        return time && !left ? 0 : -1;
}

#define fork                  fault_fork
#define execv                 fault_execv
#define pipe2                 fault_pipe2
#define statfs(p, s)          fault_statfs(p, s)
#define views_open            fault_views_open
#define io_read_all           fault_read_all
#define mountinfo_each        fault_mountinfo
#define setenv                fault_setenv
#define sampler_block_signals fault_block_signals
#define sampler_new           fault_sampler_new
#define sampler_begin         fault_sampler_begin
#define sampler_run           fault_sampler_run
#define sampler_free          fault_sampler_free
#define write_recording       fault_write_recording
#define mkdir                 fault_mkdir
#define fchdir                fault_fchdir
#define socket                fault_socket
#define bind                  fault_bind
#define chroot                fault_chroot
#define nanosleep             fault_nanosleep
#include "monitor/sample/init.c"
#include "monitor/sample/pid1.c"
#undef setenv
#undef mkdir
#undef fchdir
#undef fork
#undef execv
#undef pipe2
#undef socket
#undef bind
#undef chroot
#undef nanosleep

#define ALL "/sbin/init /usr/lib/systemd/systemd /lib/systemd/systemd /etc/init /bin/init /bin/sh "

#define ROOTFS "1 1 0:2 / / rw - rootfs rootfs rw,size=1k\n9 1 0:8 / /proc rw - proc proc rw\n"
#define MOUNTED \
        "1 1 0:2 / / rw - rootfs rootfs rw\n30 1 0:19 / / rw,relatime shared:1 - tmpfs none rw\n"

static void start(const char *command_line, const char *mounts) {
        char name[] = "/usr/bin/entropy-monitor", word[] = "single";
        char *argv[] = { name, word, NULL };

        (void)scratch_write("proc/cmdline", command_line);
        (void)scratch_write("proc/self/mountinfo", mounts);
        executed[0] = '\0';
        CU_ASSERT_EQUAL(pid1_main(2, argv), EXIT_FAILURE);
}

static void run_pid1(const char *command_line, const char *mounts, const char *wanted) {
        start(command_line, mounts);
        CU_ASSERT_STRING_EQUAL(executed, wanted);
}

static void test_init_is_executed(void) {
        root_type = 0xef53;
        FAULT_EACH(error, EAGAIN) {
                (void)unsetenv(TRIED_VARIABLE);
                run_pid1("quiet", "", ALL);
        }
        /* A machine that cannot be asked what its kernel was told is still booted. */
        root_type = TMPFS_MAGIC_NUMBER;
        FAULT_EACH(error, EACCES) {
                (void)unsetenv(TRIED_VARIABLE);
                start("rdinit=/usr/bin/entropy-monitor\n", ROOTFS);
                CU_ASSERT_STRING_EQUAL(executed, root_known ? "/init " ALL : ALL);
        }
}

static void test_order(void) {
        static const struct {
                const char *command_line, *mounts;
                uint32_t root_type;
                const char *executed;
        } rows[] = {
                { "rdinit=/x", ROOTFS, TMPFS_MAGIC_NUMBER, "/init " ALL },
                { "rdinit=/x", ROOTFS, RAMFS_MAGIC_NUMBER, "/init " ALL },
                { "rdinit=/x entropy.init=/bin/x",
                  ROOTFS,
                  TMPFS_MAGIC_NUMBER,
                  "/bin/x /init " ALL },
                { "entropy.init=/bin/x", ROOTFS, TMPFS_MAGIC_NUMBER, "/bin/x " ALL },
                /* Nobody but /init itself has led here. */
                { "init=/x", ROOTFS, TMPFS_MAGIC_NUMBER, ALL },
                /* What an initramfs has switched to is no initramfs. */
                { "rdinit=/x", MOUNTED, TMPFS_MAGIC_NUMBER, ALL },
                { "rdinit=/x", "", 0xef53, ALL },
                { "a entropy.init=/bin/x b", "", 0, "/bin/x " ALL },
                { "entropy.monitor=off", "", 0, ALL },
                /* The monitor in init's place would start itself for ever. */
                { "entropy.init=/proc/self/exe", "", 0, ALL },
        };

        fault_at = 0;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s, %" PRIx32, rows[i].command_line, rows[i].root_type);
                root_type = rows[i].root_type;
                (void)unsetenv(TRIED_VARIABLE);
                run_pid1(rows[i].command_line, rows[i].mounts, rows[i].executed);
        }
}

/* The command line of a machine with a bootconfig may be longer than any that a boot loader gives. */
static void test_long_command_line(void) {
        static char line[70000];

        memset(line, 'x', sizeof(line) - 1);
        memcpy(line + sizeof(line) - 30, " entropy.init=/bin/x a b c d ", 29);
        fault_at = 0;
        (void)unsetenv(TRIED_VARIABLE);
        run_pid1(line, "", "/bin/x " ALL);
}

/* An init that has executed the monitor again, in the same root, is not executed a second time. */
static void test_second_pass(void) {
        char text[96];
        struct stat root;

        fault_at = 0;
        root_type = 0;
        CU_ASSERT_EQUAL(stat("/", &root), 0);
        (void)unsetenv(TRIED_VARIABLE);
        run_pid1("", "", ALL);
        /* All of them were: as that pass has left it. */
        run_pid1("", "", "");

        (void)snprintf(
                text,
                sizeof(text),
                "%ju:%ju:1",
                (uintmax_t)root.st_dev,
                (uintmax_t)root.st_ino);
        (void)setenv(TRIED_VARIABLE, text, 1);
        run_pid1("", "", strchr(ALL, ' ') + 1);
        (void)setenv(TRIED_VARIABLE, text, 1);
        run_pid1("entropy.init=/bin/x", "", ALL);

        /* Another root has another list, and what is no note of ours says nothing. */
        (void)snprintf(
                text,
                sizeof(text),
                "%ju:%ju:1",
                (uintmax_t)root.st_dev + 1,
                (uintmax_t)root.st_ino);
        (void)setenv(TRIED_VARIABLE, text, 1);
        run_pid1("", "", ALL);
        (void)setenv(TRIED_VARIABLE, "1:2", 1);
        run_pid1("", "", ALL);
        (void)snprintf(
                text,
                sizeof(text),
                "%ju:%ju:99",
                (uintmax_t)root.st_dev,
                (uintmax_t)root.st_ino);
        (void)setenv(TRIED_VARIABLE, text, 1);
        run_pid1("", "", ALL);
}

static void setup_proc(void) {
        scratch_setup();
        (void)scratch_write("proc/1/root/mark", "");
        (void)scratch_write("proc/self/mountinfo", "");
        CU_ASSERT_EQUAL(symlink("/proc/self/exe", scratch_path("proc/self/exe")), 0);
}

/* In a real child, since it leaves its session and its standard descriptors. */
static void run_child(bool *ret_sampled, bool *ret_written) {
        MonitorSettings settings;
        Views views = VIEWS_NULL;
        int status = 0;
        pid_t pid;

        pid = fork();
        if (pid == 0) {
                char name[] = "/init";
                char *argv[] = { name, NULL };

                settings_defaults(&settings);
                sampled = written = false;
                views.proc_fd = open(scratch_path("proc"), O_PATH | O_DIRECTORY | O_CLOEXEC);
                (void)sample_as_child(&settings, &views, argv);
                _exit((sampled ? 1 : 0) + (written ? 2 : 0) + (name[0] == '@' ? 4 : 0) +
                      (fault_hit() ? 8 : 0));
        }
        CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
        CU_ASSERT(WIFEXITED(status));
        CU_ASSERT(WEXITSTATUS(status) & 4);
        *ret_sampled = WEXITSTATUS(status) & 1;
        *ret_written = WEXITSTATUS(status) & 2;
        /* The child counts; the loop is here. */
        fault_calls = (WEXITSTATUS(status) & 8) ? fault_at : 0;
}

/* Nothing of what it does to step aside is needed to sample. */
static void test_child(void) {
        bool did_sample, did_write;

        sampler_result = 0;
        FAULT_EACH(error, EACCES) {
                run_child(&did_sample, &did_write);
                harness_row("call %u", fault_at);
                CU_ASSERT(did_sample && did_write);
        }
}

/* mmap() failed in sampler_new(): the child ends, and that is all. */
static void test_no_memory(void) {
        bool did_sample, did_write;

        fault_at = 0;
        sampler_result = -ENOMEM;
        run_child(&did_sample, &did_write);
        CU_ASSERT(!did_sample && !did_write);
}

/* There is one already: the one of the initramfs goes on. */
static void test_second_sampler(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        CU_ASSERT_EQUAL(sizeof(FINISH_SOCKET_NAME) - 1, 22);
        CU_ASSERT_EQUAL(FINISH_SOCKET_SIZE, (socklen_t)(sizeof(address.sun_family) + 22));
        fault_first(EADDRINUSE);
        fault_at = 2; /* bind() */
        CU_ASSERT(!pid1_take_name());
        fault_first(EACCES);
        fault_at = 2;
        CU_ASSERT(pid1_take_name());
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_init_is_executed),
        HARNESS_TEST(test_order),
        HARNESS_TEST(test_long_command_line),
        HARNESS_TEST(test_second_pass),
        HARNESS_TEST(test_child),
        HARNESS_TEST(test_no_memory),
        HARNESS_TEST(test_second_sampler),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("pid1", setup_proc, scratch_teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
