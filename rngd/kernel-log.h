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
#include "lib/base/rootdir.h"

typedef enum KernelLogEvent {
        KERNEL_LOG_VMFORK,
        KERNEL_LOG_RESUME,
        KERNEL_LOG_GAP, /* records were lost; told at once, and then at most once a minute */
} KernelLogEvent;

typedef struct KernelLogHooks {
        void (*seen)(void *userdata, KernelLogEvent event);
        void *userdata;
} KernelLogHooks;

typedef struct KernelLog {
        KernelLogHooks hooks;
        sd_event *event; /* not owned, nor are the next two */
        const RootDir *root;
        int runtime_fd; /* -1: not there */
        int fd;         /* of what comes from our start on */
        int history_fd; /* of what was there before, until it was read */
        sd_event_source *source;
        sd_event_source *history_source;
        sd_event_source *gap_source; /* lost records that are still to be told of */
        bool kept;                   /* next_sequence counts for the history, too */
        uint64_t next_sequence;      /* signs from here on were not told yet */
        uint64_t history_sequence;   /* the last that was read of the history */
        bool history_begun;
        uint64_t gap_usec;         /* when lost records were told of last; 0: never */
        uint64_t ready_since_usec; /* when the kernel's RNG became ready; 0: not known */
} KernelLog;

void kernel_log_init(
        KernelLog *log,
        sd_event *event,
        const RootDir *root,
        const KernelLogHooks *hooks);

/* Before the first request: from here on nothing is missed. It is not read yet. */
_must_check_ int kernel_log_open(KernelLog *log);

/* Behind the first request: reads what is there, and waits for more. runtime_fd: -1 if there is no
 * runtime directory. */
_must_check_ int kernel_log_start(KernelLog *log, int runtime_fd);

/* Reads what is there now. */
void kernel_log_look(KernelLog *log);

/* Whether it is read. */
bool kernel_log_works(const KernelLog *log);

void kernel_log_deinit(KernelLog *log);
