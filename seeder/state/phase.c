/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "seeder/state/phase.h"

const char *phase_to_string(Phase phase) {
        return phase == PHASE_INITRAMFS ? "initramfs" : "real-root";
}

Phase phase_detect(const RootDir *root) {
        struct statfs filesystem;

        if (rootdir_exists(root, "etc/initrd-release"))
                return PHASE_INITRAMFS;
        if (fstatfs(root->fd, &filesystem) >= 0 &&
            /* The member has a sign and, on some architectures, 32 bits. */
            ((uint32_t)filesystem.f_type == RAMFS_MAGIC ||
             (uint32_t)filesystem.f_type == TMPFS_MAGIC))
                return PHASE_INITRAMFS;
        return PHASE_REAL_ROOT;
}
