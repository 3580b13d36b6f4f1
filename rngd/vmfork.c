/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "rngd/runtime-directory.h"
#include "rngd/vmfork.h"

#define GENERATION_FILE "generation"
#define FORK_TARGET     "guest-entropy-vmfork.target"

/* Two channels tell of one fork at slightly different times. */
#define SAME_FORK_USEC (10 * USEC_PER_SEC)

static const char *sign_to_string(VmforkSign sign) {
        switch (sign) {
        case VMFORK_SIGN_KERNEL_LOG:
                return "the kernel's log";
        case VMFORK_SIGN_VMGENID:
                return "the VM generation ID";
        case VMFORK_SIGN_VMCLOCK:
                return "vmclock";
        case VMFORK_SIGN_NONE:
        default:
                return "nobody";
        }
}

static void write_generation(const Vmfork *vmfork) {
        char text[32];
        int n, r;

        if (vmfork->runtime_fd < 0)
                return;
        n = snprintf(text, sizeof(text), "%" PRIu64 "\n", vmfork->generation);
        r = io_write_atomic_at(vmfork->runtime_fd, GENERATION_FILE, 0644, text, (size_t)n);
        if (r < 0)
                (void)log_errno(
                        LOG_WARNING,
                        r,
                        "Cannot write %s/" GENERATION_FILE ", ignoring",
                        runtime_directory());
}

void vmfork_start(Vmfork *vmfork, int runtime_fd) {
        char text[32];
        int r;

        vmfork->runtime_fd = runtime_fd;
        if (vmfork->runtime_fd < 0)
                return;
        r = io_read_text_at(vmfork->runtime_fd, GENERATION_FILE, text, sizeof(text));
        if (r < 0 || parse_u64(text, 0, UINT64_MAX - 1, &vmfork->generation) < 0) {
                vmfork->generation = 0;
                write_generation(vmfork); /* there from the start, so that it can be watched */
        }
}

bool vmfork_seen(Vmfork *vmfork, VmforkSign sign, uint64_t now_usec) {
        if (vmfork->last_sign != VMFORK_SIGN_NONE && vmfork->last_sign != sign &&
            now_usec - vmfork->last_usec < SAME_FORK_USEC) {
                log_debug("VM fork: %s says so, too", sign_to_string(sign));
                return false;
        }
        vmfork->last_sign = sign;
        vmfork->last_usec = now_usec;
        vmfork->count++;
        vmfork->pending = true;
        log_info("VM fork: %s says that this machine is a clone", sign_to_string(sign));
        return true;
}

bool vmfork_answered(Vmfork *vmfork, uint32_t fresh_bits, bool reseeded, uint64_t now_usec) {
        const double took_msec = (double)(now_usec - vmfork->last_usec) / USEC_PER_MSEC;

        if (!vmfork->pending)
                return false;
        vmfork->pending = false;
        vmfork->generation++;
        write_generation(vmfork);

        if (fresh_bits > 0 && !reseeded)
                log_warning(
                        "VM fork: %u fresh bits fed in %.1f ms, but the kernel refused to reseed, "
                        "so they count from its next reseed on; generation %" PRIu64,
                        fresh_bits,
                        took_msec,
                        vmfork->generation);
        else if (fresh_bits > 0)
                log_notice(
                        "VM fork: %u fresh bits fed and the kernel reseeded in %.1f ms; "
                        "generation %" PRIu64,
                        fresh_bits,
                        took_msec,
                        vmfork->generation);
        else
                log_warning(
                        "VM fork: no source gave fresh bits, so this clone has only what its "
                        "kernel did by itself; generation %" PRIu64,
                        vmfork->generation);
        return true;
}

/* ---- the target ---- */

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
static int connect_systemd(sd_event *event, sd_bus **ret_bus) {
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, "unix:path=/run/systemd/private");
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r >= 0)
                r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0) {
                (void)sd_bus_close_unref(bus);
                return r;
        }
        *ret_bus = bus;
        return 0;
}

static int restart_target(Vmfork *vmfork, sd_event *event) {
        int r;

        if (vmfork->bus && sd_bus_is_open(vmfork->bus) <= 0)
                vmfork->bus = sd_bus_close_unref(vmfork->bus);
        if (!vmfork->bus) {
                r = connect_systemd(event, &vmfork->bus);
                if (r < 0)
                        return r;
        }

        /* Restarted, not started: a target of an earlier fork is still active. */
        return sd_bus_call_method_async(
                vmfork->bus,
                NULL,
                "org.freedesktop.systemd1",
                "/org/freedesktop/systemd1",
                "org.freedesktop.systemd1.Manager",
                "RestartUnit",
                on_target_started,
                NULL,
                "ss",
                FORK_TARGET,
                "replace");
}

void vmfork_start_target(Vmfork *vmfork, sd_event *event) {
        int r;

        if (access("/run/systemd/system", F_OK) < 0)
                return;
        r = restart_target(vmfork, event);
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "VM fork: cannot ask systemd for " FORK_TARGET);
}

void vmfork_deinit(Vmfork *vmfork) {
        vmfork->bus = sd_bus_close_unref(vmfork->bus);
}
