/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Devices that come and go, by libudev: those of uevent_source_subsystems, whatever the event is. The
 * caller then looks at sysfs again.
 */

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"

typedef struct Hotplug Hotplug;

/*
 * Listens to udevd where it runs (its socket filter keeps foreign events from waking us), else to
 * the kernel itself, which sends the same events without udev's properties.
 */
_must_check_ int hotplug_new(const RootDir *root, Hotplug **ret_hotplug);
Hotplug *hotplug_free(Hotplug *hotplug);

int hotplug_fd(const Hotplug *hotplug);
bool hotplug_by_udevd(const Hotplug *hotplug);

typedef struct HotplugChange {
        bool any;         /* something of a watched kind: look at sysfs again */
        bool rng_removed; /* a driver let go of a virtio RNG, perhaps to take it again at once */
} HotplugChange;

/* Takes up to 64 waiting events. */
_must_check_ int hotplug_receive(Hotplug *hotplug, HotplugChange *ret_change);
