/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether a file system that belongs beneath the state is absent in this boot (fstab's nofail). What
 * lies in its place on the root then knows nothing of the seeds that were used in other boots: it is
 * no memory, and must not become one.
 */

#include <stdbool.h>

#include "lib/base/rootdir.h"

/*
 * What should be mounted there, by /etc/fstab or by a unit, is not, or cannot be told. directory is
 * absolute. A bind mount within one file system cannot be told from none.
 */
_must_check_ bool state_mount_missing(const RootDir *root, const char *directory);
