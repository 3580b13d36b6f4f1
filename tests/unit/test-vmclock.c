/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/kernel/vmclock.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

/* include/uapi/linux/vmclock-abi.h: struct vmclock_abi, all little-endian */
static uint8_t page[VMCLOCK_ABI_BYTES];
static RootDir root = ROOTDIR_NULL;

static void put(size_t at, uint64_t value, unsigned n_bytes) {
        for (unsigned i = 0; i < n_bytes; i++)
                page[at + i] = (uint8_t)(value >> (8 * i));
}

static void setup(void) {
        memset(page, 0, sizeof(page));
        put(0, 0x4b4c4356, 4); /* "VCLK" */
        put(4, 0x1000, 4);
        put(8, 1, 2);
        put(16, 0x1122334455667788, 8);  /* disruption_marker */
        put(24, UINT64_C(1) << 8, 8);    /* flags: the generation counter is there */
        put(104, 0x99aabbccddeeff00, 8); /* vm_generation_counter */
        scratch_setup();
        CU_ASSERT_EQUAL_FATAL(rootdir_open(scratch_directory, &root), 0);
}

static void teardown(void) {
        rootdir_close(&root);
        scratch_teardown();
}

static void test_parse(void) {
        VmclockState state = {};

        CU_ASSERT_NSTRING_EQUAL((const char *)page, "VCLK", 4);
        CU_ASSERT_EQUAL(vmclock_parse(page, &state), 0);
        CU_ASSERT(state.has_generation);
        CU_ASSERT_EQUAL(state.generation, 0x99aabbccddeeff00);
        CU_ASSERT_EQUAL(state.disruption, 0x1122334455667788);

        put(24, ~(UINT64_C(1) << 8), 8);
        CU_ASSERT_EQUAL(vmclock_parse(page, &state), 0);
        CU_ASSERT_FALSE(state.has_generation);
}

static void test_refused(void) {
        VmclockState state = { .generation = 7 };

        put(12, 3, 4); /* an odd sequence: the host is writing */
        CU_ASSERT_EQUAL(vmclock_parse(page, &state), -EAGAIN);
        put(12, 4, 4);
        page[0] ^= 1;
        CU_ASSERT_EQUAL(vmclock_parse(page, &state), -EBADMSG);
        memset(page, 0, sizeof(page));
        CU_ASSERT_EQUAL(vmclock_parse(page, &state), -EBADMSG);
        memset(page, 0xff, sizeof(page));
        CU_ASSERT_EQUAL(vmclock_parse(page, &state), -EBADMSG);
        CU_ASSERT_EQUAL(state.generation, 7);
}

static void test_read(void) {
        VmclockState state = {};
        int fd = -1;

        CU_ASSERT_EQUAL(vmclock_open(&root, &fd), -ENOENT);
        CU_ASSERT_EQUAL(fd, -1);
        (void)scratch_write_bytes("dev/vmclock0", page, sizeof(page));
        CU_ASSERT_EQUAL(vmclock_open(&root, &fd), 0);
        /* From its start each time, whatever was read before. */
        for (unsigned i = 0; i < 3; i++) {
                CU_ASSERT_EQUAL(vmclock_read(fd, &state), 0);
                CU_ASSERT_EQUAL(state.generation, 0x99aabbccddeeff00);
        }
        (void)scratch_write_bytes("dev/vmclock0", page, sizeof(page) - 1);
        CU_ASSERT_EQUAL(vmclock_read(fd, &state), -EBADMSG);
        (void)scratch_write("dev/vmclock0", "");
        CU_ASSERT_EQUAL(vmclock_read(fd, &state), -EBADMSG);
        CU_ASSERT_EQUAL(vmclock_read(-1, &state), -EBADF);
        (void)close(fd);
}

static void test_fork(void) {
        const VmclockState before = { .has_generation = true, .generation = 1, .disruption = 1 };
        static const struct {
                VmclockState now;
                bool fork;
        } rows[] = {
                { { true, 1, 1 }, false },  { { true, 2, 1 }, true },  { { true, 2, 2 }, true },
                { { true, 0, 2 }, true },   { { true, 1, 2 }, false }, /* a migration */
                { { false, 2, 2 }, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("row %zu", i);
                CU_ASSERT_EQUAL(vmclock_is_fork(&before, &rows[i].now), rows[i].fork);
        }
        CU_ASSERT_FALSE(
                vmclock_is_fork(&(VmclockState){ false, 1, 1 }, &(VmclockState){ true, 2, 2 }));
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_parse), HARNESS_TEST(test_refused), HARNESS_TEST(test_read),
        HARNESS_TEST(test_fork),  CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("vmclock", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
