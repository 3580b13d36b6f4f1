/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Samples the kernel's RNG from one process: the level at an interval, readiness, events, blocked
 * processes. It never waits in getrandom() and never reads /dev/random or /dev/urandom, since
 * either would start the kernel's jitter loop and change what is measured. Between sampler_begin()
 * and the return of sampler_run() nothing is allocated or written to a file.
 */

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "monitor/sample/events.h"
#include "monitor/sample/trace-buffer.h"
#include "monitor/sample/views.h"
#include "monitor/settings.h"

typedef struct Sampler {
        MonitorSettings settings;
        Views views; /* owned by the caller */
        TraceBuffer trace;
        Events events;
        int random_fd;    /* /dev/random, for poll() alone */
        int level_fd;     /* entropy_avail */
        int threshold_fd; /* write_wakeup_threshold */
        int signal_fd;
        pid_t command_pid; /* 0: none */
        int command_status;
        bool as_pid1; /* started as PID 1's child */
        bool ready, ready_at_start;
        bool poll_is_ready; /* POLLIN means ready: not before Linux 5.6 */
        uint32_t pool_bits, first_threshold_bits, threshold_bits;
        uint64_t ready_usec;
        uint64_t next_sample_usec, next_starts_usec, next_scan_usec, next_threshold_usec;
        uint64_t ended_usec, late_samples, wakes;
        struct rusage usage_at_start, usage; /* usage: between start and end */
} Sampler;

#define SAMPLER_NULL                                                                         \
        {                                                                                    \
                .views = VIEWS_NULL, .events = EVENTS_NULL, .random_fd = -1, .level_fd = -1, \
                .threshold_fd = -1, .signal_fd = -1                                          \
        }

/* SIGTERM, SIGINT and SIGCHLD, before sampler_new(). ret_before may be NULL. */
void sampler_block_signals(sigset_t *ret_before);

/* Maps and locks the trace buffer and opens everything. */
_must_check_ int sampler_new(
        const MonitorSettings *settings,
        const Views *views,
        Sampler *ret_sampler);
void sampler_free(Sampler *sampler);

/* Runs each path once, so that no page is missing later, and scans once. */
void sampler_begin(Sampler *sampler);

RecordingEnd sampler_run(Sampler *sampler);

/*
 * The value that finish queues with SIGTERM: 1, and above that bit the end of the boot in
 * CLOCK_MONOTONIC, 0 if unknown. The sampler needs no further descriptor for it.
 */
void *sampler_signal_value(uint64_t finished_usec);
