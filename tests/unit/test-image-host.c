/* SPDX-License-Identifier: MIT */
/* /proc stands for a filesystem that is mounted in a tree, which is "/" here: no rights are needed.
 * Real mounts are in image.py. */
#include <fcntl.h>
#include <string.h>

#include "seeder/image/clean.h"
#include "tests/unit/harness.h"

static Tree tree = TREE_NULL;
static Host host = HOST_NULL;

static void setup_places(void) {
        CU_ASSERT_EQUAL_FATAL(tree_open("/", &tree), 0);
        CU_ASSERT_EQUAL_FATAL(host_open(&host), 0);
        host.mountinfo = "/proc/self/mountinfo";
}

static void teardown_places(void) {
        tree_close(&tree);
        host_close(&host);
}

/* The root of the running system, as a directory that is not the tree, or as the tree. */
static void set_host_root(const char *path) {
        host_close(&host);
        host.root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        CU_ASSERT(host.root_fd >= 0);
}

static void test_find_mount(void) {
        _cleanup_close_ int proc_fd = open("/proc/version", O_PATH | O_CLOEXEC);
        _cleanup_close_ int root_fd = open("/", O_PATH | O_CLOEXEC);
        _cleanup_free_ char *point = NULL;

        set_host_root("/proc/self/fdinfo");
        CU_ASSERT_EQUAL(host_find_mount(&host, tree.fd, proc_fd, &point), 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(point);
        CU_ASSERT_STRING_EQUAL(point, "/proc");
        free(TAKE_PTR(point));

        /* Mounted there, too, but within the tree. */
        set_host_root("/");
        CU_ASSERT_EQUAL(host_find_mount(&host, tree.fd, proc_fd, &point), 0);
        CU_ASSERT_PTR_NULL(point);

        /* The tree itself. */
        set_host_root("/proc/self/fdinfo");
        CU_ASSERT_EQUAL(host_find_mount(&host, tree.fd, root_fd, &point), 0);
        CU_ASSERT_PTR_NULL(point);
}

/* What cannot be told is not touched. Only the plan is made: nothing is at stake here. */
static void test_doubt(void) {
        static const char *const mountinfos[] = { "/nowhere", "/proc/version", "/proc" };
        _cleanup_close_ int proc_fd = open("/proc/version", O_PATH | O_CLOEXEC);
        struct stat status = {};

        set_host_root("/");
        CU_ASSERT_EQUAL(fstat(proc_fd, &status), 0);
        for (size_t i = 0; i < ELEMENTSOF(mountinfos); i++) {
                _cleanup_report_ Report report = REPORT_NULL;
                const Item item = {
                        .rule = &image_rules[RULE_SYSTEMD_SEED],
                        .action = ACTION_REMOVE,
                        .path = "proc/version",
                        .device = status.st_dev,
                        .inode = status.st_ino,
                };
                char *point = (char *)"unset";

                harness_row("%s", mountinfos[i]);
                host.mountinfo = mountinfos[i];
                CU_ASSERT(host_find_mount(&host, tree.fd, proc_fd, &point) < 0);
                CU_ASSERT_STRING_EQUAL(point, "unset");
                report_add(&report, item, "detail");
                clean_plan(&tree, &host, &report);
                CU_ASSERT_EQUAL(report.items[0].outcome, OUTCOME_FAILED);
        }
        host.mountinfo = "/proc/self/mountinfo";
}

static void test_has_file(void) {
        struct stat status = {};

        set_host_root("/proc/self");
        CU_ASSERT_EQUAL(fstatat(host.root_fd, "status", &status, 0), 0);
        CU_ASSERT_EQUAL(host_has_file(&host, "status", &status), 1);
        CU_ASSERT_EQUAL(host_has_file(&host, "stat", &status), 0);
        CU_ASSERT_EQUAL(host_has_file(&host, "none/status", &status), 0);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_find_mount),
        HARNESS_TEST(test_doubt),
        HARNESS_TEST(test_has_file),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("image-host", setup_places, teardown_places, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
