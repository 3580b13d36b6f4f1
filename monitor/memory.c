/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "monitor/memory.h"

#define MAX_BINS       65536U
#define MAX_SPANS      512U
#define MAX_EVENTS     2048U
#define FIRST_BIN_USEC UINT64_C(10000)

int memory_new(uint64_t interval_usec, size_t max_samples, Memory *ret_memory) {
        const size_t event_bytes = MAX_EVENTS * sizeof(Event);
        const size_t span_bytes = MAX_SPANS * sizeof(BlockedSpan);
        const size_t bin_bytes = MAX_BINS * sizeof(StartBin);
        Memory memory = { .interval_usec = interval_usec, .bin_usec = FIRST_BIN_USEC };
        uint8_t *at;

        memory.max_samples = MIN(MAX(max_samples, MEMORY_MIN_SAMPLES), MEMORY_MAX_SAMPLES);
        memory.map_bytes =
                event_bytes + span_bytes + bin_bytes + memory.max_samples * sizeof(Sample);
        at =
                mmap(NULL,
                     memory.map_bytes,
                     PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS,
                     -1,
                     0);
        if (at == MAP_FAILED)
                return negative_errno();

        memory.map = at;
        memory.locked = mlock(at, memory.map_bytes) >= 0;
        /* Locking has brought the pages in; without it, writing does. */
        memset(at, 0xff, memory.map_bytes);
        memory.events = (Event *)(void *)at;
        memory.spans = (BlockedSpan *)(void *)(at + event_bytes);
        memory.bins = (StartBin *)(void *)(at + event_bytes + span_bytes);
        memory.samples = (Sample *)(void *)(at + event_bytes + span_bytes + bin_bytes);
        *ret_memory = memory;
        return 0;
}

void memory_free(Memory *memory) {
        if (memory->map)
                (void)munmap(memory->map, memory->map_bytes);
        *memory = (Memory){};
}

void memory_begin(Memory *memory, uint64_t started_usec) {
        memory->started_usec = started_usec;
        memory->n_samples = memory->n_bins = memory->n_spans = memory->n_events = 0;
        memory->lost_events = memory->lost_spans = 0;
        memory->log_seen = LOG_SEEN_NONE;
}

static void thin_samples(Memory *memory) {
        Sample *samples = memory->samples;

        for (size_t i = 0; i < memory->n_samples / 2; i++) {
                Sample a = samples[2 * i], b = samples[2 * i + 1];

                samples[i] = (Sample){
                        .at_ticks = a.at_ticks,
                        .minimum_bits = MIN(a.minimum_bits, b.minimum_bits),
                        .maximum_bits = MAX(a.maximum_bits, b.maximum_bits),
                };
        }
        memory->n_samples /= 2;
        memory->interval_usec *= 2;
        memory->thinnings++;
}

void memory_add_sample(Memory *memory, uint64_t at_usec, uint32_t level_bits) {
        uint16_t bits = (uint16_t)MIN(level_bits, UINT16_MAX);
        uint64_t ticks = (at_usec - memory->started_usec) / MEMORY_TICK_USEC;

        if (at_usec < memory->started_usec || ticks > UINT32_MAX)
                return;
        if (memory->n_samples == memory->max_samples)
                thin_samples(memory);
        memory->samples[memory->n_samples++] = (Sample){ (uint32_t)ticks, bits, bits };
}

void memory_add_event(Memory *memory, uint64_t at_usec, EventKind kind, const char *text) {
        Event *event;

        if (memory->n_events == MAX_EVENTS) {
                memory->lost_events++;
                return;
        }
        event = &memory->events[memory->n_events++];
        event->at_usec = at_usec;
        event->kind = kind;
        (void)snprintf(event->text, sizeof(event->text), "%s", text);
}

static uint16_t add_saturated(uint16_t a, uint32_t b) {
        return (uint16_t)MIN(a + b, UINT16_MAX);
}

static void widen_bins(Memory *memory) {
        StartBin *bins = memory->bins;
        size_t n = (memory->n_bins + 1) / 2;

        if (memory->n_bins % 2 == 1)
                bins[memory->n_bins] = (StartBin){};
        for (size_t i = 0; i < n; i++)
                bins[i] = (StartBin){
                        .execs = add_saturated(bins[2 * i].execs, bins[2 * i + 1].execs),
                        .forks = add_saturated(bins[2 * i].forks, bins[2 * i + 1].forks),
                };
        memory->n_bins = n;
        memory->bin_usec *= 2;
}

void memory_count_start(Memory *memory, uint64_t at_usec, uint32_t execs, uint32_t forks) {
        StartBin *bin;
        uint64_t at;

        if (at_usec < memory->started_usec)
                return;
        while ((at = (at_usec - memory->started_usec) / memory->bin_usec) >= MAX_BINS)
                widen_bins(memory);
        while (memory->n_bins <= at)
                memory->bins[memory->n_bins++] = (StartBin){};
        bin = &memory->bins[at];
        bin->execs = add_saturated(bin->execs, execs);
        bin->forks = add_saturated(bin->forks, forks);
}

void memory_begin_look(Memory *memory) {
        for (size_t i = 0; i < memory->n_spans; i++)
                memory->spans[i].seen = false;
}

static BlockedSpan *span_of(Memory *memory, uint64_t at_usec, const BlockedTask *task) {
        BlockedSpan *span;

        for (size_t i = memory->n_spans; i > 0; i--)
                if (memory->spans[i - 1].open && memory->spans[i - 1].tid == task->tid)
                        return &memory->spans[i - 1];
        if (memory->n_spans == MAX_SPANS)
                return NULL;

        span = &memory->spans[memory->n_spans++];
        *span = (BlockedSpan){
                .from_usec = at_usec,
                .pid = task->pid,
                .tid = task->tid,
                .open = true,
        };
        (void)snprintf(span->name, sizeof(span->name), "%s", task->name);
        return span;
}

void memory_see_blocked(Memory *memory, uint64_t at_usec, const BlockedTask *task) {
        BlockedSpan *span = span_of(memory, at_usec, task);

        if (!span) {
                memory->lost_spans++;
                return;
        }
        span->to_usec = at_usec;
        span->seen = true;
        span->jitter |= task->how == BLOCKED_JITTER;
}

void memory_end_look(Memory *memory) {
        for (size_t i = 0; i < memory->n_spans; i++)
                memory->spans[i].open &= memory->spans[i].seen;
}

void memory_release_blocked(Memory *memory, uint64_t at_usec) {
        for (size_t i = 0; i < memory->n_spans; i++) {
                if (!memory->spans[i].open)
                        continue;
                memory->spans[i].open = false;
                memory->spans[i].to_usec = at_usec;
        }
}

const char *log_seen_to_string(LogSeen log_seen) {
        static const char *const names[_LOG_SEEN_MAX] = {
                [LOG_SEEN_NONE] = "none",
                [LOG_SEEN_CUT] = "cut",
                [LOG_SEEN_WHOLE] = "whole",
        };

        return names[log_seen];
}

static const char *const kind_names[_EVENT_MAX] = {
        [EVENT_STARTED] = "monitor-started",
        [EVENT_READY] = "ready",
        [EVENT_FAST_INIT] = "fast-init",
        [EVENT_LOG_READY] = "log-ready",
        [EVENT_UNINITIALIZED_READ] = "uninitialized-read",
        [EVENT_VM_FORK] = "vm-fork",
        [EVENT_RESUME] = "resume",
        [EVENT_INIT_STARTED] = "init-started",
        [EVENT_SEEDER] = "seeder",
        [EVENT_HWRNG] = "hwrng",
        [EVENT_BLOCK_DEVICE] = "block-device",
        [EVENT_INIT_EXEC] = "init-exec",
        [EVENT_SWITCH_ROOT] = "switch-root",
        [EVENT_THRESHOLD] = "threshold",
        [EVENT_BOOT_FINISHED] = "boot-finished",
};

const char *event_kind_to_string(EventKind kind) {
        return kind_names[kind];
}

int event_kind_from_string(const char *name, EventKind *ret_kind) {
        for (EventKind kind = 0; kind < _EVENT_MAX; kind++)
                if (strcmp(kind_names[kind], name) == 0) {
                        *ret_kind = kind;
                        return 0;
                }
        return -EINVAL;
}
