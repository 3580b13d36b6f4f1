/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "seeder/settings.h"

#define AT(_type, _field) SETTING_AT(_type, Settings, _field)

static const Setting seeder_table[] = {
        { .key = "enabled", AT(BOOL, enabled) },
        { .key = "deadline", AT(USEC, deadline_usec), SETTING_RANGE(1, SEEDER_DEADLINE_MAX_USEC) },
        { .key = "seed-file", AT(BOOL, seed_file) },
};

static const Setting seed_file_table[] = {
        { .key = "trust", AT(WORD, seed_file_trust), .words = source_trust_words },
};

int settings_load(const char *path, bool must_exist, Settings *ret_settings, Messages *errors) {
        Settings settings = { .enabled = true, .seed_file = true };
        ConfigSections sections;
        int r;

        r = source_settings_init(settings.sources);
        if (r < 0)
                return r;
        sections = source_settings_sections(settings.sources);
        sections.list[CONFIG_SEEDER] = (ConfigSection){
                .name = "seeder",
                .table = seeder_table,
                .n_rows = ELEMENTSOF(seeder_table),
                .target = &settings,
        };
        sections.list[CONFIG_SEED_FILE] = (ConfigSection){
                .name = "seed-file",
                .table = seed_file_table,
                .n_rows = ELEMENTSOF(seed_file_table),
                .target = &settings,
        };
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
