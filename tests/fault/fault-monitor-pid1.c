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
#include "monitor/sampler.h"
#include "monitor/write.h"
#include "tests/fault/fault.h"
#include "tests/unit/harness.h"

static const char *command_line = "";
static long root_type;
static char executed[1024]; /* the paths, each with a blank behind it */
static bool sampled, written;
static char proc[64]; /* with a 1/root, which not everybody may look at in the real one */
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
        *ret_status = (struct statfs){ .f_type = root_type };
        return FAULT(-1, path ? 0 : -1);
}

static void fault_views_open(bool own, Views *ret_views) {
        CU_ASSERT(own);
        *ret_views = (Views)VIEWS_NULL;
        /* Nothing goes to this machine's kernel log. */
        ret_views->proc_fd = FAULT(-1, open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static int fault_read_text(int dirfd, const char *path, char *buffer, size_t size) {
        CU_ASSERT_STRING_EQUAL(path, "cmdline");
        (void)snprintf(buffer, size, "%s", command_line);
        return FAULT(-EIO, dirfd >= -1 ? 0 : -1);
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

static SamplerEnd fault_sampler_run(Sampler *sampler) {
        sampled = true;
        return sampler->as_pid1 ? SAMPLER_END_BOOT : SAMPLER_END_SIGNAL;
}

static void fault_sampler_free(Sampler *sampler) {
        *sampler = (Sampler)SAMPLER_NULL;
}

static int fault_write_recording(
        const Sampler *sampler,
        SamplerEnd end_why,
        int dirfd,
        const char *path,
        const char *documents_folder) {
        CU_ASSERT_STRING_EQUAL(path, "run/guest-entropy/boot.json");
        written = dirfd >= 0 && end_why == SAMPLER_END_BOOT && sampler && documents_folder;
        return FAULT(-EROFS, 0);
}

static int fault_mkdirat(int dirfd, const char *path, mode_t mode) {
        return FAULT(-1, dirfd < 0 || !path || !mode ? -1 : 0);
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

#define fork            fault_fork
#define execv           fault_execv
#define pipe2           fault_pipe2
#define statfs(p, s)    fault_statfs(p, s)
#define views_open      fault_views_open
#define io_read_text_at fault_read_text
#define sampler_new     fault_sampler_new
#define sampler_begin   fault_sampler_begin
#define sampler_run     fault_sampler_run
#define sampler_free    fault_sampler_free
#define write_recording fault_write_recording
#define mkdirat         fault_mkdirat
#define socket          fault_socket
#define bind            fault_bind
#define chroot          fault_chroot
#define nanosleep       fault_nanosleep
#include "monitor/pid1.c"
#undef fork
#undef execv
#undef pipe2
#undef socket
#undef bind
#undef chroot
#undef nanosleep

#define ALL "/sbin/init /usr/lib/systemd/systemd /lib/systemd/systemd /etc/init /bin/init /bin/sh "

static int run_pid1(void) {
        char name[] = "/usr/bin/entropy-monitor", word[] = "single";
        char *argv[] = { name, word, NULL };

        executed[0] = '\0';
        return pid1_main(2, argv);
}

static void test_init_is_executed(void) {
        root_type = 0xef53;
        command_line = "quiet";
        FAULT_EACH(error, EAGAIN) {
                CU_ASSERT_EQUAL(run_pid1(), EXIT_FAILURE);
                CU_ASSERT_STRING_EQUAL(executed, ALL);
        }
}

static void test_order(void) {
        static const struct {
                const char *command_line;
                long root_type;
                const char *executed;
        } rows[] = {
                { "", TMPFS_MAGIC_NUMBER, "/init " ALL },
                { "", RAMFS_MAGIC_NUMBER, "/init " ALL },
                { "a entropy.init=/bin/x b", 0, "/bin/x " ALL },
                { "entropy.init=/bin/x", TMPFS_MAGIC_NUMBER, "/init /bin/x " ALL },
                { "entropy.monitor=off", 0, ALL },
                /* The monitor in init's place would start itself for ever. */
                { "entropy.init=/proc/self/exe", 0, ALL },
        };

        fault_at = 0;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s, %lx", rows[i].command_line, (unsigned long)rows[i].root_type);
                command_line = rows[i].command_line;
                root_type = rows[i].root_type;
                CU_ASSERT_EQUAL(run_pid1(), EXIT_FAILURE);
                CU_ASSERT_STRING_EQUAL(executed, rows[i].executed);
        }
}

static void setup_proc(void) {
        char path[128];

        (void)snprintf(proc, sizeof(proc), "/tmp/fault-pid1.XXXXXX");
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(proc));
        (void)snprintf(path, sizeof(path), "%s/1", proc);
        CU_ASSERT_EQUAL(mkdir(path, 0755), 0);
        (void)snprintf(path, sizeof(path), "%s/1/root", proc);
        CU_ASSERT_EQUAL(mkdir(path, 0755), 0);
}

static void teardown_proc(void) {
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/1/root", proc);
        (void)rmdir(path);
        (void)snprintf(path, sizeof(path), "%s/1", proc);
        (void)rmdir(path);
        (void)rmdir(proc);
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
                views.proc_fd = open(proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
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
        HARNESS_TEST(test_child),
        HARNESS_TEST(test_no_memory),
        HARNESS_TEST(test_second_sampler),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("pid1", setup_proc, teardown_proc, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
