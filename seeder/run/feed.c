/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/feed/live-memory.h"
#include "lib/kernel/clock.h"
#include "lib/sources/seed.h"
#include "seeder/run/run-state.h"
#include "seeder/state/report-file.h"

void run_note_ready(Run *run) {
        if (run->run_report->ready || !random_is_ready(&run->random))
                return;
        run->run_report->ready = true;
        run->run_report->ready_usec = clock_boottime_usec();
}

static void add_line(Run *run, const Channel *channel, RunReportLine line) {
        bool labelled = run->batch.label[0] && source_ops(channel->id)->seeds;

        (void)snprintf(
                line.name,
                sizeof(line.name),
                "%s%s%s",
                source_name(channel->id),
                labelled ? " " : "",
                labelled ? run->batch.label : "");
        run_report_add(run->run_report, &line);
}

void run_add_note(Run *run, const Channel *channel, const char *note) {
        RunReportLine line = {};

        (void)snprintf(line.note, sizeof(line.note), "%s", note);
        add_line(run, channel, line);
}

/* A known fault is worse than a doubt, and that is worse than none. */
static SeedOrigin worse_origin(SeedOrigin a, SeedOrigin b) {
        if (a == SEED_ORIGIN_PLATFORM || b > SEED_ORIGIN_PLATFORM)
                return b;
        return a;
}

static CreditInput credit_input(const Run *run, const Channel *channel) {
        CreditInput credit = reader_credit_input_of(&channel->reader, &run->batch);

        credit.length_bytes = run->batch.length;
        credit.origin = worse_origin(channel->reader.probe.origin, run->batch.origin);
        return credit;
}

/*
 * For the runs after this one. It is in /run before the seed is credited: should this process die,
 * nobody credits the seed again.
 */
static bool leave(Run *run, const char **ret_note) {
        int r;

        r = static_credit_leave(
                run->batch.secret->bytes,
                run->batch.length,
                &run->run_report->seeds);
        if (r >= 0)
                r = report_file_write(run->run_report, run->report_number);
        if (r >= 0)
                return true;
        *ret_note = "its use cannot be recorded";
        return false;
}

static const char *why_not(const Run *run, CreditReason reason) {
        if (reason == CREDIT_NO_OVERRIDE && run->settings->command_line_unknown)
                return "the kernel's command line cannot be read";
        return credit_reason_to_string(reason);
}

/*
 * A seed that others have is no better where it was found a second time: as a credential of the
 * firmware that stands on the kernel's command line, too. Such places come first in each source.
 */
static void judge_origin(Run *run, CreditInput *credit) {
        const uint8_t *seed = run->batch.secret->bytes;
        const size_t length = run->batch.length;

        if (credit->origin == SEED_ORIGIN_IMAGE || credit->origin == SEED_ORIGIN_PUBLIC) {
                if (static_credit_leave(seed, length, &run->known_to_others) < 0)
                        run->others_unknown = true;
        } else if (static_credit_left(seed, length, &run->known_to_others))
                credit->origin = SEED_ORIGIN_PUBLIC;
        else if (run->others_unknown)
                credit->origin = SEED_ORIGIN_UNKNOWN;
}

/*
 * A seed's use is recorded before it is credited, and only if it would be credited: a seed that
 * is mixed in today may be credited when the doubt is gone.
 */
static void judge_seed(Run *run, CreditInput *credit, const char **ret_note) {
        const uint8_t *seed = run->batch.secret->bytes;
        const size_t length = run->batch.length;
        CreditInput best;
        StaticUse use;

        judge_origin(run, credit);
        credit->text = seed_is_text(seed, length);
        best = *credit;
        best.use = SEED_USE_FIRST;
        if (credit_per_1024(&best) == 0)
                return;
        if (static_credit_left(seed, length, &run->run_report->seeds)) {
                /* The same in two places, as a credential in SMBIOS and in /run/credentials. */
                credit->use = SEED_USE_AGAIN;
                *ret_note = "the same as another one";
                return;
        }
        use = static_credit_use(
                &run->static_credit,
                seed,
                length,
                run->settings->dry_run,
                ret_note);
        credit->use = use == STATIC_USE_FIRST     ? SEED_USE_FIRST
                      : use == STATIC_USE_UNKNOWN ? SEED_USE_UNKNOWN
                                                  : SEED_USE_AGAIN;
        if (credit_per_1024(credit) == 0)
                return;
        if (credit->use != SEED_USE_FIRST)
                *ret_note = "trust=always";
        if (run->settings->dry_run)
                return;
        if (!leave(run, ret_note))
                credit->use = SEED_USE_AGAIN;
}

static void judge_live(const Run *run, CreditInput *credit, const char **ret_note) {
        _cleanup_close_ int boot_fd = report_file_open_directory();
        const LiveMemory memory = {
                .state_directory = run->settings->state_directory,
                .boot_fd = boot_fd,
                .look_only = run->settings->dry_run,
        };

        if (live_memory_judge(&memory, &run->batch, credit) < 0)
                *ret_note = "that it came cannot be recorded";
}

static void dry_feed(Run *run, Channel *channel, CreditInput *credit, const char *note) {
        RunReportLine line = { .n_bytes = run->batch.length };
        HealthVerdict verdict =
                health_test(&channel->reader.health, run->batch.secret->bytes, run->batch.length);

        credit->healthy = verdict == HEALTH_PASS;
        credit->length_bytes = feeder_length_to_credit(&run->batch);
        credit->maybe_stale = credit->maybe_stale || credit->length_bytes == 0;
        line.credited_bits = credit_judge(credit).bits;
        if (!note && line.credited_bits == 0)
                note = why_not(run, credit_judge(credit).reason);
        (void)snprintf(line.note, sizeof(line.note), "%s", note ? note : "");
        add_line(run, channel, line);
        secret_wipe(run->batch.secret);
}

void run_feed(Run *run, Channel *channel) {
        CreditInput credit = credit_input(run, channel);
        const char *note = NULL;
        FeedReport report = {};
        RunReportLine line = {};
        int r;

        if (source_ops(channel->id)->seeds) {
                judge_seed(run, &credit, &note);
                /* Each seed by itself: what another one was like says nothing of it. */
                health_init(&channel->reader.health, credit_per_1024(&credit));
        }
        judge_live(run, &credit, &note);
        if (run->settings->dry_run) {
                dry_feed(run, channel, &credit, note);
                return;
        }

        r = feeder_feed(&run->feeder, &channel->reader.health, &run->batch, credit, true, &report);
        if (r == FEED_E_UNHEALTHY || r == FEED_E_BROKEN) {
                run_add_note(run, channel, run->counters.entries[channel->id].last_error);
                return;
        }
        if (r < 0) {
                run_add_note(run, channel, strerror(-r));
                return;
        }

        line.n_bytes = report.n_bytes;
        line.credited_bits = report.credited_bits;
        line.at_usec = clock_boottime_usec();
        if (!note && report.credited_bits == 0)
                note = why_not(run, report.reason);
        (void)snprintf(line.note, sizeof(line.note), "%s", note ? note : "");
        add_line(run, channel, line);
        run->credited_bits += report.credited_bits;
        run_note_ready(run);
}
