/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "seeder/settings.h"
#include "seeder/state/saved.h"
#include "tests/lifetimes/life.h"
#include "tests/lifetimes/machine.h"
#include "tests/lifetimes/witness.h"

#define STATE_FULL_PATH "/" STATE_PATH

/* Below it a source's driver says that its bytes hold next to nothing. */
#define QUALITY_OF_USE 256U

#define PATIENCE_USEC UINT64_C(30000000)

Machine *machine_now;

Disk *machine_disk(Machine *machine, DiskChoice choice) {
        if (choice == DISK_RUN)
                return &machine->run;
        return machine->image.var_kind == VAR_TMPFS || machine->image.var_kind == VAR_OVERLAY
                       ? &machine->memory_var
                       : &machine->image.var;
}

bool machine_call(Machine *machine) {
        if (machine->dead)
                return false;
        if (machine->calls_left > 0 && --machine->calls_left == 0) {
                machine->dead = true;
                disk_cut(&machine->image.var, &life_chance);
        }
        return !machine->dead;
}

void machine_init(Machine *machine, uint64_t luck) {
        *machine = (Machine){
                .present = true,
                .platform = {
                        .has_generation = true,
                        .generation = { chance_mix(luck), luck },
                        .readable = true,
                        .boot_id_readable = true,
                        .product_uuid = chance_mix(luck ^ 3),
                        .cloud = 1,
                        .hwrng = HWRNG_VIRTIO,
                        .quality_per_1024 = 1024,
                },
                .image = { .machine_id = chance_mix(luck ^ 4) },
                .daemon = { .enabled = true },
        };
        disk_init(&machine->image.var);
}

/* ---- the seeder ---- */

static void judge_report(
        const Machine *machine,
        const RunReport *run_report,
        const Machine *before) {
        size_t n_bytes = 0;
        uint64_t bits = 0;

        for (size_t i = 0; i < run_report->n_lines; i++) {
                const RunReportLine *line = &run_report->lines[i];

                n_bytes += line->n_bytes;
                bits += line->credited_bits;
                if (line->credited_bits == 0 && !line->note[0])
                        witness_break(PROMISE_REASON, "no reason for the 0 of %s", line->name);
        }
        if (bits != machine->credited_bits - before->credited_bits)
                witness_break(PROMISE_REASON, "the report does not say what was credited");
        if (n_bytes != machine->added_bytes - before->added_bytes)
                witness_break(PROMISE_REASON, "the report does not say what was mixed in");
}

/* Of the defaults, made once: what an administrator sets is an event of a life. */
static const Settings *defaults(void) {
        static char kernel_line[] = "";
        static Settings settings;
        static bool made;

        if (!made && settings_init(&settings) < 0)
                abort();
        settings.kernel_line = kernel_line;
        made = true;
        return &settings;
}

static void make_settings(
        const Machine *machine,
        Phase phase,
        SourceId only,
        RunSettings *ret_settings) {
        Settings settings = *defaults();

        settings.only_named = only != _SOURCE_MAX;
        if (settings.only_named)
                settings.named[only] = true;
        settings.sources[SOURCE_METADATA].enabled = machine->platform.metadata != METADATA_NONE;
        settings.sources[SOURCE_METADATA].by_admin = settings.sources[SOURCE_METADATA].enabled;
        settings_make_run(&settings, phase, ret_settings);
        ret_settings->metadata_apart = false;
}

static void run_seeder(Machine *machine, Phase phase, SourceId only) {
        RunReport *run_report = calloc(1, sizeof(*run_report));
        Machine *before = malloc(sizeof(*before));
        RunSettings settings;

        if (!run_report || !before)
                abort();
        *before = *machine;
        make_settings(machine, phase, only, &settings);
        if (run_all(&settings, run_report) < 0 && !machine->dead)
                witness_break(PROMISE_NO_WAIT, "the seeder could not run");
        if (!machine->dead)
                judge_report(machine, run_report, before);
        free(run_report);
        free(before);
}

static void end_if_dead(Machine *machine) {
        machine->calls_left = 0;
        if (!machine->dead)
                return;
        /* What was recorded as used, and not used any more, is lost. */
        for (size_t i = 0; i < machine->platform.n_seeds; i++)
                machine->platform.seeds[i].nothing_due = true;
        machine->dead = machine->on = false;
        machine->image.expects_credit = false;
        daemon_stop(machine);
}

void machine_run_seeder(Machine *machine, SourceId only, uint32_t cut_at) {
        if (!machine->on)
                return;
        machine_now = machine;
        machine->calls_left = cut_at;
        run_seeder(machine, PHASE_REAL_ROOT, only);
        end_if_dead(machine);
}

/* As main() does it. */
void machine_save(Machine *machine, uint32_t cut_at) {
        SeedFile file = SEED_FILE_NULL;
        RootDir root = ROOTDIR_NULL;
        RunReport *run_report;

        if (!machine->on)
                return;
        machine_now = machine;
        machine->calls_left = cut_at;
        run_report = calloc(1, sizeof(*run_report));
        if (run_report && rootdir_open("/", &root) == 0 &&
            seed_file_open(STATE_FULL_PATH, true, &file) == 0) {
                (void)saved_save(&file, &root, run_report);
                seed_file_close(&file);
        }
        rootdir_close(&root);
        free(run_report);
        end_if_dead(machine);
}

/* ---- the promise that the kernel does not wait ---- */

static const char *honest_source(const Machine *machine) {
        const Platform *platform = &machine->platform;

        if (platform->cpu)
                return "the CPU";
        if (platform->confidential)
                return NULL;
        if (platform->hwrng != HWRNG_NONE && platform->quality_per_1024 >= QUALITY_OF_USE)
                return "a hwrng";
        return NULL;
}

/* What the platform gave for this boot alone, on a machine that remembers it. */
static bool has_new_seed(const Machine *machine) {
        const Platform *platform = &machine->platform;

        if (platform->confidential || machine->image.var_kind != VAR_DISK ||
            machine->image.copied || !platform->boot_id_readable)
                return false;
        for (size_t i = 0; i < platform->n_seeds; i++)
                if (platform->seeds[i].origin == SEED_ORIGIN_PLATFORM &&
                    !platform->seeds[i].nothing_due &&
                    !witness_was_credited(platform->seeds[i].bytes, platform->seeds[i].n_bytes))
                        return true;
        return false;
}

static bool can_credit_saved(const Machine *machine) {
        const Platform *platform = &machine->platform;

        return machine->image.expects_credit && machine->image.var_kind == VAR_DISK &&
               !machine->first_boot && platform->boot_id_readable && !platform->confidential &&
               platform->has_generation && platform->readable;
}

static void judge_waiting(const Machine *machine, const char *source) {
        if (source && !machine->kernel.ready)
                witness_break(PROMISE_NO_WAIT, "the kernel waits in spite of %s", source);
}

/* ---- power ---- */

static void power_on(Machine *machine) {
        machine_now = machine;
        machine->on = true;
        machine->told = false;
        machine->copied_at = machine->in_flight = 0;
        machine->added_bytes = 0;
        machine->credited_bits = 0;
        machine->was_readable = machine->platform.readable;
        machine->first_boot = machine->image.machine_id == 0;
        if (machine->first_boot)
                machine->image.machine_id = chance_next(&life_bytes);
        memset(machine->fds, 0, sizeof(machine->fds));
        memcpy(machine->boot_generation,
               machine->platform.generation,
               sizeof(machine->boot_generation));
        kernel_boot(&machine->kernel, machine->platform.counting, chance_next(&life_bytes));
        platform_power_on(&machine->platform);
        disk_init(&machine->run);
        if (machine->image.var_kind == VAR_OVERLAY)
                machine->memory_var = machine->image.var;
        else
                disk_init(&machine->memory_var);
}

void machine_boot(Machine *machine, uint32_t cut_at) {
        const char *source;

        if (machine->on)
                return;
        power_on(machine);
        source = honest_source(machine);
        if (!source && has_new_seed(machine))
                source = "a new seed of the platform";
        if (!source && can_credit_saved(machine))
                source = "a seed that was saved";
        machine->image.expects_credit = false;

        machine->calls_left = cut_at;
        if (machine->initramfs)
                run_seeder(machine, PHASE_INITRAMFS, _SOURCE_MAX);
        if (!machine->dead)
                run_seeder(machine, PHASE_REAL_ROOT, _SOURCE_MAX);
        if (!machine->dead)
                judge_waiting(machine, source);
        if (!machine->dead)
                daemon_start(machine);
        end_if_dead(machine);
}

void machine_note_copy(Machine *machine, bool in_sleep) {
        machine->copied_at = witness_now();
        machine->in_flight = platform_in_flight(&machine->platform);
        machine->slept = in_sleep;
}

void machine_wait(Machine *machine, uint64_t usec) {
        const char *source = honest_source(machine);

        daemon_run(machine, usec);
        if (machine->on && machine->daemon.running && usec >= PATIENCE_USEC)
                judge_waiting(machine, source);
}

void machine_check_end(Machine *machine) {
        if (machine->present && machine->on && machine->daemon.running && !machine->kernel.ready)
                machine_wait(machine, PATIENCE_USEC);
}

void machine_shut_down(Machine *machine, uint32_t cut_at) {
        const Platform *platform = &machine->platform;

        if (!machine->on)
                return;
        machine_save(machine, cut_at);
        if (!machine->on)
                return;
        machine->image.expects_credit = machine->kernel.ready && platform->readable &&
                                        machine->was_readable && platform->has_generation &&
                                        platform->boot_id_readable &&
                                        machine->image.var_kind == VAR_DISK &&
                                        !machine->image.copied && machine->copied_at == 0;
        disk_sync_all(&machine->image.var);
        daemon_stop(machine);
        machine->on = false;
}

void machine_lose_power(Machine *machine) {
        if (!machine->on)
                return;
        machine_now = machine;
        disk_cut(&machine->image.var, &life_chance);
        machine->image.expects_credit = false;
        daemon_stop(machine);
        machine->on = false;
}

/* Userspace begins anew: the kernel and /run are what they were. */
void machine_soft_reboot(Machine *machine) {
        if (!machine->on)
                return;
        machine_save(machine, 0);
        machine->image.expects_credit = false;
        daemon_stop(machine);
        memset(machine->fds, 0, sizeof(machine->fds));
        run_seeder(machine, PHASE_REAL_ROOT, _SOURCE_MAX);
        daemon_start(machine);
}
