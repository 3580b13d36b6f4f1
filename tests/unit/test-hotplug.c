/* SPDX-License-Identifier: MIT */
/* The kernel's own events, which root can ask for by writing to a device's uevent file. */
#include <poll.h>

#include "rngd/hotplug.c"
#include "tests/unit/harness.h"
#include "tests/unit/scratch.h"

#define UEVENT_OF_DISK "/sys/class/block/loop0/uevent"
#define UEVENT_OF_MISC "/sys/class/misc/hw_random/uevent"
#define UEVENT_OF_MEM  "/sys/class/mem/null/uevent"

static RootDir root = ROOTDIR_NULL;
static sd_event *event;
static Hotplug hotplug;
static unsigned n_changes;
static bool told_removal;

static void changed(void *userdata, bool rng_removed) {
        n_changes++;
        told_removal = rng_removed;
}

static void setup(void) {
        scratch_setup();
        n_changes = 0;
        CU_ASSERT_EQUAL_FATAL(rootdir_open(scratch_directory, &root), 0);
        CU_ASSERT_FATAL(sd_event_new(&event) >= 0);
        hotplug_init(&hotplug, &(const HotplugHooks){ changed, NULL });
}

static void teardown(void) {
        hotplug_deinit(&hotplug);
        event = sd_event_unref(event);
        rootdir_close(&root);
        scratch_teardown();
}

static bool trigger(const char *path) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        bool done = fd >= 0 && write(fd, "change", 6) == 6;

        cleanup_close(&fd);
        return done;
}

/* Until nothing has come for some time. */
static void run(void) {
        while (sd_event_run(event, 50000) > 0)
                ;
}

static void start(void) {
        CU_ASSERT_EQUAL_FATAL(hotplug_start(&hotplug, event, &root), 0);
        run();
        n_changes = 0;
}

static void test_who_tells(void) {
        start();
        CU_ASSERT(!hotplug.monitor && hotplug.uevent_fd >= 0);
        hotplug_deinit(&hotplug);
        (void)scratch_write("run/udev/control", "");
        start();
        CU_ASSERT(hotplug.monitor && hotplug.uevent_fd < 0);
        CU_ASSERT_EQUAL(n_changes, 0);
}

/* However many wait, they are one change. */
static void test_events(void) {
        start();
        for (unsigned i = 0; i < 200; i++)
                if (!trigger(UEVENT_OF_MISC))
                        HARNESS_SKIP("no hw_random in sysfs, or not root");
        run();
        CU_ASSERT(n_changes == 1 && !told_removal);
        CU_ASSERT(trigger(UEVENT_OF_MISC));
        run();
        CU_ASSERT_EQUAL(n_changes, 2);
}

/* Of a subsystem that no source hangs on. */
static void test_foreign_events(void) {
        start();
        if (!trigger(UEVENT_OF_MEM))
                HARNESS_SKIP("no mem devices in sysfs, or not root");
        (void)trigger(UEVENT_OF_DISK);
        run();
        CU_ASSERT_EQUAL(n_changes, 0);
}

/* When unbind is told, the driver is no property any more. */
static void test_removal(void) {
        static const struct {
                const char *action, *driver, *modalias;
                bool removed;
        } rows[] = {
                { "unbind", "", "virtio:d00000004v00001AF4", true },
                { "remove", "", "virtio:d00000004v00001AF4", true },
                { "remove", "virtio_rng", "", true },
                { "bind", "virtio_rng", "virtio:d00000004v00001AF4", false },
                { "unbind", "virtio_net", "virtio:d00000001v00001AF4", false },
                { "", "", "", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                harness_row("%zu", i);
                CU_ASSERT_EQUAL(
                        is_rng_removal(rows[i].action, rows[i].driver, rows[i].modalias),
                        rows[i].removed);
        }
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
        HARNESS_TEST(test_who_tells),      HARNESS_TEST(test_events),
        HARNESS_TEST(test_foreign_events), HARNESS_TEST(test_removal),
        HARNESS_TEST(test_without_udev),   CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
        HARNESS_SUITE_WITH("hotplug", setup, teardown, tests),
        CU_SUITE_INFO_NULL,
};

HARNESS_MAIN(suites)
