/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "lib/base/log.h"
#include "monitor/show/analysis.h"
#include "monitor/show/input.h"
#include "monitor/show/verbs.h"

/* What changes by less is the same boot again. */
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
        double a, b; /* NAN: not known */
} Row;

static double msec(bool known, uint64_t usec) {
        return known ? (double)usec / 1e3 : (double)NAN;
}

static const char *judge(const Row *row) {
        double change = row->b - row->a;

        if (isnan(row->a) && isnan(row->b))
                return "";
        /* A time that only one of them has: the other never got there. */
        if (isnan(row->a) || isnan(row->b))
                return row->wish == WISH_NONE ? "" : isnan(row->b) ? "worse" : "better";
        if (fabs(change) <= NOISE_FRACTION * MAX(fabs(row->a), fabs(row->b)))
                return "=";
        if (row->wish == WISH_NONE)
                return "";
        return (change < 0) == (row->wish == WISH_LESS) ? "better" : "worse";
}

static void print_value(double value, const char *missing) {
        if (isnan(value))
                (void)printf("%14s", missing);
        else
                (void)printf("%14.1f", value);
}

static void print_row(const Row *row) {
        (void)printf("%-28s%-8s", row->what, row->unit);
        print_value(row->a, "-");
        print_value(row->b, "-");
        if (isnan(row->a) || isnan(row->b))
                (void)printf("%12s", "");
        else
                (void)printf("%+12.1f", row->b - row->a);
        (void)printf("  %s\n", judge(row));
}

static void print_table(const Analysis *a, const Analysis *b) {
        const Row rows[] = {
                { "ready",
                  "ms",
                  WISH_LESS,
                  msec(a->ready_time_known, a->ready_usec),
                  msec(b->ready_time_known, b->ready_usec) },
                { "processes blocked", "", WISH_LESS, (double)a->n_blocked, (double)b->n_blocked },
                { "longest blocked",
                  "ms",
                  WISH_LESS,
                  msec(true, a->longest_blocked_usec),
                  msec(true, b->longest_blocked_usec) },
                { "uninitialised reads",
                  "",
                  WISH_LESS,
                  (double)a->n_uninitialized_reads,
                  (double)b->n_uninitialized_reads },
                { "lowest level, once ready",
                  "bits",
                  WISH_MORE,
                  a->any_lowest ? (double)a->lowest_bits : (double)NAN,
                  b->any_lowest ? (double)b->lowest_bits : (double)NAN },
                { "starved",
                  "ms",
                  WISH_LESS,
                  msec(true, a->below_usec),
                  msec(true, b->below_usec) },
                { "fill rate, idle",
                  "bit/s",
                  WISH_NONE,
                  rate_of(a->idle.fill_bits, a->idle.usec),
                  rate_of(b->idle.fill_bits, b->idle.usec) },
                { "drain rate, idle",
                  "bit/s",
                  WISH_NONE,
                  rate_of(a->idle.drain_bits, a->idle.usec),
                  rate_of(b->idle.drain_bits, b->idle.usec) },
                { "process starts", "1/s", WISH_NONE, a->starts_per_sec, b->starts_per_sec },
                { "boot finished",
                  "ms",
                  WISH_LESS,
                  msec(a->boot_finished_usec > 0, a->boot_finished_usec),
                  msec(b->boot_finished_usec > 0, b->boot_finished_usec) },
        };

        (void)printf("%-36s%14s%14s%12s\n", "", "A", "B", "B - A");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                print_row(&rows[i]);
}

int compare_main(int argc, char *argv[]) {
        _cleanup_recording_ Recording first = {}, second = {};
        Analysis a, b;
        int r;

        if (argc != 3 || argv[1][0] == '\0') {
                log_error("compare takes two recordings, see entropy-monitor(8)");
                return EX_USAGE;
        }
        r = input_read(argv[1], &first);
        if (r == 0)
                r = input_read(argv[2], &second);
        if (r != 0)
                return r;
        analysis_make(&first, &a);
        analysis_make(&second, &b);
        (void)printf(
                "A  %s: %s, %s\nB  %s: %s, %s\n\n",
                argv[1],
                first.kernel,
                ready_cause_to_string(a.cause),
                argv[2],
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
