/* SPDX-License-Identifier: MIT */
/* What image.py cannot bring about: a kernel without openat2(), where no link is followed. */
#include <stdio.h>
#include <string.h>

#include "seeder/image/os.h"
#include "tests/unit/harness.h"

static char directory[64];
static Tree tree = TREE_NULL;

static void setup_tree(void) {
        (void)snprintf(directory, sizeof(directory), "/tmp/image-os.XXXXXX");
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
        CU_ASSERT_EQUAL_FATAL(tree_open(directory, &tree), 0);
        tree.refuse_links = true;
}

static void teardown_tree(void) {
        char command[128];

        tree_close(&tree);
        (void)snprintf(command, sizeof(command), "rm -rf -- %s", directory);
        CU_ASSERT_EQUAL(system(command), 0); // NOLINT(cert-env33-c)
}

static void test_links_not_followed(void) {
        _cleanup_free_ char *what = NULL;

        CU_ASSERT_EQUAL(os_check(&tree, &what), OS_E_NONE);
        CU_ASSERT_PTR_NOT_NULL_FATAL(what);
        CU_ASSERT_PTR_NOT_NULL(strstr(what, "is empty"));

        /* Wherever they lead, they are the names of an operating system. */
        CU_ASSERT_EQUAL(mkdirat(tree.fd, "etc", 0700), 0);
        CU_ASSERT_EQUAL(symlinkat("/store/usr", tree.fd, "usr"), 0);
        CU_ASSERT_EQUAL(symlinkat("../usr/lib/os-release", tree.fd, "etc/os-release"), 0);
        CU_ASSERT_EQUAL(os_check(&tree, &what), 0);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_links_not_followed),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("image-os", setup_tree, teardown_tree, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
