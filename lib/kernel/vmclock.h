/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The vmclock device (/dev/vmclock0; include/uapi/linux/vmclock-abi.h). It can be polled since
 * Linux 7.0; its generation counter moves when the machine was restored from a snapshot.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"

#define VMCLOCK_ABI_BYTES 112U

typedef struct VmclockState {
        bool has_generation; /* VMCLOCK_FLAG_VM_GEN_COUNTER_PRESENT */
        uint64_t generation;
        uint64_t disruption; /* moves after live migration too */
} VmclockState;

/* -ENOENT where there is no device. */
_must_check_ int vmclock_open(const RootDir *root, int *ret_fd);

/* -EBADMSG for what is not a vmclock page, -EAGAIN while the host is writing it. */
_must_check_ int vmclock_read(int fd, VmclockState *ret_state);
_must_check_ int vmclock_parse(
        const uint8_t page[static VMCLOCK_ABI_BYTES],
        VmclockState *ret_state);

/* Whether the machine was restored or cloned between the two states. */
bool vmclock_is_fork(const VmclockState *before, const VmclockState *now);
