/* SPDX-License-Identifier: MIT */
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

typedef enum Table {
        TABLE_SAMPLES,
        TABLE_STARTS,
        TABLE_EVENTS,
        TABLE_BLOCKED,
        _TABLE_MAX,
} Table;

static const SettingWord names[] = {
        { "samples", TABLE_SAMPLES },
        { "starts", TABLE_STARTS },
        { "events", TABLE_EVENTS },
        { "blocked", TABLE_BLOCKED },
        {},
};

typedef struct ExportOptions {
        Table table;
        SettingArguments recordings;
} ExportOptions;

static const Setting rows[] = {
        { "--csv[=TABLE]",
          "samples (default), starts, events or blocked",
          SETTING_AT(WORD, ExportOptions, table),
          .words = names,
          .value = TABLE_SAMPLES },
        OPTIONS_HELP,
        INPUT_RECORDINGS(ExportOptions, recordings, 1, "one recording"),
};

int export_main(int argc, char *argv[]) {
        static void (*const put[_TABLE_MAX])(const Recording *recording) = {
                [TABLE_SAMPLES] = put_samples,
                [TABLE_STARTS] = put_starts,
                [TABLE_EVENTS] = put_events,
                [TABLE_BLOCKED] = put_blocked,
        };
        const ConfigOptions table = { rows, ELEMENTSOF(rows) };
        _cleanup_recording_ Recording recording = {};
        ExportOptions options = { .table = _TABLE_MAX };
        int r;

        if (!options_read(&table, "export --csv[=TABLE] [RECORDING]", argc, argv, &options, &r))
                return r;
        if (options.table == _TABLE_MAX) {
                log_error("export needs a format: --csv, see entropy-monitor export --help");
                return EX_USAGE;
        }
        r = input_read(input_path(&options.recordings), &recording);
        if (r != 0)
                return r;
        put[options.table](&recording);
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EX_IOERR;
}
