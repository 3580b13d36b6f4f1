/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "seeder/image/mount.h"
#include "tests/unit/harness.h"

static void test_parse(void) {
        static const struct {
                const char *line;
                int expected;
                ImageMount mount;
        } rows[] = {
                { "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw\n",
                  0,
                  { 36, "98:0", "/mnt1", "/mnt2" } },
                { "1 0 0:5 / / rw", 0, { 1, "0:5", "/", "/" } },
                { "1 0 0:5 /a\\040b /c\\134d\\011 rw", 0, { 1, "0:5", "/a b", "/c\\d\t" } },
                { "1 0 0:5 /a\\04 /c\\0", 0, { 1, "0:5", "/a\\04", "/c\\0" } },
                { "1 0 0:4 mnt:[4026531841] /run/ns/x rw - nsfs nsfs rw",
                  0,
                  { 1, "0:4", "mnt:[4026531841]", "/run/ns/x" } },
                { "", -EINVAL, {} },
                { "\n", -EINVAL, {} },
                { "36 35 98:0 /mnt1", -EINVAL, {} },
                { "36 35 98:0 /mnt1 \n", -EINVAL, {} },
                { "36 35 98:0  /mnt1 /mnt2", -EINVAL, {} },
                { "x 35 98:0 /mnt1 /mnt2", -EINVAL, {} },
                { "-1 35 98:0 /mnt1 /mnt2", -EINVAL, {} },
                { "4294967295 35 98:0 /mnt1 /mnt2", -EINVAL, {} },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *line = strdup(rows[i].line);
                ImageMount mount = { .id = -1 };

                harness_row("%s", rows[i].line);
                CU_ASSERT_EQUAL(image_mount_parse(line, &mount), rows[i].expected);
                if (rows[i].expected < 0) {
                        CU_ASSERT_EQUAL(mount.id, -1);
                        continue;
                }
                CU_ASSERT_EQUAL(mount.id, rows[i].mount.id);
                CU_ASSERT_STRING_EQUAL(mount.device, rows[i].mount.device);
                CU_ASSERT_STRING_EQUAL(mount.root, rows[i].mount.root);
                CU_ASSERT_STRING_EQUAL(mount.point, rows[i].mount.point);
        }
}

static void test_overlaps(void) {
        static const struct {
                ImageMount a, b;
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
                CU_ASSERT_EQUAL(image_mount_overlaps(&rows[i].a, &rows[i].b), rows[i].expected);
                CU_ASSERT_EQUAL(image_mount_overlaps(&rows[i].b, &rows[i].a), rows[i].expected);
        }
}

static int find_point(const ImageMount *mount, void *userdata) {
        const int *id = userdata;

        return mount->id == *id && strcmp(mount->point, "/proc") == 0 ? 42 : 0;
}

static void test_this_system(void) {
        _cleanup_close_ int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        int id = -1, none = -1;

        CU_ASSERT_EQUAL(image_mount_id(proc_fd, &id), 0);
        CU_ASSERT_EQUAL(image_mount_each("/proc/self/mountinfo", find_point, &id), 42);
        CU_ASSERT_EQUAL(image_mount_each("/proc/self/mountinfo", find_point, &none), 0);
        CU_ASSERT_EQUAL(image_mount_each("/proc/self/none", find_point, &id), -ENOENT);
        CU_ASSERT_EQUAL(image_mount_each("/proc/self/status", find_point, &id), -EINVAL);
        CU_ASSERT(image_mount_id(-1, &none) < 0 && none == -1);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_parse),
        HARNESS_TEST(test_overlaps),
        HARNESS_TEST(test_this_system),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE("image-mount", tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
