/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * First use of a static seed: known only where the list of the used ones can be read and written.
 * Everything else (the initramfs, a read-only or damaged directory) is no first use. And no seed is
 * credited twice in one boot, whatever the administrator accepts: the run reports in /run tell.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/feed/seen.h"
#include "seeder/state/run-report.h"

#define STATIC_CREDIT_RUNS_MAX 20U

typedef struct StaticCredit {
        int directory_fd; /* not owned; -1: there is none */
        bool usable;
        Seen seen;
        RunReportSeeds
                *earlier[STATIC_CREDIT_RUNS_MAX]; /* what the runs before this one credited */
        size_t n_earlier;
        const char *why_not; /* why usable is false */
        bool doubtful;       /* something remembers, and cannot be asked: nothing may be credited */
} StaticCredit;

typedef enum StaticUse {
        STATIC_USE_FIRST,     /* and that it was used is on the disk now */
        STATIC_USE_UNKNOWN,   /* no list tells, or it could not be recorded there */
        STATIC_USE_AGAIN,     /* in an earlier boot */
        STATIC_USE_THIS_BOOT, /* in this one */
} StaticUse;

/* Loads the list. Cannot fail: without it nothing is a first use. */
void static_credit_init(StaticCredit *credit, int directory_fd, const char *why_not);
void static_credit_deinit(StaticCredit *credit);

/* There is a memory that cannot be asked now, or not be believed: no seed is credited, whoever vouches. */
void static_credit_doubt(StaticCredit *credit, const char *why);

/* Takes over what an earlier run of this boot left in its run report. */
void static_credit_add_run(StaticCredit *credit, const char *run_report);

/* The note is a word for the report, or NULL. With dry_run nothing is recorded. */
StaticUse static_credit_use(
        StaticCredit *credit,
        const uint8_t *seed,
        size_t length,
        bool dry_run,
        const char **ret_note);

/* Adds a seed to those of this run, for its run report: one that is there already is not added again. */
_must_check_ int static_credit_leave(const uint8_t *seed, size_t length, RunReportSeeds *seeds);
bool static_credit_left(const uint8_t *seed, size_t length, const RunReportSeeds *seeds);
