/* SPDX-License-Identifier: MIT */
#include "lib/kernel/confidential.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static RootDir root = ROOTDIR_NULL;

static void setup(void) {
        scratch_setup();
        CU_ASSERT_EQUAL_FATAL(rootdir_open(scratch_folder, &root), 0);
}

static void teardown(void) {
        rootdir_close(&root);
        scratch_teardown();
}

static void test_no_sign(void) {
        (void)scratch_write("dev/null", "");
        CU_ASSERT_EQUAL(confidential_guest(&root), confidential_cpu());
}

static void test_signs(void) {
        static const char *const signs[] = {
                "dev/sev-guest",
                "dev/tdx_guest",
                "sys/bus/platform/devices/sev-guest/uevent",
                "sys/devices/virtual/misc/tdx_guest/uevent",
                "sys/devices/system/cpu/sev/vmpl",
        };

        for (size_t i = 0; i < ELEMENTSOF(signs); i++) {
                harness_row("%s", signs[i]);
                (void)scratch_write(signs[i], "");
                CU_ASSERT(confidential_guest(&root));
                scratch_teardown();
                CU_ASSERT_EQUAL(mkdir(scratch_folder, 0755), 0);
                rootdir_close(&root);
                CU_ASSERT_EQUAL(rootdir_open(scratch_folder, &root), 0);
                CU_ASSERT_EQUAL(confidential_guest(&root), confidential_cpu());
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_no_sign),
        HARNESS_TEST(test_signs),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("confidential", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
