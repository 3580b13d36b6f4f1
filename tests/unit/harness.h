/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The runner of the CUnit programs: one program per module, suites as CUnit's own tables.
 *
 *         static void test_it(void) {
 *                 CU_ASSERT_EQUAL(module_verb(1), 0);
 *         }
 *
 *         static CU_TestInfo tests[] = {
 *                 HARNESS_TEST(test_it),
 *                 CU_TEST_INFO_NULL,
 *         };
 *
 *         static CU_SuiteInfo suites[] = {
 *                 HARNESS_SUITE("module", tests),
 *                 CU_SUITE_INFO_NULL,
 *         };
 *
 *         HARNESS_MAIN(suites)
 *
 * What CUnit lacks is done here: skips are counted and printed, the exit status is computed (CUnit
 * itself reports success with failures on record), output is flushed after each test, and the last
 * line `# counts passed=N failed=N skipped=N` is what tests/run-summary adds up.
 *
 * Exit status: 0 all that ran passed, 1 something failed, 77 every test was skipped, 2 no CUnit.
 * MUST_WORK=1 in the environment turns each skip into a failure.
 *
 * The _FATAL asserts longjmp out of the test: cleanup handlers of its variables do not run. Use
 * them for preconditions only, and keep resources in HARNESS_SUITE_WITH's setup and teardown.
 */

#include <CUnit/CUnit.h>

#define HARNESS_TEST(_function) \
        { #_function, (_function) }
#define HARNESS_SUITE(_name, _tests) \
        { (_name), NULL, NULL, NULL, NULL, (_tests) }

/* _setup and _teardown run around each test; either may be NULL. */
#define HARNESS_SUITE_WITH(_name, _setup, _teardown, _tests) \
        { (_name), NULL, NULL, (_setup), (_teardown), (_tests) }

/* Leave this test: the machine cannot run it, for a reason that a person can act upon. */
#define HARNESS_SKIP(_reason)            \
        do {                             \
                harness_skip((_reason)); \
                return;                  \
        } while (0)

#define HARNESS_MAIN(_suites)                \
        int main(void) {                     \
                return harness_run(_suites); \
        }

void harness_skip(const char *reason);

/* Name the row of a table that the following asserts are about; printed with their failures. Holds
 * until the next row or the end of the test. */
__attribute__((format(printf, 1, 2))) void harness_row(const char *format, ...);

int harness_run(CU_SuiteInfo *suites);
