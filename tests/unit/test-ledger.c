/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/intake/ledger.h"
#include "tests/unit/harness.h"

static Ledger ledger;

static void setup(void) {
        ledger = (Ledger){};
}

static void test_counts(void) {
        const LedgerEntry *entry = &ledger.entries[SOURCE_FILE];

        ledger_bytes(&ledger, SOURCE_FILE, 64, 1000);
        ledger_bytes(&ledger, SOURCE_FILE, 32, 3000);
        CU_ASSERT_EQUAL(entry->bytes, 96);
        CU_ASSERT_EQUAL(entry->busy_usec, 4000);
        CU_ASSERT_EQUAL(entry->batches, 0);
        CU_ASSERT_FALSE(ledger.last_feed.any);

        ledger_feed(
                &ledger,
                &(LedgerFeed){ .source = SOURCE_FILE, .n_bytes = 32, .credited_bits = 256 });
        ledger_feed(
                &ledger,
                &(LedgerFeed){ .source = SOURCE_FILE,
                               .n_bytes = 64,
                               .at_usec = 5,
                               .reseeded = true });
        CU_ASSERT_EQUAL(entry->batches, 2);
        CU_ASSERT_EQUAL(entry->credited_bits, 256);
        CU_ASSERT_EQUAL(entry->bytes, 96);
        CU_ASSERT(ledger.last_feed.any);
        CU_ASSERT(ledger.last_feed.reseeded);
        CU_ASSERT_EQUAL(ledger.last_feed.n_bytes, 64);
        CU_ASSERT_EQUAL(ledger.last_feed.at_usec, 5);
        CU_ASSERT_EQUAL(ledger.entries[SOURCE_HWRNG].batches, 0);
}

static void test_failures(void) {
        const LedgerEntry *entry = &ledger.entries[SOURCE_EXEC];
        char text[3 * LEDGER_ERROR_MAX];

        ledger_failure(&ledger, SOURCE_EXEC, "one");
        ledger_health_failure(&ledger, SOURCE_EXEC, "two");
        CU_ASSERT_EQUAL(entry->failures, 1);
        CU_ASSERT_EQUAL(entry->health_failures, 1);
        CU_ASSERT_STRING_EQUAL(entry->last_error, "two");
        CU_ASSERT_EQUAL(entry->batches + entry->credited_bits + entry->bytes, 0);

        memset(text, '%', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        ledger_failure(&ledger, SOURCE_EXEC, text);
        CU_ASSERT_EQUAL(strlen(entry->last_error), LEDGER_ERROR_MAX - 1);
        CU_ASSERT_STRING_EQUAL(ledger.entries[SOURCE_FILE].last_error, "");
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
                LedgerEntry entry = { .bytes = rows[i].bytes, .busy_usec = rows[i].busy_usec };

                harness_row("row %zu", i);
                CU_ASSERT_EQUAL(ledger_rate_bytes_per_sec(&entry), rows[i].rate);
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_counts),
        HARNESS_TEST(test_failures),
        HARNESS_TEST(test_rate),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("ledger", setup, NULL, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
