/* SPDX-License-Identifier: MIT */
/*
 * kill-probe MONITOR [STEP [DENSE]]: runs the monitor as the first process of a PID namespace again and again, and
 * kills its sampler in front of another system call each time: of each STEPth, and of all the last DENSE ones, until a
 * sampler gets to its end. This program is also the init that the monitor has to become: it waits until nobody else is left,
 * and says in its exit status what it found below /run.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIRECTORY     "/run/guest-entropy"
#define RECORDING     "boot.json"
#define RECORDING_END "}\n}\n"
#define CALLS_MAX     5000L
#define RUN_SECONDS   20U

/* The exit status of init. */
enum {
        FOUND_NOTHING = 40,
        FOUND_RECORDING,
        FOUND_HALF, /* a file that is not whole, or is called otherwise */
        FOUND_NO_SAMPLER,
};

static bool is_whole(int directory, const char *name) {
        char end[sizeof(RECORDING_END)] = "";
        int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
        bool whole;

        whole = fd >= 0 && lseek(fd, -(off_t)(sizeof(end) - 1), SEEK_END) > 0 &&
                read(fd, end, sizeof(end) - 1) == (ssize_t)sizeof(end) - 1 &&
                strcmp(end, RECORDING_END) == 0;
        if (fd >= 0)
                (void)close(fd);
        return whole;
}

static int what_is_left(void) {
        int found = FOUND_NOTHING;
        struct dirent *entry;
        DIR *directory;

        directory = opendir(DIRECTORY);
        if (!directory)
                return FOUND_NOTHING;
        while ((entry = readdir(directory))) {
                if (entry->d_name[0] == '.')
                        continue;
                if (!is_whole(dirfd(directory), entry->d_name))
                        found = FOUND_HALF;
                else if (found == FOUND_NOTHING && strcmp(entry->d_name, RECORDING) == 0)
                        found = FOUND_RECORDING;
        }
        (void)closedir(directory);
        return found;
}

static int be_init(void) {
        unsigned int n_children = 0;

        while (waitpid(-1, NULL, 0) > 0)
                n_children++;
        return n_children == 1 ? what_is_left() : FOUND_NO_SAMPLER;
}

/* In the new namespaces: an empty /run, and this program in init's place. */
static _Noreturn void become_first_process(const char *self, const char *monitor) {
        char *argv[] = { strdup(monitor), NULL };

        (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        (void)raise(SIGSTOP);
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("none", "/run", "tmpfs", 0, NULL) < 0 ||
            mount(self, "/init", NULL, MS_BIND, NULL) < 0)
                _exit(125);
        (void)execv(monitor, argv);
        _exit(127);
}

typedef struct Run {
        pid_t init, sampler; /* sampler 0: not yet born */
        long kill_at, n_calls, last_call;
        bool in_call;
        int status; /* of init */
} Run;

/* A row of the same call is one moment: how many lines there are in the kernel's log to read is another number in
 * each run. */
static bool is_another_call(Run *run) {
        char path[64], text[32] = "";
        long number;
        int fd;

        (void)snprintf(path, sizeof(path), "/proc/%d/syscall", (int)run->sampler);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
                _exit(125);
        (void)close(fd);
        number = strtol(text, NULL, 10);
        if (number == run->last_call)
                return false;
        run->last_call = number;
        return true;
}

/* Each call stops twice, in front of it and behind it. */
static void step_sampler(Run *run, int status) {
        bool at_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
        int signo = at_call || WSTOPSIG(status) == SIGSTOP ? 0 : WSTOPSIG(status);

        run->in_call ^= at_call;
        if (at_call && run->in_call && is_another_call(run) && ++run->n_calls == run->kill_at) {
                (void)kill(run->sampler, SIGKILL);
                return;
        }
        (void)ptrace(PTRACE_SYSCALL, run->sampler, NULL, (void *)(long)signo);
}

static void step_init(const Run *run, int status) {
        int signo = status >> 16 == 0 && WSTOPSIG(status) != SIGSTOP ? WSTOPSIG(status) : 0;

        (void)ptrace(PTRACE_CONT, run->init, NULL, (void *)(long)signo);
}

static void trace(Run *run) {
        const long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEVFORK |
                             PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
        int status;
        pid_t pid;

        if (waitpid(run->init, &status, 0) != run->init || !WIFSTOPPED(status))
                return;
        (void)ptrace(PTRACE_SETOPTIONS, run->init, NULL, (void *)options);
        (void)ptrace(PTRACE_CONT, run->init, NULL, NULL);
        while ((pid = waitpid(-1, &status, __WALL)) > 0) {
                if (pid == run->init && !WIFSTOPPED(status)) {
                        run->status = status;
                        return;
                }
                if (!WIFSTOPPED(status))
                        continue;
                if (pid == run->init)
                        step_init(run, status);
                else {
                        run->sampler = pid;
                        step_sampler(run, status);
                }
        }
}

/* Whether the sampler was killed; what init found is printed if it is none of what may be. */
static bool run_once(
        const char *self,
        const char *monitor,
        long kill_at,
        long *ret_n_calls,
        bool *ret_good) {
        Run run = { .kill_at = kill_at, .last_call = -1, .status = -1 };
        bool killed;
        int code;

        run.init = (pid_t)syscall(
                SYS_clone,
                SIGCHLD | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET,
                NULL,
                NULL,
                NULL,
                NULL);
        if (run.init == 0)
                become_first_process(self, monitor);
        (void)alarm(RUN_SECONDS);
        trace(&run);
        (void)alarm(0);

        *ret_n_calls = run.n_calls;
        killed = run.n_calls == kill_at;
        code = WIFEXITED(run.status) ? WEXITSTATUS(run.status) : -1;
        *ret_good = code == FOUND_RECORDING || (killed && code == FOUND_NOTHING);
        if (!*ret_good)
                printf("told to kill in front of call %ld, %ld calls seen: init ended with %#x\n",
                       kill_at,
                       run.n_calls,
                       (unsigned int)run.status);
        return killed;
}

int main(int argc, char *argv[]) {
        long step = argc > 2 ? strtol(argv[2], NULL, 10) : 1,
             dense = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
        long at = CALLS_MAX, n_calls, n_killed = 0;
        bool good;

        if (getpid() == 1)
                return be_init();
        if (argc < 2 || step < 1)
                return 2;
        if (run_once(argv[0], argv[1], at, &n_calls, &good) || !good)
                return EXIT_FAILURE;
        for (at = 1; at < CALLS_MAX; at += at + dense < n_calls ? step : 1) {
                if (!run_once(argv[0], argv[1], at, &(long){ 0 }, &good) || !good)
                        break;
                n_killed++;
        }
        printf("killed in front of %ld of %ld calls\n", n_killed, n_calls);
        return good && at < CALLS_MAX ? EXIT_SUCCESS : EXIT_FAILURE;
}
