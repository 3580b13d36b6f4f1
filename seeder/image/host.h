/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is the running system's own. Its root is that of PID 1; in a chroot, "/" is something else,
 * and may be cleaned. Where PID 1 cannot be looked at, "/" counts as its root. A place is told by
 * device and inode, so that a bind mount of it is the same place.
 */

#include <stdbool.h>
#include <sys/stat.h>

#include "lib/base/error.h"

typedef struct Host {
        int root_fd; /* O_PATH */
        const char *mountinfo;
} Host;

#define HOST_NULL \
        { .root_fd = -1 }

_must_check_ int host_open(Host *ret_host);
void host_close(Host *host);

/*
 * Whether a tree is the root of a running system: of this one, or of the one whose /proc is
 * mounted in it (the host's root, mounted into a container). 1, 0 or a negative errno.
 */
_must_check_ int host_is_root(const Host *host, int tree_fd);

/*
 * Where the running system has what an open file of the tree lies on: *ret_point is a mount point
 * outside of the tree, to be freed, or NULL. A mount that overlaps counts, so that a directory of
 * the running system which is mounted into the tree is found, too. -EOPNOTSUPP: no /proc here.
 */
_must_check_ int host_find_mount(const Host *host, int tree_fd, int fd, char **ret_point);

/* Whether a file of the tree is the one that the running system has at this path (hard links): 1, 0
 * or a negative errno. */
_must_check_ int host_has_file(const Host *host, const char *path, const struct stat *status);

#define _cleanup_host_ _cleanup_(host_close)
