/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/feed/counters.h"
#include "tests/unit/harness.h"

static Counters counters;

static void setup(void) {
        counters = (Counters){};
}

static void test_counts(void) {
        const SourceCounters *entry = &counters.entries[SOURCE_FILE];

        counters_bytes(&counters, SOURCE_FILE, 64, 1000);
        counters_bytes(&counters, SOURCE_FILE, 32, 3000);
        CU_ASSERT_EQUAL(entry->bytes, 96);
        CU_ASSERT_EQUAL(entry->busy_usec, 4000);
        CU_ASSERT_EQUAL(entry->batches, 0);
        CU_ASSERT_FALSE(counters.last_feed.any);

        counters_feed(
                &counters,
                &(LastFeed){ .source = SOURCE_FILE, .n_bytes = 32, .credited_bits = 256 });
        counters_feed(
                &counters,
                &(LastFeed){ .source = SOURCE_FILE,
                             .n_bytes = 64,
                             .at_usec = 5,
                             .reseeded = true });
        CU_ASSERT_EQUAL(entry->batches, 2);
        CU_ASSERT_EQUAL(entry->credited_bits, 256);
        CU_ASSERT_EQUAL(entry->bytes, 96);
        CU_ASSERT(counters.last_feed.any);
        CU_ASSERT(counters.last_feed.reseeded);
        CU_ASSERT_EQUAL(counters.last_feed.n_bytes, 64);
        CU_ASSERT_EQUAL(counters.last_feed.at_usec, 5);
        CU_ASSERT_EQUAL(counters.entries[SOURCE_HWRNG].batches, 0);
}

static void test_failures(void) {
        const SourceCounters *entry = &counters.entries[SOURCE_EXEC];
        char text[3 * COUNTERS_ERROR_MAX];

        counters_failure(&counters, SOURCE_EXEC, "one");
        counters_health_failure(&counters, SOURCE_EXEC, "two");
        CU_ASSERT_EQUAL(entry->failures, 1);
        CU_ASSERT_EQUAL(entry->health_failures, 1);
        CU_ASSERT_STRING_EQUAL(entry->last_error, "two");
        CU_ASSERT_EQUAL(entry->batches + entry->credited_bits + entry->bytes, 0);

        memset(text, '%', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        counters_failure(&counters, SOURCE_EXEC, text);
        CU_ASSERT_EQUAL(strlen(entry->last_error), COUNTERS_ERROR_MAX - 1);
        CU_ASSERT_STRING_EQUAL(counters.entries[SOURCE_FILE].last_error, "");
}

static void test_rate(void) {
        static const struct {
                uint64_t bytes, busy_usec, rate;
        } rows[] = {
                { 0, 0, 0 },
                { 64, 0, 0 },
                { 64, 1000000, 64 },
                { 64, 1, 64000000 },
                { 1, 3000000, 0 },
                { UINT64_MAX, 1000000, UINT64_MAX },
                { UINT64_MAX / 2, 2000000, UINT64_MAX / 4 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                SourceCounters entry = { .bytes = rows[i].bytes, .busy_usec = rows[i].busy_usec };

                harness_row("row %zu", i);
                CU_ASSERT_EQUAL(counters_rate_bytes_per_sec(&entry), rows[i].rate);
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_counts),
        HARNESS_TEST(test_failures),
        HARNESS_TEST(test_rate),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("counters", setup, NULL, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
