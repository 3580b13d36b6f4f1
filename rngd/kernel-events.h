/* SPDX-License-Identifier: MIT */
#pragma once

/* What the kernel tells of: /dev/random, its log, devices, clocks, signals. Nothing here ticks. */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/base/error.h"
#include "lib/kernel/random.h"
#include "rngd/hotplug.h"
#include "rngd/kernel-log.h"

typedef enum KernelEvent {
        KERNEL_EVENT_READABLE, /* /dev/random can be read: its RNG is ready, or may be */
        KERNEL_EVENT_ROOM,     /* it can be written to: the kernel wants bits */
        KERNEL_EVENT_VMFORK,   /* by the log */
        KERNEL_EVENT_RESUME,   /* from suspend, by the log or by the clocks */
        KERNEL_EVENT_GAP,      /* lines of the log were lost */
        KERNEL_EVENT_CLOCK_SET,
        KERNEL_EVENT_DEVICES,     /* some that may be a source came or went */
        KERNEL_EVENT_RNG_REMOVED, /* the same, and a hardware RNG is among those that went */
        KERNEL_EVENT_STOP,        /* SIGTERM, SIGINT */
        KERNEL_EVENT_RELOAD,      /* SIGHUP */
        KERNEL_EVENT_FEED,        /* SIGUSR1 */
        KERNEL_EVENT_CHILD,       /* SIGCHLD: of one child or several */
} KernelEvent;

typedef struct KernelEventsHooks {
        void (*seen)(void *userdata, KernelEvent event);
        void *userdata;
} KernelEventsHooks;

typedef struct KernelEvents {
        KernelEventsHooks hooks;
        sd_event *event; /* not owned, nor are the next two */
        const RootDir *root;
        const KernelRandom *random;
        sd_event_source *random_source; /* one-shot; kernel_events_watch_random() arms it */
        sd_event_source *rearm_source;
        sd_event_source *clock_source;
        sd_event_source *signal_sources[5];

        KernelLog log;
        Hotplug hotplug;
        int clock_fd;
        bool readable_is_not_ready;
        uint64_t suspended_usec;
        uint64_t resumed_usec, clock_set_usec; /* told of last; 0: never */
} KernelEvents;

void kernel_events_init(
        KernelEvents *events,
        sd_event *event,
        const RootDir *root,
        const KernelRandom *random,
        const KernelEventsHooks *hooks);

/* What must be there before the first request: /dev/random, signals, the log's present end. counting: the
 * kernel's model. */
_must_check_ int kernel_events_start(KernelEvents *events, bool counting);

/* Whatever else there is; behind the first request, since all of it costs milliseconds. runtime_fd: -1 if
 * there is no runtime directory. */
void kernel_events_start_late(KernelEvents *events, int runtime_fd);

/* Waits for these two, each once, and no longer for what was waited for before. */
void kernel_events_watch_random(KernelEvents *events, bool until_ready, bool until_room);

/* Before a batch that may have been asked for in another life: its answer and the kernel's word of
 * the fork can be there at the same time, and the log has the lowest priority of all. */
void kernel_events_look(KernelEvents *events);

/* Whether this machine slept; cheap enough for each turn of the loop. */
void kernel_events_look_for_resume(KernelEvents *events);

void kernel_events_deinit(KernelEvents *events);
