/* SPDX-License-Identifier: MIT */
#include "rngd/watch-fork.h"
#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "lib/kernel/clock.h"
#include "rngd/manager.h"

/* For what wakes often; a batch is always worth the look. */
#define VMGENID_LOOK_USEC (100 * USEC_PER_MSEC)

static int on_vmclock(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        Manager *manager = userdata;
        VmclockState *before = &manager->watch.vmclock, now;
        int r;

        r = vmclock_read(fd, &now);
        if (r == -EAGAIN)
                return 0; /* the host is writing: another notification follows */
        if (r < 0 || (revents & EPOLLHUP)) {
                log_debug("vmclock cannot be polled");
                return sd_event_source_set_enabled(s, SD_EVENT_OFF);
        }

        if (vmclock_is_fork(before, &now))
                fork_seen(manager, FORK_SIGN_VMCLOCK);
        *before = now;
        return 0;
}

int watch_vmclock_start(Manager *manager) {
        Watch *watch = &manager->watch;
        int r;

        r = vmclock_open(&manager->root, &watch->vmclock_fd);
        if (r == -ENOENT || r == -ENODEV || r == -ENXIO)
                return 0;
        if (r < 0)
                return r;
        r = vmclock_read(watch->vmclock_fd, &watch->vmclock);
        if (r < 0)
                return r;

        r = sd_event_add_io(
                manager->event,
                &watch->vmclock_source,
                watch->vmclock_fd,
                EPOLLIN,
                on_vmclock,
                manager);
        if (r == -EPERM)
                return 0; /* no poll() before Linux 7.0 */
        return r;
}

static bool kernel_tells(const Manager *manager) {
        return manager->kmsg.source && vmgenid_has_driver(&manager->root);
}

void watch_vmgenid_start(Manager *manager) {
        Watch *watch = &manager->watch;

        if (watch->vmgenid_fd >= 0)
                return;
        if (vmgenid_open(&manager->root, &watch->vmgenid_fd) < 0)
                return;
        if (vmgenid_read(watch->vmgenid_fd, &watch->vmgenid) < 0) {
                cleanup_close(&watch->vmgenid_fd);
                return;
        }
        /* With a driver it is still looked at before a batch is taken: the answer of a virtual device
         * can overtake the kernel's own notice of the fork by some milliseconds. */
        if (!kernel_tells(manager))
                log_info(
                        "No driver tells of VM forks here: looking at the VM generation ID in fw_cfg");
        watch_fork_check_timer(manager);
}

void watch_vmgenid_look(Manager *manager, bool always) {
        Watch *watch = &manager->watch;
        uint64_t now_usec = clock_boottime_usec();
        Vmgenid vmgenid;
        bool changed;

        if (watch->vmgenid_fd < 0 ||
            (!always && now_usec - watch->vmgenid_looked_usec < VMGENID_LOOK_USEC))
                return;
        watch->vmgenid_looked_usec = now_usec;
        if (vmgenid_read(watch->vmgenid_fd, &vmgenid) < 0)
                return;

        changed = !vmgenid_equal(&vmgenid, &watch->vmgenid);
        watch->vmgenid = vmgenid;
        if (changed)
                fork_seen(manager, FORK_SIGN_VMGENID);
}

static int on_fork_check(sd_event_source *s, uint64_t usec, void *userdata) {
        Manager *manager = userdata;

        /* The look itself follows behind every turn of the loop. */
        watch_fork_check_timer(manager);
        return 0;
}

void watch_fork_check_timer(Manager *manager) {
        Watch *watch = &manager->watch;
        uint64_t interval_usec = manager->settings.fork_check_usec;
        int r;

        watch->fork_check_source = sd_event_source_disable_unref(watch->fork_check_source);
        if (interval_usec == 0 || watch->vmgenid_fd < 0 || kernel_tells(manager))
                return;
        r = sd_event_add_time_relative(
                manager->event,
                &watch->fork_check_source,
                CLOCK_BOOTTIME,
                interval_usec,
                interval_usec / 10,
                on_fork_check,
                manager);
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "Cannot set the timer of fork-check, ignoring");
}
