/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/base/child.h"
#include "lib/base/clock.h"

#define STATUS_SIGNAL     (-1)
#define STATUS_NO_START   126
#define STATUS_NO_PROGRAM 127

static _Noreturn void run(const ChildSpec *spec, int output) {
        (void)setpgid(0, 0);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (dup2(output, STDOUT_FILENO) < 0 || (spec->prepare && spec->prepare(spec->userdata) < 0))
                _exit(STATUS_NO_START);
        environ = (char **)spec->environment;
        (void)execvp(spec->argv[0], spec->argv);
        _exit(STATUS_NO_PROGRAM);
}

int child_start(const ChildSpec *spec, Child *ret_child) {
        _cleanup_close_ int ours = -1, theirs = -1;
        int pipe_fds[2];
        pid_t pid;

        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return negative_errno();
        ours = pipe_fds[0];
        theirs = pipe_fds[1];

        /* Only our end: a program does not expect a standard output that says EAGAIN. */
        if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
                return negative_errno();

        pid = fork();
        if (pid < 0)
                return negative_errno();
        if (pid == 0)
                run(spec, theirs);

        (void)setpgid(pid, pid); /* whoever of the two comes first */
        *ret_child = (Child){ .pid = pid, .fd = TAKE_FD(ours), .alone = spec->alone };
        return 0;
}

/* Where we are not alone, a program may leave its group. It was not reaped by now, so that its pid, which
 * names the group, is nobody else's. */
static void kill_all(const Child *child) {
        (void)kill(child->alone ? -1 : -child->pid, SIGKILL);
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        while (child->alone && waitpid(-1, NULL, 0) > 0)
                ;
}

static int judge(const siginfo_t *info, int *ret_status) {
        bool exited = info->si_code == CLD_EXITED;

        if (exited && info->si_status == 0)
                return 0;
        if (exited && info->si_status == STATUS_NO_PROGRAM)
                return -ENOENT;

        *ret_status = exited ? info->si_status : STATUS_SIGNAL;
        return CHILD_E_FAILED;
}

int child_end(Child *child, uint64_t until_usec, int *ret_status) {
        const struct timespec pause = { .tv_nsec = 1000 * 1000 };
        int r = CHILD_E_ENDED;

        cleanup_close(&child->fd);
        while (clock_monotonic_usec() < until_usec) {
                siginfo_t info = {};

                if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
                        r = negative_errno();
                        break;
                }
                if (info.si_pid == child->pid) {
                        r = judge(&info, ret_status);
                        break;
                }
                (void)nanosleep(&pause, NULL); /* its output ends a moment before itself */
        }
        kill_all(child);
        return r;
}
