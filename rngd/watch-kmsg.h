/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The kernel's log: VM forks, resumes, lost records. What is news and what is history is told by the
 * records' numbers, not by clocks: the log's own drifts from CLOCK_MONOTONIC. The number from which on
 * signs were not answered yet is kept in the runtime directory, so that a daemon that starts again
 * neither misses a fork nor answers one twice. At the first start in a boot all that is in the log
 * by then is history.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/base/error.h"

typedef struct Manager Manager;

typedef struct KmsgWatch {
        int fd;         /* of what comes from our start on */
        int history_fd; /* of what was there before, until it was read */
        sd_event_source *source;
        sd_event_source *history_source;
        sd_event_source *gap_source; /* lost records that are still to be answered */
        bool kept;                   /* next_sequence counts for the history, too */
        uint64_t next_sequence;      /* signs from here on were not answered yet */
        uint64_t history_sequence;   /* the last that was read of the history */
        bool history_begun;
        uint64_t gap_usec; /* when lost records were answered last; 0: never */
} KmsgWatch;

#define KMSG_WATCH_NULL \
        { .fd = -1, .history_fd = -1 }

/* Before the first request: from here on nothing is missed. It is not read yet. */
_must_check_ int watch_kmsg_open(Manager *manager);

/* Behind the first request: reads what is there, and waits for more. */
_must_check_ int watch_kmsg_start(Manager *manager);

/* Reads what is there now. */
void watch_kmsg_look(Manager *manager);

void watch_kmsg_deinit(KmsgWatch *watch);
