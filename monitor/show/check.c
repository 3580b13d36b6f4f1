/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "monitor/options.h"
#include "monitor/show/input.h"
#include "monitor/show/markup.h"
#include "monitor/show/rules.h"
#include "monitor/show/verbs.h"

#define DAY_USEC (UINT64_C(86400) * USEC_PER_SEC)

typedef struct CheckOptions {
        const char *junit;
        Rules rules; /* not first: an origin at offset 0 is one that nobody asks for */
        SettingArguments recordings;
} CheckOptions;

#define AT(_type, _field) SETTING_AT(_type, CheckOptions, _field)
#define ORIGIN(_field)    .origin_offset = offsetof(CheckOptions, _field)

static const Setting rows[] = {
        { "--max-ready=TIME",
          "the RNG is ready by then",
          AT(USEC, rules.max_ready_usec),
          ORIGIN(rules.max_ready_origin),
          SETTING_RANGE(0, DAY_USEC) },
        { "--max-blocked=TIME",
          "no process is blocked for longer",
          AT(USEC, rules.max_blocked_usec),
          ORIGIN(rules.max_blocked_origin),
          SETTING_RANGE(0, DAY_USEC) },
        { "--min-level=BITS",
          "entropy_avail does not fall below it once ready",
          AT(U32, rules.min_level_bits),
          ORIGIN(rules.min_level_origin),
          SETTING_RANGE(0, 4096),
          .unit = " bits" },
        { "--no-uninitialized-reads",
          "no process reads before the RNG is ready",
          AT(BOOL, rules.no_uninitialized_reads) },
        { "--junit=FILE", "write the results to FILE, for a CI", AT(ARGUMENT, junit) },
        OPTIONS_HELP,
        INPUT_RECORDINGS(CheckOptions, recordings, 1, "one recording"),
};

static const ConfigOptions table = { rows, ELEMENTSOF(rows) };

static bool read_options(int argc, char *argv[], CheckOptions *options, int *ret_status) {
        const Rules *rules = &options->rules;

        if (!options_read(&table, "check LIMIT... [RECORDING]", argc, argv, options, ret_status))
                return false;
        if (rules->max_ready_origin || rules->max_blocked_origin || rules->min_level_origin ||
            rules->no_uninitialized_reads)
                return true;
        log_error("check needs a limit to check, see entropy-monitor check --help");
        *ret_status = EX_USAGE;
        return false;
}

typedef struct Suite {
        const char *path; /* of the recording */
        RuleResult results[RULES_MAX];
        size_t n_results, n_failed;
} Suite;

static void put_suite(FILE *stream, const Suite *suite) {
        (void)fprintf(
                stream,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<testsuite name=\"entropy-monitor\" tests=\"%zu\" failures=\"%zu\">\n",
                suite->n_results,
                suite->n_failed);
        for (size_t i = 0; i < suite->n_results; i++) {
                (void)fputs("  <testcase classname=\"", stream);
                markup_put(stream, suite->path);
                (void)fprintf(stream, "\" name=\"%s\"", suite->results[i].name);
                if (suite->results[i].passed) {
                        (void)fputs("/>\n", stream);
                        continue;
                }
                (void)fputs(">\n    <failure message=\"", stream);
                markup_put(stream, suite->results[i].message);
                (void)fputs("\"/>\n  </testcase>\n", stream);
        }
        (void)fputs("</testsuite>\n", stream);
}

static int write_junit(const char *path, const Suite *suite) {
        _cleanup_free_ char *text = NULL;
        size_t length = 0;
        FILE *stream;
        int r;

        stream = open_memstream(&text, &length);
        if (!stream)
                return EX_OSERR;
        put_suite(stream, suite);
        r = fclose(stream) != 0 ? -ENOMEM : io_write_atomic_at(AT_FDCWD, path, 0644, text, length);
        if (r < 0) {
                (void)log_errno(LOG_ERR, r, "Cannot write %s", path);
                return EX_CANTCREAT;
        }
        return 0;
}

int check_main(int argc, char *argv[]) {
        _cleanup_recording_ Recording recording = {};
        CheckOptions options = {};
        Suite suite = {};
        Analysis analysis;
        int r;

        if (!read_options(argc, argv, &options, &r))
                return r;
        suite.path = input_path(&options.recordings);
        r = input_read(suite.path, &recording);
        if (r != 0)
                return r;
        analysis_make(&recording, &analysis);
        suite.n_results = rules_apply(&options.rules, &recording, &analysis, suite.results);
        for (size_t i = 0; i < suite.n_results; i++) {
                const RuleResult *result = &suite.results[i];

                suite.n_failed += !result->passed;
                (void)printf(
                        "%-6s %s: %s\n",
                        result->passed ? "ok" : "FAILED",
                        result->name,
                        result->message);
        }
        r = options.junit ? write_junit(options.junit, &suite) : 0;
        if (r != 0)
                return r;
        return suite.n_failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
