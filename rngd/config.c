/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <syslog.h>

#include "lib/base/parse.h"
#include "rngd/config.h"

#define IN_RNGD 1U

static int apply_log_level(void *target, const char *value) {
        Settings *settings = target;
        static const struct {
                const char *name;
                int level;
        } levels[] = {
                { "error", LOG_ERR },
                { "notice", LOG_NOTICE },
                { "info", LOG_INFO },
                { "debug", LOG_DEBUG },
        };

        for (size_t i = 0; i < ELEMENTSOF(levels); i++)
                if (strcmp(value, levels[i].name) == 0) {
                        settings->log_level = levels[i].level;
                        return 0;
                }
        return -EINVAL;
}

static int apply_watermark(void *target, const char *value) {
        Settings *settings = target;

        return watermark_parse(value, &settings->watermark);
}

static int apply_step(void *target, const char *value) {
        Settings *settings = target;

        return parse_u32(
                value,
                SETTINGS_MIN_STEP_BYTES,
                SETTINGS_MAX_STEP_BYTES,
                &settings->random_step_bytes);
}

static int apply_reseed(void *target, const char *value) {
        Settings *settings = target;

        return parse_usec(value, SETTINGS_MAX_RESEED_USEC, &settings->reseed_interval_usec);
}

static int apply_fork_check(void *target, const char *value) {
        Settings *settings = target;

        return parse_usec(value, SETTINGS_MAX_FORK_CHECK_USEC, &settings->fork_check_usec);
}

static int apply_require_source(void *target, const char *value) {
        Settings *settings = target;

        return parse_bool(value, &settings->require_source);
}

static int apply_timeout(void *target, const char *value) {
        Settings *settings = target;

        return values_parse_timeout(value, &settings->timeout_usec);
}

static int apply_worker_user(void *target, const char *value) {
        Settings *settings = target;

        return values_parse_user(value, &settings->worker);
}

static const ConfigKey rngd_keys[] = {
        { "log-level", IN_RNGD, "error, notice, info or debug", apply_log_level },
        { "watermark", IN_RNGD, "0 to 4096 bits, or 0% to 100%", apply_watermark },
        { "random-step", IN_RNGD, "32 to 512 bytes", apply_step },
        { "reseed-interval", IN_RNGD, "a time like 1h up to 365d, or 0", apply_reseed },
        { "fork-check", IN_RNGD, "a time like 10s up to 1d, or 0", apply_fork_check },
        { "require-source", IN_RNGD, "yes or no", apply_require_source },
        { "timeout", IN_RNGD, "a time from 100ms to 1h", apply_timeout },
        { "user", IN_RNGD, "USER or USER:GROUP, names or ids that exist", apply_worker_user },
};

_Static_assert(ELEMENTSOF(rngd_keys) <= CONFIG_KEYS_MAX, "CONFIG_KEYS_MAX is too small");

static ConfigSections sections_of(Settings *settings) {
        ConfigSections sections = {};

        config_add_section(
                &sections,
                &(ConfigSection){
                        .name = "rngd",
                        .bit = IN_RNGD,
                        .keys = rngd_keys,
                        .n_keys = ELEMENTSOF(rngd_keys),
                        .target = settings,
                });
        config_add_section(&sections, &(ConfigSection){ .name = "seeder" });
        config_add_section(&sections, &(ConfigSection){ .name = "seed-file" });
        source_settings_add_sections(settings->sources, &sections);
        return sections;
}

int config_parse(
        const char *name,
        const char *text,
        size_t length,
        Settings *settings,
        Messages *errors) {
        const ConfigSections sections = sections_of(settings);

        return config_read_text(name, text, length, &sections, errors);
}

int config_load(const char *path, bool must_exist, Settings *settings, Messages *errors) {
        const ConfigSections sections = sections_of(settings);

        return config_read_file(path, must_exist, &sections, errors);
}
