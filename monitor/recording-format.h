/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The names and limits of a recording, entropy-monitor-recording(5), that its writer (sample/) and its
 * readers (show/, status/) share.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/kernel/blocked.h"

#define RECORDING_FORMAT    "guest-entropy-recording"
#define RECORDING_VERSION   1U
#define RECORDING_TICK_USEC UINT64_C(10) /* the resolution of a sample's time */
#define EVENT_TEXT_MAX      96U

/* Where the starts of processes were counted: the proc connector, /proc/stat or nowhere. */
#define STARTS_SOURCE_CONNECTOR "connector"
#define STARTS_SOURCE_STAT      "stat"
#define STARTS_SOURCE_NONE      "none"

typedef enum RecordingEnd {
        RECORDING_END_DURATION,
        RECORDING_END_READY, /* --until=ready, and the extra time, is over */
        RECORDING_END_BOOT,  /* entropy-monitor finish reported the end of the boot */
        RECORDING_END_SIGNAL,
        RECORDING_END_COMMAND, /* the command has exited */
} RecordingEnd;

typedef struct BlockedSpan {
        uint64_t from_usec; /* the first and the last scan that saw it */
        uint64_t to_usec;
        pid_t pid;
        pid_t tid;
        bool jitter; /* seen in the kernel's jitter loop */
        bool open;
        bool seen; /* by the current scan */
        char name[BLOCKED_NAME_MAX];
} BlockedSpan;

/* One name each, see event_kind_to_string(). */
typedef enum EventKind {
        EVENT_STARTED,
        EVENT_READY,
        EVENT_FAST_INIT,
        EVENT_LOG_READY,
        EVENT_UNINITIALIZED_READ,
        EVENT_VM_FORK,
        EVENT_RESUME,
        EVENT_INIT_STARTED,
        EVENT_SEEDER,
        EVENT_HWRNG,
        EVENT_BLOCK_DEVICE,
        EVENT_INIT_EXEC,
        EVENT_SWITCH_ROOT,
        EVENT_THRESHOLD,
        EVENT_BOOT_FINISHED,
        _EVENT_MAX,
} EventKind;

typedef struct Event {
        uint64_t at_usec;
        EventKind kind;
        char text[EVENT_TEXT_MAX];
} Event;

/* How much of the kernel log was read. Only the log names the processes that read too early. */
typedef enum LogSeen {
        LOG_SEEN_NONE,
        LOG_SEEN_CUT, /* lines are missing, at its beginning or in between */
        LOG_SEEN_WHOLE,
        _LOG_SEEN_MAX,
} LogSeen;

/* "duration", "ready", "boot", "signal" or "command" */
const char *recording_end_to_string(RecordingEnd end);

/* "none", "cut" or "whole" */
const char *log_seen_to_string(LogSeen log_seen);

const char *event_kind_to_string(EventKind kind);
/* -EINVAL for a name of no kind. */
_must_check_ int event_kind_from_string(const char *name, EventKind *ret_kind);
