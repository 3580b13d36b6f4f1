/* SPDX-License-Identifier: MIT */
#pragma once

/* Whether this guest is safely seeded, judged from collected facts. Pure functions. */

#include <stdbool.h>
#include <stdint.h>

#include "monitor/show/recording.h"

#define SEEDED_TEXT_MAX 160U

/* The exit status of entropy-monitor status. */
typedef enum Seeded {
        SEEDED_YES = 0,       /* by a source that rngd, the seeder or the kernel credits */
        SEEDED_JITTER = 1,    /* ready, but by nothing except the kernel's own jitter */
        SEEDED_NOT_READY = 2, /* getrandom() would wait */
        SEEDED_UNKNOWN = 3,
} Seeded;

typedef struct SeededFacts {
        bool ready_known, ready;
        RandomModel model;
        bool level_known;
        uint32_t pool_bits, level_bits, threshold_bits;

        bool log_known;          /* the kernel's log reaches back to its start */
        uint64_t log_ready_usec; /* 0: no such line */
        bool log_trusted;        /* the line says that a CPU or boot loader was trusted */
        uint64_t log_init_usec;  /* when the kernel ran init; 0: not known */

        char hwrng[RECORDING_MAX_TEXT]; /* empty: none */
        bool hwrng_credited;            /* the kernel credits what it reads from it */
        bool cpu_trusted; /* the CPU has an RNG, and the kernel is not told to distrust it */

        bool rngd_answers,
                rngd_ran; /* ran: it may have credited bits, but can no longer be asked */
        uint64_t rngd_bits, seeder_bits; /* credited in this boot */
        char rngd_source[RECORDING_MAX_TEXT], seeder_source[RECORDING_MAX_TEXT];
        uint64_t rngd_since_usec, last_feed_usec; /* 0: not known */
        uint64_t forks;

        bool recording_jitter; /* this boot's recording shows only the jitter loop */
} SeededFacts;

/* ret_by: a few words, "rngd (hwrng)"; ret_since_usec: CLOCK_BOOTTIME, 0 where it is not known. */
Seeded seeded_judge(
        const SeededFacts *facts,
        char ret_by[static SEEDED_TEXT_MAX],
        uint64_t *ret_since_usec);

const char *seeded_to_string(Seeded seeded);
