/* SPDX-License-Identifier: MIT */
#pragma once

/* The seed file within a run, and by itself for `entropy-seeder save`. */

#include "lib/feed/feeder.h"
#include "seeder/state/run-report.h"
#include "seeder/state/seed-file.h"

/*
 * Loads and feeds it. terms is what the run knows and the administrator says: confidential_guest,
 * override_per_1024, trust. With run_report->dry_run it is only looked for.
 */
void saved_load(
        SeedFile *file,
        const RootDir *root,
        const Feeder *feeder,
        Batch *batch,
        const CreditInput *terms,
        RunReport *run_report);

/* Saves a new one; a failure is noted in the run_report, too. */
int saved_save(SeedFile *file, const RootDir *root, RunReport *run_report);
