/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/kernel/clock.h"
#include "lib/sources/run-program.h"
#include "lib/sources/wait-read.h"

#define STATUS_SIGNAL (-1)

/* In the child: the pipe is its standard output, and it never outlives the worker's read. */
static _Noreturn void run_program(char *const *argv, int output) {
        char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        char *environment[] = { path, NULL };

        environ = environment;
        (void)setpgid(0, 0);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (dup2(output, STDOUT_FILENO) >= 0)
                (void)execvp(argv[0], argv);
        _exit(127);
}

static int start_program(char *const *argv, int *ret_fd, pid_t *ret_pid) {
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
                run_program(argv, theirs);

        (void)setpgid(pid, pid); /* whoever of the two comes first */
        *ret_fd = TAKE_FD(ours);
        *ret_pid = pid;
        return 0;
}

/* The program and what it left behind. A worker has a PID namespace of its own where the kernel has
 * them (lib/feed/worker-process.h), so that nothing escapes; elsewhere a program may leave its
 * group. It was not reaped by now, so that its pid, which names the group, is nobody else's. */
static void kill_program(pid_t pid) {
        bool alone = getpid() == 1;

        (void)kill(alone ? -1 : -pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        while (waitpid(-1, NULL, alone ? 0 : WNOHANG) > 0)
                ;
}

static int judge(const siginfo_t *info, int *ret_status) {
        bool exited = info->si_code == CLD_EXITED;

        if (exited && info->si_status == 0)
                return 0;
        if (exited && info->si_status == 127)
                return -ENOENT;

        *ret_status = exited ? info->si_status : STATUS_SIGNAL;
        return PROGRAM_E_FAILED;
}

/* How it ended; 0 if it had to be ended, since then what it wrote by now is what counts. */
static int end_program(pid_t pid, bool full, uint64_t until_usec, int *ret_status) {
        const struct timespec pause = { .tv_nsec = 1000 * 1000 };
        int r = 0;

        /* Its output ends a moment before itself. */
        while (!full && clock_monotonic_usec() < until_usec) {
                siginfo_t info = {};

                if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
                        r = negative_errno();
                        break;
                }
                if (info.si_pid == pid) {
                        r = judge(&info, ret_status);
                        break;
                }
                (void)nanosleep(&pause, NULL);
        }
        kill_program(pid);
        return r;
}

int program_read(
        char *const *argv,
        uint64_t wait_usec,
        uint8_t *buffer,
        size_t size,
        size_t *ret_length,
        int *ret_status) {
        uint64_t until_usec = clock_monotonic_usec() + wait_usec;
        _cleanup_close_ int fd = -1;
        size_t length = 0;
        pid_t pid;
        int ended, r;

        r = start_program(argv, &fd, &pid);
        if (r < 0)
                return r;

        r = wait_read(fd, wait_usec, buffer, size, &length);
        cleanup_close(&fd);

        ended = end_program(pid, length == size, until_usec, ret_status);
        if (ended != 0)
                return ended; /* a program that failed may have written half a thing */
        if (r < 0)
                return r;
        *ret_length = length;
        return 0;
}
