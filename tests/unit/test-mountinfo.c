/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/kernel/mountinfo.h"
#include "tests/unit/harness.h"

static void test_parse(void) {
        static const struct {
                const char *line;
                int expected;
                Mount mount;
        } rows[] = {
                { "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n",
                  0,
                  { NULL,
                    36,
                    "98:0",
                    "/mnt1",
                    "/mnt2",
                    "/dev/root",
                    (char *)"rw,errors=continue" } },
                { "1 0 0:5 / / rw a:1 b:2 c - t s o",
                  0,
                  { NULL, 1, "0:5", "/", "/", "s", (char *)"o" } },
                { "1 0 0:5 / / rw - tmpfs  rw", 0, { NULL, 1, "0:5", "/", "/", "", (char *)"rw" } },
                { "1 0 0:5 /a\\040b /c\\134d\\011 rw - t /x\\040y \\134",
                  0,
                  { NULL, 1, "0:5", "/a b", "/c\\d\t", "/x y", (char *)"\\134" } },
                { "1 0 0:5 /a\\04 /c\\0\\777 rw - t s o",
                  0,
                  { NULL, 1, "0:5", "/a\\04", "/c\\0\\777", "s", (char *)"o" } },
                { "1 0 0:4 mnt:[4026531841] /run/ns/x rw - nsfs nsfs rw",
                  0,
                  { NULL, 1, "0:4", "mnt:[4026531841]", "/run/ns/x", "nsfs", (char *)"rw" } },
                { "", -EINVAL, {} },
                { "\n", -EINVAL, {} },
                { "36 35 98:0 /mnt1", -EINVAL, {} },
                { "36 35 98:0 /mnt1 \n", -EINVAL, {} },
                { "36 35 98:0 /mnt1 /mnt2 rw\n", -EINVAL, {} },
                { "36 35 98:0 /mnt1 /mnt2 rw -\n", -EINVAL, {} },
                { "36 35 98:0 /mnt1 /mnt2 rw - ext4 /dev/vda\n", -EINVAL, {} },
                { "36 35 98:0  /mnt1 /mnt2 rw - t s o", -EINVAL, {} },
                { "x 35 98:0 /mnt1 /mnt2 rw - t s o", -EINVAL, {} },
                { "-1 35 98:0 /mnt1 /mnt2 rw - t s o", -EINVAL, {} },
                { "4294967295 35 98:0 /mnt1 /mnt2 rw - t s o", -EINVAL, {} },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *line = strdup(rows[i].line);
                Mount mount = { .id = -1 };

                harness_row("%s", rows[i].line);
                CU_ASSERT_EQUAL(mountinfo_parse(line, &mount), rows[i].expected);
                if (rows[i].expected < 0) {
                        CU_ASSERT_EQUAL(mount.id, -1);
                        continue;
                }
                CU_ASSERT_EQUAL(mount.id, rows[i].mount.id);
                CU_ASSERT_STRING_EQUAL(mount.device, rows[i].mount.device);
                CU_ASSERT_STRING_EQUAL(mount.root, rows[i].mount.root);
                CU_ASSERT_STRING_EQUAL(mount.point, rows[i].mount.point);
                CU_ASSERT_STRING_EQUAL(mount.source, rows[i].mount.source);
                CU_ASSERT_STRING_EQUAL(mount.options, rows[i].mount.options);
        }
}

static void test_overlaps(void) {
        static const struct {
                Mount a, b;
                bool expected;
        } rows[] = {
                { { .device = "8:1", .root = "/" }, { .device = "8:1", .root = "/" }, true },
                { { .device = "8:1", .root = "/" }, { .device = "8:10", .root = "/" }, false },
                { { .device = "8:1", .root = "/" }, { .device = "8:1", .root = "/a/b" }, true },
                { { .device = "8:1", .root = "/a" }, { .device = "8:1", .root = "/a/b" }, true },
                { { .device = "8:1", .root = "/a" }, { .device = "8:1", .root = "/a" }, true },
                { { .device = "8:1", .root = "/a" }, { .device = "8:1", .root = "/ab" }, false },
                { { .device = "0:9", .root = "/@" }, { .device = "0:9", .root = "/@home" }, false },
                { { .device = "8:1", .root = "/a/b" }, { .device = "8:1", .root = "/a/c" }, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%s and %s", rows[i].a.root, rows[i].b.root);
                CU_ASSERT_EQUAL(mount_overlaps(&rows[i].a, &rows[i].b), rows[i].expected);
                CU_ASSERT_EQUAL(mount_overlaps(&rows[i].b, &rows[i].a), rows[i].expected);
        }
}

static int find_point(Mount *mount, void *userdata) {
        const int *id = userdata;

        return mount->id == *id && strcmp(mount->point, "/proc") == 0 ? 42 : 0;
}

static void test_this_system(void) {
        _cleanup_close_ int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(rootdir_close) RootDir root = ROOTDIR_NULL;
        _cleanup_(mount_free) Mount mount = {};
        int id = -1, none = -1;

        CU_ASSERT_EQUAL(rootdir_open("/", &root), 0);
        CU_ASSERT_EQUAL(mountinfo_id(&root, proc_fd, &id), 0);
        CU_ASSERT_EQUAL(mountinfo_each(&root, "proc/self/mountinfo", find_point, &id), 42);
        CU_ASSERT_EQUAL(mountinfo_each(&root, "proc/self/mountinfo", find_point, &none), 0);
        CU_ASSERT_EQUAL(mountinfo_each(&root, "proc/self/none", find_point, &id), -ENOENT);
        CU_ASSERT_EQUAL(mountinfo_each(&root, "proc/self/status", find_point, &id), -EINVAL);
        CU_ASSERT(mountinfo_id(&root, -1, &none) < 0 && none == -1);

        CU_ASSERT_EQUAL(mountinfo_find(&root, -1, &mount), -ESTALE);
        CU_ASSERT_PTR_NULL(mount.line);
        CU_ASSERT_EQUAL(mountinfo_find(&root, id, &mount), 0);
        CU_ASSERT_STRING_EQUAL(mount.point, "/proc");
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_parse),
        HARNESS_TEST(test_overlaps),
        HARNESS_TEST(test_this_system),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("mountinfo", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
