/* SPDX-License-Identifier: MIT */
/* Which directories outlast a power cut: real file systems, in a mount namespace of the test's own. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "lib/kernel/lasting.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

#define IN_MEMORY   "the state directory is kept in memory only"
#define CANNOT_TELL "nothing shows that the state directory outlasts a power cut"

/* A shell line in the scratch directory. */
static int shell(const char *line) {
        char command[1024];

        (void)snprintf(
                command,
                sizeof(command),
                "cd %s; set -e; { %s; } >/dev/null 2>&1",
                scratch_directory,
                line);
        return system(command);
}

/* The reason, or "" for none. */
static const char *judge(const char *path) {
        _cleanup_(rootdir_close) RootDir root = ROOTDIR_NULL;
        const char *why_not = "";
        int fd;

        CU_ASSERT_EQUAL(rootdir_open("/", &root), 0);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CU_ASSERT(fd >= 0);
        CU_ASSERT_EQUAL(lasting_directory(&root, fd, &why_not), why_not[0] == '\0');
        (void)close(fd);
        return why_not;
}

static void setup(void) {
        scratch_setup();
        if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
            mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return;
        (void)shell("mkdir ram disk; mount -t tmpfs none ram");
}

static void teardown(void) {
        (void)shell("for m in over inner disk ram; do umount -d $m || :; done");
        scratch_teardown();
}

static bool may_mount(void) {
        return shell("mountpoint ram") == 0;
}

/* An ext4 in a file, on a loop device. */
static bool make_disk(const char *file, const char *point) {
        char line[512];

        (void)snprintf(
                line,
                sizeof(line),
                "truncate -s 4M %s; mke2fs -q -t ext4 -F %s; mkdir -p %s; mount -o loop %s %s",
                file,
                file,
                point,
                file,
                point);
        return shell(line) == 0;
}

static void test_memory(void) {
        if (!may_mount())
                HARNESS_SKIP("no mounts of its own");
        CU_ASSERT_STRING_EQUAL(judge(scratch_path("ram")), IN_MEMORY);
        CU_ASSERT_EQUAL(shell("mkdir ram/below"), 0);
        CU_ASSERT_STRING_EQUAL(judge(scratch_path("ram/below")), IN_MEMORY);
        CU_ASSERT_STRING_EQUAL(judge("/proc"), CANNOT_TELL);
}

static void test_disk(void) {
        if (!may_mount() || !make_disk("image", "disk"))
                HARNESS_SKIP("no loop devices");
        /* As good as what the file lies on, and no better. */
        CU_ASSERT_STRING_EQUAL(judge(scratch_path("disk")), judge(scratch_directory));
        CU_ASSERT(make_disk("ram/image", "inner"));
        CU_ASSERT_STRING_EQUAL(judge(scratch_path("inner")), IN_MEMORY);
        CU_ASSERT_EQUAL(shell("rm ram/image"), 0);
        CU_ASSERT_STRING_EQUAL(judge(scratch_path("inner")), CANNOT_TELL);
}

/* As a live system's: mapped from a disk and a file in memory, as sysfs tells it. */
static void test_mapped_disk(void) {
        static const struct {
                const char *make, *why_not;
        } rows[] = {
                { "mkdir $D/device", "" },
                { ":", CANNOT_TELL },
                { "mkdir -p $D/slaves/vda $D/slaves/vdb", "" },
                { "mkdir -p $D/slaves/vda $D/slaves/loop0; echo /ram/image > $B/loop0/loop/backing_file",
                  IN_MEMORY },
                { "mkdir -p $D/slaves/vda $D/slaves/loop0; echo /gone > $B/loop0/loop/backing_file",
                  CANNOT_TELL },
                { "mkdir -p $D/slaves/vda $D/slaves/ram0", CANNOT_TELL },
                { "mkdir -p $D/slaves/dm-1 $B/dm-1/slaves/dm-1", CANNOT_TELL },
                { "rm -r $D; mkdir -p sys/vdc/vdc1 sys/vdc/device; : > sys/vdc/vdc1/partition; "
                  "ln -s $PWD/sys/vdc/vdc1 $D",
                  "" },
                { "rm -r $D; mkdir -p sys/vdc/vdc1; : > sys/vdc/vdc1/partition; "
                  "ln -s $PWD/sys/vdc/vdc1 $D",
                  CANNOT_TELL },
        };

        if (!may_mount() || strcmp(judge(scratch_directory), "") != 0)
                HARNESS_SKIP("no mounts of its own, or no disk below them");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(rootdir_close) RootDir root = ROOTDIR_NULL;
                const char *why_not = "";
                char line[768];

                harness_row("%s", rows[i].make);
                (void)snprintf(
                        line,
                        sizeof(line),
                        "rm -rf sys proc; ln -s /proc proc; touch ram/image; B=sys/class/block; "
                        "D=sys/dev/block/$(mountpoint -d $(stat -c %%m .)); mkdir -p $D $B/vda/device "
                        "$B/vdb/device $B/loop0/loop $B/ram0; %s",
                        rows[i].make);
                CU_ASSERT_EQUAL(shell(line), 0);
                CU_ASSERT_EQUAL(rootdir_open(scratch_directory, &root), 0);
                CU_ASSERT_EQUAL(lasting_directory(&root, root.fd, &why_not), why_not[0] == '\0');
                CU_ASSERT_STRING_EQUAL(why_not, rows[i].why_not);
        }
}

static bool mount_overlay(const char *upper, const char *options) {
        char line[512];

        (void)snprintf(
                line,
                sizeof(line),
                "umount over || :; mkdir -p lower over '%s/up' %s/work; mount -t overlay -o "
                "\"%slowerdir=$PWD/lower,upperdir=$PWD/%s/up,workdir=$PWD/%s/work\" none over; "
                "mkdir -p over/state",
                upper,
                upper,
                options,
                upper,
                upper);
        return shell(line) == 0;
}

static void test_overlay(void) {
        if (!may_mount() || !make_disk("image", "disk") || !mount_overlay("ram", ""))
                HARNESS_SKIP("no overlays");
        CU_ASSERT_STRING_EQUAL(judge(scratch_path("over/state")), IN_MEMORY);
        CU_ASSERT(mount_overlay("disk", ""));
        CU_ASSERT_STRING_EQUAL(judge(scratch_path("over/state")), judge(scratch_path("disk")));
        /* Its path leads elsewhere now, as after a change of the root. */
        CU_ASSERT_EQUAL(shell("mv disk/up disk/moved; mkdir disk/up"), 0);
        CU_ASSERT_STRING_EQUAL(judge(scratch_path("over/state")), CANNOT_TELL);
        /* Never synced. */
        if (mount_overlay("disk", "volatile,"))
                CU_ASSERT_STRING_EQUAL(judge(scratch_path("over/state")), CANNOT_TELL);
        /* Without an upper layer nothing can be written. */
        CU_ASSERT_EQUAL(
                shell("umount over; mkdir -p lower/state other; mount -t overlay -o "
                      "lowerdir=$PWD/lower:$PWD/other none over"),
                0);
        CU_ASSERT_STRING_EQUAL(judge(scratch_path("over/state")), CANNOT_TELL);
}

/* Without /proc or /sys nothing can be told. */
static void test_nothing_to_ask(void) {
        _cleanup_(rootdir_close) RootDir root = ROOTDIR_NULL;
        const char *why_not = "";

        if (strcmp(judge(scratch_directory), "") != 0)
                HARNESS_SKIP("this is no disk of a machine");
        CU_ASSERT_EQUAL(rootdir_open(scratch_directory, &root), 0);
        CU_ASSERT_FALSE(lasting_directory(&root, root.fd, &why_not));
        CU_ASSERT_STRING_EQUAL(why_not, CANNOT_TELL);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_memory),         HARNESS_TEST(test_disk),
        HARNESS_TEST(test_mapped_disk),    HARNESS_TEST(test_overlay),
        HARNESS_TEST(test_nothing_to_ask), CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("lasting", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
