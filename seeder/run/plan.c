/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "seeder/run/plan.h"

PlanClass plan_class(SourceId id) {
        /* What is not named here is not the seeder's: PLAN_NEVER is 0. */
        static const PlanClass classes[_SOURCE_MAX] = {
                [SOURCE_HWRNG] = PLAN_QUICK,    [SOURCE_CPU] = PLAN_QUICK,
                [SOURCE_TPM] = PLAN_QUICK,      [SOURCE_JITTER] = PLAN_LAST,
                [SOURCE_EGD] = PLAN_SLOW,       [SOURCE_METADATA] = PLAN_SLOW,
                [SOURCE_PLATFORM] = PLAN_QUICK, [SOURCE_CONFIG_DRIVE] = PLAN_QUICK,
        };

        return classes[id];
}

uint64_t plan_deadline_usec(PlanPhase phase) {
        return phase == PLAN_INITRAMFS ? PLAN_INITRAMFS_DEADLINE_USEC
                                       : PLAN_REAL_ROOT_DEADLINE_USEC;
}

const char *plan_phase_to_string(PlanPhase phase) {
        return phase == PLAN_INITRAMFS ? "initramfs" : "real-root";
}

PlanPhase plan_detect_phase(const RootDir *root) {
        struct statfs filesystem;

        if (faccessat(root->fd, "etc/initrd-release", F_OK, 0) >= 0)
                return PLAN_INITRAMFS;
        if (fstatfs(root->fd, &filesystem) >= 0 &&
            (filesystem.f_type == RAMFS_MAGIC || filesystem.f_type == TMPFS_MAGIC))
                return PLAN_INITRAMFS;
        return PLAN_REAL_ROOT;
}
