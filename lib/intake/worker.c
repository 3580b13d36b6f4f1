/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "lib/intake/worker-child.h"
#include "lib/intake/worker-protocol.h"
#include "lib/intake/worker.h"
#include "lib/kernel/clock.h"

/*
 * A worker that runs programs is the first process of a PID namespace: when it is killed, the
 * kernel ends all that they started, which no signal to a process or to its group could promise.
 */
static pid_t fork_worker(const WorkerSpec *spec) {
#if defined(SYS_clone3) && defined(CLONE_ARGS_SIZE_VER0)
        struct clone_args arguments = { .flags = CLONE_NEWPID, .exit_signal = SIGCHLD };
        long pid;

        if (source_ops(spec->source)->runs_program) {
                pid = syscall(SYS_clone3, &arguments, CLONE_ARGS_SIZE_VER0);
                if (pid >= 0)
                        return (pid_t)pid;
                /* An older kernel, one without these namespaces, or a filter that forbids them. */
        }
#endif
        return fork();
}

int worker_start(Worker *worker, const WorkerSpec *spec) {
        _cleanup_close_ int ours = -1, theirs = -1;
        int pair[2];
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return negative_errno();
        ours = pair[0];
        theirs = pair[1];

        pid = fork_worker(spec);
        if (pid < 0)
                return negative_errno();
        if (pid == 0)
                worker_child_run(theirs, spec);

        *worker = (Worker){ .pid = pid, .fd = TAKE_FD(ours) };
        return 0;
}

pid_t worker_stop(Worker *worker) {
        pid_t pid = worker->pid;

        if (pid > 0)
                (void)kill(pid, SIGKILL);
        cleanup_close(&worker->fd);
        *worker = (Worker)WORKER_NULL;
        return pid;
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

        for (size_t i = 0; i < n; i++)
                batch->label[i] =
                        answer->label[i] > ' ' && answer->label[i] < 0x7f ? answer->label[i] : '?';
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
