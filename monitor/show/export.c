/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "lib/base/log.h"
#include "monitor/show/input.h"
#include "monitor/show/verbs.h"

static double seconds(uint64_t usec) {
        return (double)usec / 1e6;
}

/* Quoted as in RFC 4180. A spreadsheet would take a text that begins with = + - @ for a formula,
 * so it gets an apostrophe. */
static void put_field(const char *text) {
        (void)putchar('"');
        if (*text && strchr("=+-@", *text))
                (void)putchar('\'');
        for (; *text; text++) {
                if (*text == '"')
                        (void)putchar('"');
                (void)putchar(*text);
        }
        (void)putchar('"');
}

static void put_samples(const Recording *recording) {
        (void)puts("seconds,minimum_bits,maximum_bits");
        for (size_t i = 0; i < recording->n_samples; i++)
                (void)printf(
                        "%.6f,%" PRIu64 ",%" PRIu64 "\n",
                        seconds(recording->at_usec[i]),
                        recording->minimum_bits[i],
                        recording->maximum_bits[i]);
}

static void put_starts(const Recording *recording) {
        (void)puts("seconds,execs,forks");
        for (size_t i = 0; i < recording->n_starts; i++)
                (void)printf(
                        "%.6f,%" PRIu64 ",%" PRIu64 "\n",
                        seconds(recording->starts_from_usec + i * recording->starts_interval_usec),
                        recording->execs[i],
                        recording->forks[i]);
}

static void put_events(const Recording *recording) {
        (void)puts("seconds,kind,text");
        for (size_t i = 0; i < recording->n_events; i++) {
                const Event *event = &recording->events[i];

                (void)printf(
                        "%.6f,%s,",
                        seconds(event->at_usec),
                        event_kind_to_string(event->kind));
                put_field(event->text);
                (void)putchar('\n');
        }
}

static void put_blocked(const Recording *recording) {
        (void)puts("from_seconds,to_seconds,pid,jitter,name");
        for (size_t i = 0; i < recording->n_blocked; i++) {
                const BlockedSpan *span = &recording->blocked[i];

                (void)printf("%.6f,%.6f,", seconds(span->from_usec), seconds(span->to_usec));
                (void)printf("%d,%d,", (int)span->pid, span->jitter);
                put_field(span->name);
                (void)putchar('\n');
        }
}

static const struct {
        const char *name;
        void (*put)(const Recording *recording);
} tables[] = {
        { "samples", put_samples },
        { "starts", put_starts },
        { "events", put_events },
        { "blocked", put_blocked },
};

static int parse_arguments(int argc, char *argv[], size_t *ret_table) {
        static const struct option long_options[] = {
                { "csv", optional_argument, NULL, 'c' },
                {},
        };
        bool any = false;
        int letter;

        *ret_table = 0;
        while ((letter = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
                if (letter != 'c')
                        return EX_USAGE;
                any = true;
                for (size_t i = 0; optarg && i <= ELEMENTSOF(tables); i++) {
                        if (i == ELEMENTSOF(tables)) {
                                log_error("--csv=%s: there is no such table", optarg);
                                return EX_USAGE;
                        }
                        if (strcmp(tables[i].name, optarg) == 0) {
                                *ret_table = i;
                                break;
                        }
                }
        }
        if (!any)
                log_error("export needs a format: --csv, see entropy-monitor(8)");
        return any ? 0 : EX_USAGE;
}

int export_main(int argc, char *argv[]) {
        _cleanup_recording_ Recording recording = {};
        size_t table;
        int r;

        r = parse_arguments(argc, argv, &table);
        if (r == 0)
                r = input_read(input_path(argc, argv, optind), &recording);
        if (r != 0)
                return r;
        tables[table].put(&recording);
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EX_IOERR;
}
