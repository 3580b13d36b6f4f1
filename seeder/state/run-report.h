/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the run did, for the kernel's log, the run report in /run and the report: one line a seed or a
 * live source.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/feed/seen.h"
#include "lib/policy/refill.h"
#include "lib/sources/source.h"
#include "seeder/state/phase.h"

#define RUN_REPORT_LINES_MAX 64U
#define RUN_REPORT_NOTE_MAX  160U
#define RUN_REPORT_NAME_MAX  80U

typedef struct RunReportLine {
        char name[RUN_REPORT_NAME_MAX]; /* "hwrng", "platform smbios", "seed-file" */
        size_t n_bytes;
        uint32_t credited_bits;
        uint64_t at_usec;               /* CLOCK_BOOTTIME of its last feed; 0: nothing was fed */
        char note[RUN_REPORT_NOTE_MAX]; /* why nothing, or no credit; else empty */
} RunReportLine;

/* The static seeds that a run credited, so that a later one of the same boot credits none again. */
typedef struct RunReportSeeds {
        uint8_t salt[16];
        uint8_t digests[RUN_REPORT_LINES_MAX][SEEN_DIGEST_BYTES];
        size_t n;
} RunReportSeeds;

typedef struct RunReport {
        Phase phase;
        bool dry_run;
        RandomModel model;
        bool ready;
        uint64_t started_usec;
        uint64_t ready_usec; /* when this run saw it; 0: not */
        uint64_t ended_usec;
        const char *ended_why;

        RunReportLine lines[RUN_REPORT_LINES_MAX];
        size_t n_lines;
        RunReportSeeds seeds;
} RunReport;

/* Adds to the line of this name; the same note again is kept once. Beyond the limit it is dropped. */
void run_report_add(RunReport *run_report, const RunReportLine *line);

/* "kernel RNG ready at 0.412 s; hwrng 64 B +512 bits at 0.401 s; ...", cut at size. */
void run_report_summary(const RunReport *run_report, char *text, size_t size);

/* A JSON string of the caller's. */
_must_check_ int run_report_to_json(const RunReport *run_report, char **ret_text);

/* Only the salt and the digests of credited seeds. -EBADMSG for another document. */
_must_check_ int run_report_seeds_from_json(const char *text, RunReportSeeds *ret_seeds);
