/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether what is written to a directory, and synced, is still there after a power cut: what is kept
 * elsewhere is no memory of what was used before.
 */

#include <stdbool.h>

#include "lib/base/rootdir.h"

/*
 * A list of local file systems on a device that is there. Not tmpfs and ramfs, nor a RAM disk or a
 * loop device over a file in memory; nor an overlay whose upper layer is one of these, or cannot be
 * seen from here, as in live systems; nor anything behind a network, FUSE or a hypervisor's share,
 * where a sync may be only a promise. What cannot be told does not last, and ret_why_not says so.
 */
bool lasting_directory(const RootDir *root, int directory_fd, const char **ret_why_not);
