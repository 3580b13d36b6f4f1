/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the sampler records, in memory that is mapped, locked and written to once before the first
 * sample. Afterwards nothing allocates or fails: when the samples are full, each two become one
 * that has their extremes; when the bins are full, they double their width; events and spans beyond
 * the limits are counted as lost. It reads no clock: times are passed in as CLOCK_BOOTTIME.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/kernel/blocked.h"
#include "monitor/recording-format.h"

/* An hour at 10 ms and a little more; all of a TraceBuffer is under 4 MiB. */
#define TRACE_BUFFER_MAX_SAMPLES 393216U
#define TRACE_BUFFER_MIN_SAMPLES 64U
#define TRACE_BUFFER_MAX_BINS    65536U
#define TRACE_BUFFER_MAX_SPANS   512U
#define TRACE_BUFFER_MAX_EVENTS  2048U

typedef struct Sample {
        uint32_t at_ticks; /* of RECORDING_TICK_USEC, since started_usec: enough for 11 hours */
        uint16_t minimum_bits;
        uint16_t maximum_bits;
} Sample;

typedef struct StartBin {
        uint16_t execs;
        uint16_t forks;
} StartBin;

/* What is mapped. */
typedef struct TraceMap {
        Event events[TRACE_BUFFER_MAX_EVENTS];
        BlockedSpan spans[TRACE_BUFFER_MAX_SPANS];
        StartBin bins[TRACE_BUFFER_MAX_BINS];
        Sample samples[]; /* max_samples */
} TraceMap;

typedef struct TraceBuffer {
        TraceMap *map;
        size_t map_bytes;
        bool locked; /* false where RLIMIT_MEMLOCK refused */
        uint64_t started_usec;
        uint64_t interval_usec; /* doubled by each thinning */
        uint64_t bin_usec;      /* doubled by each widening */
        unsigned int thinnings;
        size_t n_samples, max_samples;
        size_t n_bins, n_spans, n_events;
        uint64_t lost_events, lost_spans;
        LogSeen log_seen;
} TraceBuffer;

_must_check_ int trace_buffer_new(
        uint64_t interval_usec,
        size_t max_samples,
        TraceBuffer *ret_trace);
void trace_buffer_free(TraceBuffer *trace);

/* Discards everything that was written to warm up. */
void trace_buffer_begin(TraceBuffer *trace, uint64_t started_usec);

void trace_buffer_add_sample(TraceBuffer *trace, uint64_t at_usec, uint32_t level_bits);
void trace_buffer_add_event(TraceBuffer *trace, uint64_t at_usec, EventKind kind, const char *text);
void trace_buffer_count_start(TraceBuffer *trace, uint64_t at_usec, uint32_t execs, uint32_t forks);

/* A scan for blocked tasks: begin, one call for each, end. */
void trace_buffer_begin_scan(TraceBuffer *trace);
void trace_buffer_add_blocked(TraceBuffer *trace, uint64_t at_usec, const BlockedTask *task);
void trace_buffer_end_scan(TraceBuffer *trace);

/* The RNG is ready, so the blocked processes continue. */
void trace_buffer_release_blocked(TraceBuffer *trace, uint64_t at_usec);
