/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "lib/base/log.h"
#include "monitor/show/analysis.h"
#include "monitor/show/input.h"
#include "monitor/show/verbs.h"
#include "monitor/show/verdict.h"

#define LIST_MAX 12U

static void line(const char *label, const char *format, ...) _printf_(2, 3);

static void line(const char *label, const char *format, ...) {
        va_list args;

        (void)printf("%-18s", label);
        va_start(args, format);
        (void)vprintf(format, args); // NOLINT(clang-analyzer-valist.*)
        va_end(args);
        (void)putchar('\n');
}

static double seconds(uint64_t usec) {
        return (double)usec / 1e6;
}

static void print_head(const Recording *recording, const Analysis *analysis) {
        line("Kernel", "%s (%s)", recording->kernel, recording->machine);
        line("RNG model",
             "%s, %u bits",
             refill_model_to_string(recording->model),
             recording->pool_bits);
        line("Recorded",
             "%s from %.3f s on, every %s%s, %s",
             FORMAT_USEC(analysis->recorded_usec),
             seconds(recording->started_usec),
             FORMAT_USEC(recording->interval_usec),
             recording->thinnings > 0 ? " (thinned)" : "",
             recording->first_process ? "by the first process" : "on a running system");
        line("Hardware RNG", "%s", recording->hwrng[0] ? recording->hwrng : "none");
}

static void print_ready(const Recording *recording, const Analysis *analysis) {
        if (!analysis->ready)
                line("Ready", "NOT within the recording");
        else if (analysis->ready_time_known)
                line("Ready",
                     "at %s%s, by %s",
                     FORMAT_USEC(analysis->ready_usec),
                     recording->ready_at_start ? " (the kernel's log)" : "",
                     ready_cause_to_string(analysis->cause));
        else
                line("Ready", "before the recording began");
}

static void print_rates(const char *label, const Rates *rates) {
        if (rates->usec > 0)
                line(label,
                     "+%.1f bit/s, -%.1f bit/s (over %s)",
                     rate_of(rates->fill_bits, rates->usec),
                     rate_of(rates->drain_bits, rates->usec),
                     FORMAT_USEC(rates->usec));
}

static void print_level(const Recording *recording, const Analysis *analysis) {
        if (!analysis->any_level) {
                line("Level", "not recorded");
                return;
        }
        line("Level (bits)",
             "%u at the start, %u at the end; lowest%s %u at %s",
             analysis->first_bits,
             analysis->last_bits,
             analysis->ready ? " once ready" : "",
             analysis->lowest_bits,
             FORMAT_USEC(analysis->lowest_at_usec));
        if (recording->model == RANDOM_MODEL_COUNTING)
                line("Starved",
                     "%s below the threshold (%u at the start)",
                     FORMAT_USEC(analysis->below_usec),
                     recording->threshold_bits);
        else
                line("Starved", "%s recorded before ready", FORMAT_USEC(analysis->below_usec));
        print_rates("Rates, idle", &analysis->idle);
        print_rates("Rates, loaded", &analysis->loaded);
}

static void print_credits(const Analysis *analysis) {
        if (analysis->n_credits == 0)
                line("Credited", "nothing by rngd or entropy-seeder");
        for (size_t i = 0; i < analysis->n_credits; i++) {
                const Credit *credit = &analysis->credits[i];

                line(i == 0 ? "Credited" : "",
                     "%s: %" PRIu64 " B, +%" PRIu64 " bits%s%s",
                     credit->who,
                     credit->bytes,
                     credit->bits,
                     credit->at_usec > 0 ? " at " : "",
                     credit->at_usec > 0 ? FORMAT_USEC(credit->at_usec) : "");
        }
}

static void print_blocked(const Recording *recording) {
        if (recording->n_blocked == 0)
                line("Blocked", "nobody");
        for (size_t i = 0; i < recording->n_blocked && i < LIST_MAX; i++) {
                const BlockedSpan *span = &recording->blocked[i];

                line(i == 0 ? "Blocked" : "",
                     "%s (pid %d) for %s from %.3f s on%s%s",
                     span->name,
                     (int)span->pid,
                     FORMAT_USEC(blocked_usec(span)),
                     seconds(span->from_usec),
                     span->jitter ? ", running the kernel's jitter loop" : "",
                     span->open ? ", to the end" : "");
        }
        if (recording->n_blocked > LIST_MAX)
                line("", "and %zu more", recording->n_blocked - LIST_MAX);
}

static void print_uninitialized(const Recording *recording, const Analysis *analysis) {
        size_t shown = 0;

        for (size_t i = 0; i < recording->n_events && shown < LIST_MAX; i++) {
                const Event *event = &recording->events[i];

                if (event->kind == EVENT_UNINITIALIZED_READ)
                        line(shown++ == 0 ? "Early reads" : "",
                             "%s at %.3f s",
                             event->text,
                             seconds(event->at_usec));
        }
        if (analysis->n_vm_forks > 0)
                line("VM forks", "%zu", analysis->n_vm_forks);
}

static void print_starts(const Recording *recording, const Analysis *analysis) {
        if (strcmp(recording->starts_source, STARTS_SOURCE_NONE) == 0)
                line("Process starts", "not recorded");
        else
                line("Process starts",
                     "%" PRIu64 ", %.1f per second, at most %.0f within one",
                     analysis->n_starts,
                     analysis->starts_per_sec,
                     analysis->most_starts_per_sec);
}

static void print_own(const Recording *recording, const Analysis *analysis) {
        double share = analysis->recorded_usec > 0
                               ? (double)recording->cpu_usec / (double)analysis->recorded_usec
                               : 0;

        line("The monitor took",
             "%.2f %% of a core, %" PRIu64 " page faults, %" PRIu64 " KiB%s",
             100.0 * share,
             recording->page_faults,
             recording->memory_bytes / 1024,
             recording->lost > 0 ? "; SOME EVENTS WERE LOST" : "");
}

int report_main(int argc, char *argv[]) {
        _cleanup_recording_ Recording recording = {};
        char verdict[VERDICT_MAX];
        InputOptions options = {};
        const char *help;
        Analysis analysis;
        int r;

        if (!input_read_options("report [RECORDING]", argc, argv, &options, &r))
                return r;
        if (options.recordings.n > 1) {
                log_error("report takes one recording, see entropy-monitor(8)");
                return EX_USAGE;
        }
        r = input_read(input_path(&options.recordings), &recording);
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
