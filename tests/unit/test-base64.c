/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/base64.h"
#include "tests/unit/harness.h"

typedef struct Row {
        const char *text;
        int result;
        const char *bytes;
} Row;

static void test_table(void) {
        static const Row rows[] = {
                { "", 0, "" },
                { " \t\r\n", 0, "" },
                /* RFC 4648, 10 */
                { "Zg==", 0, "f" },
                { "Zm8=", 0, "fo" },
                { "Zm9v", 0, "foo" },
                { "Zm9vYg==", 0, "foob" },
                { "Zm9vYmE=", 0, "fooba" },
                { "Zm9vYmFy", 0, "foobar" },
                { "+/+/", 0, "\xfb\xff\xbf" },
                { "Z m\t9\r\nv\n", 0, "foo" },
                { "Zg= =\n", 0, "f" },
                { "Z", -EBADMSG, NULL },
                { "Zg", -EBADMSG, NULL },
                { "Zg=", -EBADMSG, NULL },
                { "Zm8", -EBADMSG, NULL },
                { "Zm9vYg", -EBADMSG, NULL },
                { "Zh==", -EBADMSG, NULL }, /* bits under the padding */
                { "Zm9=", -EBADMSG, NULL },
                { "Zg==Zg==", -EBADMSG, NULL },
                { "Zg==A", -EBADMSG, NULL },
                { "Zg===", -EBADMSG, NULL },
                { "====", -EBADMSG, NULL },
                { "Z===", -EBADMSG, NULL },
                { "Z=g=", -EBADMSG, NULL },
                { "-_-_", -EBADMSG, NULL }, /* the URL alphabet */
                { "Zm9v,", -EBADMSG, NULL },
                { "Zm\v9v", -EBADMSG, NULL },
                { "Zm9v\xc3\xa9", -EBADMSG, NULL },
                { "\"Zm9v\"", -EBADMSG, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint8_t buffer[16];
                size_t n = 99;
                int r;

                harness_row("'%s'", rows[i].text);
                r = base64_decode(rows[i].text, strlen(rows[i].text), buffer, sizeof(buffer), &n);
                CU_ASSERT_EQUAL(r, rows[i].result);
                CU_ASSERT_EQUAL(n, r == 0 ? strlen(rows[i].bytes) : 99);
                if (r == 0)
                        CU_ASSERT(memcmp(buffer, rows[i].bytes, n) == 0);
        }
}

static void test_zero_byte_is_refused(void) {
        uint8_t buffer[16];
        size_t n = 99;

        CU_ASSERT_EQUAL(base64_decode("Zm9v\0", 5, buffer, sizeof(buffer), &n), -EBADMSG);
        CU_ASSERT_EQUAL(n, 99);
}

static void test_stays_in_its_buffer(void) {
        for (size_t size = 0; size <= 7; size++) {
                uint8_t buffer[8];
                size_t n = 0;
                int r;

                harness_row("%zu bytes", size);
                memset(buffer, 0x5a, sizeof(buffer));
                r = base64_decode("Zm9vYmFy", 8, buffer, size, &n);
                CU_ASSERT_EQUAL(r, size < 6 ? -EMSGSIZE : 0);
                for (size_t i = size; i < sizeof(buffer); i++)
                        CU_ASSERT_EQUAL(buffer[i], 0x5a);
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_table),
        HARNESS_TEST(test_zero_byte_is_refused),
        HARNESS_TEST(test_stays_in_its_buffer),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("base64", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
