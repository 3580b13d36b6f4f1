/* SPDX-License-Identifier: MIT */
#pragma once

/* The system calls of the simulation (sim-files.c, sim-calls.c): as those of the kernel. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

int sim_open(const char *path, int flags, ...);
int sim_openat(int directory_fd, const char *path, int flags, ...);
int sim_close(int fd);
ssize_t sim_read(int fd, void *buffer, size_t n);
ssize_t sim_pread(int fd, void *buffer, size_t n, off_t offset);
ssize_t sim_write(int fd, const void *buffer, size_t n);
off_t sim_lseek(int fd, off_t offset, int whence);
int sim_fstat(int fd, struct stat *status);
int sim_fstatat(int directory_fd, const char *path, struct stat *status, int flags);
int sim_fstatfs(int fd, struct statfs *status);
int sim_faccessat(int directory_fd, const char *path, int mode, int flags);
int sim_mkdir(const char *path, mode_t mode);
int sim_flock(int fd, int operation);
int sim_fsync(int fd);
int sim_fchmod(int fd, mode_t mode);
int sim_renameat(int from_fd, const char *from, int to_fd, const char *to);
int sim_unlinkat(int directory_fd, const char *path, int flags);
int sim_ioctl(int fd, unsigned long request, ...);
int sim_poll(struct pollfd *entries, nfds_t n, int timeout_msec);
ssize_t sim_getrandom(void *buffer, size_t n, unsigned flags);
int sim_clock_gettime(clockid_t clock, struct timespec *ret_time);
int sim_nanosleep(const struct timespec *time, struct timespec *left);

int sim_timerfd_create(int clock, int flags);
int sim_timerfd_settime(
        int fd,
        int flags,
        const struct itimerspec *value,
        struct itimerspec *ret_before);

static inline int sim_access(const char *path, int mode) {
        return sim_faccessat(AT_FDCWD, path, mode, 0);
}

static inline int sim_stat(const char *path, struct stat *status) {
        return sim_fstatat(AT_FDCWD, path, status, 0);
}

/* A child runs at once and to its end, in the middle of its parent. */
#define SIM_CHILD_PID 4711
jmp_buf *sim_child_begin(void);
_Noreturn void sim_child_exit(int status);

/* A signal, an end of a child or a priority is nothing that credit depends on. */
static inline int sim_signalfd(int fd, const sigset_t *mask, int flags) {
        return -1;
}

static inline int sim_sigprocmask(int how, const sigset_t *set, sigset_t *ret_before) {
        return 0;
}

static inline int sim_setpriority(int which, id_t who, int priority) {
        return 0;
}

static inline sighandler_t sim_signal(int number, sighandler_t handler) {
        return SIG_DFL;
}

static inline uid_t sim_geteuid(void) {
        return 0;
}

static inline unsigned sim_alarm(unsigned seconds) {
        return 0;
}

static inline int sim_prctl(int option, ...) {
        return 0;
}

static inline int sim_fremovexattr(int fd, const char *name) {
        errno = ENODATA;
        return -1;
}

static inline pid_t sim_waitpid(pid_t pid, int *status, int options) {
        return -1;
}
