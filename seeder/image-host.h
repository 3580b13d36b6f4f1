/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which folders are the running system's own. Its root is that of PID 1; in a chroot, "/" is
 * something else, and may be cleaned. Where PID 1 cannot be looked at, "/" counts as its root.
 * A place is told by device and inode, so that a bind mount of it is the same place.
 */

#include <stdbool.h>

#include "lib/base/error.h"

typedef struct ImageHost {
        int root_fd; /* O_PATH */
} ImageHost;

#define IMAGE_HOST_NULL \
        { .root_fd = -1 }

_must_check_ int image_host_open(ImageHost *ret_host);
void image_host_close(ImageHost *host);

/*
 * Whether a tree is the root of a running system: of this one, or of the one whose /proc is
 * mounted in it (the host's root, mounted into a container). Sets *ret_is.
 */
_must_check_ int image_host_is_root(const ImageHost *host, int tree_fd, bool *ret_is);

/* Whether an open folder is what the running system has at this path: mounted into the tree. */
_must_check_ int image_host_has_folder(
        const ImageHost *host,
        const char *path,
        int folder_fd,
        bool *ret_has);

#define _cleanup_image_host_ _cleanup_(image_host_close)
