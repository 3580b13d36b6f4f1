/* SPDX-License-Identifier: MIT */
/* Events of sources: what comes, goes or changes. */
#include <stdio.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "tests/lifetimes/event-sources.h"
#include "tests/lifetimes/events.h"
#include "tests/lifetimes/machine.h"

enum {
        PIPE_UNIT_BYTES = 64,
        SEED_BYTES = 64,
};

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
                        .by_server = source == SOURCE_METADATA,
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

void event_seed(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);
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
                        image->seeds[image->n_seeds++] = make_seed(
                                SOURCE_CONFIG_DRIVE,
                                SEED_ORIGIN_IMAGE,
                                "directory:latest");
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
void event_other_cloud(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        if (machine->on || !machine->present)
                return;
        machine->platform.cloud++;
        machine->platform.n_seeds = 0;
        machine->platform.product_uuid = chance_next(&life_bytes);
        machine->image.expects_credit = false;
        events_new_generation(machine);
}

void event_hwrng(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        machine_now = machine;
        machine->platform.hwrng = arguments[1] % _HWRNG_KIND_MAX;
        machine->platform.n_ahead = 0;
        if (!machine->on)
                return;
        machine->daemon.plugged = machine->daemon.running;
        daemon_run(machine, EVENTS_USEC);
}

void event_quality(const uint8_t *arguments) {
        static const uint32_t qualities[] = { 1024, 512, 1, 0 };

        events_machine(arguments)->platform.quality_per_1024 = qualities[arguments[1] % 4];
        events_machine(arguments)->platform.n_ahead = 0;
}

void event_cpu(const uint8_t *arguments) {
        if (!events_machine(arguments)->on)
                events_machine(arguments)->platform.cpu = arguments[1] > 0;
}

void event_metadata(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);
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

/* A FIFO that an administrator named, with credit, and what its writer puts there; or a regular file
 * in its place. */
void event_pipe_kind(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

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

void event_fill_pipe(const uint8_t *arguments) {
        Machine *machine = events_machine(arguments);

        if (!machine->on || !machine->platform.pipe_exists || machine->platform.pipe_is_file)
                return;
        machine_now = machine;
        platform_fill_pipe(&machine->platform, PIPE_UNIT_BYTES * (1U + arguments[1]));
        if (arguments[2] > 0)
                daemon_run(machine, EVENTS_USEC);
}
