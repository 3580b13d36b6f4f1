/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "lib/base/parse.h"
#include "seeder/settings.h"

#define IN_SEEDER    1U
#define IN_SEED_FILE 2U

static int apply_deadline(void *target, const char *value) {
        Settings *settings = target;
        uint64_t usec;
        int r;

        r = parse_usec(value, SEEDER_DEADLINE_MAX_USEC, &usec);
        if (r < 0)
                return r;
        if (usec == 0)
                return -ERANGE;
        settings->deadline_usec = usec;
        return 0;
}

static int apply_enabled(void *target, const char *value) {
        Settings *settings = target;

        return parse_bool(value, &settings->enabled);
}

static int apply_seed_file(void *target, const char *value) {
        Settings *settings = target;

        return parse_bool(value, &settings->seed_file);
}

static int apply_seed_file_trust(void *target, const char *value) {
        Settings *settings = target;

        return source_parse_trust(value, &settings->seed_file_trust);
}

static const ConfigKey seeder_keys[] = {
        { "enabled", IN_SEEDER, "yes or no", apply_enabled },
        { "deadline", IN_SEEDER, "a time like 2s up to 1h", apply_deadline },
        { "seed-file", IN_SEEDER, "yes or no", apply_seed_file },
};

static const ConfigKey seed_file_keys[] = {
        { "trust", IN_SEED_FILE, SOURCE_SETTINGS_TRUST_WORDS, apply_seed_file_trust },
};

int settings_load(const char *path, bool must_exist, Settings *ret_settings, Messages *errors) {
        Settings settings = { .enabled = true, .seed_file = true };
        ConfigSections sections = {};
        int r;

        r = source_settings_init(settings.sources);
        if (r < 0)
                return r;
        config_add_section(&sections, &(ConfigSection){ .name = "rngd" });
        config_add_section(
                &sections,
                &(ConfigSection){
                        .name = "seeder",
                        .bit = IN_SEEDER,
                        .keys = seeder_keys,
                        .n_keys = ELEMENTSOF(seeder_keys),
                        .target = &settings,
                });
        config_add_section(
                &sections,
                &(ConfigSection){
                        .name = "seed-file",
                        .bit = IN_SEED_FILE,
                        .keys = seed_file_keys,
                        .n_keys = ELEMENTSOF(seed_file_keys),
                        .target = &settings,
                });
        source_settings_add_sections(settings.sources, &sections);

        r = config_read_file(path, must_exist, &sections, errors);
        if (r == 0)
                r = source_settings_finish(settings.sources, errors);
        if (r != 0) {
                settings_deinit(&settings);
                return r;
        }
        *ret_settings = settings;
        return 0;
}

void settings_deinit(Settings *settings) {
        source_settings_deinit(settings->sources);
        *settings = (Settings){};
}

/*
 * The metadata service is waited for by a run of its own, which comes when there is a network; one
 * that was enabled is asked by every run that may have one.
 */
static bool is_enabled(
        const SourceSettings *source,
        const SeederOptions *options,
        SourceId id,
        Phase phase) {
        if (options->only_named)
                return options->named[id];
        if (id == SOURCE_METADATA)
                return source->enabled && source->by_admin && phase == PHASE_REAL_ROOT;
        return source->enabled;
}

static uint64_t wait_usec(const SourceSettings *source, uint64_t deadline_usec) {
        return source->timeout_usec > 0 ? MIN(source->timeout_usec, deadline_usec) : deadline_usec;
}

static CreditTrust trust_of(CreditTrust configured, const CommandLineCredit *on_line) {
        return on_line->trust_given ? on_line->trust : configured;
}

void settings_make_run(
        const Settings *settings,
        const CommandLine *line,
        const SeederOptions *options,
        Phase phase,
        RunSettings *ret_run) {
        bool real_root = phase == PHASE_REAL_ROOT;
        RunSettings run = {
                .phase = phase,
                .dry_run = options->dry_run,
                .deadline_usec = plan_deadline_usec(phase),
                .state_directory = real_root ? SETTINGS_STATE_DIRECTORY : NULL,
                .command_line_unknown = line->unknown,
                .seed_file_credit_per_1024 = line->seed_file.credit_per_1024,
                .seed_file_trust = trust_of(settings->seed_file_trust, &line->seed_file),
        };

        if (options->deadline_usec > 0)
                run.deadline_usec = options->deadline_usec;
        else if (settings->deadline_usec > 0)
                run.deadline_usec = settings->deadline_usec;
        run.use_seed_file =
                real_root && (options->only_named ? options->seed_file_named : settings->seed_file);

        run.metadata_apart = real_root && !options->only_named && !options->dry_run &&
                             settings->sources[SOURCE_METADATA].enabled;

        for (SourceId id = 0; id < _SOURCE_MAX; id++) {
                const SourceSettings *source = &settings->sources[id];
                const CommandLineCredit *on_line = &line->sources[id];
                const CreditTrust trust = trust_of(source->trust, on_line);

                run.sources[id] = (RunSource){
                        .enabled = is_enabled(source, options, id, phase),
                        .enabled_by_admin = source->by_admin,
                        .awaited = options->named[id],
                        .trust = trust,
                        .credit_override_per_1024 =
                                on_line->credit_per_1024 != CREDIT_OVERRIDE_NONE
                                        ? on_line->credit_per_1024
                                        : source->credit_override_per_1024,
                        .config = {
                                .path = source->path,
                                .device = source->device,
                                .argv = source->argv,
                                .wait_usec = wait_usec(source, run.deadline_usec),
                                .address = source->address,
                                .url = source->url,
                                .format = source->format,
                                .ca_file = source->ca_file,
                                .enabled_by_admin = source->by_admin,
                                .only_if_loaded = !source->by_admin && !options->named[id],
                                .credentials = getenv("CREDENTIALS_DIRECTORY"),
                                .vouched_for = trust == CREDIT_TRUST_ALWAYS,
                        },
                        .uid = source->user.uid,
                        .gid = source->user.gid,
                };
        }
        *ret_run = run;
}
