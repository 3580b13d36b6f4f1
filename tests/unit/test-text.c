/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/text.h"
#include "tests/unit/harness.h"

static void test_plain(void) {
        char text[] = "a \t\n~\x7f\x80\xff\x1b[0m";

        for (int c = -128; c < 128; c++)
                CU_ASSERT_EQUAL(text_is_plain((char)c), c >= 0x20 && c < 0x7f);
        text_make_plain(text);
        CU_ASSERT_STRING_EQUAL(text, "a ??~????[0m");
}

/* What is UTF-8 stays; each byte that is not is replaced on its own. */
static void test_utf8(void) {
        static const struct {
                const char *text, *expected;
        } rows[] = {
                { "", "" },
                { "plain\t", "plain\t" },
                { "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xb2", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xb2" },
                { "\xed\x9f\xbf\xf4\x8f\xbf\xbf", "\xed\x9f\xbf\xf4\x8f\xbf\xbf" },
                { "\x80\xff", "??" },
                { "\xc3", "?" },           /* cut off */
                { "\xe2\x82", "??" },      /* cut off */
                { "\xf0\x9f\x8e", "???" }, /* cut off */
                { "\xc0\xaf", "??" },      /* overlong */
                { "\xe0\x80\xaf", "???" }, /* overlong */
                { "\xf0\x80\x80\xaf", "????" },
                { "\xed\xa0\x80", "???" },      /* a surrogate */
                { "\xf4\x90\x80\x80", "????" }, /* beyond U+10FFFF */
                { "\xc3(", "?(" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char text[32];

                (void)strcpy(text, rows[i].text);
                harness_row("%zu", i);
                text_make_utf8(text);
                CU_ASSERT_STRING_EQUAL(text, rows[i].expected);
        }
}

static void test_escape(void) {
        char whole[TEXT_ESCAPED_SIZE(4)], small[12];

        CU_ASSERT_STRING_EQUAL(text_escape("a\nb\\", whole, sizeof(whole)), "a\\x0ab\\x5c");
        CU_ASSERT_STRING_EQUAL(
                text_escape("\xff\x7f\x01\xc3", whole, sizeof(whole)),
                "\\xff\\x7f\\x01\\xc3");
        CU_ASSERT_STRING_EQUAL(text_escape("", whole, sizeof(whole)), "");
        /* Never in the middle of an escape, and never more than there is room for. */
        CU_ASSERT_STRING_EQUAL(text_escape("12345678", small, sizeof(small)), "12345678");
        CU_ASSERT_STRING_EQUAL(text_escape("123456789", small, sizeof(small)), "12345678...");
        CU_ASSERT_STRING_EQUAL(text_escape("12345\n", small, sizeof(small)), "12345...");
        CU_ASSERT_STRING_EQUAL(text_escape("x", small, 4), "...");
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_plain),
        HARNESS_TEST(test_utf8),
        HARNESS_TEST(test_escape),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("text", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
