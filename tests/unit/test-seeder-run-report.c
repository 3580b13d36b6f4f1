/* SPDX-License-Identifier: MIT */
/* What a run says of itself. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "seeder/state/run-report.h"
#include "tests/unit/harness.h"

static RunReport *run_report;

static void setup(void) {
        run_report = calloc(1, sizeof(*run_report));
        CU_ASSERT_PTR_NOT_NULL_FATAL(run_report);
        run_report->ended_why = "deadline";
}

static void teardown(void) {
        free(run_report);
}

static void add(
        const char *name,
        size_t n_bytes,
        uint32_t bits,
        uint64_t at_usec,
        const char *note) {
        RunReportLine line = { .n_bytes = n_bytes, .credited_bits = bits, .at_usec = at_usec };

        (void)snprintf(line.name, sizeof(line.name), "%s", name);
        (void)snprintf(line.note, sizeof(line.note), "%s", note);
        run_report_add(run_report, &line);
}

static void test_lines(void) {
        add("hwrng", 64, 512, 400000, "");
        add("cpu", 64, 0, 401000, "credit set to 0");
        add("hwrng", 64, 512, 401500, "");
        add("hwrng", 0, 0, 0, "Input/output error");
        CU_ASSERT_EQUAL(run_report->n_lines, 2);
        CU_ASSERT_EQUAL(run_report->lines[0].n_bytes, 128);
        CU_ASSERT_EQUAL(run_report->lines[0].credited_bits, 1024);
        CU_ASSERT_EQUAL(run_report->lines[0].at_usec, 401500);
        CU_ASSERT_STRING_EQUAL(run_report->lines[0].note, "Input/output error");
}

static void test_too_many_lines(void) {
        for (unsigned i = 0; i < RUN_REPORT_LINES_MAX + 10; i++) {
                char name[16];

                (void)snprintf(name, sizeof(name), "s%u", i);
                add(name, 1, 8, 1, "");
        }
        CU_ASSERT_EQUAL(run_report->n_lines, RUN_REPORT_LINES_MAX);
        add("s0", 1, 8, 2, "");
        CU_ASSERT_EQUAL(run_report->lines[0].n_bytes, 2);
}

static void test_summary(void) {
        char text[400], tight[40];

        run_report_summary(run_report, text, sizeof(text));
        CU_ASSERT_STRING_EQUAL(text, "kernel RNG not ready; no source");
        run_report->ready = true;
        run_report_summary(run_report, text, sizeof(text));
        CU_ASSERT_STRING_EQUAL(text, "kernel RNG was ready; no source");

        run_report->ready_usec = 412000;
        add("hwrng", 64, 512, 401000, "");
        add("config-drive", 5120, 0, 0, "seen before");
        add("tpm", 0, 0, 0, "no answer by the end");
        run_report_summary(run_report, text, sizeof(text));
        CU_ASSERT_STRING_EQUAL(
                text,
                "kernel RNG ready at 0.412 s; hwrng 64 B +512 bits at 0.401 s; "
                "config-drive 5120 B mixed, seen before; tpm: no answer by the end");
        run_report_summary(run_report, tight, sizeof(tight));
        CU_ASSERT_EQUAL(strlen(tight), sizeof(tight) - 1);
}

static void test_json(void) {
        char *text = NULL;
        json_object *object, *sources;

        run_report->ready = true;
        run_report->ready_usec = 412000;
        add("hwrng", 64, 512, 401000, "");
        add("evil \"name\"\n", 0, 0, 0, "a\tnote");
        CU_ASSERT_EQUAL_FATAL(run_report_to_json(run_report, &text), 0);
        object = json_tokener_parse(text);
        free(text);
        CU_ASSERT_PTR_NOT_NULL_FATAL(object);
        CU_ASSERT_STRING_EQUAL(
                json_object_get_string(json_object_object_get(object, "ended_why")),
                "deadline");
        CU_ASSERT_EQUAL(
                json_object_get_int64(json_object_object_get(object, "ready_usec")),
                412000);
        sources = json_object_object_get(object, "sources");
        CU_ASSERT_EQUAL(json_object_array_length(sources), 2);
        CU_ASSERT_STRING_EQUAL(
                json_object_get_string(
                        json_object_object_get(json_object_array_get_idx(sources, 1), "name")),
                "evil \"name\"\n");
        (void)json_object_put(object);
}

static void test_seeds(void) {
        RunReportSeeds seeds;
        char *text = NULL;

        memset(run_report->seeds.salt, 7, sizeof(run_report->seeds.salt));
        for (uint8_t i = 0; i < 3; i++)
                memset(run_report->seeds.digests[i], i + 1, SEEN_DIGEST_BYTES);
        run_report->seeds.n = 3;
        CU_ASSERT_EQUAL_FATAL(run_report_to_json(run_report, &text), 0);
        CU_ASSERT_EQUAL(run_report_seeds_from_json(text, &seeds), 0);
        free(text);
        CU_ASSERT_EQUAL(seeds.n, 3);
        CU_ASSERT_EQUAL(memcmp(seeds.salt, run_report->seeds.salt, sizeof(seeds.salt)), 0);
        CU_ASSERT_EQUAL(
                memcmp(seeds.digests[2], run_report->seeds.digests[2], SEEN_DIGEST_BYTES),
                0);
}

#define SALT "\"salt\": \"00112233445566778899aabbccddeeff\""

static void test_bad_seeds(void) {
        static const char *const rows[] = {
                "",
                "null",
                "[]",
                "{}",
                "{" SALT "}",
                "{\"credited_seeds\": []}",
                "{" SALT ", \"credited_seeds\": {}}",
                "{" SALT ", \"credited_seeds\": [1]}",
                "{" SALT ", \"credited_seeds\": [\"00\"]}",
                "{\"salt\": \"0011\", \"credited_seeds\": []}",
                "{\"salt\": 1, \"credited_seeds\": []}",
        };
        RunReportSeeds seeds = { .n = 99 };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s", rows[i]);
                CU_ASSERT_EQUAL(run_report_seeds_from_json(rows[i], &seeds), -EBADMSG);
        }
        CU_ASSERT_EQUAL(seeds.n, 99);
        CU_ASSERT_EQUAL(
                run_report_seeds_from_json("{" SALT ", \"credited_seeds\": []}", &seeds),
                0);
        CU_ASSERT_EQUAL(seeds.n, 0);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_lines), HARNESS_TEST(test_too_many_lines), HARNESS_TEST(test_summary),
        HARNESS_TEST(test_json),  HARNESS_TEST(test_seeds),          HARNESS_TEST(test_bad_seeds),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("run report", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
