/* SPDX-License-Identifier: MIT */
#pragma once

/* A directory of the test's own, an easy way to fill it, and children that must end. */

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCRATCH_PATH_MAX 256U

static char scratch_directory[64];

static inline void scratch_setup(void) {
        (void)snprintf(
                scratch_directory,
                sizeof(scratch_directory),
                "/tmp/guest-entropy-test.XXXXXX");
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(scratch_directory));
        CU_ASSERT_EQUAL(chmod(scratch_directory, 0755), 0);
}

static inline int scratch_remove_one(
        const char *path,
        const struct stat *status,
        int flag,
        struct FTW *walk) {
        (void)remove(path);
        return 0;
}

static inline void scratch_teardown(void) {
        (void)nftw(scratch_directory, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline const char *scratch_path(const char *name) {
        static char paths[4][SCRATCH_PATH_MAX];
        static unsigned turn;
        char *path = paths[turn++ % 4];

        (void)snprintf(path, SCRATCH_PATH_MAX, "%s/%s", scratch_directory, name);
        return path;
}

/* Makes the directories on the way to it, too. */
static inline const char *scratch_write_bytes(const char *name, const void *bytes, size_t length) {
        const char *path = scratch_path(name);
        char directory[SCRATCH_PATH_MAX];
        int fd;

        for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                (void)snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
                (void)mkdir(directory, 0755);
        }
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        CU_ASSERT_FATAL(fd >= 0);
        CU_ASSERT_EQUAL(write(fd, bytes, length), (ssize_t)length);
        CU_ASSERT_EQUAL(close(fd), 0);
        return path;
}

static inline const char *scratch_write(const char *name, const char *text) {
        return scratch_write_bytes(name, text, strlen(text));
}

/* The number of files that this process has open. */
static inline unsigned scratch_open_files(void) {
        unsigned n = 0;

        for (int fd = 0; fd < 256; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

/* Runs the function in a child. Its exit status (its return value), or minus the signal. */
static inline int scratch_in_child(int (*function)(void *userdata), void *userdata) {
        int status;
        pid_t pid;

        (void)fflush(stdout);
        pid = fork();
        CU_ASSERT_FATAL(pid >= 0);
        if (pid == 0) {
                (void)alarm(20);
                _exit(function(userdata));
        }
        CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
        return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}
