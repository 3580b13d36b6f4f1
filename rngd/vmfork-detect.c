/* SPDX-License-Identifier: MIT */
#include "rngd/vmfork-detect.h"
#include "lib/base/log.h"
#include "lib/base/parse.h"

/* For what wakes often; a batch is always worth the look. */
#define VMGENID_LOOK_USEC (100 * USEC_PER_MSEC)

static void tell(const VmforkDetect *detect, VmforkSign sign) {
        detect->hooks.seen(detect->hooks.userdata, sign);
}

/* ---- vmclock ---- */

static int on_vmclock(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        VmforkDetect *detect = userdata;
        VmclockState now;
        bool forked;
        int r;

        r = vmclock_read(fd, &now);
        if (r == -EAGAIN)
                return 0; /* the host is writing: another notification follows */
        if (r < 0 || (revents & EPOLLHUP)) {
                log_debug("vmclock cannot be polled");
                return sd_event_source_set_enabled(s, SD_EVENT_OFF);
        }
        forked = vmclock_is_fork(&detect->vmclock, &now);
        detect->vmclock = now;
        if (forked)
                tell(detect, VMFORK_SIGN_VMCLOCK);
        return 0;
}

/* 0 also where there is no vmclock, or one that cannot be polled. */
static int start_vmclock(VmforkDetect *detect) {
        int r;

        r = vmclock_open(detect->root, &detect->vmclock_fd);
        if (r == -ENOENT || r == -ENODEV || r == -ENXIO)
                return 0;
        if (r < 0)
                return r;
        r = vmclock_read(detect->vmclock_fd, &detect->vmclock);
        if (r < 0)
                return r;

        r = sd_event_add_io(
                detect->event,
                &detect->vmclock_source,
                detect->vmclock_fd,
                EPOLLIN,
                on_vmclock,
                detect);
        return r == -EPERM ? 0 : r; /* no poll() before Linux 7.0 */
}

/* ---- the generation ID ---- */

static bool kernel_tells(const VmforkDetect *detect) {
        return detect->log_is_read && vmgenid_has_driver(detect->root);
}

void vmfork_detect_look_for_devices(VmforkDetect *detect) {
        if (detect->vmgenid_fd >= 0 || vmgenid_open(detect->root, &detect->vmgenid_fd) < 0)
                return;
        if (vmgenid_read(detect->vmgenid_fd, &detect->vmgenid) < 0) {
                cleanup_close(&detect->vmgenid_fd);
                return;
        }
        /* With a driver it is still looked at before a batch is taken: the answer of a virtual device
         * can overtake the kernel's own notice of the fork by some milliseconds. */
        if (!kernel_tells(detect))
                log_info(
                        "No driver tells of VM forks here: looking at the VM generation ID in fw_cfg");
        vmfork_detect_set_interval(detect, detect->interval_usec);
}

void vmfork_detect_look(VmforkDetect *detect, bool always, uint64_t now_usec) {
        Vmgenid vmgenid;
        bool changed;

        if (detect->vmgenid_fd < 0 ||
            (!always && now_usec - detect->vmgenid_looked_usec < VMGENID_LOOK_USEC))
                return;
        detect->vmgenid_looked_usec = now_usec;
        if (vmgenid_read(detect->vmgenid_fd, &vmgenid) < 0)
                return;

        changed = !vmgenid_equal(&vmgenid, &detect->vmgenid);
        detect->vmgenid = vmgenid;
        if (changed)
                tell(detect, VMFORK_SIGN_VMGENID);
}

/* The look itself follows behind every turn of the loop. */
static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        VmforkDetect *detect = userdata;

        vmfork_detect_set_interval(detect, detect->interval_usec);
        return 0;
}

void vmfork_detect_set_interval(VmforkDetect *detect, uint64_t interval_usec) {
        int r;

        detect->interval_usec = interval_usec;
        detect->timer = sd_event_source_disable_unref(detect->timer);
        if (interval_usec == 0 || detect->vmgenid_fd < 0 || kernel_tells(detect))
                return;
        r = sd_event_add_time_relative(
                detect->event,
                &detect->timer,
                CLOCK_BOOTTIME,
                interval_usec,
                interval_usec / 10,
                on_timer,
                detect);
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "Cannot set the timer of fork-check, ignoring");
}

/* ---- life ---- */

void vmfork_detect_init(
        VmforkDetect *detect,
        sd_event *event,
        const RootDir *root,
        const VmforkDetectHooks *hooks) {
        *detect = (VmforkDetect){
                .hooks = *hooks,
                .event = event,
                .root = root,
                .vmclock_fd = -1,
                .vmgenid_fd = -1,
        };
}

void vmfork_detect_start(VmforkDetect *detect, bool log_is_read, uint64_t interval_usec) {
        int r;

        detect->log_is_read = log_is_read;
        detect->interval_usec = interval_usec;
        r = start_vmclock(detect);
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "Cannot watch vmclock, ignoring");
        vmfork_detect_look_for_devices(detect);
}

void vmfork_detect_deinit(VmforkDetect *detect) {
        detect->vmclock_source = sd_event_source_disable_unref(detect->vmclock_source);
        detect->timer = sd_event_source_disable_unref(detect->timer);
        cleanup_close(&detect->vmclock_fd);
        cleanup_close(&detect->vmgenid_fd);
}
