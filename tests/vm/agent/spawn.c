/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"

void spawn_exec(const SpawnOptions *options) {
        for (char **env = options->env; env && *env && strcmp(*env, "--") != 0; env++)
                if (strncmp(*env, "env=", 4) == 0)
                        (void)putenv(*env + 4);
        if (options->notify_path)
                (void)setenv("NOTIFY_SOCKET", options->notify_path, 1);
        if (options->watchdog_usec)
                (void)setenv("WATCHDOG_USEC", options->watchdog_usec, 1);
        if (options->uid > 0 &&
            (setgid((gid_t)options->uid) < 0 || setuid((uid_t)options->uid) < 0))
                _exit(126);
        (void)execvp(options->argv[0], options->argv);
        fprintf(stderr, "agent: cannot execute %s: %s\n", options->argv[0], strerror(errno));
        _exit(127);
}

static void child_prepare(const SpawnOptions *options) {
        int fd;

        (void)setsid();
        (void)signal(SIGHUP, SIG_DFL);
        (void)signal(SIGPIPE, SIG_DFL);
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (fd >= 0)
                (void)dup2(fd, STDIN_FILENO);
        fd =
                open(options->log_path ? options->log_path : "/dev/null",
                     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                     0644);
        if (fd >= 0) {
                (void)dup2(fd, STDOUT_FILENO);
                (void)dup2(fd, STDERR_FILENO);
        }
}

int spawn_program(const SpawnOptions *options, pid_t *ret_pid) {
        int report[2];
        pid_t pid;
        ssize_t n;

        if (!options->trace_path) {
                pid = fork();
                if (pid == 0) {
                        child_prepare(options);
                        spawn_exec(options);
                }
                *ret_pid = pid;
                return pid < 0 ? -errno : 0;
        }

        /* The tracer stands between: it reports the traced program's pid through a pipe. */
        if (pipe2(report, O_CLOEXEC) < 0)
                return -errno;
        pid = fork();
        if (pid == 0) {
                child_prepare(options);
                trace_program(options, report[1]);
        }
        (void)close(report[1]);
        n = read(report[0], ret_pid, sizeof(*ret_pid));
        (void)close(report[0]);
        return n == (ssize_t)sizeof(*ret_pid) ? 0 : -EIO;
}
