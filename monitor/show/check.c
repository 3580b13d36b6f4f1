/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "monitor/settings.h"
#include "monitor/show/input.h"
#include "monitor/show/markup.h"
#include "monitor/show/rules.h"
#include "monitor/show/verbs.h"

#define DAY_USEC (UINT64_C(86400) * USEC_PER_SEC)

static int set_rule(Rules *rules, int letter, const char *value) {
        switch (letter) {
        case 'r':
                rules->any_max_ready = true;
                return parse_usec(value, DAY_USEC, &rules->max_ready_usec);
        case 'b':
                rules->any_max_blocked = true;
                return parse_usec(value, DAY_USEC, &rules->max_blocked_usec);
        case 'l':
                rules->any_min_level = true;
                return parse_u32(value, 0, 4096, &rules->min_level_bits);
        case 'u':
                rules->no_uninitialized_reads = true;
                return 0;
        default:
                return -EINVAL;
        }
}

static int parse_arguments(int argc, char *argv[], Rules *rules, const char **ret_junit) {
        static const struct option long_options[] = {
                { "max-ready", required_argument, NULL, 'r' },
                { "max-blocked", required_argument, NULL, 'b' },
                { "min-level", required_argument, NULL, 'l' },
                { "no-uninitialized-reads", no_argument, NULL, 'u' },
                { "junit", required_argument, NULL, 'j' },
                {},
        };
        int letter, index;

        while ((letter = getopt_long(argc, argv, "", long_options, &index)) >= 0) {
                if (letter == '?')
                        return EX_USAGE;
                if (letter == 'j')
                        *ret_junit = optarg;
                else if (set_rule(rules, letter, optarg) < 0) {
                        log_error("--%s=%s is not understood", long_options[index].name, optarg);
                        return EX_USAGE;
                }
        }
        if (!rules->any_max_ready && !rules->any_max_blocked && !rules->any_min_level &&
            !rules->no_uninitialized_reads) {
                log_error("check needs a limit to check, see entropy-monitor(8)");
                return EX_USAGE;
        }
        return 0;
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
        const char *junit = NULL;
        Suite suite = {};
        Analysis analysis;
        Rules rules = {};
        int r;

        r = parse_arguments(argc, argv, &rules, &junit);
        if (r != 0)
                return r;
        suite.path = input_path(argc, argv, optind);
        r = input_read(suite.path, &recording);
        if (r != 0)
                return r;
        analysis_make(&recording, &analysis);
        suite.n_results = rules_apply(&rules, &recording, &analysis, suite.results);
        for (size_t i = 0; i < suite.n_results; i++) {
                const RuleResult *result = &suite.results[i];

                suite.n_failed += !result->passed;
                (void)printf(
                        "%-6s %s: %s\n",
                        result->passed ? "ok" : "FAILED",
                        result->name,
                        result->message);
        }
        r = junit ? write_junit(junit, &suite) : 0;
        if (r != 0)
                return r;
        return suite.n_failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
