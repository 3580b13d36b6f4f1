/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "lib/base/text.h"
#include "lib/feed/sandbox.h"
#include "lib/feed/worker-child.h"
#include "lib/feed/worker-process.h"
#include "lib/feed/worker-protocol.h"
#include "lib/feed/worker.h"
#include "lib/kernel/clock.h"

#define ENOUGH_FILES 32U

/* A daemon of ours has half of them open of its own. Then a worker's words are not told, and its pid
 * stands for it: that is safe as long as whoever reaps calls worker_reaped(). */
static bool files_are_scarce(void) {
        struct rlimit limit;

        return getrlimit(RLIMIT_NOFILE, &limit) >= 0 && limit.rlim_cur < ENOUGH_FILES;
}

/*
 * Ends of a pipe and of a socket. Neither end of the pipe blocks: it is read when there is an answer
 * or none any more, and until then takes 64 KiB of what a program has to say. It is a pipe and not
 * our own standard error, since who has a terminal open can type on it (TIOCSTI), and who has the
 * journal's stream can write messages of any priority.
 */
static int open_channels(bool scarce, int ours[static 2], int theirs[static 2]) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return negative_errno();
        ours[0] = pair[0];
        theirs[0] = pair[1];
        if (scarce)
                return 0;
        if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
                return negative_errno();
        ours[1] = pair[0];
        theirs[1] = pair[1];
        return 0;
}

static void close_pair(int (*fds)[2]) {
        cleanup_close(&(*fds)[0]);
        cleanup_close(&(*fds)[1]);
}

int worker_start(Worker *worker, const WorkerSpec *spec) {
        _cleanup_(close_pair) int ours[2] = { -1, -1 }, theirs[2] = { -1, -1 };
        const bool scarce = files_are_scarce();
        bool pids_missing = false;
        int pidfd = -1, r;
        pid_t pid = -1;

        if (sandbox_missing_capability())
                return -EPERM;
        r = open_channels(scarce, ours, theirs);
        if (r < 0)
                return r;

        r = worker_process_start(
                source_ops(spec->source)->runs_program,
                &pid,
                &pidfd,
                &pids_missing);
        if (r < 0)
                return r;
        if (pid == 0)
                worker_child_run(theirs[0], theirs[1], spec);

        if (scarce)
                cleanup_close(&pidfd);
        *worker = (Worker){
                .pid = pid,
                .pidfd = pidfd,
                .fd = TAKE_FD(ours[0]),
                .stderr_fd = TAKE_FD(ours[1]),
                .source = spec->source,
                .news = spec->news,
        };
        if (pids_missing)
                worker_news_missing(spec->news, spec->source, 1U << SANDBOX_NAMESPACE_PID);
        return 0;
}

const char *worker_start_error_to_string(int error) {
        const char *missing = error == -EPERM ? sandbox_missing_capability() : NULL;

        return missing ? missing : strerror(-error);
}

pid_t worker_stop(Worker *worker) {
        pid_t pid = worker->pid;

        if (worker->stderr_fd >= 0)
                worker_news_read(worker->news, worker->source, worker->stderr_fd);
        worker_process_kill(pid, worker->pidfd);
        cleanup_close(&worker->pidfd);
        cleanup_close(&worker->fd);
        cleanup_close(&worker->stderr_fd);
        *worker = (Worker)WORKER_NULL;
        return pid;
}

void worker_reaped(Worker *worker) {
        worker->pid = 0;
        cleanup_close(&worker->pidfd);
}

void worker_drain(Worker *worker) {
        worker->drain = true;
}

int worker_ask(Worker *worker, uint32_t n_bytes, uint32_t min_bytes) {
        const WorkerRequest request = {
                .sequence = worker->sequence + 1,
                .n_bytes = n_bytes,
                .min_bytes = min_bytes,
                .drain = worker->drain,
        };

        if (n_bytes == 0 || n_bytes > SOURCE_READ_MAX_BYTES || min_bytes > n_bytes)
                return -EINVAL;
        if (worker->asked_bytes > 0)
                return -EBUSY;
        if (send(worker->fd, &request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
                return negative_errno();

        worker->sequence = request.sequence;
        worker->asked_bytes = n_bytes;
        worker->drain = false;
        worker->asked_usec = clock_boottime_usec();
        return 0;
}

/* Every field is checked: the child reads hostile input, so it may be anybody's by now. */
static bool is_answer(const Worker *worker, const WorkerAnswer *answer, size_t received) {
        if (received < sizeof(*answer) || answer->sequence != worker->sequence)
                return false;
        if (worker->asked_bytes == 0 || answer->length > worker->asked_bytes)
                return false;
        if (received != sizeof(*answer) + answer->length)
                return false;
        if (answer->origin >= _SEED_ORIGIN_MAX || answer->replay > 1)
                return false;
        if (answer->error == 0)
                return answer->length > 0;
        return answer->error < 0 && answer->error > -4096 && answer->length == 0;
}

/* It may hold a name from a disk or from the host, and ends up in logs: shown as what it is. */
static void take_label(const WorkerAnswer *answer, Batch *batch) {
        size_t n = strnlen(answer->label, sizeof(answer->label) - 1);

        for (size_t i = 0; i < n; i++) {
                const char c = answer->label[i];

                batch->label[i] = text_is_plain(c) && c != ' ' ? c : '?';
        }
        batch->label[n] = '\0';
}

int worker_receive(Worker *worker, Batch *batch, int *ret_error) {
        WorkerAnswer answer = {};
        struct iovec parts[] = {
                { .iov_base = &answer, .iov_len = sizeof(answer) },
                { .iov_base = batch->secret->bytes, .iov_len = batch->secret->size_bytes },
        };
        struct msghdr message = { .msg_iov = parts, .msg_iovlen = ELEMENTSOF(parts) };
        ssize_t n;

        if (worker->stderr_fd >= 0)
                worker_news_read(worker->news, worker->source, worker->stderr_fd);
        n = recvmsg(worker->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return WORKER_E_AGAIN;
        if (n < 0 && errno != ECONNRESET)
                return negative_errno();
        if (n <= 0)
                return WORKER_E_GONE;
        if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
            !is_answer(worker, &answer, (size_t)n)) {
                secret_wipe(batch->secret);
                return WORKER_E_GARBAGE;
        }

        worker->asked_bytes = 0;
        take_label(&answer, batch);
        worker_news_missing(worker->news, worker->source, answer.missing);
        if (answer.error < 0) {
                *ret_error = answer.error;
                return WORKER_E_SOURCE;
        }
        batch->length = answer.length;
        batch->origin = answer.origin;
        batch->replay = answer.replay != 0;
        batch->asked_usec = worker->asked_usec;
        return 0;
}
