/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "tests/lifetimes/event-sources.h"
#include "tests/lifetimes/events.h"
#include "tests/lifetimes/machine.h"

enum {
        MACHINES = 4,
        SNAPSHOTS = 2,
        CUTS = 60, /* calls of a boot that a power cut can strike */
};

static Machine machines[MACHINES], snapshots[SNAPSHOTS];

Machine *events_machine(const uint8_t *arguments) {
        return &machines[arguments[0] % MACHINES];
}

void events_begin(void) {
        memset(machines, 0, sizeof(machines));
        memset(snapshots, 0, sizeof(snapshots));
        machine_now = NULL;
        daemon_forget(NULL);
        machine_init(&machines[0], chance_next(&life_bytes));
}

void events_end(void) {
        for (size_t i = 0; i < MACHINES; i++)
                machine_check_end(&machines[i]);
}

/* ---- power ---- */

static void boot(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        if (machine->present)
                machine_boot(machine, 0);
}

static void boot_cut(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        if (machine->present)
                machine_boot(machine, arguments[1] + 1U);
}

static void shut_down(const uint8_t *arguments) {
        machine_shut_down(events_machine(arguments), 0);
}

static void shut_down_cut(const uint8_t *arguments) {
        machine_shut_down(events_machine(arguments), arguments[1] + 1U);
}

static void power_cut(const uint8_t *arguments) {
        machine_lose_power(events_machine(arguments));
}

/* kexec is one, too: no firmware in between, but nothing of that is kept for a program. */
static void reboot(const uint8_t *arguments) {
        shut_down(arguments);
        boot(arguments);
}

static void soft_reboot(const uint8_t *arguments) {
        machine_soft_reboot(events_machine(arguments));
}

static void suspend(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        if (!machine->on)
                return;
        machine->kernel.boottime_usec += 3600000000;
        machine->kernel.suspended_usec += 3600000000;
        kernel_log(&machine->kernel, KERNEL_LINE_RESUME);
        daemon_run(machine, EVENTS_USEC);
}

/* Its memory lay on a disk meanwhile, where it could be copied. */
static void hibernate(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        if (!machine->on)
                return;
        disk_sync_all(&machine->image.var);
        machine->kernel.boottime_usec += 3600000000;
        machine_note_copy(machine, true);
        kernel_log(&machine->kernel, KERNEL_LINE_RESUME);
        daemon_run(machine, EVENTS_USEC);
}

static void wait_some(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        if (machine->on)
                machine_wait(machine, UINT64_C(1000000) << arguments[1]);
}

/* ---- the seeder by hand ---- */

static void run_again(const uint8_t *arguments) {
        machine_run_seeder(events_machine(arguments), _SOURCE_MAX, 0);
}

static void run_cut(const uint8_t *arguments) {
        machine_run_seeder(events_machine(arguments), _SOURCE_MAX, arguments[1] + 1U);
}

static void run_metadata(const uint8_t *arguments) {
        machine_run_seeder(events_machine(arguments), SOURCE_METADATA, 0);
}

static void save(const uint8_t *arguments) {
        machine_save(events_machine(arguments), 0);
}

static void save_cut(const uint8_t *arguments) {
        machine_save(events_machine(arguments), arguments[1] + 1U);
}

/* ---- rngd ---- */

static void rngd(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        machine->daemon.enabled = arguments[1] > 0;
        if (arguments[1] > 0)
                daemon_start(machine);
        else
                daemon_stop(machine);
}

static void restart(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        daemon_stop(machine);
        daemon_start(machine);
}

/* It asks its sources; their answers are there only if there is time. */
static void signal_rngd(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        machine->daemon.signalled = machine->daemon.running;
        daemon_run(machine, arguments[1] > 0 ? EVENTS_USEC : 0);
}

static void clock_set(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        machine->daemon.clock_set = machine->daemon.running;
        daemon_run(machine, EVENTS_USEC);
}

/* ---- copies ---- */

/* Somebody who watches is told by the kernel's log, or looks at fw_cfg. */
static void tell_of_fork(Machine *machine) {
        if (machine->daemon.running &&
            (machine->platform.driver || machine->daemon.reads_generation))
                machine->told = true;
}

void events_new_generation(Machine *machine) {
        Platform *platform = &machine->platform;

        if (!platform->has_generation)
                return;
        platform->generation[0] = chance_next(&life_bytes);
        platform->generation[1] = chance_next(&life_bytes);
        if (!machine->on)
                return;
        if (platform->driver)
                kernel_fork(&machine->kernel, platform->generation);
        tell_of_fork(machine);
}

/* So many lines that who reads the log loses some. */
static void log_flood(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        if (!machine->on)
                return;
        for (size_t i = 0; i < KERNEL_LINES_MAX + 1; i++)
                kernel_log(&machine->kernel, KERNEL_LINE_NONE);
        daemon_run(machine, EVENTS_USEC);
}

static void snapshot(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        if (!machine->present || machine->platform.bare_metal)
                return;
        daemon_unload();
        machine->image.copied = true;
        machine->image.expects_credit = false;
        if (machine->on)
                machine_note_copy(machine, false);
        snapshots[arguments[1] % SNAPSHOTS] = *machine;
}

/* Memory and disk as they were; the sign of it is another generation ID, or there is none. */
static void restore_to(Machine *machine, const uint8_t *arguments) {
        const Machine *from = &snapshots[arguments[1] % SNAPSHOTS];

        if (!from->present)
                return;
        daemon_unload();
        *machine = *from;
        if (machine->on)
                machine_note_copy(machine, false);
        if (arguments[2] > 0)
                events_new_generation(machine);
        if (machine->on)
                daemon_run(machine, EVENTS_USEC);
}

static void restore(const uint8_t *arguments) {
        if (events_machine(arguments)->present)
                restore_to(events_machine(arguments), arguments);
}

static void clone(const uint8_t *arguments) {
        for (size_t i = 0; i < MACHINES; i++)
                if (!machines[i].present) {
                        restore_to(&machines[i], arguments);
                        return;
                }
}

/* The disk alone goes back, while the machine is off or as if its power had failed. */
static void disk_back(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);
        const Machine *from = &snapshots[arguments[1] % SNAPSHOTS];

        if (!machine->present || !from->present)
                return;
        machine_lose_power(machine);
        machine->image = from->image;
        if (from->on)
                disk_cut(&machine->image.var, &life_chance);
        if (arguments[2] > 0)
                events_new_generation(machine);
}

/* Another machine from this one's disk; cloud-init and the like have cleaned it, or nobody has. */
static void deploy(const uint8_t *arguments) {
        const Machine *from = events_machine(arguments);

        if (!from->present)
                return;
        for (size_t i = 0; i < MACHINES; i++) {
                Machine *machine = &machines[i];

                if (machine->present)
                        continue;
                machine_init(machine, chance_next(&life_bytes));
                machine->platform.bare_metal = from->platform.bare_metal;
                machine->platform.has_generation = from->platform.has_generation;
                machine->platform.driver = from->platform.driver;
                machine->platform.readable = from->platform.readable;
                machine->image = from->image;
                machine->image.copied = true;
                machine->image.expects_credit = false;
                if (from->on)
                        disk_cut(&machine->image.var, &life_chance);
                if (arguments[1] > 0) {
                        disk_init(&machine->image.var);
                        machine->image.machine_id = 0;
                        machine->image.seen_exists = false;
                        machine->image.past = NULL;
                }
                machines[arguments[0] % MACHINES].image.copied = true;
                return;
        }
}

static void first_boot(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        if (!machine->on)
                machine->image.machine_id = 0;
        machine->image.expects_credit = false;
}

static void swap_disks(const uint8_t *arguments) {
        Machine *one = events_machine(arguments), *other = &machines[arguments[1] % MACHINES];
        static Image image; /* too large for a stack frame */

        if (!one->present || !other->present || one->on || other->on)
                return;
        image = one->image;
        one->image = other->image;
        other->image = image;
        one->image.expects_credit = other->image.expects_credit = false;
}

static void reinstall(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        if (machine->on || !machine->present)
                return;
        machine->image = (Image){ .machine_id = chance_next(&life_bytes) };
        disk_init(&machine->image.var);
}

/* ---- what the machine is ---- */

static void var(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        if (machine->on)
                return;
        machine->image.var_kind = arguments[1] % _VAR_KIND_MAX;
        machine->image.expects_credit = false;
}

static void generation(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        if (machine->on)
                return;
        machine->platform.has_generation = arguments[1] > 0;
        machine->platform.driver = arguments[1] > 1 && arguments[1] < 4;
        machine->platform.readable = arguments[1] == 1 || arguments[1] == 2;
        machine->image.expects_credit = false;
}

static void readable(const uint8_t *arguments) {
        events_machine(arguments)->platform.readable = arguments[1] > 0;
}

static void boot_id(const uint8_t *arguments) {
        events_machine(arguments)->platform.boot_id_readable = arguments[1] > 0;
}

static void initramfs(const uint8_t *arguments) {
        events_machine(arguments)->initramfs = arguments[1] > 0;
}

static void old_kernel(const uint8_t *arguments) {
        events_machine(arguments)->platform.counting = arguments[1] > 0;
}

/* What a host encrypts from the start on; nobody has looked at its disk before. */
static void confidential(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        if (!machine->on)
                machine->platform.confidential = arguments[1] > 0;
}

static void bare_metal(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        if (machine->on)
                return;
        machine->platform.bare_metal = true;
        machine->platform.has_generation = machine->platform.driver = false;
}

const EventKind events[] = {
        { "boot", boot, 24, 1, { MACHINES } },
        { "boot-cut", boot_cut, 8, 2, { MACHINES, CUTS } },
        { "shut-down", shut_down, 8, 1, { MACHINES } },
        { "shut-down-cut", shut_down_cut, 4, 2, { MACHINES, CUTS } },
        { "power-cut", power_cut, 8, 1, { MACHINES } },
        { "reboot", reboot, 12, 1, { MACHINES } },
        { "kexec", reboot, 2, 1, { MACHINES } },
        { "soft-reboot", soft_reboot, 4, 1, { MACHINES } },
        { "suspend", suspend, 2, 1, { MACHINES } },
        { "hibernate", hibernate, 2, 1, { MACHINES } },
        { "wait", wait_some, 2, 2, { MACHINES, 10 } },
        { "clock-set", clock_set, 1, 1, { MACHINES } },
        { "run", run_again, 4, 1, { MACHINES } },
        { "run-cut", run_cut, 2, 2, { MACHINES, CUTS } },
        { "run-metadata", run_metadata, 4, 1, { MACHINES } },
        { "save", save, 4, 1, { MACHINES } },
        { "save-cut", save_cut, 2, 2, { MACHINES, CUTS } },
        { "rngd", rngd, 6, 2, { MACHINES, 2 } },
        { "restart", restart, 6, 1, { MACHINES } },
        { "signal", signal_rngd, 10, 2, { MACHINES, 2 } },
        { "pipe", event_pipe_kind, 4, 2, { MACHINES, 2 } },
        { "fill-pipe", event_fill_pipe, 6, 3, { MACHINES, 4, 2 } },
        { "log-flood", log_flood, 2, 1, { MACHINES } },
        { "snapshot", snapshot, 12, 2, { MACHINES, SNAPSHOTS } },
        { "restore", restore, 6, 3, { MACHINES, SNAPSHOTS, 2 } },
        { "clone", clone, 8, 3, { MACHINES, SNAPSHOTS, 2 } },
        { "disk-back", disk_back, 4, 3, { MACHINES, SNAPSHOTS, 2 } },
        { "deploy", deploy, 6, 2, { MACHINES, 2 } },
        { "first-boot", first_boot, 4, 1, { MACHINES } },
        { "swap-disks", swap_disks, 2, 2, { MACHINES, MACHINES } },
        { "reinstall", reinstall, 1, 1, { MACHINES } },
        { "var", var, 6, 2, { MACHINES, _VAR_KIND_MAX } },
        { "generation", generation, 8, 2, { MACHINES, 5 } },
        { "readable", readable, 4, 2, { MACHINES, 2 } },
        { "boot-id", boot_id, 2, 2, { MACHINES, 2 } },
        { "initramfs", initramfs, 4, 2, { MACHINES, 2 } },
        { "old-kernel", old_kernel, 2, 2, { MACHINES, 2 } },
        { "confidential", confidential, 3, 2, { MACHINES, 2 } },
        { "bare-metal", bare_metal, 1, 1, { MACHINES } },
        { "seed", event_seed, 16, 2, { MACHINES, _SEED_KIND_MAX } },
        { "other-cloud", event_other_cloud, 3, 1, { MACHINES } },
        { "hwrng", event_hwrng, 8, 2, { MACHINES, _HWRNG_KIND_MAX } },
        { "quality", event_quality, 4, 2, { MACHINES, 4 } },
        { "cpu", event_cpu, 2, 2, { MACHINES, 2 } },
        { "metadata", event_metadata, 5, 2, { MACHINES, _METADATA_MODE_MAX } },
};
const size_t events_n = ELEMENTSOF(events);

_Static_assert(ELEMENTSOF(events) <= EVENT_KINDS_MAX, "a weight for each");
