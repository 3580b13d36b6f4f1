/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <libudev.h>
#include <string.h>

#include "lib/kernel/hotplug.h"
#include "lib/kernel/uevent.h"

#define EVENTS_AT_ONCE 64U
#define MODALIAS_RNG   "virtio:d00000004v"

struct Hotplug {
        struct udev *udev;
        struct udev_monitor *monitor;
        bool by_udevd;
};

static bool udevd_runs(const RootDir *root) {
        return rootdir_exists(root, "run/udev/control");
}

static int start_monitor(Hotplug *hotplug) {
        int r;

        hotplug->udev = udev_new();
        if (!hotplug->udev)
                return -ENOMEM;
        hotplug->monitor =
                udev_monitor_new_from_netlink(hotplug->udev, hotplug->by_udevd ? "udev" : "kernel");
        if (!hotplug->monitor)
                return negative_errno();

        for (const char *const *name = uevent_source_subsystems; *name; name++) {
                r = udev_monitor_filter_add_match_subsystem_devtype(hotplug->monitor, *name, NULL);
                if (r < 0)
                        return r;
        }
        return udev_monitor_enable_receiving(hotplug->monitor);
}

int hotplug_new(const RootDir *root, Hotplug **ret_hotplug) {
        Hotplug *hotplug;
        int r;

        hotplug = calloc(1, sizeof(*hotplug));
        if (!hotplug)
                return -ENOMEM;

        hotplug->by_udevd = udevd_runs(root);
        r = start_monitor(hotplug);
        if (r < 0) {
                (void)hotplug_free(hotplug);
                return r;
        }

        *ret_hotplug = hotplug;
        return 0;
}

Hotplug *hotplug_free(Hotplug *hotplug) {
        if (!hotplug)
                return NULL;
        if (hotplug->monitor)
                (void)udev_monitor_unref(hotplug->monitor);
        if (hotplug->udev)
                (void)udev_unref(hotplug->udev);
        free(hotplug);
        return NULL;
}

int hotplug_fd(const Hotplug *hotplug) {
        return udev_monitor_get_fd(hotplug->monitor);
}

bool hotplug_by_udevd(const Hotplug *hotplug) {
        return hotplug->by_udevd;
}

/* The driver is gone from its device when unbind is told, so DRIVER is not among its properties:
 * MODALIAS names the kind of device, and 4 is virtio's number for an RNG. */
static bool is_rng_removal(struct udev_device *device) {
        const char *action = udev_device_get_action(device);
        const char *driver = udev_device_get_property_value(device, "DRIVER");
        const char *modalias = udev_device_get_property_value(device, "MODALIAS");

        if (!action || (strcmp(action, "unbind") != 0 && strcmp(action, "remove") != 0))
                return false;
        return (driver && strcmp(driver, "virtio_rng") == 0) ||
               (modalias && strncmp(modalias, MODALIAS_RNG, strlen(MODALIAS_RNG)) == 0);
}

int hotplug_receive(Hotplug *hotplug, HotplugChange *ret_change) {
        HotplugChange change = {};

        for (unsigned int i = 0; i < EVENTS_AT_ONCE; i++) {
                struct udev_device *device;

                errno = 0;
                device = udev_monitor_receive_device(hotplug->monitor);
                if (!device) {
                        /* ENOBUFS: events were lost, so look at sysfs as if there had been one. */
                        change.any |= errno == ENOBUFS;
                        break;
                }
                change.any = true;
                change.rng_removed |= is_rng_removal(device);
                (void)udev_device_unref(device);
        }

        *ret_change = change;
        return 0;
}
