/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/harness.h"

enum {
        HARNESS_EXIT_FAILED = 1,
        HARNESS_EXIT_NO_CUNIT = 2,
        HARNESS_EXIT_SKIPPED = 77,
        HARNESS_ROWS_MAX = 16,
};

/* A failure record of CUnit has no room for the table row, so rows that failed are kept here. */
typedef struct Harness {
        unsigned passed, failed, skipped;
        const char *skip_reason;
        bool must_work;
        char row[160];
        unsigned row_failures_before;
        char rows[HARNESS_ROWS_MAX][160];
        unsigned n_rows;
} Harness;

static Harness harness;

/* CUnit adds to this number at each assert, unlike CU_get_number_of_failures() while running. */
static unsigned failures_so_far(void) {
        return CU_get_number_of_failure_records();
}

static void close_row(void) {
        if (harness.row[0] && failures_so_far() != harness.row_failures_before &&
            harness.n_rows < HARNESS_ROWS_MAX)
                memcpy(harness.rows[harness.n_rows++], harness.row, sizeof(harness.row));

        harness.row[0] = '\0';
}

void harness_row(const char *format, ...) {
        va_list args;

        close_row();
        va_start(args, format);
        (void)vsnprintf(harness.row, sizeof(harness.row), format, args);
        va_end(args);
        harness.row_failures_before = failures_so_far();
}

void harness_skip(const char *reason) {
        harness.skip_reason = reason;
}

static void on_test_start(const CU_pTest test, const CU_pSuite suite) {
        harness.skip_reason = NULL;
        harness.row[0] = '\0';
        harness.n_rows = 0;

        /* A test may fork: what is buffered now would be written twice. */
        (void)fflush(stdout);
}

static void print_failures(const CU_FailureRecord *record) {
        for (; record; record = record->pNext)
                printf("#   %s:%u: %s\n",
                       record->strFileName,
                       record->uiLineNumber,
                       record->strCondition);

        for (unsigned i = 0; i < harness.n_rows; i++)
                printf("#   failed for: %s\n", harness.rows[i]);
}

static void on_test_complete(
        const CU_pTest test,
        const CU_pSuite suite,
        const CU_pFailureRecord record) {
        const char *verdict = "ok";
        unsigned n;

        close_row();
        n = harness.passed + harness.failed + harness.skipped + 1;

        if (record || (harness.skip_reason && harness.must_work)) {
                verdict = "not ok";
                harness.failed++;
        } else if (harness.skip_reason)
                harness.skipped++;
        else
                harness.passed++;

        printf("%s %u - %s: %s%s%s\n",
               verdict,
               n,
               suite->pName,
               test->pName,
               harness.skip_reason ? " # SKIP " : "",
               harness.skip_reason ?: "");
        print_failures(record);
        (void)fflush(stdout);
}

/* A suite whose init function fails runs none of its tests, which CUnit counts as no failure. */
static void on_suite_init_failure(const CU_pSuite suite) {
        harness.failed++;
        printf("not ok - %s: the suite could not be set up\n", suite->pName);
        (void)fflush(stdout);
}

static int exit_status(CU_ErrorCode error) {
        if (error != CUE_SUCCESS || harness.failed > 0 || CU_get_number_of_failures() > 0 ||
            CU_get_number_of_suites_failed() > 0)
                return HARNESS_EXIT_FAILED;
        if (harness.passed > 0)
                return EXIT_SUCCESS;
        if (harness.skipped > 0)
                return HARNESS_EXIT_SKIPPED;

        printf("# no test ran at all\n");
        return HARNESS_EXIT_FAILED;
}

int harness_run(CU_SuiteInfo *suites) {
        const char *must_work;
        CU_ErrorCode error;
        int status;

        must_work = getenv("MUST_WORK");
        harness.must_work = must_work && strcmp(must_work, "1") == 0;

        if (CU_initialize_registry() != CUE_SUCCESS)
                return HARNESS_EXIT_NO_CUNIT;
        if (CU_register_suites(suites) != CUE_SUCCESS) {
                fprintf(stderr, "CUnit: %s\n", CU_get_error_msg());
                CU_cleanup_registry();
                return HARNESS_EXIT_NO_CUNIT;
        }

        CU_set_test_start_handler(on_test_start);
        CU_set_test_complete_handler(on_test_complete);
        CU_set_suite_init_failure_handler(on_suite_init_failure);
        error = CU_run_all_tests();
        /* All tests of a run passing by mistake when CUnit itself failed must not look green. */
        if (error != CUE_SUCCESS)
                printf("# CUnit: %s\n", CU_get_error_msg());

        status = exit_status(error);
        printf("# counts passed=%u failed=%u skipped=%u\n",
               harness.passed,
               harness.failed,
               harness.skipped);
        (void)fflush(stdout);
        CU_cleanup_registry();
        return status;
}
