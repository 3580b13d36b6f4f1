/* SPDX-License-Identifier: MIT */

/*
 * The calls that change files below a directory: what a test of power cuts stops in front of. Calls that only read or
 * that concern other files are no steps.
 */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"

#define STEP_PATH_BYTES 256U
#define NONE            (-1)

/* Which arguments name the file: a descriptor, a path, or a path that starts at a descriptor. */
typedef struct StepCall {
        const char *name;
        long nr;
        int fd, path, to_fd, to_path;
} StepCall;

static const StepCall step_calls[] = {
        { "openat", SYS_openat, 0, 1, NONE, NONE },
        { "write", SYS_write, 0, NONE, NONE, NONE },
        { "writev", SYS_writev, 0, NONE, NONE, NONE },
        { "pwrite64", SYS_pwrite64, 0, NONE, NONE, NONE },
        { "fallocate", SYS_fallocate, 0, NONE, NONE, NONE },
        { "ftruncate", SYS_ftruncate, 0, NONE, NONE, NONE },
        { "fsync", SYS_fsync, 0, NONE, NONE, NONE },
        { "fdatasync", SYS_fdatasync, 0, NONE, NONE, NONE },
        { "syncfs", SYS_syncfs, 0, NONE, NONE, NONE },
        { "flock", SYS_flock, 0, NONE, NONE, NONE },
        { "fchmod", SYS_fchmod, 0, NONE, NONE, NONE },
        { "fchown", SYS_fchown, 0, NONE, NONE, NONE },
        { "fsetxattr", SYS_fsetxattr, 0, NONE, NONE, NONE },
        { "fremovexattr", SYS_fremovexattr, 0, NONE, NONE, NONE },
        { "fchmodat", SYS_fchmodat, 0, 1, NONE, NONE },
        { "fchownat", SYS_fchownat, 0, 1, NONE, NONE },
        { "mkdirat", SYS_mkdirat, 0, 1, NONE, NONE },
        { "unlinkat", SYS_unlinkat, 0, 1, NONE, NONE },
        { "symlinkat", SYS_symlinkat, 1, 2, NONE, NONE },
        { "linkat", SYS_linkat, 0, 1, 2, 3 },
        { "renameat2", SYS_renameat2, 0, 1, 2, 3 },
#ifdef SYS_renameat
        { "renameat", SYS_renameat, 0, 1, 2, 3 },
#endif
#ifdef SYS_rename
        { "open", SYS_open, NONE, 0, NONE, NONE },
        { "mkdir", SYS_mkdir, NONE, 0, NONE, NONE },
        { "unlink", SYS_unlink, NONE, 0, NONE, NONE },
        { "chmod", SYS_chmod, NONE, 0, NONE, NONE },
        { "link", SYS_link, NONE, 0, NONE, 1 },
        { "rename", SYS_rename, NONE, 0, NONE, 1 },
#endif
};

_Static_assert(
        sizeof(step_calls) / sizeof(*step_calls) <= STEPS_MAX,
        "the filter has room for all");

size_t steps_add_filter(struct sock_filter *code) {
        size_t n = 0;

        for (size_t i = 0; i < sizeof(step_calls) / sizeof(*step_calls); i++) {
                code[n++] = (struct sock_filter)
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)step_calls[i].nr, 0, 1);
                code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
        }
        return n;
}

static void read_link(const char *link, char *path) {
        ssize_t n = readlink(link, path, STEP_PATH_BYTES - 1U);

        path[n > 0 ? n : 0] = '\0';
}

static void read_string(pid_t pid, uint64_t address, char *text, size_t size) {
        char memory[64];
        ssize_t n = -1;
        int fd;

        snprintf(memory, sizeof(memory), "/proc/%d/mem", (int)pid);
        fd = open(memory, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
                n = pread(fd, text, size - 1U, (off_t)address);
                (void)close(fd);
        }
        text[n > 0 ? n : 0] = '\0';
}

/* The whole path of a file that a call names; no such path is longer than the buffers. */
static void name_file(pid_t pid, const uint64_t args[static 6], int fd, int path, char *name) {
        char relative[STEP_PATH_BYTES] = "", link[64];
        size_t n;

        name[0] = '\0';
        if (path != NONE)
                read_string(pid, args[path], relative, sizeof(relative));
        if (relative[0] != '/') {
                if (fd == NONE || (int)args[fd] == AT_FDCWD)
                        snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
                else
                        snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, (int)args[fd]);
                read_link(link, name);
        }
        n = strlen(name);
        if (relative[0] != '\0')
                snprintf(name + n, STEP_PATH_BYTES - n, "%s%s", n > 0 ? "/" : "", relative);
}

/* NULL if it is not below the directory; the directory itself is ".". */
static const char *name_below(const char *directory, const char *name) {
        size_t n = strlen(directory);

        if (strncmp(name, directory, n) != 0 || (name[n] != '/' && name[n] != '\0'))
                return NULL;
        return name[n] == '/' ? name + n + 1 : ".";
}

static const StepCall *find_call(uint64_t nr) {
        for (size_t i = 0; i < sizeof(step_calls) / sizeof(*step_calls); i++)
                if ((uint64_t)step_calls[i].nr == nr)
                        return &step_calls[i];
        return NULL;
}

bool steps_describe(
        pid_t pid,
        uint64_t nr,
        const uint64_t args[static 6],
        const char *directory,
        char text[static STEP_TEXT_BYTES]) {
        char from[STEP_PATH_BYTES], to[STEP_PATH_BYTES] = "";
        const StepCall *call = find_call(nr);
        const char *from_below, *to_below = NULL;

        if (!call)
                return false;
        if (strncmp(call->name, "open", 4) == 0 && !(args[call->path + 1] & (O_CREAT | O_TRUNC)))
                return false;
        name_file(pid, args, call->fd, call->path, from);
        from_below = name_below(directory, from);
        if (call->to_path != NONE) {
                name_file(pid, args, call->to_fd, call->to_path, to);
                to_below = name_below(directory, to);
        }
        if (!from_below && !to_below)
                return false;
        snprintf(
                text,
                STEP_TEXT_BYTES,
                "%s(%s%s%s)",
                call->name,
                from_below ? from_below : from,
                call->to_path != NONE ? ", " : "",
                to_below ? to_below : to);
        return true;
}
