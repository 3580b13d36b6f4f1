/* SPDX-License-Identifier: MIT */
#pragma once

/* Mounts, as /proc/PID/mountinfo tells of them (proc(5)). */

#include <stdbool.h>

#include "lib/base/error.h"

typedef struct ImageMount {
        int id;
        const char *device; /* "8:1", the superblock's: st_dev differs in btrfs and overlayfs */
        const char *root;   /* which directory of the filesystem is mounted */
        const char *point;
} ImageMount;

/* One line, which is taken apart: the strings are in it. -EINVAL if it is none. */
_must_check_ int image_mount_parse(char *line, ImageMount *ret_mount);

/* Whether the one shows a file that the other shows, or may. */
bool image_mount_overlaps(const ImageMount *a, const ImageMount *b);

/* The id of the mount that an open file, an O_PATH one too, was reached by. */
_must_check_ int image_mount_id(int fd, int *ret_id);

/* Gets each mount; what is not 0 ends the walk and is returned. */
typedef int (*ImageMountVisit)(const ImageMount *mount, void *userdata);

/* A line that cannot be understood ends the walk with its error. */
_must_check_ int image_mount_each(const char *mountinfo, ImageMountVisit visit, void *userdata);
