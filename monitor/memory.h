/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the sampler saw, in memory that is mapped, locked and written to once before the first
 * sample. Nothing here allocates afterwards or fails: full samples thin themselves (half as many,
 * each the extremes of two), full bins of starts double their width, and what is full beyond that
 * is counted as lost. No clock, no file: times come in as CLOCK_BOOTTIME.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/kernel/blocked.h"

#define MEMORY_TICK_USEC UINT64_C(10)
#define MEMORY_TEXT_MAX  96U

/* An hour at 10 ms and a little more; all of a Memory is under 4 MiB. */
#define MEMORY_MAX_SAMPLES 393216U
#define MEMORY_MIN_SAMPLES 64U

typedef struct Sample {
        uint32_t at_ticks; /* of MEMORY_TICK_USEC, since Memory.started_usec: good for 11 hours */
        uint16_t minimum_bits;
        uint16_t maximum_bits;
} Sample;

typedef struct StartBin {
        uint16_t execs;
        uint16_t forks;
} StartBin;

typedef struct BlockedSpan {
        uint64_t from_usec; /* the look that saw it first, and the last one that did */
        uint64_t to_usec;
        pid_t pid;
        pid_t tid;
        bool jitter; /* was seen in the kernel's jitter loop */
        bool open;
        bool seen; /* by the look that is under way */
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
        char text[MEMORY_TEXT_MAX];
} Event;

/* What was seen of the kernel's log, which alone names those who read too early. */
typedef enum LogSeen {
        LOG_SEEN_NONE,
        LOG_SEEN_CUT, /* lines are missing: its beginning, or some between */
        LOG_SEEN_WHOLE,
        _LOG_SEEN_MAX,
} LogSeen;

typedef struct Memory {
        void *map;
        size_t map_bytes;
        bool locked; /* false where RLIMIT_MEMLOCK refused */
        uint64_t started_usec;
        uint64_t interval_usec; /* doubled by each thinning */
        unsigned int thinnings;
        Sample *samples;
        size_t n_samples, max_samples;
        StartBin *bins;
        size_t n_bins;
        uint64_t bin_usec;
        BlockedSpan *spans;
        size_t n_spans;
        Event *events;
        size_t n_events;
        uint64_t lost_events, lost_spans;
        LogSeen log_seen;
} Memory;

_must_check_ int memory_new(uint64_t interval_usec, size_t max_samples, Memory *ret_memory);
void memory_free(Memory *memory);

/* Forgets everything: what was written to warm up. */
void memory_begin(Memory *memory, uint64_t started_usec);

void memory_add_sample(Memory *memory, uint64_t at_usec, uint32_t level_bits);
void memory_add_event(Memory *memory, uint64_t at_usec, EventKind kind, const char *text);
void memory_count_start(Memory *memory, uint64_t at_usec, uint32_t execs, uint32_t forks);

/* A look at the blocked tasks: begin, one call for each, end. */
void memory_begin_look(Memory *memory);
void memory_see_blocked(Memory *memory, uint64_t at_usec, const BlockedTask *task);
void memory_end_look(Memory *memory);

/* The RNG is ready: whoever waited does no longer. */
void memory_release_blocked(Memory *memory, uint64_t at_usec);

/* "none", "cut" or "whole" */
const char *log_seen_to_string(LogSeen log_seen);

const char *event_kind_to_string(EventKind kind);
/* -EINVAL for a name of no kind. */
_must_check_ int event_kind_from_string(const char *name, EventKind *ret_kind);
