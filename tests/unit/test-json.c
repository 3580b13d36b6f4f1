/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/json.h"
#include "tests/unit/harness.h"

static Json *document;

static int parse(const char *text) {
        return json_parse(text, strlen(text), &document);
}

static void teardown(void) {
        cleanup_json(&document);
}

/* A document of somebody else has what it likes where a number, a text or a list is looked for. */
static void test_read(void) {
        Json *array = NULL;

        CU_ASSERT_EQUAL_FATAL(
                parse("{\"n\": 7, \"below\": -1, \"s\": \"x\", \"a\": [1, {}], \"o\": {}, \"z\": null}"),
                0);
        CU_ASSERT_EQUAL(json_number(document, "n"), 7);
        CU_ASSERT_EQUAL(json_number(document, "below"), 0);
        CU_ASSERT_EQUAL(json_number(document, "s"), 0);
        CU_ASSERT_EQUAL(json_number(document, "absent"), 0);
        CU_ASSERT_STRING_EQUAL(json_string(document, "s"), "x");
        CU_ASSERT_PTR_NULL(json_string(document, "n"));
        CU_ASSERT_PTR_NULL(json_string(document, "z"));
        CU_ASSERT_STRING_EQUAL(json_show(document, "n"), "7");
        CU_ASSERT_STRING_EQUAL(json_show(document, "s"), "x");
        CU_ASSERT_STRING_EQUAL(json_show(document, "z"), "-");
        CU_ASSERT_STRING_EQUAL(json_show(document, "absent"), "-");
        CU_ASSERT_EQUAL(json_array(document, "a", &array), 2);
        CU_ASSERT_PTR_NOT_NULL(array);
        CU_ASSERT_EQUAL(json_array(document, "o", &array), 0);
        CU_ASSERT_PTR_NULL(array);
        CU_ASSERT_EQUAL(json_number(json_object_object_get(document, "a"), "n"), 0);
        CU_ASSERT_EQUAL(json_number(NULL, "n"), 0);
        CU_ASSERT_PTR_NULL(json_string(NULL, "n"));
        CU_ASSERT_EQUAL(json_array(NULL, "a", &array), 0);
}

static void test_refuse(void) {
        static const char *const rows[] = {
                "", "[]", "1", "null", "{", "{} x", "{\"a\": \"\xff\"}"
        };
        static char large[JSON_DOCUMENT_MAX_BYTES + 1];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s", rows[i]);
                CU_ASSERT_EQUAL(parse(rows[i]), -EBADMSG);
                CU_ASSERT_PTR_NULL(document);
        }
        memset(large, ' ', sizeof(large));
        CU_ASSERT_EQUAL(json_parse(large, sizeof(large), &document), -EFBIG);
        CU_ASSERT_EQUAL(json_parse("{}\0", 3, &document), -EBADMSG);
}

static void test_write(void) {
        _cleanup_free_ char *text = NULL;

        document = json_new();
        json_put_number(document, "n", UINT64_MAX);
        json_put_bool(document, "b", true);
        json_put_string(document, "s", "/\xc3\xa9\xff\n");
        json_put_string(document, "e", "");
        json_put_string(document, "z", NULL);
        CU_ASSERT_EQUAL(json_to_text(document, &text), 0);
        CU_ASSERT_STRING_EQUAL(
                text,
                "{\n  \"n\":18446744073709551615,\n  \"b\":true,\n  \"s\":\"/\xc3\xa9?\\n\",\n"
                "  \"e\":\"\",\n  \"z\":null\n}\n");
        CU_ASSERT_EQUAL(json_to_text(NULL, &text), -ENOMEM);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_read),
        HARNESS_TEST(test_refuse),
        HARNESS_TEST(test_write),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("json", NULL, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
