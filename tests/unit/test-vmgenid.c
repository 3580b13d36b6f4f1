/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/kernel/vmgenid.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

#define BLOB "sys/firmware/qemu_fw_cfg/by_name/etc/vmgenid_guid/raw"

static RootDir root = ROOTDIR_NULL;

static void setup(void) {
        scratch_setup();
        CU_ASSERT_EQUAL_FATAL(rootdir_open(scratch_directory, &root), 0);
}

static void teardown(void) {
        rootdir_close(&root);
        scratch_teardown();
}

static void test_driver(void) {
        CU_ASSERT_FALSE(vmgenid_has_driver(&root));
        /* A driver without a device has only these. */
        (void)scratch_write("sys/bus/acpi/drivers/vmgenid/bind", "");
        (void)scratch_write("sys/bus/acpi/drivers/vmgenid/uevent", "");
        CU_ASSERT_EQUAL(
                symlink("../../../../module/vmgenid",
                        scratch_path("sys/bus/acpi/drivers/vmgenid/module")),
                0);
        CU_ASSERT_FALSE(vmgenid_has_driver(&root));
        CU_ASSERT_EQUAL(
                symlink("../../../../devices/LNXSYSTM:00/QEMUVGID:00",
                        scratch_path("sys/bus/acpi/drivers/vmgenid/QEMUVGID:00")),
                0);
        CU_ASSERT(vmgenid_has_driver(&root));
}

static void test_platform_driver(void) {
        (void)scratch_write("sys/bus/platform/drivers/vmgenid/bind", "");
        CU_ASSERT_FALSE(vmgenid_has_driver(&root));
        CU_ASSERT_EQUAL(
                symlink("nowhere", scratch_path("sys/bus/platform/drivers/vmgenid/VMGENCTR:00")),
                0);
        CU_ASSERT(vmgenid_has_driver(&root));
}

static void test_driver_is_a_file(void) {
        (void)scratch_write("sys/bus/platform/drivers/vmgenid", "");
        CU_ASSERT_FALSE(vmgenid_has_driver(&root));
}

static void test_read(void) {
        uint8_t blob[4096] = {};
        Vmgenid first, second = {};
        int fd = -1;

        CU_ASSERT_EQUAL(vmgenid_open(&root, &fd), -ENOENT);
        CU_ASSERT_EQUAL(fd, -1);

        for (size_t i = 0; i < VMGENID_BYTES; i++)
                blob[40 + i] = (uint8_t)(i + 1);
        (void)scratch_write_bytes(BLOB, blob, sizeof(blob));
        CU_ASSERT_EQUAL(vmgenid_open(&root, &fd), 0);
        CU_ASSERT_EQUAL(vmgenid_read(fd, &first), 0);
        CU_ASSERT_EQUAL(memcmp(first.guid, blob + 40, VMGENID_BYTES), 0);
        CU_ASSERT_EQUAL(vmgenid_read(fd, &second), 0);
        CU_ASSERT(vmgenid_equal(&first, &second));

        blob[55] ^= 0x80;
        (void)scratch_write_bytes(BLOB, blob, sizeof(blob));
        CU_ASSERT_EQUAL(vmgenid_read(fd, &second), 0);
        CU_ASSERT_FALSE(vmgenid_equal(&first, &second));
        (void)close(fd);
}

static void test_short(void) {
        uint8_t blob[55] = {};
        Vmgenid vmgenid = { .guid = { 7 } };
        int fd = -1;

        (void)scratch_write_bytes(BLOB, blob, sizeof(blob));
        CU_ASSERT_EQUAL(vmgenid_open(&root, &fd), 0);
        CU_ASSERT_EQUAL(vmgenid_read(fd, &vmgenid), -EBADMSG);
        (void)scratch_write(BLOB, "");
        CU_ASSERT_EQUAL(vmgenid_read(fd, &vmgenid), -EBADMSG);
        CU_ASSERT_EQUAL(vmgenid_read(-1, &vmgenid), -EBADF);
        CU_ASSERT_EQUAL(vmgenid.guid[0], 7);
        (void)close(fd);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_driver),
        HARNESS_TEST(test_platform_driver),
        HARNESS_TEST(test_driver_is_a_file),
        HARNESS_TEST(test_read),
        HARNESS_TEST(test_short),
        CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("vmgenid", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
