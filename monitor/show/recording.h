/* SPDX-License-Identifier: MIT */
#pragma once

/* Reads a recording, entropy-monitor-recording(5), and checks every value. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/policy/refill.h"
#include "monitor/documents.h"
#include "monitor/recording-format.h"

#define RECORDING_MAX_TEXT 128U

typedef struct Recording {
        const char *path; /* the caller's, for messages and titles */
        char program[RECORDING_MAX_TEXT];
        char kernel[RECORDING_MAX_TEXT];
        char machine[RECORDING_MAX_TEXT];
        char boot_id[RECORDING_MAX_TEXT];
        char end[RECORDING_MAX_TEXT];
        char hwrng[RECORDING_MAX_TEXT]; /* empty: none */
        char starts_source[RECORDING_MAX_TEXT];
        bool first_process;
        uint64_t started_usec, ended_usec;
        uint32_t pool_bits, threshold_bits;
        RandomModel model;
        bool ready_at_start;
        bool ready; /* at any time; with ready_at_start, ready_usec is not known */
        uint64_t ready_usec;

        uint64_t interval_usec;
        uint32_t thinnings;
        size_t n_samples;
        uint64_t *at_usec; /* ascending */
        uint64_t *minimum_bits, *maximum_bits;

        uint64_t starts_from_usec, starts_interval_usec;
        size_t n_starts;
        uint64_t *execs, *forks;

        size_t n_blocked;
        BlockedSpan *blocked;
        size_t n_events;
        Event *events; /* by time */
        Json *reports; /* an object; NULL: none */
        LogSeen log_seen;
        uint64_t cpu_usec, page_faults, memory_bytes, lost;
        Json *document;
} Recording;

#define RECORDING_ERROR_MAX 256U

/*
 * Reads a file, - for standard input. On failure (-EBADMSG for what is not a recording, else the
 * errno of reading it) ret_error is a sentence for people.
 */
_must_check_ int recording_read(
        const char *path,
        Recording *ret_recording,
        char ret_error[static RECORDING_ERROR_MAX]);

_must_check_ int recording_parse(
        const char *text,
        size_t length,
        Recording *ret_recording,
        char ret_error[static RECORDING_ERROR_MAX]);

void recording_free(Recording *recording);

#define _cleanup_recording_ _cleanup_(recording_free)
