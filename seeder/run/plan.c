/* SPDX-License-Identifier: MIT */
#include "seeder/run/plan.h"
#include "lib/kernel/uevent.h"

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

uint32_t plan_changes(SourceId id) {
        static const uint32_t changes[_SOURCE_MAX] = {
                [SOURCE_CONFIG_DRIVE] = UEVENT_DISK,
                [SOURCE_PLATFORM] = UEVENT_FIRMWARE,
        };

        return changes[id] != 0 ? changes[id] : UEVENT_CHIP;
}

uint64_t plan_deadline_usec(Phase phase) {
        return phase == PHASE_INITRAMFS ? PLAN_INITRAMFS_DEADLINE_USEC
                                        : PLAN_REAL_ROOT_DEADLINE_USEC;
}
