/* SPDX-License-Identifier: MIT */
#pragma once

/* The kernel's events, each turned into a want. Nothing here ticks. */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/base/error.h"
#include "lib/kernel/hotplug.h"
#include "lib/kernel/vmclock.h"
#include "lib/kernel/vmgenid.h"

typedef struct Manager Manager;

typedef struct Watch {
        sd_event_source *random_source; /* one-shot; watch_level() arms it */
        sd_event_source *rearm_source;  /* counting kernels only */
        sd_event_source *reseed_source;
        sd_event_source *hotplug_source;
        sd_event_source *clock_source;
        sd_event_source *vmclock_source;
        sd_event_source *fork_check_source;
        sd_event_source *post_source;
        sd_event_source *late_source; /* arms the rest behind the first request */
        sd_event_source *signal_sources[6];

        Hotplug *hotplug;
        int clock_fd, vmclock_fd, vmgenid_fd;
        VmclockState vmclock;
        Vmgenid vmgenid;
        bool pollin_is_not_ready;
        uint64_t vmgenid_looked_usec;
        uint64_t suspended_usec;
        uint64_t resumed_usec, clock_jumped_usec; /* last wants of these kinds; 0: never */
} Watch;

#define WATCH_NULL \
        { .clock_fd = -1, .vmclock_fd = -1, .vmgenid_fd = -1 }

/* What must be there before the first request: /dev/random and the signals. */
_must_check_ int watch_start(Manager *manager);

/* Arms the level want, if it is one that can be met now; it disarms itself when it fires. */
void watch_level(Manager *manager);

/* Whatever else there is; behind the first request, since all of it costs milliseconds. */
void watch_start_late(Manager *manager);

/* Before a batch that may have been asked for in another life: its answer and the kernel's word of
 * the fork can be there at the same time, and the log has the lowest priority of all. */
void watch_look_for_fork(Manager *manager);

/* Woke from suspend, by the log or by the clocks. */
void watch_seen_resume(Manager *manager);

/* The timers again, after a reload. */
void watch_timers(Manager *manager);

void watch_deinit(Watch *watch);
