/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Signs of a clone beside the kernel's log: vmclock where it can be polled, and the VM generation
 * ID in fw_cfg where the kernel has no driver that would tell.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"
#include "lib/kernel/vmclock.h"
#include "lib/kernel/vmgenid.h"
#include "rngd/vmfork.h"

typedef struct VmforkDetectHooks {
        void (*seen)(void *userdata, VmforkSign sign);
        void *userdata;
} VmforkDetectHooks;

typedef struct VmforkDetect {
        VmforkDetectHooks hooks;
        sd_event *event; /* not owned, nor is the next */
        const RootDir *root;
        bool log_is_read; /* so that a driver's word arrives */
        uint64_t interval_usec;
        sd_event_source *vmclock_source;
        sd_event_source *timer;
        int vmclock_fd, vmgenid_fd;
        VmclockState vmclock;
        Vmgenid vmgenid;
        uint64_t vmgenid_looked_usec;
} VmforkDetect;

void vmfork_detect_init(
        VmforkDetect *detect,
        sd_event *event,
        const RootDir *root,
        const VmforkDetectHooks *hooks);

/* Behind the first request. Failures are logged, and what is not there is none. */
void vmfork_detect_start(VmforkDetect *detect, bool log_is_read, uint64_t interval_usec);

/* The module of fw_cfg may have come by now. */
void vmfork_detect_look_for_devices(VmforkDetect *detect);

/* fork-check, 0: never. Only where the generation ID is all there is. */
void vmfork_detect_set_interval(VmforkDetect *detect, uint64_t interval_usec);

/* Looks whether the generation ID changed; unless always, not more often than ten times a second. */
void vmfork_detect_look(VmforkDetect *detect, bool always, uint64_t now_usec);

void vmfork_detect_deinit(VmforkDetect *detect);
