/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A private look at proc, sysfs or devtmpfs: an instance that is mounted nowhere, so that it is
 * there before anybody mounts one, works on a read-only root, and disturbs nobody's mounts.
 */

#include "lib/base/error.h"

/*
 * type is "proc", "sysfs" or "devtmpfs"; ret_fd is the directory to open files below. Needs
 * CAP_SYS_ADMIN. Kernels before 5.2 cannot mount nowhere: there it is mounted on /proc and taken
 * away again at once (lazily, the fd keeps it), which only the first process of a boot may do
 * without disturbing others. -ENODEV where the kernel has no such filesystem.
 */
_must_check_ int pseudofs_open(const char *type, int *ret_fd);
