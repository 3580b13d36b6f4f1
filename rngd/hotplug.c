/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/log.h"
#include "lib/kernel/uevent.h"
#include "rngd/hotplug.h"

#define EVENTS_AT_ONCE 64U
#define MODALIAS_RNG   "virtio:d00000004v"

/* The driver is gone from its device when unbind is told, so DRIVER is not among its properties:
 * MODALIAS names the kind of device, and 4 is virtio's number for an RNG. */
static bool is_rng_removal(const char *action, const char *driver, const char *modalias) {
        return (strcmp(action, "unbind") == 0 || strcmp(action, "remove") == 0) &&
               (strcmp(driver, "virtio_rng") == 0 ||
                strncmp(modalias, MODALIAS_RNG, strlen(MODALIAS_RNG)) == 0);
}

static int on_changed(sd_event_source *s, void *userdata) {
        Hotplug *hotplug = userdata;
        const bool rng_removed = hotplug->rng_removed;

        hotplug->rng_removed = false;
        hotplug->hooks.changed(hotplug->hooks.userdata, rng_removed);
        return 0;
}

/* Many come at once: sysfs is looked at behind them. */
static int note(Hotplug *hotplug, bool rng_removed) {
        hotplug->rng_removed |= rng_removed;
        return sd_event_source_set_enabled(hotplug->changed_source, SD_EVENT_ONESHOT);
}

static const char *property(sd_device *device, const char *name) {
        const char *value = "";

        (void)sd_device_get_property_value(device, name, &value);
        return value;
}

static int on_device(sd_device_monitor *monitor, sd_device *device, void *userdata) {
        return note(
                userdata,
                is_rng_removal(
                        property(device, "ACTION"),
                        property(device, "DRIVER"),
                        property(device, "MODALIAS")));
}

static int on_uevents(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        Uevent event;

        for (unsigned i = 0; i < EVENTS_AT_ONCE; i++) {
                int r;

                r = uevent_receive(fd, &event);
                if (r < 0 || r == UEVENT_E_END)
                        break;
                if (r == UEVENT_E_OTHER)
                        (void)note(userdata, false);
                else if (uevent_is_of_source(&event))
                        (void)note(
                                userdata,
                                is_rng_removal(event.action, event.driver, event.modalias));
        }
        return 0;
}

static int start_monitor(Hotplug *hotplug, sd_event *event) {
        int r;

        r = sd_device_monitor_new(&hotplug->monitor);
        for (const char *const *name = uevent_source_subsystems; r >= 0 && *name; name++)
                r = sd_device_monitor_filter_add_match_subsystem_devtype(
                        hotplug->monitor,
                        *name,
                        NULL);
        if (r >= 0)
                r = sd_device_monitor_attach_event(hotplug->monitor, event);
        return r < 0 ? r : sd_device_monitor_start(hotplug->monitor, on_device, hotplug);
}

static int start_uevents(Hotplug *hotplug, sd_event *event) {
        int r;

        r = uevent_open(&hotplug->uevent_fd);
        if (r < 0)
                return r;
        return sd_event_add_io(
                event,
                &hotplug->uevent_source,
                hotplug->uevent_fd,
                EPOLLIN,
                on_uevents,
                hotplug);
}

int hotplug_start(Hotplug *hotplug, sd_event *event, const RootDir *root) {
        const bool by_udevd = rootdir_exists(root, "run/udev/control");
        int r;

        r = sd_event_add_defer(event, &hotplug->changed_source, on_changed, hotplug);
        if (r >= 0)
                r = sd_event_source_set_priority(
                        hotplug->changed_source,
                        SD_EVENT_PRIORITY_NORMAL + 1);
        if (r >= 0)
                r = sd_event_source_set_enabled(hotplug->changed_source, SD_EVENT_OFF);
        if (r >= 0)
                r = by_udevd ? start_monitor(hotplug, event) : start_uevents(hotplug, event);
        if (r >= 0)
                log_debug("Hotplug events come from %s", by_udevd ? "udevd" : "the kernel");
        return r;
}

void hotplug_init(Hotplug *hotplug, const HotplugHooks *hooks) {
        *hotplug = (Hotplug){ .hooks = *hooks, .uevent_fd = -1 };
}

void hotplug_deinit(Hotplug *hotplug) {
        hotplug->monitor = sd_device_monitor_unref(hotplug->monitor);
        hotplug->uevent_source = sd_event_source_disable_unref(hotplug->uevent_source);
        hotplug->changed_source = sd_event_source_disable_unref(hotplug->changed_source);
        cleanup_close(&hotplug->uevent_fd);
}
