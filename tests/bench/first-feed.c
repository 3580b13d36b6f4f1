/* SPDX-License-Identifier: MIT */
/*
 * How long a program takes from exec to its first RNDADDENTROPY, and how much CPU all of its
 * processes use until then:
 *
 *     first-feed SECONDS PROGRAM [ARGUMENT...]
 *
 * One JSON line on stdout. A seccomp filter hands that one ioctl to this process and lets all else
 * pass in the kernel, so nothing is slowed down as it would be under ptrace. The call itself is
 * never made: the program and all that it started are killed while they wait for it.
 *
 * Exit status: 0 measured (also when nothing was fed), 1 could not measure, 77 not permitted.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/random.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

#define TREE_MAX      64U
#define EXIT_NOT_HERE 77
#define KILL_ROUNDS   2000U
#define LOW_WORD      (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4U : 0U)
#define IOCTL_REQUEST (offsetof(struct seccomp_data, args[1]) + LOW_WORD)
#define FEED_REQUEST  ((uint32_t)RNDADDENTROPY)

/* Written by the child just before exec. */
typedef struct Start {
        uint64_t at_nsec, cpu_nsec;
} Start;

typedef struct Feed {
        pid_t thread;
        uint64_t at_nsec;
        uint32_t bits, n_bytes;
} Feed;

typedef struct Tree {
        pid_t pids[TREE_MAX];
        size_t n;
} Tree;

static uint64_t now_nsec(clockid_t clock) {
        struct timespec now = {};

        (void)clock_gettime(clock, &now);
        return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* ---- the child ---- */

static int install_filter(void) {
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, IOCTL_REQUEST),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FEED_REQUEST, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const struct sock_fprog program = { .len = ELEMENTSOF(code), .filter = code };

        /* Without no_new_privs, which would change what set-uid helpers of a program can do. */
        return (int)syscall(
                SYS_seccomp,
                SECCOMP_SET_MODE_FILTER,
                SECCOMP_FILTER_FLAG_NEW_LISTENER,
                &program);
}

static _Noreturn void child(int line_fd, Start *start, char *argv[]) {
        int null_fd, listener_fd = install_filter();
        char go;

        if (listener_fd < 0)
                listener_fd = -errno;
        if (write(line_fd, &listener_fd, sizeof(listener_fd)) < 0 || read(line_fd, &go, 1) != 1)
                _exit(EXIT_FAILURE);

        null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        (void)dup2(null_fd, STDIN_FILENO);
        (void)dup2(null_fd, STDOUT_FILENO);
        (void)dup2(null_fd, STDERR_FILENO);
        start->cpu_nsec = now_nsec(CLOCK_PROCESS_CPUTIME_ID);
        start->at_nsec = now_nsec(CLOCK_MONOTONIC);
        (void)execvp(argv[0], argv);
        _exit(127);
}

/* The listener was made in the child and is fetched from there. */
static int fetch_listener(int line_fd, pid_t pid, int *ret_fd) {
        _cleanup_close_ int pid_fd = -1;
        int number, fd;

        if (read(line_fd, &number, sizeof(number)) != sizeof(number))
                return -EPIPE;
        if (number < 0)
                return number;
        pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (pid_fd < 0)
                return -errno;
        fd = (int)syscall(SYS_pidfd_getfd, pid_fd, number, 0);
        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

/* ---- its processes ---- */

/* Fields 4, 16 and 17 of proc(5): the parent, and the CPU time of children that were waited for. */
static pid_t parse_stat(char *text, uint64_t *ret_children_ticks) {
        uint64_t values[18] = {};
        char *word, *rest = NULL;
        size_t field = 3;

        /* The name, which is the second field, may hold anything; it ends at the last bracket. */
        text = strrchr(text, ')');
        if (!text)
                return -1;
        for (word = strtok_r(text + 1, " ", &rest); word && field < ELEMENTSOF(values);
             word = strtok_r(NULL, " ", &rest))
                values[field++] = strtoull(word, NULL, 10);
        *ret_children_ticks = values[16] + values[17];
        return field > 4 ? (pid_t)values[4] : -1;
}

static pid_t parent_of(pid_t pid, uint64_t *ret_children_ticks) {
        _cleanup_close_ int fd = -1;
        char path[64], text[1024];
        ssize_t n;

        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1U);
        if (n <= 0)
                return -1;
        text[n] = '\0';
        return parse_stat(text, ret_children_ticks);
}

static bool tree_has(const Tree *tree, pid_t pid) {
        for (size_t i = 0; i < tree->n; i++)
                if (tree->pids[i] == pid)
                        return true;
        return false;
}

/* One look at /proc: true when it found a process that was not known. */
static bool tree_grow(Tree *tree, DIR *proc, uint64_t *children_ticks) {
        bool grown = false;
        struct dirent *entry;

        rewinddir(proc);
        while ((entry = readdir(proc))) {
                pid_t parent, pid = (pid_t)strtol(entry->d_name, NULL, 10);
                uint64_t ticks = 0;

                if (pid <= 0 || tree_has(tree, pid) || tree->n == TREE_MAX)
                        continue;
                parent = parent_of(pid, &ticks);
                if (parent != getpid() && (parent <= 0 || !tree_has(tree, parent)))
                        continue;
                tree->pids[tree->n++] = pid;
                *children_ticks += ticks;
                grown = true;
        }
        return grown;
}

/* A daemon's processes come to us when their parent ends: this process is a subreaper. */
static void tree_find(Tree *tree, uint64_t *ret_children_ticks) {
        DIR *proc = opendir("/proc");

        *tree = (Tree){};
        *ret_children_ticks = 0;
        if (!proc)
                return;
        while (tree_grow(tree, proc, ret_children_ticks))
                ;
        (void)closedir(proc);
}

/* Of processes that are there to the nanosecond, of those that ended before to the clock tick. */
static uint64_t tree_cpu_nsec(const Tree *tree, uint64_t children_ticks) {
        uint64_t nsec = children_ticks * UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
        clockid_t clock;

        for (size_t i = 0; i < tree->n; i++)
                if (clock_getcpuclockid(tree->pids[i], &clock) == 0)
                        nsec += now_nsec(clock);
        return nsec;
}

/* Until nobody is left; what comes to us later (a fork in progress) goes in a later round. */
static void tree_kill(void) {
        const struct timespec pause = { .tv_nsec = 1000 * 1000 };
        uint64_t ticks;
        pid_t pid = 0;
        Tree tree;

        for (size_t round = 0; round < KILL_ROUNDS; round++) {
                tree_find(&tree, &ticks);
                for (size_t i = 0; i < tree.n; i++)
                        (void)kill(tree.pids[i], SIGKILL);
                while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
                        ;
                if (pid < 0 && errno == ECHILD)
                        return;
                (void)nanosleep(&pause, NULL);
        }
        fputs("first-feed: some processes do not end\n", stderr);
}

/* ---- the measurement ---- */

static void read_pool_info(Feed *feed, uint64_t address) {
        _cleanup_close_ int fd = -1;
        int head[2] = {}; /* struct rand_pool_info: entropy_count, buf_size */
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)feed->thread);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || pread(fd, head, sizeof(head), (off_t)address) != sizeof(head))
                return;
        feed->bits = (uint32_t)head[0];
        feed->n_bytes = (uint32_t)head[1];
}

/* 0: fed; -ETIMEDOUT: not within that time; -ESRCH: every process ended before */
static int wait_for_feed(int listener_fd, unsigned seconds, Feed *ret_feed) {
        struct pollfd p = { .fd = listener_fd, .events = POLLIN };
        uint64_t end_nsec = now_nsec(CLOCK_MONOTONIC) + seconds * UINT64_C(1000000000), now;
        struct seccomp_notif request;

        while ((now = now_nsec(CLOCK_MONOTONIC)) < end_nsec) {
                /* Old kernels do not hang up when the last process is gone. */
                int r = poll(&p, 1, (int)((end_nsec - now) / 1000000U) + 1);

                if (r < 0 && errno != EINTR)
                        return -errno;
                if (r <= 0)
                        continue;
                if (!(p.revents & POLLIN))
                        return -ESRCH;
                memset(&request, 0, sizeof(request));
                if (ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
                        continue; /* killed while it waited */
                ret_feed->at_nsec = now_nsec(CLOCK_MONOTONIC);
                ret_feed->thread = (pid_t)request.pid;
                read_pool_info(ret_feed, request.data.args[2]);
                return 0;
        }
        return -ETIMEDOUT;
}

static void report(const Feed *feed, const Start *start) {
        uint64_t ticks;
        Tree tree;

        tree_find(&tree, &ticks);
        printf("{\"fed\":true,\"usec\":%.1f,\"cpu_usec\":%.1f,\"bits\":%" PRIu32
               ",\"bytes\":%" PRIu32 ",\"processes\":%zu}\n",
               (double)(feed->at_nsec - start->at_nsec) / 1e3,
               (double)(tree_cpu_nsec(&tree, ticks) - start->cpu_nsec) / 1e3,
               feed->bits,
               feed->n_bytes,
               tree.n);
}

static int measure(unsigned seconds, char *argv[]) {
        _cleanup_close_ int listener_fd = -1;
        int line[2], r;
        Feed feed = {};
        Start *start;
        pid_t pid;

        start =
                mmap(NULL,
                     sizeof(*start),
                     PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS,
                     -1,
                     0);
        if (start == MAP_FAILED || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line) < 0)
                return -errno;
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                (void)close(line[0]);
                child(line[1], start, argv);
        }
        (void)close(line[1]);

        r = fetch_listener(line[0], pid, &listener_fd);
        if (r < 0)
                return r;
        if (write(line[0], "g", 1) != 1)
                return -EPIPE;
        r = wait_for_feed(listener_fd, seconds, &feed);
        if (r == 0)
                report(&feed, start);
        else
                printf("{\"fed\":false,\"ended\":%s}\n", r == -ESRCH ? "true" : "false");
        return r == -ESRCH || r == -ETIMEDOUT ? 0 : r;
}

int main(int argc, char *argv[]) {
        unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
        int r;

        if (seconds == 0 || seconds > 3600) {
                fputs("usage: first-feed SECONDS PROGRAM [ARGUMENT...]\n", stderr);
                return 64;
        }
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        r = measure(seconds, argv + 2);
        tree_kill();
        if (r < 0)
                fprintf(stderr, "first-feed: %s\n", strerror(-r));
        return r == 0 ? EXIT_SUCCESS : r == -EPERM || r == -EACCES ? EXIT_NOT_HERE : EXIT_FAILURE;
}
