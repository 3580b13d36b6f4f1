/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "monitor/show/analysis.h"
#include "monitor/show/input.h"
#include "monitor/show/verbs.h"
#include "monitor/show/verdict.h"

#define LIST_MAX 12U

static void line(const char *label, const char *value) {
        (void)printf("%-18s%s\n", label, value);
}

static void print_head(const Recording *recording, const Analysis *analysis) {
        char text[320], length[FORMAT_USEC_MAX], interval[FORMAT_USEC_MAX];

        format_usec(analysis->recorded_usec, length);
        format_usec(recording->interval_usec, interval);
        (void)snprintf(text, sizeof(text), "%s (%s)", recording->kernel, recording->machine);
        line("Kernel", text);
        (void)snprintf(
                text,
                sizeof(text),
                "%s, %u bits",
                refill_model_to_string(recording->model),
                recording->pool_bits);
        line("RNG model", text);
        (void)snprintf(
                text,
                sizeof(text),
                "%s from %.3f s on, every %s%s, %s",
                length,
                (double)recording->started_usec / 1e6,
                interval,
                recording->thinnings > 0 ? " (thinned)" : "",
                recording->first_process ? "by the first process" : "on a running system");
        line("Recorded", text);
        line("Hardware RNG", recording->hwrng[0] ? recording->hwrng : "none");
}

static void print_ready(const Recording *recording, const Analysis *analysis) {
        char text[320], at[FORMAT_USEC_MAX];

        format_usec(analysis->ready_usec, at);
        if (!analysis->ready)
                (void)snprintf(text, sizeof(text), "NOT within the recording");
        else if (analysis->ready_time_known)
                (void)snprintf(
                        text,
                        sizeof(text),
                        "at %s%s, by %s",
                        at,
                        recording->ready_at_start ? " (the kernel's log)" : "",
                        ready_cause_to_string(analysis->cause));
        else
                (void)snprintf(text, sizeof(text), "before the recording began");
        line("Ready", text);
}

static void print_rates(const char *label, const Rates *rates) {
        char text[128], length[FORMAT_USEC_MAX];

        if (rates->usec == 0)
                return;
        format_usec(rates->usec, length);
        (void)snprintf(
                text,
                sizeof(text),
                "+%.1f bit/s, -%.1f bit/s (over %s)",
                rate_of(rates->fill_bits, rates->usec),
                rate_of(rates->drain_bits, rates->usec),
                length);
        line(label, text);
}

static void print_level(const Recording *recording, const Analysis *analysis) {
        char text[160], at[FORMAT_USEC_MAX];

        if (!analysis->any_level) {
                line("Level", "not recorded");
                return;
        }
        format_usec(analysis->lowest_at_usec, at);
        (void)snprintf(
                text,
                sizeof(text),
                "%u at the start, %u at the end; lowest%s %u at %s",
                analysis->first_bits,
                analysis->last_bits,
                analysis->ready ? " once ready" : "",
                analysis->lowest_bits,
                at);
        line("Level (bits)", text);
        format_usec(analysis->below_usec, at);
        if (recording->model == RANDOM_MODEL_COUNTING)
                (void)snprintf(
                        text,
                        sizeof(text),
                        "%s below the threshold (%u at the start)",
                        at,
                        recording->threshold_bits);
        else
                (void)snprintf(text, sizeof(text), "%s recorded before ready", at);
        line("Starved", text);
        print_rates("Rates, idle", &analysis->idle);
        print_rates("Rates, loaded", &analysis->loaded);
}

static void print_credits(const Analysis *analysis) {
        char text[160], at[FORMAT_USEC_MAX];

        if (analysis->n_credits == 0)
                line("Credited", "nothing by rngd or entropy-seeder");
        for (size_t i = 0; i < analysis->n_credits; i++) {
                const Credit *credit = &analysis->credits[i];

                format_usec(credit->at_usec, at);
                (void)snprintf(
                        text,
                        sizeof(text),
                        "%s: %" PRIu64 " B, +%" PRIu64 " bits%s%s",
                        credit->who,
                        credit->bytes,
                        credit->bits,
                        credit->at_usec > 0 ? " at " : "",
                        credit->at_usec > 0 ? at : "");
                line(i == 0 ? "Credited" : "", text);
        }
}

static void print_blocked(const Recording *recording) {
        char text[160], length[FORMAT_USEC_MAX];

        if (recording->n_blocked == 0)
                line("Blocked", "nobody");
        for (size_t i = 0; i < recording->n_blocked && i < LIST_MAX; i++) {
                const BlockedSpan *span = &recording->blocked[i];

                format_usec(blocked_usec(span), length);
                (void)snprintf(
                        text,
                        sizeof(text),
                        "%s (pid %d) for %s from %.3f s on%s%s",
                        span->name,
                        (int)span->pid,
                        length,
                        (double)span->from_usec / 1e6,
                        span->jitter ? ", running the kernel's jitter loop" : "",
                        span->open ? ", to the end" : "");
                line(i == 0 ? "Blocked" : "", text);
        }
        if (recording->n_blocked > LIST_MAX) {
                (void)snprintf(text, sizeof(text), "and %zu more", recording->n_blocked - LIST_MAX);
                line("", text);
        }
}

static void print_uninitialized(const Recording *recording, const Analysis *analysis) {
        size_t shown = 0;
        char text[160];

        for (size_t i = 0; i < recording->n_events && shown < LIST_MAX; i++) {
                const Event *event = &recording->events[i];

                if (event->kind != EVENT_UNINITIALIZED_READ)
                        continue;
                (void)snprintf(
                        text,
                        sizeof(text),
                        "%s at %.3f s",
                        event->text,
                        (double)event->at_usec / 1e6);
                line(shown++ == 0 ? "Early reads" : "", text);
        }
        if (analysis->n_vm_forks > 0) {
                (void)snprintf(text, sizeof(text), "%zu", analysis->n_vm_forks);
                line("VM forks", text);
        }
}

static void print_starts(const Recording *recording, const Analysis *analysis) {
        char text[128];

        if (strcmp(recording->starts_source, STARTS_SOURCE_NONE) == 0) {
                line("Process starts", "not recorded");
                return;
        }
        (void)snprintf(
                text,
                sizeof(text),
                "%" PRIu64 ", %.1f per second, at most %.0f within one",
                analysis->n_starts,
                analysis->starts_per_sec,
                analysis->most_starts_per_sec);
        line("Process starts", text);
}

static void print_own(const Recording *recording, const Analysis *analysis) {
        char text[160];

        (void)snprintf(
                text,
                sizeof(text),
                "%.2f %% of a core, %" PRIu64 " page faults, %" PRIu64 " KiB%s",
                analysis->recorded_usec > 0
                        ? 100.0 * (double)recording->cpu_usec / (double)analysis->recorded_usec
                        : 0,
                recording->page_faults,
                recording->memory_bytes / 1024,
                recording->lost > 0 ? "; SOME EVENTS WERE LOST" : "");
        line("The monitor took", text);
}

int report_main(int argc, char *argv[]) {
        _cleanup_recording_ Recording recording = {};
        char verdict[VERDICT_MAX];
        const char *help;
        Analysis analysis;
        int r;

        if (argc > 2 || (argc == 2 && argv[1][0] == '-' && argv[1][1])) {
                log_error("report takes one recording, see entropy-monitor(8)");
                return EX_USAGE;
        }
        r = input_read(input_path(argc, argv, 1), &recording);
        if (r != 0)
                return r;
        analysis_make(&recording, &analysis);
        print_head(&recording, &analysis);
        print_ready(&recording, &analysis);
        print_level(&recording, &analysis);
        print_credits(&analysis);
        print_blocked(&recording);
        print_uninitialized(&recording, &analysis);
        print_starts(&recording, &analysis);
        print_own(&recording, &analysis);
        help = verdict_of(&recording, &analysis, verdict);
        (void)printf("\n%s\n%s%s", verdict, help ? help : "", help ? "\n" : "");
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EX_IOERR;
}
