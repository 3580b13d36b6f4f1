/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "monitor/sample/trace-buffer.h"

#define FIRST_BIN_USEC UINT64_C(10000)

int trace_buffer_new(uint64_t interval_usec, size_t max_samples, TraceBuffer *ret_trace) {
        TraceBuffer trace = { .interval_usec = interval_usec, .bin_usec = FIRST_BIN_USEC };
        void *map;

        trace.max_samples =
                MIN(MAX(max_samples, TRACE_BUFFER_MIN_SAMPLES), TRACE_BUFFER_MAX_SAMPLES);
        trace.map_bytes = sizeof(TraceMap) + trace.max_samples * sizeof(Sample);
        map =
                mmap(NULL,
                     trace.map_bytes,
                     PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS,
                     -1,
                     0);
        if (map == MAP_FAILED)
                return negative_errno();

        trace.locked = mlock(map, trace.map_bytes) >= 0;
        /* Locking has faulted the pages in. Without it, writing does. */
        memset(map, 0xff, trace.map_bytes);
        trace.map = map;
        *ret_trace = trace;
        return 0;
}

void trace_buffer_free(TraceBuffer *trace) {
        if (trace->map)
                (void)munmap(trace->map, trace->map_bytes);
        *trace = (TraceBuffer){};
}

void trace_buffer_begin(TraceBuffer *trace, uint64_t started_usec) {
        trace->started_usec = started_usec;
        trace->n_samples = trace->n_bins = trace->n_spans = trace->n_events = 0;
        trace->lost_events = trace->lost_spans = 0;
        trace->log_seen = LOG_SEEN_NONE;
}

static void thin_samples(TraceBuffer *trace) {
        Sample *samples = trace->map->samples;

        for (size_t i = 0; i < trace->n_samples / 2; i++) {
                Sample a = samples[2 * i], b = samples[2 * i + 1];

                samples[i] = (Sample){
                        .at_ticks = a.at_ticks,
                        .minimum_bits = MIN(a.minimum_bits, b.minimum_bits),
                        .maximum_bits = MAX(a.maximum_bits, b.maximum_bits),
                };
        }
        trace->n_samples /= 2;
        trace->interval_usec *= 2;
        trace->thinnings++;
}

void trace_buffer_add_sample(TraceBuffer *trace, uint64_t at_usec, uint32_t level_bits) {
        uint16_t bits = (uint16_t)MIN(level_bits, UINT16_MAX);
        uint64_t ticks = (at_usec - trace->started_usec) / RECORDING_TICK_USEC;

        if (at_usec < trace->started_usec || ticks > UINT32_MAX)
                return;
        if (trace->n_samples == trace->max_samples)
                thin_samples(trace);
        trace->map->samples[trace->n_samples++] = (Sample){ (uint32_t)ticks, bits, bits };
}

void trace_buffer_add_event(
        TraceBuffer *trace,
        uint64_t at_usec,
        EventKind kind,
        const char *text) {
        Event *event;

        if (trace->n_events == TRACE_BUFFER_MAX_EVENTS) {
                trace->lost_events++;
                return;
        }
        event = &trace->map->events[trace->n_events++];
        event->at_usec = at_usec;
        event->kind = kind;
        (void)snprintf(event->text, sizeof(event->text), "%s", text);
}

static uint16_t add_saturated(uint16_t a, uint32_t b) {
        return (uint16_t)MIN(a + b, UINT16_MAX);
}

static void widen_bins(TraceBuffer *trace) {
        StartBin *bins = trace->map->bins;
        size_t n = (trace->n_bins + 1) / 2;

        if (trace->n_bins % 2 == 1)
                bins[trace->n_bins] = (StartBin){};
        for (size_t i = 0; i < n; i++)
                bins[i] = (StartBin){
                        .execs = add_saturated(bins[2 * i].execs, bins[2 * i + 1].execs),
                        .forks = add_saturated(bins[2 * i].forks, bins[2 * i + 1].forks),
                };
        trace->n_bins = n;
        trace->bin_usec *= 2;
}

void trace_buffer_count_start(
        TraceBuffer *trace,
        uint64_t at_usec,
        uint32_t execs,
        uint32_t forks) {
        StartBin *bin;
        uint64_t at;

        if (at_usec < trace->started_usec)
                return;
        while ((at = (at_usec - trace->started_usec) / trace->bin_usec) >= TRACE_BUFFER_MAX_BINS)
                widen_bins(trace);
        while (trace->n_bins <= at)
                trace->map->bins[trace->n_bins++] = (StartBin){};
        bin = &trace->map->bins[at];
        bin->execs = add_saturated(bin->execs, execs);
        bin->forks = add_saturated(bin->forks, forks);
}

void trace_buffer_begin_scan(TraceBuffer *trace) {
        for (size_t i = 0; i < trace->n_spans; i++)
                trace->map->spans[i].seen = false;
}

static BlockedSpan *span_of(TraceBuffer *trace, uint64_t at_usec, const BlockedTask *task) {
        BlockedSpan *span;

        for (size_t i = trace->n_spans; i > 0; i--)
                if (trace->map->spans[i - 1].open && trace->map->spans[i - 1].tid == task->tid)
                        return &trace->map->spans[i - 1];
        if (trace->n_spans == TRACE_BUFFER_MAX_SPANS)
                return NULL;

        span = &trace->map->spans[trace->n_spans++];
        *span = (BlockedSpan){
                .from_usec = at_usec,
                .pid = task->pid,
                .tid = task->tid,
                .open = true,
        };
        (void)snprintf(span->name, sizeof(span->name), "%s", task->name);
        return span;
}

void trace_buffer_add_blocked(TraceBuffer *trace, uint64_t at_usec, const BlockedTask *task) {
        BlockedSpan *span = span_of(trace, at_usec, task);

        if (!span) {
                trace->lost_spans++;
                return;
        }
        span->to_usec = at_usec;
        span->seen = true;
        span->jitter |= task->how == BLOCKED_JITTER;
}

void trace_buffer_end_scan(TraceBuffer *trace) {
        for (size_t i = 0; i < trace->n_spans; i++)
                trace->map->spans[i].open &= trace->map->spans[i].seen;
}

void trace_buffer_release_blocked(TraceBuffer *trace, uint64_t at_usec) {
        for (size_t i = 0; i < trace->n_spans; i++) {
                if (!trace->map->spans[i].open)
                        continue;
                trace->map->spans[i].open = false;
                trace->map->spans[i].to_usec = at_usec;
        }
}
