/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "lib/feed/sandbox.h"
#include "lib/feed/worker-child.h"
#include "lib/feed/worker-protocol.h"
#include "lib/kernel/clock.h"

#define SOCKET_FD 3

/* Linux 5.9; without it close what a daemon of ours can have open. */
static void close_from(unsigned int first) {
#ifdef SYS_close_range
        if (syscall(SYS_close_range, first, ~0U, 0) >= 0)
                return;
#endif
        for (unsigned int fd = first; fd < 1024; fd++)
                (void)close((int)fd);
}

/*
 * The socket, the pipe as standard error, and nothing of the parent's: not its terminal, above all.
 * Both are moved away first, as one may be where the other belongs.
 */
static int keep_only_channels(int socket_fd, int stderr_fd) {
        int null_fd;

        socket_fd = fcntl(socket_fd, F_DUPFD_CLOEXEC, SOCKET_FD + 1);
        if (socket_fd < 0)
                return negative_errno();
        null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (stderr_fd < 0)
                stderr_fd = null_fd;
        if (null_fd < 0)
                null_fd = stderr_fd; /* the end of the pipe that cannot be read */

        if (dup2(stderr_fd, STDERR_FILENO) < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
            dup2(null_fd, STDOUT_FILENO) < 0 || dup2(socket_fd, SOCKET_FD) < 0)
                return negative_errno();
        if (fcntl(SOCKET_FD, F_SETFD, FD_CLOEXEC) < 0)
                return negative_errno();
        close_from(SOCKET_FD + 1);
        return 0;
}

static void reset_signals(void) {
        sigset_t none;

        for (int number = 1; number < NSIG; number++)
                (void)signal(number, SIG_DFL);
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int open_and_drop(Source *source, const WorkerSpec *spec, uint32_t *ret_missing) {
        const SandboxSpec sandbox = {
                .uid = spec->uid,
                .gid = spec->gid,
                .keep_network = source->ops->needs_network,
                .may_fork = source->ops->runs_program,
                .has_mounts = source->ops->mounts,
        };
        int r;

        if (source->ops->mounts) {
                r = sandbox_own_mounts();
                if (r < 0)
                        return r;
        }
        r = source->ops->open ? source->ops->open(source) : 0;
        if (r < 0)
                return r;
        return sandbox_enter(&sandbox, ret_missing);
}

/* Up to size bytes; fewer at the end of the source or of the time. Each read may give less. */
static int read_whole(Source *source, uint8_t *buffer, size_t size, size_t *ret_length) {
        const uint64_t wait_usec = source->config.wait_usec;
        const uint64_t until_usec = clock_monotonic_usec() + wait_usec;
        size_t length = 0;
        int r = 0;

        while (length < size) {
                uint64_t now_usec;
                size_t n;

                r = source->ops->read(source, buffer + length, size - length, &n);
                if (r < 0)
                        break;
                length += n;

                /* One time for all reads: else the parent would kill us over a half batch. */
                if (wait_usec == 0)
                        continue;
                now_usec = clock_monotonic_usec();
                if (now_usec >= until_usec) {
                        r = -ETIMEDOUT;
                        break;
                }
                source->config.wait_usec = until_usec - now_usec;
        }
        source->config.wait_usec = wait_usec;
        *ret_length = length;
        return length == size ? 0 : r;
}

/*
 * Bytes for one request, behind those that an earlier one kept. A source that is merely slow is waited
 * for across requests. One that gave nothing more in its time, or that ended, is not: what came before
 * counts, and the next request says why there is no more.
 */
static int read_bytes(
        Source *source,
        const WorkerRequest *request,
        Secret *buffer,
        size_t *kept,
        size_t *ret_length) {
        size_t before, length;
        int r;

        if (request->n_bytes > buffer->size_bytes || request->min_bytes > request->n_bytes)
                return -EINVAL;
        if (request->drain != 0) {
                secret_wipe(buffer);
                *kept = 0;
                r = source->ops->drain ? source->ops->drain(source) : 0;
                if (r < 0)
                        return r;
        }

        before = MIN(*kept, (size_t)request->n_bytes);
        *kept = 0;
        r = read_whole(source, buffer->bytes + before, request->n_bytes - before, &length);
        if (r == -ETIMEDOUT && length > 0 && before + length < request->min_bytes) {
                *kept = before + length;
                return -EINPROGRESS;
        }
        if (before + length == 0)
                return r;
        *ret_length = before + length;
        return 0;
}

static int read_answer(
        Source *source,
        const WorkerRequest *request,
        Secret *buffer,
        size_t *kept,
        size_t *ret_length) {
        if (!source->ops->seeds)
                return read_bytes(source, request, buffer, kept, ret_length);
        if (request->n_bytes != buffer->size_bytes)
                return -EINVAL; /* a seed is given whole */
        return source->ops->read(source, buffer->bytes, buffer->size_bytes, ret_length);
}

static int send_answer(const WorkerAnswer *answer, const Secret *buffer) {
        struct iovec parts[] = {
                { .iov_base = (void *)(uintptr_t)answer, .iov_len = sizeof(*answer) },
                { .iov_base = buffer->bytes, .iov_len = answer->length },
        };
        const struct msghdr message = { .msg_iov = parts, .msg_iovlen = ELEMENTSOF(parts) };
        ssize_t n;

        n = sendmsg(SOCKET_FD, &message, MSG_NOSIGNAL);
        return n < 0 ? negative_errno() : 0;
}

/* One request; negative when the parent is gone. A worker that could not start says so each time. */
static int serve(Source *source, int start_error, uint32_t missing, Secret *buffer, size_t *kept) {
        WorkerAnswer answer = { .missing = missing };
        WorkerRequest request;
        size_t length = 0;
        ssize_t n;
        int r;

        n = recv(SOCKET_FD, &request, sizeof(request), 0);
        if (n < 0 && errno == EINTR)
                return 0;
        if (n != (ssize_t)sizeof(request))
                return -EPIPE;

        answer.sequence = request.sequence;
        answer.error = start_error;
        if (start_error == 0)
                answer.error = read_answer(source, &request, buffer, kept, &length);
        answer.length = answer.error < 0 ? 0 : (uint32_t)length;
        memcpy(answer.label, source->label, sizeof(answer.label));
        answer.origin = source->origin;
        answer.replay = source->replay;
        r = send_answer(&answer, buffer);
        if (*kept == 0)
                secret_wipe(buffer);
        return r;
}

_Noreturn void worker_child_run(int socket_fd, int stderr_fd, const WorkerSpec *spec) {
        Source source = { .ops = source_ops(spec->source), .config = spec->config, .fd = -1 };
        char name[16];
        uint32_t missing = 0;
        size_t kept = 0;
        Secret *buffer;
        int start_error;

        reset_signals();
        /* No terminal of the parent's can be found from here, nor signal this process. */
        if (setsid() < 0)
                _exit(EXIT_FAILURE);
        (void)snprintf(name, sizeof(name), "rng-%s", source.ops->name);
        (void)prctl(PR_SET_NAME, name, 0, 0, 0);
        if (secret_new(SOURCE_READ_MAX_BYTES, &buffer) < 0)
                _exit(EXIT_FAILURE);
        if (keep_only_channels(socket_fd, stderr_fd) < 0)
                _exit(EXIT_FAILURE);

        start_error = open_and_drop(&source, spec, &missing);
        while (serve(&source, start_error, missing, buffer, &kept) >= 0)
                ;
        _exit(EXIT_SUCCESS);
}
