/* SPDX-License-Identifier: MIT */
/*
 * Any call of a worker that fails, in the parent or in the child: an error, a child that is gone or
 * that says why; where bytes come all the same, they come from a child without any privilege. The
 * count is in shared memory, since both count.
 */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/feed/batch.h"
#include "tests/fault/fault.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

typedef struct Shared {
        unsigned at, calls;
        int error;
} Shared;

static Shared *shared;

static bool shared_now(void) {
        if (++shared->calls != shared->at)
                return false;
        errno = shared->error;
        return true;
}

#define SHARED_FAULT(_call) (shared_now() ? -1 : (_call))

static int fault_socketpair(int domain, int type, int protocol, int pair[2]) {
        return SHARED_FAULT(socketpair(domain, type, protocol, pair));
}

static int fault_pipe2(int pair[2], int flags) {
        return SHARED_FAULT(pipe2(pair, flags));
}

static pid_t fault_setsid(void) {
        return SHARED_FAULT(setsid());
}

static int fault_getrlimit(__rlimit_resource_t resource, struct rlimit *limit) {
        return SHARED_FAULT(getrlimit(resource, limit));
}

static pid_t fault_fork(void) {
        return SHARED_FAULT(fork());
}

static ssize_t fault_send(int fd, const void *bytes, size_t length, int flags) {
        return SHARED_FAULT(send(fd, bytes, length, flags));
}

static ssize_t fault_recv(int fd, void *bytes, size_t size, int flags) {
        return SHARED_FAULT(recv(fd, bytes, size, flags));
}

static ssize_t fault_sendmsg(int fd, const struct msghdr *message, int flags) {
        return SHARED_FAULT(sendmsg(fd, message, flags));
}

static ssize_t fault_recvmsg(int fd, struct msghdr *message, int flags) {
        return SHARED_FAULT(recvmsg(fd, message, flags));
}

static int fault_dup2(int from, int to) {
        return SHARED_FAULT(dup2(from, to));
}

static int fault_fcntl(int fd, int command, int value) {
        return SHARED_FAULT(fcntl(fd, command, value));
}

static long fault_syscall(long number, ...) {
        long arguments[3];
        va_list args;

        va_start(args, number);
        for (unsigned i = 0; i < 3; i++)
                arguments[i] = va_arg(args, long);
        va_end(args);
        return SHARED_FAULT(syscall(number, arguments[0], arguments[1], arguments[2]));
}

static int fault_unshare(int flags) {
        return SHARED_FAULT(unshare(flags));
}

static int fault_setgroups(size_t n, const gid_t *groups) {
        return SHARED_FAULT(setgroups(n, groups));
}

static int fault_setresgid(gid_t real, gid_t effective, gid_t saved) {
        return SHARED_FAULT(setresgid(real, effective, saved));
}

static int fault_setresuid(uid_t real, uid_t effective, uid_t saved) {
        return SHARED_FAULT(setresuid(real, effective, saved));
}

static int fault_setrlimit(__rlimit_resource_t resource, const struct rlimit *limit) {
        return SHARED_FAULT(setrlimit(resource, limit));
}

static int fault_prctl(int option, unsigned long a, unsigned long b, unsigned long c, int d) {
        return SHARED_FAULT(prctl(option, a, b, c, d));
}

static int fault_secret_new(size_t size_bytes, Secret **ret_secret) {
        return shared_now() ? -shared->error : secret_new(size_bytes, ret_secret);
}

#define socketpair            fault_socketpair
#define pipe2                 fault_pipe2
#define setsid                fault_setsid
#define getrlimit             fault_getrlimit
#define fork                  fault_fork
#define send                  fault_send
#define recv                  fault_recv
#define sendmsg               fault_sendmsg
#define recvmsg               fault_recvmsg
#define dup2                  fault_dup2
#define fcntl                 fault_fcntl
#define syscall               fault_syscall
#define unshare               fault_unshare
#define setgroups             fault_setgroups
#define setresgid             fault_setresgid
#define setresuid             fault_setresuid
#define setrlimit             fault_setrlimit
#define prctl(option, a, ...) fault_prctl((option), (unsigned long)(uintptr_t)(a), __VA_ARGS__)
#define secret_new            fault_secret_new
#include "lib/feed/sandbox.c"
#include "lib/feed/worker-child.c"
#include "lib/feed/worker-process.c"
#include "lib/feed/worker.c"
#undef socketpair
#undef pipe2
#undef setsid
#undef getrlimit
#undef fork
#undef send
#undef recv
#undef sendmsg
#undef recvmsg
#undef dup2
#undef fcntl
#undef syscall
#undef unshare
#undef setgroups
#undef setresgid
#undef setresuid
#undef setrlimit
#undef prctl
#undef secret_new

static Batch batch;
static unsigned files;

static void setup(void) {
        scratch_setup();
        CU_ASSERT_EQUAL_FATAL(batch_init(&batch), 0);
        shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        CU_ASSERT_FATAL(shared != MAP_FAILED);
        files = scratch_open_files();
}

static void teardown(void) {
        CU_ASSERT_EQUAL(scratch_open_files(), files);
        (void)munmap(shared, 4096);
        batch_deinit(&batch);
        scratch_teardown();
}

static bool is_harmless(pid_t pid) {
        static const char *const lines[] = {
                "\nUid:\t65534\t65534\t65534\t65534\n", "\nGid:\t65534\t65534\t65534\t65534\n",
                "\nCapPrm:\t0000000000000000\n",        "\nCapEff:\t0000000000000000\n",
                "\nCapBnd:\t0000000000000000\n",        "\nNoNewPrivs:\t1\n",
        };
        char path[64], text[4096];

        (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
        if (io_read_text_at(AT_FDCWD, path, text, sizeof(text)) < 0)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                if (!strstr(text, lines[i]))
                        return false;
        return true;
}

/* One request from the start to its end. */
static int serve_once(Worker *worker, const WorkerSpec *spec, int *ret_error) {
        struct pollfd entry = { .events = POLLIN };
        int r;

        r = worker_start(worker, spec);
        if (r < 0)
                return r;
        r = worker_ask(worker, 64, 0);
        if (r < 0)
                return r;
        entry.fd = worker->fd;
        CU_ASSERT_EQUAL(poll(&entry, 1, 5000), 1);
        r = worker_receive(worker, &batch, ret_error);
        return r == WORKER_E_AGAIN ? worker_receive(worker, &batch, ret_error) : r;
}

static unsigned check_source(const WorkerSpec *spec, int error) {
        unsigned n_served = 0;

        for (unsigned at = 1; at < FAULT_MAX; at++) {
                Worker worker = WORKER_NULL;
                int source_error = 0, r;
                pid_t pid;

                *shared = (Shared){ .at = at, .error = error };
                batch.length = 0;
                r = serve_once(&worker, spec, &source_error);
                harness_row("%s, errno %d at %u: %d", source_name(spec->source), error, at, r);
                CU_ASSERT(r <= 0 || r == WORKER_E_SOURCE || r == WORKER_E_GONE);
                CU_ASSERT_EQUAL(r == WORKER_E_SOURCE, source_error < 0);
                CU_ASSERT_EQUAL(batch.length, r == 0 ? 64 : 0);
                if (r == 0) {
                        n_served++;
                        CU_ASSERT(is_harmless(worker.pid));
                }
                pid = worker_stop(&worker);
                CU_ASSERT(pid == 0 || waitpid(pid, NULL, 0) == pid);
                CU_ASSERT_EQUAL(scratch_open_files(), files);
                if (shared->calls < at) {
                        CU_ASSERT_EQUAL(r, 0);
                        return n_served;
                }
        }
        CU_FAIL("still failing");
        return 0;
}

static void test_file(void) {
        static const int errors[] = { EMFILE, EPERM, EIO };
        WorkerSpec spec = { .source = SOURCE_FILE, .uid = 65534, .gid = 65534 };
        char bytes[64] = "bytes";

        if (geteuid() != 0)
                HARNESS_SKIP("only root has something to give up");
        spec.config.path = scratch_write_bytes("file", bytes, sizeof(bytes));
        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                unsigned n_served = check_source(&spec, errors[i]);

                /* Names, three namespaces, the pidfd and what is looked at before are not essential;
                 * the rest is. */
                CU_ASSERT(n_served >= 1 && n_served <= 14);
        }
}

static void test_exec(void) {
        char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)"head -c 64 /dev/zero", NULL };
        const WorkerSpec spec = {
                .source = SOURCE_EXEC,
                .config = { .argv = argv, .wait_usec = 5000000 },
                .uid = 65534,
                .gid = 65534,
        };

        if (geteuid() != 0)
                HARNESS_SKIP("only root has something to give up");
        (void)check_source(&spec, EPERM);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_file),
        HARNESS_TEST(test_exec),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("worker", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
