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

static void put_suite(
        FILE *stream,
        const char *path,
        const RuleResult *results,
        size_t n_results,
        size_t n_failed) {
        (void)fprintf(
                stream,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<testsuite name=\"entropy-monitor\" tests=\"%zu\" failures=\"%zu\">\n",
                n_results,
                n_failed);
        for (size_t i = 0; i < n_results; i++) {
                (void)fputs("  <testcase classname=\"", stream);
                markup_put(stream, path);
                (void)fprintf(stream, "\" name=\"%s\"", results[i].name);
                if (results[i].passed) {
                        (void)fputs("/>\n", stream);
                        continue;
                }
                (void)fputs(">\n    <failure message=\"", stream);
                markup_put(stream, results[i].message);
                (void)fputs("\"/>\n  </testcase>\n", stream);
        }
        (void)fputs("</testsuite>\n", stream);
}

static int write_junit(
        const char *junit,
        const char *path,
        const RuleResult *results,
        size_t n_results,
        size_t n_failed) {
        _cleanup_free_ char *text = NULL;
        size_t length = 0;
        FILE *stream;
        int r;

        stream = open_memstream(&text, &length);
        if (!stream)
                return EX_OSERR;
        put_suite(stream, path, results, n_results, n_failed);
        r = fclose(stream) != 0 ? -ENOMEM : io_write_atomic_at(AT_FDCWD, junit, 0644, text, length);
        if (r < 0) {
                (void)log_errno(LOG_ERR, r, "Cannot write %s", junit);
                return EX_CANTCREAT;
        }
        return 0;
}

int check_main(int argc, char *argv[]) {
        _cleanup_recording_ Recording recording = {};
        const char *junit = NULL, *path;
        size_t n_results, n_failed = 0;
        RuleResult results[RULES_MAX];
        Analysis analysis;
        Rules rules = {};
        int r;

        r = parse_arguments(argc, argv, &rules, &junit);
        if (r != 0)
                return r;
        path = input_path(argc, argv, optind);
        r = input_read(path, &recording);
        if (r != 0)
                return r;
        analysis_make(&recording, &analysis);
        n_results = rules_apply(&rules, &recording, &analysis, results);
        for (size_t i = 0; i < n_results; i++) {
                n_failed += !results[i].passed;
                (void)printf(
                        "%-6s %s: %s\n",
                        results[i].passed ? "ok" : "FAILED",
                        results[i].name,
                        results[i].message);
        }
        if (junit) {
                r = write_junit(junit, path, results, n_results, n_failed);
                if (r != 0)
                        return r;
        }
        return n_failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
