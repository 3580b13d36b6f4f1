/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Devices that come and go, those of uevent_source_subsystems, whatever the event is: its owner then
 * looks at sysfs again. Listens to udevd where it runs (the socket's filter keeps foreign events from
 * waking us), else to the kernel itself.
 */

#include <stdbool.h>
#include <systemd/sd-device.h>
#include <systemd/sd-event.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"

typedef struct HotplugHooks {
        /* Once for all events that wait, or were lost. rng_removed: a driver let go of a virtio RNG,
         * perhaps to take it again at once. */
        void (*changed)(void *userdata, bool rng_removed);
        void *userdata;
} HotplugHooks;

typedef struct Hotplug {
        HotplugHooks hooks;
        sd_device_monitor *monitor;
        int uevent_fd; /* without udevd */
        sd_event_source *uevent_source;
        sd_event_source *changed_source; /* behind the events that wait */
        bool rng_removed;
} Hotplug;

void hotplug_init(Hotplug *hotplug, const HotplugHooks *hooks);
_must_check_ int hotplug_start(Hotplug *hotplug, sd_event *event, const RootDir *root);
void hotplug_deinit(Hotplug *hotplug);
