/* SPDX-License-Identifier: MIT */
#include "lib/base/rootdir.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static RootDir root = ROOTDIR_NULL;

static void setup(void) {
        scratch_setup();
        CU_ASSERT_EQUAL_FATAL(rootdir_open(scratch_directory, &root), 0);
}

static void teardown(void) {
        rootdir_close(&root);
        scratch_teardown();
}

static void test_open(void) {
        RootDir other = ROOTDIR_NULL;

        CU_ASSERT_EQUAL(rootdir_open(scratch_path("missing"), &other), -ENOENT);
        (void)scratch_write("file", "");
        CU_ASSERT_EQUAL(rootdir_open(scratch_path("file"), &other), -ENOTDIR);
        CU_ASSERT_EQUAL(other.fd, -1);
        rootdir_close(&other);
        CU_ASSERT_EQUAL(rootdir_open("/", &other), 0);
        CU_ASSERT_EQUAL(fcntl(other.fd, F_GETFD), FD_CLOEXEC);
        rootdir_close(&other);
        CU_ASSERT_EQUAL(other.fd, -1);
        rootdir_close(&other);
}

static void test_file(void) {
        int fd;

        (void)scratch_write("dev/thing", "abc");
        fd = rootdir_open_file(&root, "dev/thing", O_RDONLY);
        CU_ASSERT(fd >= 0);
        CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
        (void)close(fd);
        CU_ASSERT_EQUAL(rootdir_open_file(&root, "dev/none", O_RDONLY), -ENOENT);
        CU_ASSERT_EQUAL(rootdir_open_file(&root, "dev/thing/below", O_RDONLY), -ENOTDIR);
}

static void test_u32(void) {
        static const struct {
                const char *text;
                int r;
        } rows[] = {
                { "256\n", 0 },
                { "256", 0 },
                { "", -EINVAL },
                { "\n", -EINVAL },
                { "-1\n", -EINVAL },
                { "256 257\n", -EINVAL },
                { "4294967296\n", -ERANGE },
                { "0000000000000000000000000000000256\n", -EFBIG },
                { "x\n", -EINVAL },
        };
        uint32_t value;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("'%s'", rows[i].text);
                (void)scratch_write("sys/number", rows[i].text);
                value = 7;
                CU_ASSERT_EQUAL(rootdir_read_u32(&root, "sys/number", &value), rows[i].r);
                CU_ASSERT_EQUAL(value, rows[i].r == 0 ? 256 : 7);
        }
        CU_ASSERT_EQUAL(rootdir_read_u32(&root, "sys/none", &value), -ENOENT);
        CU_ASSERT_EQUAL(rootdir_read_u32(&root, "sys", &value), -EISDIR);
}

static void test_write(void) {
        char text[16];

        CU_ASSERT_EQUAL(rootdir_write_text(&root, "sys/setting", "1"), -ENOENT);
        CU_ASSERT(access(scratch_path("sys/setting"), F_OK) < 0);
        (void)scratch_write("sys/setting", "0");
        CU_ASSERT_EQUAL(rootdir_write_text(&root, "sys/setting", "4096"), 0);
        CU_ASSERT_EQUAL(rootdir_read_text(&root, "sys/setting", text, sizeof(text)), 0);
        CU_ASSERT_STRING_EQUAL(text, "4096");
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_open),  HARNESS_TEST(test_file), HARNESS_TEST(test_u32),
        HARNESS_TEST(test_write), CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("rootdir", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
