/* SPDX-License-Identifier: MIT */
/* The kernel's own events, which root can ask for by writing to a device's uevent file. */
#include <poll.h>

#include "lib/kernel/hotplug.h"
#include "lib/kernel/uevent.h"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

#define UEVENT_OF_DISK "/sys/class/block/loop0/uevent"
#define UEVENT_OF_MISC "/sys/class/misc/hw_random/uevent"
#define UEVENT_OF_MEM  "/sys/class/mem/null/uevent"

static RootDir root = ROOTDIR_NULL;
static Hotplug *hotplug;

static void setup(void) {
        scratch_setup();
        CU_ASSERT_EQUAL_FATAL(rootdir_open(scratch_directory, &root), 0);
        CU_ASSERT_EQUAL_FATAL(hotplug_new(&root, &hotplug), 0);
}

static void teardown(void) {
        hotplug = hotplug_free(hotplug);
        rootdir_close(&root);
        scratch_teardown();
}

static bool trigger(const char *path) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        bool done = fd >= 0 && write(fd, "change", 6) == 6;

        cleanup_close(&fd);
        return done;
}

static bool is_readable(int timeout_msec) {
        struct pollfd entry = { .fd = hotplug_fd(hotplug), .events = POLLIN };

        return poll(&entry, 1, timeout_msec) == 1;
}

static void drain(void) {
        HotplugChange change;

        while (is_readable(50))
                CU_ASSERT_EQUAL(hotplug_receive(hotplug, &change), 0);
}

static void test_who_tells(void) {
        Hotplug *other = NULL;

        CU_ASSERT_FALSE(hotplug_by_udevd(hotplug));
        CU_ASSERT(hotplug_fd(hotplug) >= 0);
        CU_ASSERT_EQUAL(fcntl(hotplug_fd(hotplug), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        CU_ASSERT(fcntl(hotplug_fd(hotplug), F_GETFL) & O_NONBLOCK);

        (void)scratch_write("run/udev/control", "");
        CU_ASSERT_EQUAL(hotplug_new(&root, &other), 0);
        CU_ASSERT(hotplug_by_udevd(other));
        CU_ASSERT_PTR_NULL(hotplug_free(other));
        CU_ASSERT_PTR_NULL(hotplug_free(NULL));
}

static void test_nothing(void) {
        HotplugChange change = { .any = true, .rng_removed = true };

        drain();
        CU_ASSERT_EQUAL(hotplug_receive(hotplug, &change), 0);
        CU_ASSERT_FALSE(change.any);
        CU_ASSERT_FALSE(change.rng_removed);
}

static void test_event(void) {
        HotplugChange change = {};

        drain();
        if (!trigger(UEVENT_OF_MISC))
                HARNESS_SKIP("no hw_random in sysfs, or not root");
        CU_ASSERT(is_readable(2000));
        CU_ASSERT_EQUAL(hotplug_receive(hotplug, &change), 0);
        CU_ASSERT(change.any);
        CU_ASSERT_FALSE(change.rng_removed);
        CU_ASSERT_FALSE(is_readable(50));
}

static void test_many_events(void) {
        HotplugChange change = {};
        unsigned n = 0;

        drain();
        for (unsigned i = 0; i < 200; i++)
                if (!trigger(UEVENT_OF_MISC))
                        HARNESS_SKIP("no hw_random in sysfs, or not root");
        while (is_readable(50) && n++ < 10) {
                CU_ASSERT_EQUAL(hotplug_receive(hotplug, &change), 0);
                CU_ASSERT(change.any);
        }
        CU_ASSERT(n >= 1 && n <= 5);
}

/* Events of a subsystem that no source hangs on do not even arrive as a change. */
static void test_foreign_event(void) {
        HotplugChange change = {};

        drain();
        if (!trigger(UEVENT_OF_MEM))
                HARNESS_SKIP("no mem devices in sysfs, or not root");
        (void)is_readable(50);
        CU_ASSERT_EQUAL(hotplug_receive(hotplug, &change), 0);
        CU_ASSERT_FALSE(change.any);
}

static void test_disks(void) {
        HotplugChange change = {};

        drain();
        if (!trigger(UEVENT_OF_DISK))
                HARNESS_SKIP("no loop0 in sysfs, or not root");
        (void)is_readable(50);
        CU_ASSERT_EQUAL(hotplug_receive(hotplug, &change), 0);
        CU_ASSERT_FALSE(change.any);
}

/* What the seeder is told, without udev: disks, too. Others on this machine cause events as well. */
static void test_without_udev(void) {
        static const struct {
                const char *path;
                uint32_t change;
        } rows[] = { { UEVENT_OF_MISC, UEVENT_CHIP }, { UEVENT_OF_DISK, UEVENT_DISK } };
        int fd = -1;

        CU_ASSERT_EQUAL_FATAL(uevent_open(&fd), 0);
        while (uevent_changes(fd) != 0)
                ;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct pollfd entry = { .fd = fd, .events = POLLIN };

                if (!trigger(rows[i].path))
                        continue; /* not here, or not root */
                CU_ASSERT_EQUAL(poll(&entry, 1, 2000), 1);
                CU_ASSERT((uevent_changes(fd) & rows[i].change) != 0);
        }
        cleanup_close(&fd);
}

static CU_TestInfo tests[] = {
        HARNESS_TEST(test_who_tells),     HARNESS_TEST(test_nothing),
        HARNESS_TEST(test_event),         HARNESS_TEST(test_many_events),
        HARNESS_TEST(test_foreign_event), HARNESS_TEST(test_disks),
        HARNESS_TEST(test_without_udev),  CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("hotplug", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
