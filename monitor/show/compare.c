/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "lib/base/log.h"
#include "monitor/show/analysis.h"
#include "monitor/show/input.h"
#include "monitor/show/verbs.h"

/* Smaller differences are noise. */
#define NOISE_FRACTION 0.02

typedef enum Wish {
        WISH_LESS,
        WISH_MORE,
        WISH_NONE,
} Wish;

typedef struct Row {
        const char *what;
        const char *unit;
        Wish wish;
} Row;

/* NAN: not known. */
static double msec(bool known, uint64_t usec) {
        return known ? (double)usec / 1e3 : (double)NAN;
}

static const char *judge(Wish wish, double a, double b) {
        if (isnan(a) && isnan(b))
                return "";
        /* If only one has the time, the other boot never got that far. */
        if (isnan(a) || isnan(b))
                return wish == WISH_NONE ? "" : isnan(b) ? "worse" : "better";
        if (fabs(b - a) <= NOISE_FRACTION * MAX(fabs(a), fabs(b)))
                return "=";
        if (wish == WISH_NONE)
                return "";
        return (b < a) == (wish == WISH_LESS) ? "better" : "worse";
}

static void print_value(double value) {
        if (isnan(value))
                (void)printf("%14s", "-");
        else
                (void)printf("%14.1f", value);
}

static void print_row(const Row *row, double a, double b) {
        (void)printf("%-28s%-8s", row->what, row->unit);
        print_value(a);
        print_value(b);
        if (isnan(a) || isnan(b))
                (void)printf("%12s", "");
        else
                (void)printf("%+12.1f", b - a);
        (void)printf("  %s\n", judge(row->wish, a, b));
}

typedef enum Value {
        VALUE_READY,
        VALUE_BLOCKED,
        VALUE_LONGEST_BLOCKED,
        VALUE_UNINITIALIZED_READS,
        VALUE_LOWEST,
        VALUE_STARVED,
        VALUE_FILL_RATE,
        VALUE_DRAIN_RATE,
        VALUE_STARTS,
        VALUE_BOOT_FINISHED,
        _VALUE_MAX,
} Value;

static void take_values(const Analysis *analysis, double ret_values[static _VALUE_MAX]) {
        const Rates *idle = &analysis->idle;
        uint64_t finished_usec = analysis->boot_finished_usec;

        ret_values[VALUE_READY] = msec(analysis->ready_time_known, analysis->ready_usec);
        ret_values[VALUE_BLOCKED] = (double)analysis->n_blocked;
        ret_values[VALUE_LONGEST_BLOCKED] = msec(true, analysis->longest_blocked_usec);
        ret_values[VALUE_UNINITIALIZED_READS] = (double)analysis->n_uninitialized_reads;
        ret_values[VALUE_LOWEST] = analysis->any_lowest ? analysis->lowest_bits : (double)NAN;
        ret_values[VALUE_STARVED] = msec(true, analysis->below_usec);
        ret_values[VALUE_FILL_RATE] = rate_of(idle->fill_bits, idle->usec);
        ret_values[VALUE_DRAIN_RATE] = rate_of(idle->drain_bits, idle->usec);
        ret_values[VALUE_STARTS] = analysis->starts_per_sec;
        ret_values[VALUE_BOOT_FINISHED] = msec(finished_usec > 0, finished_usec);
}

static void print_table(const Analysis *first, const Analysis *second) {
        static const Row rows[_VALUE_MAX] = {
                [VALUE_READY] = { "ready", "ms", WISH_LESS },
                [VALUE_BLOCKED] = { "processes blocked", "", WISH_LESS },
                [VALUE_LONGEST_BLOCKED] = { "longest blocked", "ms", WISH_LESS },
                [VALUE_UNINITIALIZED_READS] = { "uninitialised reads", "", WISH_LESS },
                [VALUE_LOWEST] = { "lowest level, once ready", "bits", WISH_MORE },
                [VALUE_STARVED] = { "starved", "ms", WISH_LESS },
                [VALUE_FILL_RATE] = { "fill rate, idle", "bit/s", WISH_NONE },
                [VALUE_DRAIN_RATE] = { "drain rate, idle", "bit/s", WISH_NONE },
                [VALUE_STARTS] = { "process starts", "1/s", WISH_NONE },
                [VALUE_BOOT_FINISHED] = { "boot finished", "ms", WISH_LESS },
        };
        double a[_VALUE_MAX], b[_VALUE_MAX];

        take_values(first, a);
        take_values(second, b);
        (void)printf("%-36s%14s%14s%12s\n", "", "A", "B", "B - A");
        for (Value value = 0; value < _VALUE_MAX; value++)
                print_row(&rows[value], a[value], b[value]);
}

int compare_main(int argc, char *argv[]) {
        _cleanup_recording_ Recording first = {}, second = {};
        InputOptions options = {};
        const char *const *paths = options.recordings.list;
        Analysis a, b;
        int r;

        if (!input_read_options("compare A B", argc, argv, &options, &r))
                return r;
        if (options.recordings.n != 2) {
                log_error("compare takes two recordings, see entropy-monitor(8)");
                return EX_USAGE;
        }
        r = input_read(paths[0], &first);
        if (r == 0)
                r = input_read(paths[1], &second);
        if (r != 0)
                return r;
        analysis_make(&first, &a);
        analysis_make(&second, &b);
        (void)printf(
                "A  %s: %s, %s\nB  %s: %s, %s\n\n",
                paths[0],
                first.kernel,
                ready_cause_to_string(a.cause),
                paths[1],
                second.kernel,
                ready_cause_to_string(b.cause));
        if (first.model != second.model)
                (void)printf(
                        "The kernels are of different models (%s, %s): levels do not compare.\n\n",
                        refill_model_to_string(first.model),
                        refill_model_to_string(second.model));
        print_table(&a, &b);
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EX_IOERR;
}
