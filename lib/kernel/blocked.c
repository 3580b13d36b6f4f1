/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "lib/base/io.h"
#include "lib/kernel/blocked.h"

#define STACK_MAX_BYTES     4096U
#define DIRECTORY_MAX_BYTES 4096U

static bool has_any(const char *text, const char *const *words, size_t n_words) {
        for (size_t i = 0; i < n_words; i++)
                if (strstr(text, words[i]))
                        return true;
        return false;
}

BlockedHow blocked_judge(const char *wchan, const char *stack) {
        /* "SyS_getrandom" (4.4), "__x64_sys_getrandom" (5.x), "wait_for_random_bytes" */
        static const char *const waits[] = {
                "getrandom",
                "wait_for_random_bytes",
                "random_read",
                "urandom_read",
        };
        static const char *const loops[] = { "try_to_generate_entropy" };

        if (has_any(stack, loops, ELEMENTSOF(loops)))
                return BLOCKED_JITTER;
        if (has_any(wchan, waits, ELEMENTSOF(waits)))
                return BLOCKED_SLEEPS;
        /* Inlined into its caller, or wchan is 0 because nobody may read it: the stack agrees. */
        if (strstr(stack, "wait_for_random_bytes"))
                return BLOCKED_SLEEPS;
        return BLOCKED_NOT;
}

static void read_file(int directory, const char *tid, const char *name, char *text, size_t size) {
        char path[64];

        (void)snprintf(path, sizeof(path), "%s/%s", tid, name);
        /* A long stack is cut: what matters is at its top. */
        if (io_read_text_at(directory, path, text, size) == -EFBIG)
                text[size - 1] = '\0';
}

static bool examine(int tasks, const char *tid, BlockedTask *ret_task) {
        char wchan[64] = "", stack[STACK_MAX_BYTES] = "", name[64] = "";
        BlockedTask task = {};

        read_file(tasks, tid, "wchan", wchan, sizeof(wchan));
        /* Asleep somewhere else: no need of its stack, which is the costly one. */
        if (wchan[0] == '\0' || strcmp(wchan, "0") == 0)
                read_file(tasks, tid, "stack", stack, sizeof(stack));
        task.how = blocked_judge(wchan, stack);
        if (task.how == BLOCKED_NOT)
                return false;

        read_file(tasks, tid, "comm", name, sizeof(name));
        (void)snprintf(task.name, sizeof(task.name), "%.15s", name);
        task.tid = (pid_t)strtol(tid, NULL, 10);
        *ret_task = task;
        return true;
}

/* Calls visit() for each entry that is a number. opendir() would allocate. */
/* Not inlined into itself: the buffer is large, and two of them are the most there can be. */
static _noinline_ int each_number(
        int directory,
        void (*visit)(int directory, const char *name, void *userdata),
        void *userdata) {
        char buffer[DIRECTORY_MAX_BYTES] __attribute__((aligned(8)));

        for (;;) {
                long n = syscall(SYS_getdents64, directory, buffer, sizeof(buffer));
                struct dirent64 *entry;

                if (n < 0)
                        return negative_errno();
                if (n == 0)
                        return 0;
                for (long at = 0; at < n; at += entry->d_reclen) {
                        entry = (struct dirent64 *)(void *)(buffer + at);
                        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
                                visit(directory, entry->d_name, userdata);
                }
        }
}

typedef struct Visit {
        void (*found)(const BlockedTask *task, void *userdata);
        void *userdata;
        pid_t pid;
} Visit;

static void visit_task(int tasks, const char *tid, void *userdata) {
        Visit *visit = userdata;
        BlockedTask task;

        if (!examine(tasks, tid, &task))
                return;
        task.pid = visit->pid;
        visit->found(&task, visit->userdata);
}

static void visit_process(int proc, const char *pid, void *userdata) {
        _cleanup_close_ int tasks = -1;
        Visit *visit = userdata;
        char path[64], target[1];

        /* Kernel threads have no program, and are most of the processes of an early boot. */
        (void)snprintf(path, sizeof(path), "%s/exe", pid);
        if (readlinkat(proc, path, target, sizeof(target)) < 0 && errno == ENOENT)
                return;

        (void)snprintf(path, sizeof(path), "%s/task", pid);
        tasks = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (tasks < 0)
                return;
        visit->pid = (pid_t)strtol(pid, NULL, 10);
        /* It may end while it is looked at: then there is nobody to tell of. */
        (void)each_number(tasks, visit_task, visit);
}

int blocked_scan(
        int proc_fd,
        void (*found)(const BlockedTask *task, void *userdata),
        void *userdata) {
        Visit visit = { .found = found, .userdata = userdata };
        _cleanup_close_ int directory = -1;

        directory = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0)
                return negative_errno();
        return each_number(directory, visit_process, &visit);
}
