/* SPDX-License-Identifier: MIT */

/*
 * The witness of what a daemon really hands to the kernel. A seccomp filter stops the daemon, its threads and its
 * workers in front of the feeding ioctls only, so nothing else becomes slower; each call is appended to a file as a
 * line of JSON with its bits, its bytes and its result. No claim of the daemon about itself is involved.
 *
 * Asked for steps (steps.c), it also counts the calls that change files below a directory, and the credits among them,
 * and can leave the program stopped in front of one: {"step":3,"call":"fsync(seed.new)","stopped":true}.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/random.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

#define TRACE_PIDS_MAX  1024U
#define TRACE_BYTES_MAX 4096U

/* From linux/ptrace.h, which cannot be included beside sys/ptrace.h with every libc. */
#define TRACE_GET_SYSCALL_INFO 0x420e
typedef struct TraceSyscallInfo {
        uint8_t op, pad[3];
        uint32_t arch;
        uint64_t instruction_pointer, stack_pointer;
        union {
                struct {
                        uint64_t nr, args[6];
                } entry;
                struct {
                        int64_t rval;
                        uint8_t is_error;
                } exit;
        };
        uint64_t room[4];
} TraceSyscallInfo;

typedef struct TracedCall {
        pid_t pid;
        uint64_t command;
        int bits, n_bytes;
        unsigned char bytes[TRACE_BYTES_MAX];
} TracedCall;

static TracedCall calls[16];
static pid_t known[TRACE_PIDS_MAX];

static void filter_install(bool with_steps) {
        const struct sock_filter load_nr =
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
        const struct sock_filter feeds[] = {
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 5),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)RNDADDENTROPY, 2, 0),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)RNDADDTOENTCNT, 1, 0),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)RNDRESEEDCRNG, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_filter code[1 + 2 * STEPS_MAX + sizeof(feeds) / sizeof(*feeds)];
        struct sock_fprog program = { .filter = code };
        size_t n = 0;

        code[n++] = load_nr;
        if (with_steps)
                n += steps_add_filter(code + n);
        memcpy(code + n, feeds, sizeof(feeds));
        program.len = (unsigned short)(n + sizeof(feeds) / sizeof(*feeds));

        /* Without no_new_privs, which would change what is tested: root may. */
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
                fprintf(stderr, "agent: no seccomp filter: %s\n", strerror(errno));
                _exit(125);
        }
}

static TracedCall *call_find(pid_t pid) {
        for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
                if (calls[i].pid == pid)
                        return &calls[i];
        return NULL;
}

/* In front of the call: the memory still holds what the kernel will read. */
static const TracedCall *call_enter(pid_t pid, const uint64_t args[static 6]) {
        TracedCall *call = call_find(0);
        struct iovec local, remote;
        int header[2] = {};

        if (!call)
                return NULL;
        *call = (TracedCall){ .pid = pid, .command = args[1] & 0xffffffffU };
        if (call->command != (uint64_t)RNDADDENTROPY)
                return call;
        local = (struct iovec){ .iov_base = header, .iov_len = sizeof(header) };
        remote =
                (struct iovec){ .iov_base = (void *)(uintptr_t)args[2], .iov_len = sizeof(header) };
        if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != (ssize_t)sizeof(header))
                return call;
        call->bits = header[0];
        call->n_bytes = header[1];
        local = (struct iovec){ .iov_base = call->bytes, .iov_len = sizeof(call->bytes) };
        if (header[1] >= 0 && (size_t)header[1] < local.iov_len)
                local.iov_len = (size_t)header[1];
        remote = (struct iovec){
                .iov_base = (void *)(uintptr_t)(args[2] + sizeof(header)),
                .iov_len = local.iov_len,
        };
        (void)process_vm_readv(pid, &local, 1, &remote, 1, 0);
        return call;
}

static void append(const char *path, const char *text, size_t n) {
        int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

        if (fd < 0 || write(fd, text, n) != (ssize_t)n)
                fprintf(stderr, "agent: cannot write %s: %s\n", path, strerror(errno));
        if (fd >= 0)
                (void)close(fd);
}

static void call_leave(pid_t pid, const char *path) {
        TraceSyscallInfo info = {};
        TracedCall *call = call_find(pid);
        char *text = NULL;
        size_t n = 0;
        FILE *out;

        if (!call)
                return;
        if (ptrace(TRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) <= 0)
                info.exit.rval = -ESRCH;
        out = open_memstream(&text, &n);
        if (!out)
                abort();
        fprintf(out,
                "{\"pid\":%d,\"call\":\"%s\",\"bits\":%d,\"n_bytes\":%d,\"rval\":%lld,\"boottime_usec\":%llu,"
                "\"bytes\":\"",
                (int)pid,
                call->command == (uint64_t)RNDRESEEDCRNG ? "reseed" : "add",
                call->bits,
                call->n_bytes,
                (long long)info.exit.rval,
                (unsigned long long)now_usec(CLOCK_BOOTTIME));
        for (int i = 0; i < call->n_bytes && i < (int)TRACE_BYTES_MAX; i++)
                fprintf(out, "%02x", call->bytes[i]);
        fputs("\"}\n", out);
        if (fclose(out) != 0)
                abort();
        append(path, text, n);
        free(text);
        call->pid = 0;
}

/* A new thread or child starts with a SIGSTOP of ptrace's own, which must not be delivered. */
static bool is_first_stop(pid_t pid) {
        for (size_t i = 0; i < TRACE_PIDS_MAX; i++) {
                if (known[i] == pid)
                        return false;
                if (known[i] == 0) {
                        known[i] = pid;
                        return true;
                }
        }
        return false;
}

/* Whether the program is to stay here. */
static bool take_step(const SpawnOptions *options, const char *text) {
        static uint64_t n_steps;
        bool stop = ++n_steps == options->stop_at;
        char line[STEP_TEXT_BYTES + 100];
        int n;

        n = snprintf(
                line,
                sizeof(line),
                "{\"step\":%llu,\"call\":\"%s\",\"stopped\":%s}\n",
                (unsigned long long)n_steps,
                text,
                stop ? "true" : "false");
        append(options->trace_path, line, (size_t)n);
        return stop;
}

/* In front of a call that the filter caught. */
static void handle_call(pid_t pid, const SpawnOptions *options) {
        TraceSyscallInfo info = {};
        char text[STEP_TEXT_BYTES];
        bool is_step = false, feeds;

        if (ptrace(TRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) <= 0) {
                (void)ptrace(PTRACE_CONT, pid, NULL, NULL);
                return;
        }
        feeds = info.entry.nr == SYS_ioctl;
        if (feeds) {
                const TracedCall *call = call_enter(pid, info.entry.args);

                is_step = call && call->n_bytes > 0;
                snprintf(text, sizeof(text), "RNDADDENTROPY(%d bits)", call ? call->bits : 0);
        } else if (options->steps_directory)
                is_step = steps_describe(
                        pid,
                        info.entry.nr,
                        info.entry.args,
                        options->steps_directory,
                        text);
        if (options->steps_directory && is_step && take_step(options, text))
                return;
        (void)ptrace(feeds ? PTRACE_SYSCALL : PTRACE_CONT, pid, NULL, NULL);
}

static void handle_stop(pid_t pid, int status, const SpawnOptions *options) {
        int signo = WSTOPSIG(status), deliver = 0;

        if (status >> 8 == (SIGTRAP | (PTRACE_EVENT_SECCOMP << 8))) {
                handle_call(pid, options);
                return;
        }
        if (signo == (SIGTRAP | 0x80))
                call_leave(pid, options->trace_path);
        else if (signo == SIGSTOP && is_first_stop(pid))
                deliver = 0;
        else if (status >> 16 == 0)
                deliver = signo;
        (void)ptrace(PTRACE_CONT, pid, NULL, (void *)(uintptr_t)deliver);
}

void trace_program(const SpawnOptions *options, int pid_fd) {
        const long events = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK |
                            PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                            PTRACE_O_EXITKILL;
        int status = 0, main_status = 0;
        pid_t child, pid;

        child = fork();
        if (child == 0) {
                (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
                (void)raise(SIGSTOP);
                filter_install(options->steps_directory);
                spawn_exec(options);
        }
        if (waitpid(child, &status, __WALL) != child || !WIFSTOPPED(status))
                _exit(125);
        (void)is_first_stop(child);
        (void)ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)events);
        (void)ptrace(PTRACE_CONT, child, NULL, NULL);
        if (write(pid_fd, &child, sizeof(child)) != (ssize_t)sizeof(child))
                _exit(125);
        (void)close(pid_fd);

        /* Until the last of them: a daemon's parent leaves before its child starts to work. */
        while ((pid = waitpid(-1, &status, __WALL)) > 0)
                if (WIFSTOPPED(status))
                        handle_stop(pid, status, options);
                else if (pid == child)
                        main_status = status;
        _exit(WIFEXITED(main_status) ? WEXITSTATUS(main_status) : 128 + WTERMSIG(main_status));
}
