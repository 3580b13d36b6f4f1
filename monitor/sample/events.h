/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The sources of events: the kernel log, device events, process starts, PID 1's root. Each call
 * moves what is pending into the trace buffer, without waiting or allocating. A source that cannot
 * be opened is missing in the recording; that is not a failure.
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
        const Views *views; /* both as passed to events_begin() */
        TraceBuffer *trace;
} Events;

#define EVENTS_NULL \
        { .kmsg_fd = -1, .uevent_fd = -1, .starts_fd = -1, .stat_fd = -1 }

void events_open(const Views *views, Events *ret_events);
void events_close(Events *events);

/* Notes the state at the start: the current hwrng, PID 1's root. The caller keeps the views and
 * the trace buffer in place for as long as the events are used. */
void events_begin(Events *events, const Views *views, TraceBuffer *trace, uint64_t now_usec);

/*
 * Measures the offset of the kernel log's clock (50 ms in an emulated guest) by writing a line to
 * the log. If that is not permitted, the offset is taken as 0.
 */
void events_calibrate(Events *events);

void events_take_kmsg(Events *events);
void events_take_uevents(Events *events, uint64_t now_usec);
void events_take_starts(Events *events, uint64_t now_usec);
