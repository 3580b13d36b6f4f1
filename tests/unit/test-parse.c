/* SPDX-License-Identifier: MIT */
#include "lib/base/parse.h"
#include "tests/unit/harness.h"

static void test_u64(void) {
        static const struct {
                const char *text;
                uint64_t minimum, maximum;
                int r;
                uint64_t value;
        } rows[] = {
                { "0", 0, UINT64_MAX, 0, 0 },
                { "18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX },
                { "18446744073709551616", 0, UINT64_MAX, -ERANGE, 0 },
                { "99999999999999999999", 0, UINT64_MAX, -ERANGE, 0 },
                { "007", 0, 10, 0, 7 },
                { "5", 5, 5, 0, 5 },
                { "4", 5, 6, -ERANGE, 0 },
                { "7", 5, 6, -ERANGE, 0 },
                { "", 0, 10, -EINVAL, 0 },
                { " 1", 0, 10, -EINVAL, 0 },
                { "1 ", 0, 10, -EINVAL, 0 },
                { "+1", 0, 10, -EINVAL, 0 },
                { "-1", 0, 10, -EINVAL, 0 },
                { "0x1", 0, 10, -EINVAL, 0 },
                { "1e1", 0, 10, -EINVAL, 0 },
                { "1\n", 0, 10, -EINVAL, 0 },
                { "1.0", 0, 10, -EINVAL, 0 },
                { "\xd9\xa1", 0, 10, -EINVAL, 0 }, /* a digit, but not one of ours */
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint64_t value = 0;

                harness_row("'%s'", rows[i].text);
                CU_ASSERT_EQUAL(
                        parse_u64(rows[i].text, rows[i].minimum, rows[i].maximum, &value),
                        rows[i].r);
                CU_ASSERT_EQUAL(value, rows[i].value);
        }
}

static void test_u32(void) {
        uint32_t value = 7;

        CU_ASSERT_EQUAL(parse_u32("4294967296", 0, UINT32_MAX, &value), -ERANGE);
        CU_ASSERT_EQUAL(parse_u32("18446744073709551616", 0, UINT32_MAX, &value), -ERANGE);
        CU_ASSERT_EQUAL(parse_u32("x", 0, UINT32_MAX, &value), -EINVAL);
        CU_ASSERT_EQUAL(value, 7);
        CU_ASSERT_EQUAL(parse_u32("4294967295", 0, UINT32_MAX, &value), 0);
        CU_ASSERT_EQUAL(value, UINT32_MAX);
}

static void test_bool(void) {
        static const char *const yes[] = { "yes", "true", "on", "1" };
        static const char *const no[] = { "no", "false", "off", "0" };
        static const char *const neither[] = { "", "Yes", "y", "2", "yes ", " no", "of", "truee" };
        bool value;

        for (size_t i = 0; i < ELEMENTSOF(yes); i++) {
                value = false;
                CU_ASSERT_EQUAL(parse_bool(yes[i], &value), 0);
                CU_ASSERT(value);
                CU_ASSERT_EQUAL(parse_bool(no[i], &value), 0);
                CU_ASSERT_FALSE(value);
        }
        for (size_t i = 0; i < ELEMENTSOF(neither); i++) {
                harness_row("'%s'", neither[i]);
                value = true;
                CU_ASSERT_EQUAL(parse_bool(neither[i], &value), -EINVAL);
                CU_ASSERT(value);
        }
}

static void test_usec(void) {
        static const struct {
                const char *text;
                uint64_t maximum;
                int r;
                uint64_t usec;
        } rows[] = {
                { "0", 10, 0, 0 },
                { "1", USEC_PER_SEC, 0, USEC_PER_SEC },
                { "1", USEC_PER_SEC - 1, -ERANGE, 0 },
                { "7us", 7, 0, 7 },
                { "8us", 7, -ERANGE, 0 },
                { "3ms", UINT64_MAX, 0, 3000 },
                { "2s", UINT64_MAX, 0, 2 * USEC_PER_SEC },
                { "2min", UINT64_MAX, 0, 120 * USEC_PER_SEC },
                { "1h", UINT64_MAX, 0, 3600 * USEC_PER_SEC },
                { "1d", UINT64_MAX, 0, 86400 * USEC_PER_SEC },
                { "213503983d", UINT64_MAX, -ERANGE, 0 },
                { "18446744073709551615s", UINT64_MAX, -ERANGE, 0 },
                { "", UINT64_MAX, -EINVAL, 0 },
                { "s", UINT64_MAX, -EINVAL, 0 },
                { "1 s", UINT64_MAX, -EINVAL, 0 },
                { "1S", UINT64_MAX, -EINVAL, 0 },
                { "1m", UINT64_MAX, -EINVAL, 0 },
                { "-1s", UINT64_MAX, -EINVAL, 0 },
                { "1h30min", UINT64_MAX, -EINVAL, 0 },
                { "1.5s", UINT64_MAX, -EINVAL, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint64_t usec = 0;

                harness_row("'%s'", rows[i].text);
                CU_ASSERT_EQUAL(parse_usec(rows[i].text, rows[i].maximum, &usec), rows[i].r);
                CU_ASSERT_EQUAL(usec, rows[i].usec);
        }
}

static void test_fraction(void) {
        static const struct {
                const char *text;
                uint32_t maximum_ppm;
                int r;
                uint32_t ppm;
        } rows[] = {
                { "0", 1000000, 0, 0 },
                { "1", 1000000, 0, 1000000 },
                { "0.75", 1000000, 0, 750000 },
                { "0.000001", 1000000, 0, 1 },
                { "1.000000", 1000000, 0, 1000000 },
                { "1.000001", 1000000, -ERANGE, 0 },
                { "2", 1000000, -ERANGE, 0 },
                { "4294967296", 1000000, -ERANGE, 0 },
                { "0.6", 500000, -ERANGE, 0 },
                { "0.0000001", 1000000, -EINVAL, 0 },
                { "0.", 1000000, -EINVAL, 0 },
                { ".5", 1000000, -EINVAL, 0 },
                { "-0.5", 1000000, -EINVAL, 0 },
                { "0,5", 1000000, -EINVAL, 0 },
                { "0.5.", 1000000, -EINVAL, 0 },
                { "0.5 ", 1000000, -EINVAL, 0 },
                { "1e0", 1000000, -EINVAL, 0 },
                { "", 1000000, -EINVAL, 0 },
                { "0.99999999999999999999999", 1000000, -ERANGE, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint32_t ppm = 0;

                harness_row("'%s'", rows[i].text);
                CU_ASSERT_EQUAL(parse_fraction(rows[i].text, rows[i].maximum_ppm, &ppm), rows[i].r);
                CU_ASSERT_EQUAL(ppm, rows[i].ppm);
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_u64),  HARNESS_TEST(test_u32),      HARNESS_TEST(test_bool),
        HARNESS_TEST(test_usec), HARNESS_TEST(test_fraction), CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("parse", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
