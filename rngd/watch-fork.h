/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Signs of a clone beside the kernel's log: vmclock where it can be polled, and the VM generation
 * ID in fw_cfg where the kernel has no driver that would tell.
 */

#include <stdbool.h>

#include "lib/base/error.h"

typedef struct Manager Manager;

/* 0 also where there is no vmclock, or one that cannot be polled. */
_must_check_ int watch_vmclock_start(Manager *manager);

/* Opens the GUID if it is there; again after each hotplug event. */
void watch_vmgenid_start(Manager *manager);

/* Looks whether it changed; unless always, not more often than ten times a second. */
void watch_vmgenid_look(Manager *manager, bool always);

/* fork-check: only where the GUID is all there is. */
void watch_fork_check_timer(Manager *manager);
