/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "rngd/daemonize.h"

#define LOCK_TRIES 8U

/* As rng-tools does it, so that the two see each other's pid file. *ret_holder is 0 if not known, and
 * then no process of ours: those lock with fcntl(2), which tells. */
static int take_lock(int fd, pid_t *ret_holder) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

        if (fcntl(fd, F_SETLK, &lock) >= 0)
                return 0;
        if (errno != EAGAIN && errno != EACCES)
                return negative_errno();
        if (fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK || lock.l_pid < 0)
                lock.l_pid = 0;
        *ret_holder = lock.l_pid;
        return -EALREADY;
}

static bool is_same_file(const struct stat *ours, const char *path) {
        struct stat there;

        return lstat(path, &there) == 0 && ours->st_dev == there.st_dev &&
               ours->st_ino == there.st_ino;
}

/* Nobody else can open such a file, and so nobody else can hold a lock on it. */
static bool is_private(const struct stat *status) {
        return status->st_uid == geteuid() && status->st_nlink == 1 &&
               (status->st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* On a file that others can open, whether its holder is the one who wrote his pid into it, as an
 * older rngd and rng-tools do; only we ourselves could. */
static bool is_writer(int fd, const struct stat *status, pid_t holder) {
        char text[32] = "", path[32];
        struct stat process;
        uint32_t pid;
        ssize_t n;

        if (status->st_uid != geteuid() || status->st_mode & (S_IWGRP | S_IWOTH))
                return false;
        n = pread(fd, text, sizeof(text) - 1, 0);
        text[n > 0 ? strcspn(text, "\n") : 0] = '\0';
        if (parse_u32(text, 1, INT32_MAX, &pid) < 0 || (pid_t)pid != holder)
                return false;
        /* That one may be over, and its pid a stranger's by now, if we are allowed to see him. */
        (void)snprintf(path, sizeof(path), "/proc/%d", (int)holder);
        return stat(path, &process) < 0 || process.st_uid == geteuid();
}

/*
 * A file of ours, with mode 0600. One that is there and has another mode or owner is replaced rather
 * than changed, since a stranger may have it open already and wait for the lock. Twice at once this
 * may end in two locks; it happens once after an update.
 */
static int open_locked(const char *path, int *ret_fd, pid_t *ret_holder) {
        for (unsigned int i = 0; i < LOCK_TRIES; i++) {
                _cleanup_close_ int fd = -1;
                pid_t holder = 0;
                struct stat status;
                int r;

                fd =
                        open(path,
                             O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
                             0600);
                if (fd < 0 || fstat(fd, &status) < 0)
                        return negative_errno();
                if (!S_ISREG(status.st_mode))
                        return -ENOTSUP;

                r = take_lock(fd, &holder);
                if (r == -EALREADY && !is_private(&status) && !is_writer(fd, &status, holder))
                        r = 0; /* a stranger's, on a file that is given up now */
                else if (r == -EALREADY)
                        *ret_holder = holder;
                if (r < 0)
                        return r;
                /* Its holder may have removed it just now, as the last thing that it did. */
                if (!is_same_file(&status, path))
                        continue;
                if (is_private(&status)) {
                        *ret_fd = TAKE_FD(fd);
                        return 0;
                }
                if (unlink(path) < 0)
                        return negative_errno();
        }
        return -EBUSY;
}

int lock_file(const char *path, pid_t *ret_holder) {
        _cleanup_close_ int fd = -1;
        char text[32];
        int n, r;

        r = open_locked(path, &fd, ret_holder);
        if (r < 0)
                return r;

        n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
        if (ftruncate(fd, 0) < 0)
                return negative_errno();
        r = io_write_full(fd, text, (size_t)n);
        if (r < 0)
                return r;
        (void)TAKE_FD(fd); /* the lock lives as long as the file is open */
        return 0;
}

static _Noreturn void wait_for_child(pid_t pid, int ready_fd) {
        char ready;
        size_t n;
        int status;

        if (io_read_full(ready_fd, &ready, 1, &n) == 0 && n == 1)
                _exit(EXIT_SUCCESS);
        if (waitpid(pid, &status, 0) == pid && WIFEXITED(status))
                _exit(WEXITSTATUS(status));
        _exit(EXIT_FAILURE);
}

int daemonize_start(int *ret_ready_fd) {
        int fds[2];
        pid_t pid;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return negative_errno();
        pid = fork();
        if (pid < 0) {
                int r = negative_errno();

                (void)close(fds[0]);
                (void)close(fds[1]);
                return r;
        }
        if (pid > 0) {
                (void)close(fds[1]);
                wait_for_child(pid, fds[0]);
        }

        (void)close(fds[0]);
        (void)setsid();
        (void)umask(0022);
        if (chdir("/") < 0) {
                (void)close(fds[1]);
                return negative_errno();
        }
        *ret_ready_fd = fds[1];
        return 0;
}

void daemonize_ready(int *ready_fd) {
        int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        for (int fd = STDIN_FILENO; null_fd >= 0 && fd <= STDERR_FILENO; fd++)
                (void)dup2(null_fd, fd);
        cleanup_close(&null_fd);
        if (io_write_full(*ready_fd, "", 1) < 0)
                log_debug("The parent did not wait");
        cleanup_close(ready_fd);
}
