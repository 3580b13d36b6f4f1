/* SPDX-License-Identifier: MIT */
#pragma once

/* Mounts, as proc_pid_mountinfo(5) lists them. */

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"

/* The strings are parts of the line. */
typedef struct Mount {
        char *line;
        int id;
        const char *device; /* "8:1", the superblock's: st_dev differs in btrfs and overlayfs */
        const char *root;   /* which directory of the file system is mounted */
        const char *point;
        const char *source;
        char *options;    /* of the file system */
        const char *type; /* of the file system: "tmpfs" */
} Mount;

void mount_free(Mount *mount);

/* One line, which is taken apart. -EINVAL if it is none; the mount has no other ids then. */
_must_check_ int mountinfo_parse(char *line, Mount *ret_mount);

/* \040 and the like, as the kernel writes white space and backslashes. In place. */
void mountinfo_unescape(char *text);

/* Gets each mount, and may take its line (it then sets it to NULL); what is not 0 ends the walk and is
 * returned. */
typedef int (*MountVisit)(Mount *mount, void *userdata);

/* Those of a file that is such a list. A line that cannot be understood ends the walk with its error. */
_must_check_ int mountinfo_each(
        const RootDir *root,
        const char *path,
        MountVisit visit,
        void *userdata);

/* The id of the mount that an open file, an O_PATH one too, was reached by. -EOPNOTSUPP without /proc. */
_must_check_ int mountinfo_id(const RootDir *root, int fd, int *ret_id);

/* The mount with this id, for mount_free(). -ESTALE: it is not there any more. */
_must_check_ int mountinfo_find(const RootDir *root, int id, Mount *ret_mount);

/* Whether the one shows a file that the other shows, or may. */
bool mount_overlaps(const Mount *a, const Mount *b);
