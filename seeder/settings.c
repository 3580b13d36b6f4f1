/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "lib/config/options.h"
#include "seeder/run/plan.h"
#include "seeder/settings.h"

#define SEED_FILE_NAME "seed-file"

static int apply_source(void *target, const char *value, const SettingLayer *layer) {
        Settings *settings = target;
        SourceId id;

        if (strcmp(value, SEED_FILE_NAME) == 0)
                settings->seed_file_named = true;
        else if (source_find(value, strlen(value), &id) == 0 && plan_class(id) != PLAN_NEVER)
                settings->named[id] = true;
        else
                return -EINVAL;
        settings->only_named = true;
        return 0;
}

static int apply_verb(void *target, const char *value, const SettingLayer *layer) {
        Settings *settings = target;
        const bool save = strcmp(value, "save") == 0;

        if (settings->verb_given || (!save && strcmp(value, "run") != 0))
                return -EINVAL;
        settings->verb_given = true;
        if (save && settings->action == ACTION_RUN)
                settings->action = ACTION_SAVE;
        return 0;
}

#define AT(_type, _field) SETTING_AT(_type, Settings, _field)
#define PHASE(_phase) \
        AT(CHOICE, phase), .origin_offset = offsetof(Settings, phase_origin), .value = (_phase)

static const SettingWord report_formats[] = { { "json", ACTION_REPORT_JSON }, {} };

static const Setting rows[] = {
        { "VERB",
          .apply = apply_verb,
          .expected = "run or save, once, or image as the first word" },
        { "--deadline=TIME",
          "end after so long (2s in an initramfs, else 10s)",
          .key = "deadline",
          AT(USEC, deadline_usec),
          SETTING_RANGE(1, SETTINGS_MAX_DEADLINE_USEC) },
        { .key = "enabled", AT(BOOL, enabled) },
        { .key = "seed-file", AT(BOOL, seed_file) },
        { "--initramfs", "act as in an initramfs (else detected)", PHASE(PHASE_INITRAMFS) },
        { "--real-root", "act as in the real root", PHASE(PHASE_REAL_ROOT) },
        { "--source=NAME",
          "ask this source only; may be given several times",
          .apply = apply_source,
          .expected =
                  "hwrng, cpu, tpm, egd, metadata, jitter, platform, config-drive or seed-file" },
        { "-c, --config=FILE",
          "read FILE instead of " SETTINGS_DEFAULT_CONFIG,
          AT(ARGUMENT, config_path) },
        { "--dry-run", "report what would be used; feed and write nothing", AT(BOOL, dry_run) },
        { "--report[=json]",
          "report what the runs of this boot did",
          AT(WORD, action),
          .words = report_formats,
          .value = ACTION_REPORT,
          .expected = "json or nothing" },
        { "-q, --quiet", "log errors only", AT(CHOICE, log_level), .value = LOG_ERR },
        { "--verbose", "log what is done", AT(CHOICE, log_level), .value = LOG_DEBUG },
        { "-V, --version", "print the version", AT(ANSWER, action), .value = ACTION_VERSION },
        { "-h, --help", "print this", AT(ANSWER, action), .value = ACTION_HELP },
};

static const ConfigOptions options = { rows, ELEMENTSOF(rows) };

int settings_init(Settings *settings) {
        *settings = (Settings){
                .log_level = LOG_NOTICE,
                .enabled = true,
                .seed_file = true,
                .saved.credit_override_per_1024 = CREDIT_OVERRIDE_NONE,
        };
        return source_settings_init(settings->sources);
}

void settings_deinit(Settings *settings) {
        source_settings_deinit(settings->sources);
        free(settings->kernel_line);
        *settings = (Settings){};
}

int settings_read_options(Settings *settings, int argc, char *argv[], Messages *errors) {
        const SettingLayer layer = { .origin = ORIGIN_COMMAND_LINE };
        int r;

        settings->verb_given = false;
        r = config_read_options(&options, argc, argv, settings, &layer, errors);
        if (r == CONFIG_E_ANSWERED)
                return 0;
        if (r == 0 && settings->verb_given &&
            (settings->action == ACTION_REPORT || settings->action == ACTION_REPORT_JSON)) {
                messages_add(errors, "--report: expected no verb beside it");
                return CONFIG_E_USAGE;
        }
        return r;
}

void settings_print_help(FILE *stream) {
        (void)fputs(
                "Usage: entropy-seeder [run] [OPTION]...\n"
                "       entropy-seeder save\n"
                "       entropy-seeder image check|clean [OPTION]... ROOT\n"
                "Seeds the kernel's RNG once, early in the boot, from whatever the platform offers.\n"
                "\n"
                "  run                       ask every source, end when the kernel is ready (default)\n"
                "  save                      save a seed for the next boot\n"
                "  image                     check or clean an image: see entropy-seeder-image(8)\n"
                "\n",
                stream);
        config_print_options(stream, &options);
        (void)fputs("\nSee entropy-seeder(8).\n", stream);
}

int settings_read_file(Settings *settings, const char *path, bool must_exist, Messages *errors) {
        ConfigSections sections = source_settings_sections(settings->sources);
        int r;

        sections.list[CONFIG_SEEDER].table = rows;
        sections.list[CONFIG_SEEDER].n_rows = ELEMENTSOF(rows);
        sections.list[CONFIG_SEEDER].target = settings;
        sections.list[CONFIG_SEED_FILE].target = &settings->saved;
        r = config_read_file(path, must_exist, &sections, errors);
        return r == 0 ? source_settings_finish(settings->sources, errors) : r;
}

/*
 * The metadata service is waited for by a run of its own, which comes when there is a network; one
 * that was enabled is asked by every run that may have one.
 */
static bool is_enabled(const Settings *settings, SourceId id, Phase phase) {
        const SourceSettings *source = &settings->sources[id];

        if (settings->only_named)
                return settings->named[id];
        if (id == SOURCE_METADATA)
                return source->enabled && source->by_admin && phase == PHASE_REAL_ROOT;
        return source->enabled;
}

static uint64_t wait_usec(const SourceSettings *source, uint64_t deadline_usec) {
        return source->timeout_usec > 0 ? MIN(source->timeout_usec, deadline_usec) : deadline_usec;
}

void settings_make_run(const Settings *settings, Phase phase, RunSettings *ret_run) {
        bool real_root = phase == PHASE_REAL_ROOT;
        RunSettings run = {
                .phase = phase,
                .dry_run = settings->dry_run,
                .deadline_usec = settings->deadline_usec > 0 ? settings->deadline_usec
                                                             : plan_deadline_usec(phase),
                .state_directory = real_root ? SETTINGS_STATE_DIRECTORY : NULL,
                .command_line_unknown = !settings->kernel_line,
                .seed_file_credit_per_1024 = settings->saved.credit_override_per_1024,
                .seed_file_trust = settings->saved.trust,
        };

        run.use_seed_file = real_root && (settings->only_named ? settings->seed_file_named
                                                               : settings->seed_file);

        run.metadata_apart = real_root && !settings->only_named && !settings->dry_run &&
                             settings->sources[SOURCE_METADATA].enabled;

        for (SourceId id = 0; id < _SOURCE_MAX; id++) {
                const SourceSettings *source = &settings->sources[id];

                RunSource *of_run = &run.sources[id];

                *of_run = (RunSource){
                        .reader = source_settings_for_reader(source),
                        .awaited = settings->named[id],
                };
                of_run->reader.enabled = is_enabled(settings, id, phase);
                of_run->reader.config.wait_usec = wait_usec(source, run.deadline_usec);
                of_run->reader.config.credentials = getenv("CREDENTIALS_DIRECTORY");
                of_run->reader.config.vouched_for = source->trust == CREDIT_TRUST_ALWAYS;
        }
        *ret_run = run;
}
