/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "lib/policy/credit.h"
#include "rngd/settings.h"

int settings_find_source(const char *name, SourceId *ret_id) {
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                if (strcmp(source_name(id), name) == 0) {
                        *ret_id = id;
                        return 0;
                }
        return -ENOENT;
}

int settings_set_string(char **target, const char *value) {
        char *copy;

        copy = strdup(value);
        if (!copy)
                return -ENOMEM;

        free(*target);
        *target = copy;
        return 0;
}

int settings_set_path(const Settings *settings, char **target, const char *path) {
        _cleanup_free_ char *absolute = NULL;

        if (*path == '\0')
                return -EINVAL;
        if (*path == '/' || !settings->base_folder)
                return settings_set_string(target, path);

        if (asprintf(&absolute, "%s/%s", settings->base_folder, path) < 0) {
                absolute = NULL; /* its content is undefined after a failure */
                return -ENOMEM;
        }

        free(*target);
        *target = TAKE_PTR(absolute);
        return 0;
}

int settings_init(Settings *settings) {
        Settings defaults = {
                .action = ACTION_RUN,
                .log_level = LOG_NOTICE,
                .watermark = { WATERMARK_BITS, SETTINGS_DEFAULT_WATERMARK_BITS },
                .reseed_interval_usec = SETTINGS_DEFAULT_RESEED_USEC,
                .fork_check_usec = SETTINGS_DEFAULT_FORK_CHECK_USEC,
                .timeout_usec = SETTINGS_DEFAULT_TIMEOUT_USEC,
                .worker = { SETTINGS_NOBODY, SETTINGS_NOBODY },
                .option_credit_per_1024 = CREDIT_OVERRIDE_NONE,
        };

        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++)
                defaults.sources[id] = (SourceSettings){
                        .enabled = true,
                        .credit_override_per_1024 = CREDIT_OVERRIDE_NONE,
                };

        if (settings_set_string(&defaults.config_path, SETTINGS_DEFAULT_CONFIG) < 0 ||
            settings_set_string(&defaults.pid_file, SETTINGS_DEFAULT_PID_FILE) < 0 ||
            settings_set_string(&defaults.sources[SOURCE_HWRNG].path, SETTINGS_DEFAULT_HWRNG) < 0) {
                settings_deinit(&defaults);
                return -ENOMEM;
        }

        *settings = defaults;
        return 0;
}

void settings_deinit(Settings *settings) {
        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                free(settings->sources[id].path);
                free(settings->sources[id].address);
                free(settings->sources[id].url);
                free(settings->sources[id].format);
                free(settings->sources[id].ca_file);
                values_free_command(settings->sources[id].argv);
        }
        free(settings->base_folder);
        free(settings->config_path);
        free(settings->pid_file);
        free(settings->output_path);
        *settings = (Settings){ 0 };
}

void settings_rng_device_to_file(Settings *settings) {
        SourceSettings *hwrng = &settings->sources[SOURCE_HWRNG];
        SourceSettings *file = &settings->sources[SOURCE_FILE];

        free(file->path);
        file->path = TAKE_PTR(hwrng->path);
        file->enabled = hwrng->enabled; /* -x hwrng -r FIFO reads nothing, as in rng-tools */
        hwrng->enabled = false;
        settings->rng_device_given = false;
        if (settings->option_credit_per_1024 != CREDIT_OVERRIDE_NONE)
                file->credit_override_per_1024 = settings->option_credit_per_1024;
}

/* A source that cannot work without a word from the administrator. */
static int finish_needs(SourceSettings *source, bool present, const char *what, Messages *errors) {
        if (present || !source->enabled)
                return 0;

        source->enabled = false;
        if (source->enabled_origin == ORIGIN_DEFAULT)
                return 0;

        messages_add(errors, "%s", what);
        return source->enabled_origin == ORIGIN_CONFIG ? SETTINGS_E_CONFIG : SETTINGS_E_USAGE;
}

int settings_finish(Settings *settings, Messages *errors) {
        SourceSettings *file = &settings->sources[SOURCE_FILE];
        SourceSettings *exec = &settings->sources[SOURCE_EXEC];
        SourceSettings *egd = &settings->sources[SOURCE_EGD];
        int r;

        r = finish_needs(
                file,
                file->path,
                "source 'file' is enabled and has no path: expected 'path = PATH' in [file] "
                "or -O namedpipe:path:PATH",
                errors);
        if (r != 0)
                return r;
        r = finish_needs(
                exec,
                exec->argv,
                "source 'exec' is enabled and has no command: expected "
                "'command = /PROGRAM' in [exec]",
                errors);
        if (r != 0)
                return r;

        r = finish_needs(
                egd,
                egd->address,
                "source 'egd' is enabled and has no address: expected 'address = ADDRESS' in [egd]",
                errors);
        if (r != 0)
                return r;

        /* As in rng-tools one number is for every source, but exec, egd and metadata are known to
         * the file only. */
        if (settings->option_credit_per_1024 != CREDIT_OVERRIDE_NONE) {
                uint32_t credit_per_1024 = settings->option_credit_per_1024;

                settings->sources[SOURCE_HWRNG].credit_override_per_1024 = credit_per_1024;
                settings->sources[SOURCE_CPU].credit_override_per_1024 = credit_per_1024;
                settings->sources[SOURCE_TPM].credit_override_per_1024 = credit_per_1024;
                settings->sources[SOURCE_JITTER].credit_override_per_1024 = credit_per_1024;
                if (settings->file_path_given)
                        file->credit_override_per_1024 = credit_per_1024;
        }

        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                SourceSettings *source = &settings->sources[id];

                source->by_admin = source->enabled && (source->enabled_origin != ORIGIN_DEFAULT ||
                                                       source->address || source->url);
                if (source->timeout_usec == 0)
                        source->timeout_usec = settings->timeout_usec;
                if (!source->user_given)
                        source->user = settings->worker;
        }
        return 0;
}
