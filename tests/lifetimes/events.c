/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "tests/lifetimes/events.h"
#include "tests/lifetimes/machine.h"

enum {
        MACHINES = 4,
        SNAPSHOTS = 2,
        CUTS = 60, /* calls of a boot that a power cut can strike */
        PIPE_UNIT_BYTES = 64,
        SEED_BYTES = 64,
};

/* What rngd has for an event, until the next one. */
#define EVENT_USEC UINT64_C(2000000)

static Machine machines[MACHINES], snapshots[SNAPSHOTS];

static Machine *machine_of(const uint8_t *arguments) {
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
        Machine *machine = machine_of(arguments);

        if (machine->present)
                machine_boot(machine, 0);
}

static void boot_cut(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);

        if (machine->present)
                machine_boot(machine, arguments[1] + 1U);
}

static void shut_down(const uint8_t *arguments) {
        machine_shut_down(machine_of(arguments), 0);
}

static void shut_down_cut(const uint8_t *arguments) {
        machine_shut_down(machine_of(arguments), arguments[1] + 1U);
}

static void power_cut(const uint8_t *arguments) {
        machine_lose_power(machine_of(arguments));
}

/* kexec is one, too: no firmware in between, but nothing of that is kept for a program. */
static void reboot(const uint8_t *arguments) {
        shut_down(arguments);
        boot(arguments);
}

static void soft_reboot(const uint8_t *arguments) {
        machine_soft_reboot(machine_of(arguments));
}

static void suspend(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);

        if (!machine->on)
                return;
        machine->kernel.boottime_usec += 3600000000;
        machine->kernel.suspended_usec += 3600000000;
        kernel_log(&machine->kernel, KERNEL_LINE_RESUME);
        daemon_run(machine, EVENT_USEC);
}

/* Its memory lay on a disk meanwhile, where it could be copied. */
static void hibernate(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);

        if (!machine->on)
                return;
        disk_sync_all(&machine->image.var);
        machine->kernel.boottime_usec += 3600000000;
        machine_note_copy(machine, true);
        kernel_log(&machine->kernel, KERNEL_LINE_RESUME);
        daemon_run(machine, EVENT_USEC);
}

static void wait_some(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);

        if (machine->on)
                machine_wait(machine, UINT64_C(1000000) << arguments[1]);
}

/* ---- the seeder by hand ---- */

static void run_again(const uint8_t *arguments) {
        machine_run_seeder(machine_of(arguments), _SOURCE_MAX, 0);
}

static void run_cut(const uint8_t *arguments) {
        machine_run_seeder(machine_of(arguments), _SOURCE_MAX, arguments[1] + 1U);
}

static void run_metadata(const uint8_t *arguments) {
        machine_run_seeder(machine_of(arguments), SOURCE_METADATA, 0);
}

static void save(const uint8_t *arguments) {
        machine_save(machine_of(arguments), 0);
}

static void save_cut(const uint8_t *arguments) {
        machine_save(machine_of(arguments), arguments[1] + 1U);
}

/* ---- rngd ---- */

static void rngd(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);

        machine->daemon.enabled = arguments[1] > 0;
        if (arguments[1] > 0)
                daemon_start(machine);
        else
                daemon_stop(machine);
}

static void restart(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);

        daemon_stop(machine);
        daemon_start(machine);
}

/* It asks its sources; their answers are there only if there is time. */
static void signal_rngd(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);

        machine->daemon.signalled = machine->daemon.running;
        daemon_run(machine, arguments[1] > 0 ? EVENT_USEC : 0);
}

static void clock_set(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);

        machine->daemon.clock_set = machine->daemon.running;
        daemon_run(machine, EVENT_USEC);
}

/* A FIFO that an administrator named, with credit, and what its writer puts there; or a regular file
 * in its place. */
static void pipe_kind(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);

        if (!machine->present)
                return;
        machine_now = machine;
        machine->platform.pipe_exists = true;
        machine->platform.pipe_is_file = arguments[1] > 0;
        machine->platform.n_pipe = 0;
        if (arguments[1] > 0)
                platform_fill_pipe(&machine->platform, 4 * PIPE_UNIT_BYTES);
        machine->daemon.file_enabled = true;
}

static void fill_pipe(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);

        if (!machine->on || !machine->platform.pipe_exists || machine->platform.pipe_is_file)
                return;
        machine_now = machine;
        platform_fill_pipe(&machine->platform, PIPE_UNIT_BYTES * (1U + arguments[1]));
        if (arguments[2] > 0)
                daemon_run(machine, EVENT_USEC);
}

/* ---- copies ---- */

/* Somebody who watches is told by the kernel's log, or looks at fw_cfg. */
static void tell_of_fork(Machine *machine) {
        if (machine->daemon.running &&
            (machine->platform.driver || machine->daemon.reads_generation))
                machine->told = true;
}

static void new_generation(Machine *machine) {
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
        Machine *machine = machine_of(arguments);

        if (!machine->on)
                return;
        for (size_t i = 0; i < KERNEL_LINES_MAX + 1; i++)
                kernel_log(&machine->kernel, KERNEL_LINE_NONE);
        daemon_run(machine, EVENT_USEC);
}

static void snapshot(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);

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
                new_generation(machine);
        if (machine->on)
                daemon_run(machine, EVENT_USEC);
}

static void restore(const uint8_t *arguments) {
        if (machine_of(arguments)->present)
                restore_to(machine_of(arguments), arguments);
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
        Machine *machine = machine_of(arguments);
        const Machine *from = &snapshots[arguments[1] % SNAPSHOTS];

        if (!machine->present || !from->present)
                return;
        machine_lose_power(machine);
        machine->image = from->image;
        if (from->on)
                disk_cut(&machine->image.var, &life_chance);
        if (arguments[2] > 0)
                new_generation(machine);
}

/* Another machine from this one's disk; cloud-init and the like have cleaned it, or nobody has. */
static void deploy(const uint8_t *arguments) {
        const Machine *from = machine_of(arguments);

        if (!from->present)
                return;
        for (size_t i = 0; i < MACHINES; i++) {
                Machine *machine = &machines[i];

                if (machine->present)
                        continue;
                machine_init(machine, chance_next(&life_bytes));
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
        Machine *machine = machine_of(arguments);

        if (!machine->on)
                machine->image.machine_id = 0;
        machine->image.expects_credit = false;
}

static void swap_disks(const uint8_t *arguments) {
        Machine *one = machine_of(arguments), *other = &machines[arguments[1] % MACHINES];
        Image image;

        if (!one->present || !other->present || one->on || other->on)
                return;
        image = one->image;
        one->image = other->image;
        other->image = image;
        one->image.expects_credit = other->image.expects_credit = false;
}

static void reinstall(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);

        if (machine->on || !machine->present)
                return;
        machine->image = (Image){ .machine_id = chance_next(&life_bytes) };
        disk_init(&machine->image.var);
}

/* ---- what the machine is ---- */

static void var(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);

        if (machine->on)
                return;
        machine->image.var_kind = arguments[1] % _VAR_KIND_MAX;
        machine->image.expects_credit = false;
}

static void generation(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);

        if (machine->on)
                return;
        machine->platform.has_generation = arguments[1] > 0;
        machine->platform.driver = arguments[1] > 1 && arguments[1] < 4;
        machine->platform.readable = arguments[1] == 1 || arguments[1] == 2;
        machine->image.expects_credit = false;
}

static void readable(const uint8_t *arguments) {
        machine_of(arguments)->platform.readable = arguments[1] > 0;
}

static void boot_id(const uint8_t *arguments) {
        machine_of(arguments)->platform.boot_id_readable = arguments[1] > 0;
}

static void initramfs(const uint8_t *arguments) {
        machine_of(arguments)->initramfs = arguments[1] > 0;
}

static void old_kernel(const uint8_t *arguments) {
        machine_of(arguments)->platform.counting = arguments[1] > 0;
}

/* What a host encrypts from the start on; nobody has looked at its disk before. */
static void confidential(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);

        if (!machine->on)
                machine->platform.confidential = arguments[1] > 0;
}

static void bare_metal(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);

        if (machine->on)
                return;
        machine->platform.bare_metal = true;
        machine->platform.has_generation = machine->platform.driver = false;
}

/* ---- sources ---- */

static LyingSeed make_seed(SourceId source, SeedOrigin origin, const char *label) {
        uint8_t *bytes = arena_new(SEED_BYTES);
        bool known = origin != SEED_ORIGIN_PLATFORM;
        LyingSeed seed = {
                .source = source,
                .origin = origin,
                .bytes = bytes,
                .n_bytes = SEED_BYTES,
        };

        chance_bytes(&life_bytes, bytes, SEED_BYTES);
        witness_made(
                bytes,
                SEED_BYTES,
                (Made){
                        .by = MADE_STATIC,
                        .host_made = true,
                        .known = known,
                        .what = known ? "a seed that others have" : "a seed of the platform",
                });
        (void)snprintf(seed.label, sizeof(seed.label), "%s", label);
        return seed;
}

static void add_seed(Machine *machine, LyingSeed seed) {
        Platform *platform = &machine->platform;

        if (platform->n_seeds < PLATFORM_SEEDS_MAX)
                platform->seeds[platform->n_seeds++] = seed;
}

/* The same secret in two places, once as an editor would save it. */
static void add_twin(Machine *machine) {
        LyingSeed seed = make_seed(SOURCE_PLATFORM, SEED_ORIGIN_PLATFORM, "smbios");
        uint8_t *longer = arena_new(SEED_BYTES + 1);

        memcpy(longer, seed.bytes, SEED_BYTES);
        longer[SEED_BYTES] = '\n';
        add_seed(machine, seed);
        seed.bytes = longer;
        seed.n_bytes = SEED_BYTES + 1;
        (void)snprintf(seed.label, sizeof(seed.label), "credential");
        add_seed(machine, seed);
}

/* It stands on the kernel's command line, and looks like the firmware's a second time. */
static void add_public_twin(Machine *machine) {
        LyingSeed seed = make_seed(SOURCE_PLATFORM, SEED_ORIGIN_PUBLIC, "cmdline");

        add_seed(machine, seed);
        seed.nothing_due = true;
        seed.origin = SEED_ORIGIN_PLATFORM;
        (void)snprintf(seed.label, sizeof(seed.label), "system-credential");
        add_seed(machine, seed);
}

static void add_text(Machine *machine) {
        uint8_t *text = arena_new(SEED_BYTES);

        for (size_t i = 0; i < SEED_BYTES; i++)
                text[i] = (uint8_t)('a' + chance_below(&life_bytes, 26));
        witness_made(
                text,
                SEED_BYTES,
                (Made){ .by = MADE_STATIC, .known = true, .what = "words that a person typed" });
        add_seed(
                machine,
                (LyingSeed){
                        .source = SOURCE_PLATFORM,
                        .origin = SEED_ORIGIN_PLATFORM,
                        .label = "credential",
                        .nothing_due = true,
                        .bytes = text,
                        .n_bytes = SEED_BYTES,
                });
}

enum {
        SEED_CONFIG_DRIVE,
        SEED_FOREIGN_DISK,
        SEED_IN_IMAGE,
        SEED_CREDENTIAL,
        SEED_TWIN,
        SEED_COMMAND_LINE,
        SEED_TEXT,
        SEED_PUBLIC_TWIN,
        _SEED_KIND_MAX,
};

static void seed(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);
        Image *image = &machine->image;

        if (!machine->present)
                return;
        machine_now = machine;
        switch (arguments[1] % _SEED_KIND_MAX) {
        case SEED_CONFIG_DRIVE:
                add_seed(
                        machine,
                        make_seed(SOURCE_CONFIG_DRIVE, SEED_ORIGIN_PLATFORM, "vdb:latest"));
                return;
        case SEED_FOREIGN_DISK:
                add_seed(
                        machine,
                        make_seed(SOURCE_CONFIG_DRIVE, SEED_ORIGIN_UNKNOWN, "vdc:latest"));
                return;
        case SEED_IN_IMAGE:
                if (image->n_seeds < ELEMENTSOF(image->seeds))
                        image->seeds[image->n_seeds++] =
                                make_seed(SOURCE_CONFIG_DRIVE, SEED_ORIGIN_IMAGE, "folder:latest");
                return;
        case SEED_CREDENTIAL:
                add_seed(machine, make_seed(SOURCE_PLATFORM, SEED_ORIGIN_PLATFORM, "fw_cfg"));
                return;
        case SEED_TWIN:
                add_twin(machine);
                return;
        case SEED_COMMAND_LINE:
                add_seed(machine, make_seed(SOURCE_PLATFORM, SEED_ORIGIN_PUBLIC, "cmdline"));
                return;
        case SEED_PUBLIC_TWIN:
                add_public_twin(machine);
                return;
        case SEED_TEXT:
        default:
                add_text(machine);
                return;
        }
}

/* Another host, another cloud: what the old one gave is gone. */
static void other_cloud(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);

        if (machine->on || !machine->present)
                return;
        machine->platform.cloud++;
        machine->platform.n_seeds = 0;
        machine->platform.product_uuid = chance_next(&life_bytes);
        machine->image.expects_credit = false;
        new_generation(machine);
}

static void hwrng(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);

        machine_now = machine;
        machine->platform.hwrng = arguments[1] % _HWRNG_KIND_MAX;
        machine->platform.n_ahead = 0;
        if (!machine->on)
                return;
        machine->daemon.plugged = machine->daemon.running;
        daemon_run(machine, EVENT_USEC);
}

static void quality(const uint8_t *arguments) {
        static const uint32_t qualities[] = { 1024, 512, 1, 0 };

        machine_of(arguments)->platform.quality_per_1024 = qualities[arguments[1] % 4];
        machine_of(arguments)->platform.n_ahead = 0;
}

static void cpu(const uint8_t *arguments) {
        if (!machine_of(arguments)->on)
                machine_of(arguments)->platform.cpu = arguments[1] > 0;
}

static void metadata(const uint8_t *arguments) {
        Machine *machine = machine_of(arguments);
        Platform *platform = &machine->platform;
        LyingSeed file;

        if (!machine->present)
                return;
        machine_now = machine;
        platform->metadata = arguments[1] % _METADATA_MODE_MAX;
        file = make_seed(SOURCE_METADATA, SEED_ORIGIN_PLATFORM, "");
        platform->metadata_bytes = file.bytes;
        platform->n_metadata_bytes = file.n_bytes;
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
        { "pipe", pipe_kind, 4, 2, { MACHINES, 2 } },
        { "fill-pipe", fill_pipe, 6, 3, { MACHINES, 4, 2 } },
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
        { "seed", seed, 16, 2, { MACHINES, _SEED_KIND_MAX } },
        { "other-cloud", other_cloud, 3, 1, { MACHINES } },
        { "hwrng", hwrng, 8, 2, { MACHINES, _HWRNG_KIND_MAX } },
        { "quality", quality, 4, 2, { MACHINES, 4 } },
        { "cpu", cpu, 2, 2, { MACHINES, 2 } },
        { "metadata", metadata, 5, 2, { MACHINES, _METADATA_MODE_MAX } },
};
const size_t events_n = ELEMENTSOF(events);

_Static_assert(ELEMENTSOF(events) <= EVENT_KINDS_MAX, "a weight for each");
