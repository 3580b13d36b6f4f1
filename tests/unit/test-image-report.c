/* SPDX-License-Identifier: MIT */
#include <json-c/json.h>
#include <string.h>

#include "seeder/image/report.h"
#include "tests/unit/harness.h"

static void test_escape(void) {
        static const struct {
                const char *text, *expected;
        } rows[] = {
                { "plain text~", "plain text~" },
                { "", "" },
                { "a\\b", "a\\x5cb" },
                { "\x1b[2J\n\t\x7f", "\\x1b[2J\\x0a\\x09\\x7f" },
                { "\xc3\xa4\xff", "\\xc3\\xa4\\xff" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *escaped = report_format("%s", rows[i].text);

                CU_ASSERT_STRING_EQUAL(escaped, rows[i].expected);
        }
}

static void add_one(Report *report, State state, const char *path) {
        const Item item = {
                .rule = &image_rules[RULE_SYSTEMD_SEED],
                .state = state,
                .path = path,
        };

        report_add(report, item, "detail\x1b %d", 5);
        CU_ASSERT_FALSE(report->no_memory);
}

static void test_print(void) {
        _cleanup_report_ Report report = REPORT_NULL;
        char *text = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&text, &size);

        add_one(&report, STATE_OK, NULL);
        add_one(&report, STATE_FINDING, "etc/x\ny");
        CU_ASSERT_EQUAL(report_print(&report, false, stream), 0);
        CU_ASSERT_EQUAL(fclose(stream), 0);
        CU_ASSERT_STRING_EQUAL(
                text,
                "STATE   RULE                     WHERE\n"
                "finding systemd-seed             /etc/x\\x0ay: detail\\x1b 5\n");
        free(text);
}

static void test_json(void) {
        _cleanup_report_ Report report = REPORT_NULL;
        const Run run = { .verb = "check", .root = "/x\xff", .dry_run = true };
        struct json_object *document, *value;
        char *text = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&text, &size);

        add_one(&report, STATE_FINDING, "a\xff\"b");
        CU_ASSERT_EQUAL(report_print_json(&report, &run, stream), 0);
        CU_ASSERT_EQUAL(fclose(stream), 0);
        document = json_tokener_parse(text);
        CU_ASSERT_PTR_NOT_NULL(document);
        CU_ASSERT_STRING_EQUAL(
                json_object_get_string(json_object_object_get(document, "root")),
                "/x\\xff");
        value = json_object_array_get_idx(json_object_object_get(document, "items"), 0);
        CU_ASSERT_STRING_EQUAL(
                json_object_get_string(json_object_object_get(value, "path")),
                "/a\\xff\"b");
        value = json_object_object_get(document, "counts");
        CU_ASSERT_EQUAL(json_object_get_int(json_object_object_get(value, "finding")), 1);
        (void)json_object_put(document);
        free(text);
}

static void test_overflow(void) {
        _cleanup_report_ Report report = REPORT_NULL;

        for (unsigned i = 0; i < REPORT_ITEMS_MAX; i++)
                add_one(&report, STATE_OK, NULL);
        CU_ASSERT_FALSE(report.overflow);
        CU_ASSERT_EQUAL(report_count(&report, STATE_ERROR), 0);
        add_one(&report, STATE_FINDING, NULL);
        CU_ASSERT_TRUE(report.overflow);
        CU_ASSERT_EQUAL(report.n_items, REPORT_ITEMS_MAX);
        CU_ASSERT_EQUAL(report_count(&report, STATE_ERROR), 1);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_escape),   HARNESS_TEST(test_print), HARNESS_TEST(test_json),
        HARNESS_TEST(test_overflow), CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("image-report", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
