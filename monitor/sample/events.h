/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where events come from besides the level: the kernel log, device events, processes that start,
 * PID 1's root. Each takes what waits and puts it into the trace buffer; none waits or allocates. A
 * source that cannot be opened is one column less, never a failure.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "monitor/sample/trace-buffer.h"
#include "monitor/sample/views.h"

typedef struct Events {
        int kmsg_fd; /* -1: none, as the others */
        int uevent_fd;
        int starts_fd;           /* the proc connector */
        int stat_fd;             /* /proc/stat, where there is no connector */
        int64_t log_offset_usec; /* CLOCK_BOOTTIME minus the kernel log's clock */
        uint64_t forks_so_far;
        uint64_t lost_starts;
        dev_t root_device; /* of PID 1's root */
        ino_t root_inode;
        char hwrng[UINT8_C(64)];
        const Views *views; /* as given to events_begin(), as the next */
        TraceBuffer *trace;
} Events;

#define EVENTS_NULL \
        { .kmsg_fd = -1, .uevent_fd = -1, .starts_fd = -1, .stat_fd = -1 }

void events_open(const Views *views, Events *ret_events);
void events_close(Events *events);

/* Looks at what is there already: the current hwrng, PID 1's root. The views and the trace buffer stay
 * the caller's, and where they are. */
void events_begin(Events *events, const Views *views, TraceBuffer *trace, uint64_t now_usec);

/*
 * Finds how far the clock of the kernel's log is from ours (50 ms were seen in an emulated guest),
 * by a line of our own in the log. Where that is not allowed, no difference is assumed.
 */
void events_calibrate(Events *events);

void events_take_kmsg(Events *events);
void events_take_uevents(Events *events, uint64_t now_usec);
void events_take_starts(Events *events, uint64_t now_usec);
