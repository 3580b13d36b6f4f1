/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "monitor/show/analysis.h"
#include "monitor/show/rules.h"
#include "monitor/show/verdict.h"
#include "monitor/status/seeded.h"
#include "tests/unit/harness.h"
#include "tests/unit/monitor-sample.h"

static Recording recording;
static Analysis analysis;

static void load(const char *text) {
        char error[RECORDING_ERROR_MAX] = "";

        recording_free(&recording);
        CU_ASSERT_EQUAL_FATAL(recording_parse(text, strlen(text), &recording, error), 0);
        analysis_make(&recording, &analysis);
}

static void teardown(void) {
        recording_free(&recording);
}

static void test_numbers(void) {
        load(SAMPLE);
        CU_ASSERT_EQUAL(analysis.recorded_usec, 4000000);
        CU_ASSERT(analysis.ready && analysis.ready_time_known);
        CU_ASSERT_EQUAL(analysis.first_bits, 10);
        CU_ASSERT_EQUAL(analysis.last_bits, 1500);
        /* From ready on: the 10 bits before do not count. */
        CU_ASSERT_EQUAL(analysis.lowest_bits, 500);
        CU_ASSERT_EQUAL(analysis.lowest_at_usec, 3000000);
        /* 10 bits for a second and 500 for two, under a threshold of 896. */
        CU_ASSERT_EQUAL(analysis.below_usec, 3000000);
        CU_ASSERT_EQUAL(analysis.n_blocked, 1);
        CU_ASSERT_EQUAL(analysis.longest_blocked_usec, 500000);
        CU_ASSERT_EQUAL(analysis.n_uninitialized_reads, 1);
        CU_ASSERT_EQUAL(analysis.init_usec, 900000);
        CU_ASSERT_EQUAL(analysis.n_starts, 19);
        CU_ASSERT_DOUBLE_EQUAL(analysis.starts_per_sec, 4.75, 0.001);
        CU_ASSERT_DOUBLE_EQUAL(analysis.most_starts_per_sec, 18, 0.001);
}

/* Nine starts in half a second are load; the rest is idle. */
static void test_rates(void) {
        load(SAMPLE);
        CU_ASSERT_EQUAL(analysis.idle.usec + analysis.loaded.usec, 4000000);
        CU_ASSERT(analysis.loaded.usec >= 1000000 && analysis.loaded.usec < 4000000);
        CU_ASSERT_DOUBLE_EQUAL(analysis.idle.fill_bits + analysis.loaded.fill_bits, 1990, 0.001);
        CU_ASSERT_DOUBLE_EQUAL(analysis.idle.drain_bits + analysis.loaded.drain_bits, 500, 0.001);
        CU_ASSERT_DOUBLE_EQUAL(rate_of(10, 2000000), 5, 0.001);
        CU_ASSERT_DOUBLE_EQUAL(rate_of(10, 0), 0, 0.001);
}

#define SAMPLE_EVENTS_OF(events) \
        SAMPLE_WITH(SAMPLE_RNG, SAMPLE_SAMPLES, SAMPLE_STARTS, "\"blocked\": []", events, "")
#define SAMPLE_REPORTS_OF(run_reports) \
        SAMPLE_WITH(                   \
                SAMPLE_RNG,            \
                SAMPLE_SAMPLES,        \
                SAMPLE_STARTS,         \
                "\"blocked\": []",     \
                SAMPLE_EVENTS,         \
                run_reports)

static void test_threshold(void) {
        /* Lowered to 100 before the level of 500 came: only the first second was below. */
        load(SAMPLE_EVENTS_OF(
                "\"events\": [{\"at_usec\": 2500000, \"kind\": \"threshold\", \"text\": \"100\"}]"));
        CU_ASSERT_EQUAL(analysis.below_usec, 1000000);
}

static void test_cause(void) {
        load(SAMPLE);
        CU_ASSERT_EQUAL(analysis.cause, READY_CAUSE_JITTER);
        load(SAMPLE_EVENTS_OF(
                "\"events\": [{\"at_usec\": 1950000, \"kind\": \"hwrng\", \"text\": \"v\"}]"));
        CU_ASSERT_EQUAL(analysis.cause, READY_CAUSE_HWRNG);
        load(SAMPLE_EVENTS_OF(
                "\"events\": [{\"at_usec\": 1950000, \"kind\": \"hwrng\", \"text\": \"none\"}]"));
        CU_ASSERT_EQUAL(analysis.cause, READY_CAUSE_UNKNOWN);
        load(SAMPLE_EVENTS_OF(
                "\"events\": [{\"at_usec\": 3000000, \"kind\": \"init-started\", \"text\": \"x\"}]"));
        CU_ASSERT_EQUAL(analysis.cause, READY_CAUSE_KERNEL);
        load(SAMPLE_REPORTS_OF("\"seeder\": {\"sources\": [{\"name\": \"config-drive\", \"bytes\": "
                               "512, \"credited_bits\": 512, \"at_usec\": 1990000}]}"));
        CU_ASSERT_EQUAL(analysis.cause, READY_CAUSE_SEEDER);
        CU_ASSERT_EQUAL(analysis.n_credits, 1);
        CU_ASSERT_STRING_EQUAL(analysis.credits[0].who, "seeder config-drive");
        load(SAMPLE_REPORTS_OF("\"seeder\": {\"sources\": []}, \"seeder-2\": {\"sources\": "
                               "[{\"name\": \"metadata\", \"bytes\": 512, \"credited_bits\": "
                               "512, \"at_usec\": 1990000}]}"));
        CU_ASSERT_EQUAL(analysis.cause, READY_CAUSE_SEEDER);
        CU_ASSERT_STRING_EQUAL(analysis.credits[0].who, "seeder-2 metadata");
        load(SAMPLE_REPORTS_OF(
                "\"rngd\": {\"sources\": [{\"name\": \"hwrng\", \"bytes\": 64}, 7, {}], "
                "\"last_feed\": {\"source\": \"hwrng\", \"bytes\": 64, \"credited_bits\": 512, "
                "\"at_usec\": 2000500}}"));
        CU_ASSERT_EQUAL(analysis.cause, READY_CAUSE_RNGD);
        /* Fed, but without credit, or long before. */
        load(SAMPLE_REPORTS_OF("\"seeder\": {\"sources\": [{\"name\": \"x\", \"bytes\": 5, "
                               "\"credited_bits\": 0, \"at_usec\": 1990000}]}"));
        CU_ASSERT_EQUAL(analysis.cause, READY_CAUSE_UNKNOWN);
}

static size_t n_failed(const Rules *rules) {
        RuleResult results[RULES_MAX];
        size_t n = rules_apply(rules, &recording, &analysis, results), failed = 0;

        for (size_t i = 0; i < n; i++) {
                CU_ASSERT(strlen(results[i].message) > 0);
                failed += !results[i].passed;
        }
        return failed;
}

static void test_rules(void) {
        Rules rules = { .max_ready_origin = ORIGIN_COMMAND_LINE, .max_ready_usec = 2000000 };

        load(SAMPLE);
        CU_ASSERT_EQUAL(n_failed(&rules), 0);
        rules.max_ready_usec--;
        CU_ASSERT_EQUAL(n_failed(&rules), 1);
        rules = (Rules){ .max_blocked_origin = ORIGIN_COMMAND_LINE, .max_blocked_usec = 500000 };
        CU_ASSERT_EQUAL(n_failed(&rules), 0);
        rules.max_blocked_usec--;
        CU_ASSERT_EQUAL(n_failed(&rules), 1);
        rules = (Rules){ .min_level_origin = ORIGIN_COMMAND_LINE, .min_level_bits = 500 };
        CU_ASSERT_EQUAL(n_failed(&rules), 0);
        rules.min_level_bits++;
        CU_ASSERT_EQUAL(n_failed(&rules), 1);
        rules = (Rules){ .no_uninitialized_reads = true };
        CU_ASSERT_EQUAL(n_failed(&rules), 1);

        /* What is not known has not passed. */
        rules = (Rules){ .max_ready_origin = ORIGIN_COMMAND_LINE, .max_ready_usec = UINT64_MAX };
        analysis.ready_time_known = false;
        CU_ASSERT_EQUAL(n_failed(&rules), 1);
        rules = (Rules){ .no_uninitialized_reads = true };
        analysis.n_uninitialized_reads = 0;
        CU_ASSERT_EQUAL(n_failed(&rules), 0);
        recording.log_seen = LOG_SEEN_CUT;
        CU_ASSERT_EQUAL(n_failed(&rules), 1);
        recording.log_seen = LOG_SEEN_NONE;
        CU_ASSERT_EQUAL(n_failed(&rules), 1);
        recording.log_seen = LOG_SEEN_WHOLE;
        recording.lost = 1;
        CU_ASSERT_EQUAL(n_failed(&rules), 1);
        rules = (Rules){ .min_level_origin = ORIGIN_COMMAND_LINE };
        analysis.any_lowest = false;
        CU_ASSERT_EQUAL(n_failed(&rules), 1);
        CU_ASSERT_EQUAL(
                rules_apply(&(Rules){}, &recording, &analysis, (RuleResult[RULES_MAX]){}),
                0);
}

static void check_verdict_names_the_longest(char text[static VERDICT_MAX]) {
        BlockedSpan spans[] = {
                { .from_usec = 100, .to_usec = 200, .name = "first" },
                { .from_usec = 150, .to_usec = 900, .name = "longest" },
                { .from_usec = 160, .to_usec = 900, .name = "last" },
        };
        Recording copy = recording;

        copy.blocked = spans;
        copy.n_blocked = ELEMENTSOF(spans);
        (void)verdict_of(&copy, &analysis, text);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "longest for up to"));
}

static void test_verdict(void) {
        char text[VERDICT_MAX];

        load(SAMPLE);
        CU_ASSERT_PTR_NOT_NULL(verdict_of(&recording, &analysis, text));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "1 process waited"));
        check_verdict_names_the_longest(text);
        analysis.n_blocked = 0;
        (void)verdict_of(&recording, &analysis, text);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "1 read of /dev/urandom"));
        analysis.n_uninitialized_reads = 0;
        (void)verdict_of(&recording, &analysis, text);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "below the kernel's threshold for 75 %"));
        analysis.below_usec = 0;
        CU_ASSERT_PTR_NULL(verdict_of(&recording, &analysis, text));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "and nobody got predictable ones"));
        recording.log_seen = LOG_SEEN_CUT;
        CU_ASSERT_PTR_NULL(verdict_of(&recording, &analysis, text));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "lines are missing"));
        analysis.ready = false;
        CU_ASSERT_PTR_NOT_NULL(verdict_of(&recording, &analysis, text));
}

static void test_seeded(void) {
        static const struct {
                const char *what;
                SeededFacts facts;
                Seeded expected;
        } rows[] = {
                { "cannot ask", {}, SEEDED_UNKNOWN },
                { "not ready", { .ready_known = true, .seeder_bits = 4096 }, SEEDED_NOT_READY },
                { "nobody says", { .ready_known = true, .ready = true }, SEEDED_UNKNOWN },
                { "seeder",
                  { .ready_known = true, .ready = true, .seeder_bits = 256 },
                  SEEDED_YES },
                { "seeder, too little",
                  { .ready_known = true, .ready = true, .seeder_bits = 255 },
                  SEEDED_UNKNOWN },
                { "rngd", { .ready_known = true, .ready = true, .rngd_bits = 512 }, SEEDED_YES },
                { "rngd without a source",
                  { .ready_known = true, .ready = true, .rngd_answers = true },
                  SEEDED_UNKNOWN },
                { "before init",
                  { .ready_known = true, .ready = true, .log_ready_usec = 1, .log_init_usec = 2 },
                  SEEDED_YES },
                { "trusted CPU",
                  { .ready_known = true, .ready = true, .log_ready_usec = 1, .log_trusted = true },
                  SEEDED_YES },
                { "hwrng",
                  { .ready_known = true, .ready = true, .hwrng = "v", .hwrng_credited = true },
                  SEEDED_YES },
                { "hwrng of quality 0",
                  { .ready_known = true, .ready = true, .hwrng = "v" },
                  SEEDED_UNKNOWN },
                { "the recording shows jitter",
                  { .ready_known = true, .ready = true, .recording_jitter = true },
                  SEEDED_JITTER },
                { "jitter at first, rngd since",
                  { .ready_known = true,
                    .ready = true,
                    .recording_jitter = true,
                    .rngd_bits = 256 },
                  SEEDED_YES },
                { "after init, by nothing else",
                  { .ready_known = true,
                    .ready = true,
                    .log_known = true,
                    .log_ready_usec = 9,
                    .log_init_usec = 2 },
                  SEEDED_JITTER },
                { "after init, but rngd ran",
                  { .ready_known = true,
                    .ready = true,
                    .log_known = true,
                    .log_ready_usec = 9,
                    .log_init_usec = 2,
                    .rngd_ran = true },
                  SEEDED_UNKNOWN },
                { "after init, but the log has lost its start",
                  { .ready_known = true, .ready = true, .log_ready_usec = 9, .log_init_usec = 2 },
                  SEEDED_UNKNOWN },
                { "after init, with an instruction",
                  { .ready_known = true,
                    .ready = true,
                    .log_known = true,
                    .log_ready_usec = 9,
                    .log_init_usec = 2,
                    .cpu_trusted = true },
                  SEEDED_UNKNOWN },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char by[SEEDED_TEXT_MAX] = "";
                uint64_t since_usec = 1;

                harness_row("%s", rows[i].what);
                CU_ASSERT_EQUAL(seeded_judge(&rows[i].facts, by, &since_usec), rows[i].expected);
                CU_ASSERT(strlen(by) > 0);
                CU_ASSERT(rows[i].facts.ready || since_usec == 0);
        }
}

static void test_format(void) {
        char text[FORMAT_USEC_MAX];

        format_usec(999, text);
        CU_ASSERT_STRING_EQUAL(text, "999 us");
        format_usec(12345, text);
        CU_ASSERT_STRING_EQUAL(text, "12.3 ms");
        format_usec(1234567, text);
        CU_ASSERT_STRING_EQUAL(text, "1.235 s");
        format_usec(UINT64_MAX, text);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_numbers), HARNESS_TEST(test_rates),  HARNESS_TEST(test_threshold),
        HARNESS_TEST(test_cause),   HARNESS_TEST(test_rules),  HARNESS_TEST(test_verdict),
        HARNESS_TEST(test_seeded),  HARNESS_TEST(test_format), CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("analysis", NULL, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
