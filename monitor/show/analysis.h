/* SPDX-License-Identifier: MIT */
#pragma once

/* What a recording says: pure functions over its numbers. All times are CLOCK_BOOTTIME. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor/show/recording.h"

#define ANALYSIS_MAX_CREDITS 32U
#define ANALYSIS_NAME_MAX    48U

/* What made the RNG ready, as far as the recording shows. */
typedef enum ReadyCause {
        READY_CAUSE_UNKNOWN,
        READY_CAUSE_NOT_READY,
        READY_CAUSE_KERNEL, /* before the first process: CPU or boot loader */
        READY_CAUSE_SEEDER,
        READY_CAUSE_RNGD,
        READY_CAUSE_HWRNG,  /* the kernel's own reading of a device that appeared */
        READY_CAUSE_JITTER, /* the kernel's jitter loop, run by a process that waited */
} ReadyCause;

typedef struct Credit {
        char who[ANALYSIS_NAME_MAX]; /* "seeder config-drive" */
        uint64_t at_usec;            /* 0: not known */
        uint64_t bytes, bits;
} Credit;

/* Bits per second, while few processes start and while many do. */
typedef struct Rates {
        uint64_t usec;
        double fill_bits, drain_bits; /* sums */
} Rates;

typedef struct Analysis {
        uint64_t recorded_usec;
        bool ready, ready_time_known;
        uint64_t ready_usec;
        ReadyCause cause;
        bool any_level;
        uint32_t first_bits, last_bits;
        bool any_lowest;
        uint32_t lowest_bits; /* from ready on, or of all when it was not ready */
        uint64_t lowest_at_usec;
        uint64_t below_usec; /* below the threshold; on a latching kernel, not yet ready */
        Rates idle, loaded;
        uint64_t n_starts; /* execs where the recording has them, else forks */
        double starts_per_sec, most_starts_per_sec;
        size_t n_blocked;
        uint64_t longest_blocked_usec;
        size_t n_uninitialized_reads;
        size_t n_vm_forks;
        uint64_t init_usec, switch_root_usec, boot_finished_usec; /* 0: not seen */
        size_t n_credits;
        Credit credits[ANALYSIS_MAX_CREDITS];
} Analysis;

void analysis_make(const Recording *recording, Analysis *ret_analysis);

uint64_t blocked_usec(const BlockedSpan *span);

/* NULL if nobody waited. */
const BlockedSpan *analysis_longest_wait(const Recording *recording);

/* execs where they were counted, else forks. */
const uint64_t *analysis_starts(const Recording *recording);

/* In the bins that begin in from_usec..to_usec - 1. */
uint64_t analysis_starts_between(const Recording *recording, uint64_t from_usec, uint64_t to_usec);

/* A few words: "the kernel's own jitter loop". */
const char *ready_cause_to_string(ReadyCause cause);

static inline double rate_of(double bits, uint64_t usec) {
        return usec > 0 ? bits * 1e6 / (double)usec : 0;
}
