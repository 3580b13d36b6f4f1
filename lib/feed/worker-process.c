/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "lib/feed/sandbox.h"
#include "lib/feed/worker-process.h"

/*
 * Not clone3(), whose flags are in memory: a seccomp filter cannot see them there, so that systemd's
 * RestrictNamespaces= forbids it whatever namespaces it allows.
 */
static pid_t fork_with_pids(void) {
        const unsigned long flags = CLONE_NEWPID | SIGCHLD;

#if defined(__s390__)
        return (pid_t)syscall(SYS_clone, 0UL, flags, 0UL, 0UL, 0UL);
#else
        return (pid_t)syscall(SYS_clone, flags, 0UL, 0UL, 0UL, 0UL);
#endif
}

/* Nobody else reaps our children, so that this is the child and no later process. */
static int open_pidfd(pid_t pid) {
#ifdef SYS_pidfd_open
        return (int)syscall(SYS_pidfd_open, pid, 0);
#else
        return -1;
#endif
}

int worker_process_start(bool own_pids, pid_t *ret_pid, int *ret_pidfd, bool *ret_pids_missing) {
        bool missing = false;
        pid_t pid = -1;

        if (own_pids) {
                pid = fork_with_pids();
                missing = pid < 0;
                if (missing && !sandbox_namespace_is_missing(errno))
                        return negative_errno();
        }
        if (pid < 0)
                pid = fork();
        if (pid < 0)
                return negative_errno();

        *ret_pid = pid;
        *ret_pidfd = pid > 0 ? open_pidfd(pid) : -1;
        *ret_pids_missing = missing;
        return 0;
}

void worker_process_kill(pid_t pid, int pidfd) {
#ifdef SYS_pidfd_send_signal
        if (pidfd >= 0 && syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) >= 0)
                return;
        /* It is over; no other process may be meant. */
        if (pidfd >= 0 && errno == ESRCH)
                return;
#endif
        if (pid > 0)
                (void)kill(pid, SIGKILL);
}
