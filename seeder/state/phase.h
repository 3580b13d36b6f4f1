/* SPDX-License-Identifier: MIT */
#pragma once

/* Where this runs: only the real root has a state that lasts. */

#include "lib/base/rootdir.h"

typedef enum Phase {
        PHASE_INITRAMFS,
        PHASE_REAL_ROOT,
} Phase;

const char *phase_to_string(Phase phase);

/* An initramfs is a ramfs or tmpfs as root (Linux: rootfs), or says so in /etc/initrd-release. */
Phase phase_detect(const RootDir *root);
