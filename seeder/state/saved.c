/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/feed/seed-mark.h"
#include "lib/kernel/clock.h"
#include "seeder/state/saved.h"

/* Of a machine whose disk is to become that of others. */
#define NO_SEED_PATH "/run/guest-entropy/no-seed"

static void add_to(RunReport *run_report, const char *name, RunReportLine line, const char *note) {
        (void)snprintf(line.name, sizeof(line.name), "%s", name);
        (void)snprintf(line.note, sizeof(line.note), "%s", note ? note : "");
        run_report_add(run_report, &line);
}

static void add(RunReport *run_report, RunReportLine line, const char *note) {
        add_to(run_report, "seed-file", line, note);
}

static int feed(
        const Feeder *feeder,
        Batch *batch,
        const SeedLoad *load,
        const CreditInput *terms,
        FeedReport *ret_report) {
        CreditInput credit = *terms;
        Health health;

        credit.source_class = SOURCE_CLASS_SAVED;
        credit.marked_creditable = load->marked;
        credit.quality_per_1024 = CREDIT_QUALITY_UNKNOWN;

        memcpy(batch->secret->bytes, load->seed->bytes, SEED_FILE_BYTES);
        batch->length = SEED_FILE_BYTES;
        batch->asked_usec = batch->arrived_usec = clock_boottime_usec();
        health_init(&health, CREDIT_PER_1024_MAX);
        return feeder_feed(feeder, &health, batch, credit, true, ret_report);
}

static void look_only(const SeedFile *file, RunReport *run_report) {
        if (faccessat(file->directory_fd, SEED_MARKED_NAME, F_OK, 0) >= 0)
                add(run_report, (RunReportLine){ .n_bytes = SEED_FILE_BYTES }, "marked creditable");
        else if (faccessat(file->directory_fd, SEED_UNMARKED_NAME, F_OK, 0) >= 0)
                add(run_report, (RunReportLine){ .n_bytes = SEED_FILE_BYTES }, "used before");
}

void saved_load(
        SeedFile *file,
        const RootDir *root,
        const Feeder *feeder,
        Batch *batch,
        const CreditInput *terms,
        RunReport *run_report) {
        Counters counters = {}; /* the run report has the numbers; only this source is asked */
        const Feeder own = { .random = feeder->random, .counters = &counters };
        RunReportLine line = {};
        FeedReport report = {};
        SeedLoad load = {};
        Identity identity;
        int r;

        if (run_report->dry_run) {
                look_only(file, run_report);
                return;
        }

        identity_read(root, &identity);
        /* Somebody's word that nobody sets this disk back. */
        if (terms->trust == CREDIT_TRUST_ALWAYS)
                identity.virtual_possible = false;
        r = seed_file_load(file, &identity, &load);
        if (r == SEED_FILE_E_NONE)
                return;
        if (r >= 0)
                r = feed(&own, batch, &load, terms, &report);
        load.seed = secret_free(load.seed);
        if (r != 0) {
                add(run_report,
                    line,
                    r == -EBADMSG ? "it is damaged"
                    : r < 0       ? strerror(-r)
                                  : "it failed the health tests");
                return;
        }

        line.n_bytes = report.n_bytes;
        line.credited_bits = report.credited_bits;
        line.at_usec = clock_boottime_usec();
        add(run_report,
            line,
            report.credited_bits > 0          ? NULL
            : report.reason == CREDIT_NO_MARK ? load.why_not
                                              : credit_reason_to_string(report.reason));
}

int saved_save(SeedFile *file, const RootDir *root, RunReport *run_report) {
        _cleanup_secret_ Secret *old_seed = NULL;
        Identity identity;
        bool creditable;
        int r;

        if (rootdir_exists(root, &NO_SEED_PATH[1])) {
                add_to(run_report,
                       "new seed",
                       (RunReportLine){},
                       "none is saved, because of " NO_SEED_PATH);
                return 0;
        }
        identity_read(root, &identity);
        r = seed_file_read_old(file, &old_seed);
        if (r < 0 && r != -ENOENT)
                log_warning(
                        "Cannot read the old seed, so the new one replaces it: %s",
                        strerror(-r));
        r = seed_file_save(file, &identity, old_seed, &creditable);
        if (r < 0)
                add_to(run_report, "new seed", (RunReportLine){}, "could not be saved");
        else if (!creditable)
                add_to(run_report,
                       "new seed",
                       (RunReportLine){},
                       "no credit: the RNG is not ready");
        return r;
}
