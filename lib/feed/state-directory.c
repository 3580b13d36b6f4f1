/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/feed/state-directory.h"
#include "lib/kernel/lasting.h"

/* A directory that others can write to may hold anybody's seed, and a mark for it. */
static int check_directory(int fd) {
        struct stat status;

        if (fstat(fd, &status) < 0)
                return negative_errno();
        if ((status.st_uid != 0 && status.st_uid != geteuid()) ||
            (status.st_mode & (S_IWGRP | S_IWOTH)))
                return -EPERM;
        return 0;
}

/* What is above it others may enter, whatever the umask says. */
static int make_parents(const char *directory) {
        char path[PATH_MAX];
        const char *end;

        for (end = strchr(directory + 1, '/'); end; end = strchr(end + 1, '/')) {
                if ((size_t)(end - directory) >= sizeof(path))
                        return -ENAMETOOLONG;
                (void)snprintf(path, sizeof(path), "%.*s", (int)(end - directory), directory);
                if (mkdir(path, 0755) == 0)
                        (void)chmod(path, 0755);
                else if (errno != EEXIST)
                        return negative_errno();
        }
        return 0;
}

/* In a /var that is empty, there is nothing above it either. */
static int make_directory(const char *directory) {
        int r;

        if (mkdir(directory, 0700) == 0 || errno == EEXIST)
                return 0;
        if (errno != ENOENT)
                return negative_errno();
        r = make_parents(directory);
        if (r < 0)
                return r;
        return mkdir(directory, 0700) < 0 && errno != EEXIST ? negative_errno() : 0;
}

int state_directory_open(const char *directory, bool create, int *ret_fd) {
        _cleanup_close_ int fd = -1;
        int r;

        r = create ? make_directory(directory) : 0;
        if (r < 0)
                return r;
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return negative_errno();
        r = check_directory(fd);
        if (r < 0)
                return r;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

const char *state_directory_no_memory(int directory_fd) {
        _cleanup_(rootdir_close) RootDir root = ROOTDIR_NULL;
        const char *why_not = "it cannot be told whether the state directory outlasts a power cut";

        if (rootdir_open("/", &root) >= 0 && lasting_directory(&root, directory_fd, &why_not))
                return NULL;
        return why_not;
}
