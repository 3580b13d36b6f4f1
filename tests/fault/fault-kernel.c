/* SPDX-License-Identifier: MIT */
/* kmsg, clock, vmclock and vmgenid: short files whose calls fail. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/rootdir.h"
#include "tests/fault/fault.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

static ssize_t fault_read(int fd, void *buffer, size_t size) {
        return FAULT(-1, read(fd, buffer, size));
}

static ssize_t fault_pread(int fd, void *buffer, size_t size, off_t at) {
        return FAULT(-1, pread(fd, buffer, size, at));
}

static int fault_timerfd_create(int clock, int flags) {
        return FAULT(-1, timerfd_create(clock, flags));
}

static int fault_timerfd_settime(
        int fd,
        int flags,
        const struct itimerspec *value,
        struct itimerspec *before) {
        return FAULT(-1, timerfd_settime(fd, flags, value, before));
}

static DIR *fault_fdopendir(int fd) {
        return FAULT(NULL, fdopendir(fd));
}

static struct dirent *fault_readdir(DIR *directory) {
        return FAULT(NULL, readdir(directory));
}

static int fault_open_file(const RootDir *root, const char *path, int flags) {
        return FAULT(-EIO, rootdir_open_file(root, path, flags));
}

#define read              fault_read
#define pread             fault_pread
#define timerfd_create    fault_timerfd_create
#define timerfd_settime   fault_timerfd_settime
#define fdopendir         fault_fdopendir
#define readdir           fault_readdir
#define rootdir_open_file fault_open_file
#include "lib/kernel/clock.c"
#include "lib/kernel/kmsg.c"
#include "lib/kernel/vmclock.c"
#include "lib/kernel/vmgenid.c"
#undef read
#undef pread
#undef timerfd_create
#undef timerfd_settime
#undef fdopendir
#undef readdir
#undef rootdir_open_file

static RootDir root = ROOTDIR_NULL;
static unsigned files;

static void setup(void) {
        scratch_setup();
        CU_ASSERT_EQUAL_FATAL(rootdir_open(scratch_directory, &root), 0);
        files = scratch_open_files();
}

static void teardown(void) {
        CU_ASSERT_EQUAL(scratch_open_files(), files);
        rootdir_close(&root);
        scratch_teardown();
}

static void test_kmsg(void) {
        static const struct {
                int error, r;
        } rows[] = {
                { EAGAIN, KMSG_E_END }, { EPIPE, KMSG_E_LOST }, { EINTR, -EBADF }, /* asked again */
                { EINVAL, -EINVAL },    { EIO, -EIO },
        };
        KmsgRecord record = { .sequence = 7 };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("errno %d", rows[i].error);
                (void)fault_first(rows[i].error);
                CU_ASSERT_EQUAL(kmsg_read(-1, &record), rows[i].r);
                fault_at = 0;
        }
        CU_ASSERT_EQUAL(record.sequence, 7);
        (void)scratch_write("dev/kmsg", "");
        FAULT_EACH(error, EIO) {
                int fd = -1, r;

                r = kmsg_open(&root, &fd);
                CU_ASSERT_EQUAL(r, fault_hit() ? -EIO : 0);
                CU_ASSERT_EQUAL(fd < 0, r < 0);
                cleanup_close(&fd);
        }
}

static void test_clock(void) {
        FAULT_EACH(error, EMFILE) {
                int fd = -1, r;

                r = clock_jump_open(&fd);
                CU_ASSERT_EQUAL(r, fault_hit() ? -EMFILE : 0);
                CU_ASSERT_EQUAL(fd < 0, r < 0);
                cleanup_close(&fd);
                CU_ASSERT_EQUAL(scratch_open_files(), files);
        }
        FAULT_EACH(error, ECANCELED) {
                bool jumped = false;
                int fd = -1, r;

                fault_at += 2; /* behind what opening calls */
                CU_ASSERT_EQUAL(clock_jump_open(&fd), 0);
                r = clock_jump_receive(fd, &jumped);
                /* The read fails with what a jump says; the arming fails and is an error. */
                CU_ASSERT_EQUAL(r, fault_hit() && fault_at == 4 ? -ECANCELED : 0);
                CU_ASSERT_EQUAL(jumped, fault_hit() && fault_at == 3);
                cleanup_close(&fd);
                fault_at -= 2;
                fault_calls = fault_calls > 2 ? fault_calls - 2 : 0;
        }
}

static void test_vmclock(void) {
        uint8_t page[VMCLOCK_ABI_BYTES] = { 'V', 'C', 'L', 'K' };

        (void)scratch_write_bytes("dev/vmclock0", page, sizeof(page));
        FAULT_EACH(error, EIO) {
                VmclockState state = { .generation = 7 };
                int fd = -1, r;

                r = vmclock_open(&root, &fd);
                if (r == 0)
                        r = vmclock_read(fd, &state);
                CU_ASSERT_EQUAL(r, fault_hit() ? -EIO : 0);
                CU_ASSERT_EQUAL(state.generation, r < 0 ? 7 : 0);
                cleanup_close(&fd);
        }
}

static void test_vmgenid(void) {
        uint8_t blob[56] = {};

        (void)scratch_write_bytes(
                "sys/firmware/qemu_fw_cfg/by_name/etc/vmgenid_guid/raw",
                blob,
                sizeof(blob));
        FAULT_EACH(error, EIO) {
                Vmgenid vmgenid = { .guid = { 7 } };
                int fd = -1, r;

                r = vmgenid_open(&root, &fd);
                if (r == 0)
                        r = vmgenid_read(fd, &vmgenid);
                CU_ASSERT_EQUAL(r, fault_hit() ? -EIO : 0);
                CU_ASSERT_EQUAL(vmgenid.guid[0], r < 0 ? 7 : 0);
                cleanup_close(&fd);
        }
        /* In doubt there is no driver, and the GUID is looked at. */
        (void)scratch_write("sys/bus/platform/drivers/vmgenid/bind", "");
        CU_ASSERT_EQUAL(symlink("x", scratch_path("sys/bus/platform/drivers/vmgenid/y")), 0);
        FAULT_EACH(error, ENOMEM) {
                bool found = vmgenid_has_driver(&root);

                CU_ASSERT(fault_hit() || found);
                CU_ASSERT_EQUAL(scratch_open_files(), files);
        }
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_kmsg),    HARNESS_TEST(test_clock), HARNESS_TEST(test_vmclock),
        HARNESS_TEST(test_vmgenid), CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("kernel", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
