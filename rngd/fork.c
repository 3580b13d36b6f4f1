/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "lib/kernel/clock.h"
#include "rngd/fork.h"
#include "rngd/manager.h"
#include "rngd/seed-marks.h"

#define GENERATION_FILE "generation"
#define FORK_TARGET     "guest-entropy-fork.target"

/* Two channels tell of one fork at slightly different times. */
#define SAME_FORK_USEC (10 * USEC_PER_SEC)

static const char *sign_to_string(ForkSign sign) {
        switch (sign) {
        case FORK_SIGN_KERNEL_LOG:
                return "the kernel's log";
        case FORK_SIGN_VMGENID:
                return "the VM generation ID";
        case FORK_SIGN_VMCLOCK:
                return "vmclock";
        case FORK_SIGN_NONE:
        default:
                return "nobody";
        }
}

static void write_generation(Manager *manager) {
        char text[32];
        int n, r;

        if (manager->runtime_fd < 0)
                return;
        n = snprintf(text, sizeof(text), "%" PRIu64 "\n", manager->fork.generation);
        r = io_write_atomic_at(manager->runtime_fd, GENERATION_FILE, 0644, text, (size_t)n);
        if (r < 0)
                (void)log_errno(
                        LOG_WARNING,
                        r,
                        "Cannot write %s/" GENERATION_FILE ", ignoring",
                        manager->runtime_directory);
}

void fork_start(Manager *manager) {
        char text[32];
        int r;

        if (manager->runtime_fd < 0)
                return;
        r = io_read_text_at(manager->runtime_fd, GENERATION_FILE, text, sizeof(text));
        if (r < 0 || parse_u64(text, 0, UINT64_MAX - 1, &manager->fork.generation) < 0) {
                manager->fork.generation = 0;
                write_generation(manager); /* there from the start, so that it can be watched */
        }
}

void fork_strip_marks(Manager *manager) {
        int r;

        r = seed_marks_strip("/");
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "Cannot take the credit of seeds on disk away");
}

void fork_seen(Manager *manager, ForkSign sign) {
        ForkWatch *fork_watch = &manager->fork;
        uint64_t now_usec = clock_boottime_usec();

        if (fork_watch->last_sign != FORK_SIGN_NONE && fork_watch->last_sign != sign &&
            now_usec - fork_watch->last_usec < SAME_FORK_USEC) {
                log_debug("VM fork: %s says so, too", sign_to_string(sign));
                return;
        }

        fork_watch->last_sign = sign;
        fork_watch->last_usec = now_usec;
        fork_watch->forks++;
        fork_watch->pending = true;
        log_info("VM fork: %s says that this machine is a clone", sign_to_string(sign));
        fork_strip_marks(manager);
        feeding_trigger(&manager->feeding, TRIGGER_FORK);
}

static int on_target_started(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const sd_bus_error *failure = sd_bus_message_get_error(message);

        if (failure)
                log_warning(
                        "VM fork: systemd did not start " FORK_TARGET ": %s",
                        failure->message ? failure->message : failure->name);
        else
                log_info("VM fork: " FORK_TARGET " started");
        return 0;
}

/*
 * systemd's own socket, not the bus: it is there before dbus-daemon and without it. Nothing waits:
 * connecting, asking and the answer are all events of the loop.
 */
static int connect_systemd(Manager *manager) {
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, "unix:path=/run/systemd/private");
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r >= 0)
                r = sd_bus_attach_event(bus, manager->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0) {
                (void)sd_bus_close_unref(bus);
                return r;
        }
        manager->fork.bus = bus;
        return 0;
}

static int start_target(Manager *manager) {
        int r;

        if (manager->fork.bus && sd_bus_is_open(manager->fork.bus) <= 0)
                manager->fork.bus = sd_bus_close_unref(manager->fork.bus);
        if (!manager->fork.bus) {
                r = connect_systemd(manager);
                if (r < 0)
                        return r;
        }

        /* Restarted, not started: a target of an earlier fork is still active. */
        return sd_bus_call_method_async(
                manager->fork.bus,
                NULL,
                "org.freedesktop.systemd1",
                "/org/freedesktop/systemd1",
                "org.freedesktop.systemd1.Manager",
                "RestartUnit",
                on_target_started,
                manager,
                "ss",
                FORK_TARGET,
                "replace");
}

void fork_done(Manager *manager, uint32_t fresh_bits, bool reseeded) {
        ForkWatch *fork_watch = &manager->fork;
        uint64_t took_usec = clock_boottime_usec() - fork_watch->last_usec;
        int r;

        fork_watch->pending = false;
        fork_watch->generation++;
        write_generation(manager);

        if (fresh_bits > 0 && !reseeded)
                log_warning(
                        "VM fork: %u fresh bits fed in %.1f ms, but the kernel refused to reseed, "
                        "so they count from its next reseed on; generation %" PRIu64,
                        fresh_bits,
                        (double)took_usec / 1000,
                        fork_watch->generation);
        else if (fresh_bits > 0)
                log_notice(
                        "VM fork: %u fresh bits fed and the kernel reseeded in %.1f ms; "
                        "generation %" PRIu64,
                        fresh_bits,
                        (double)took_usec / 1000,
                        fork_watch->generation);
        else
                log_warning(
                        "VM fork: no source gave fresh bits, so this clone has only what its "
                        "kernel did by itself; generation %" PRIu64,
                        fork_watch->generation);

        if (access("/run/systemd/system", F_OK) < 0)
                return;
        r = start_target(manager);
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "VM fork: cannot ask systemd for " FORK_TARGET);
}

void fork_deinit(ForkWatch *fork_watch) {
        fork_watch->bus = sd_bus_close_unref(fork_watch->bus);
}
