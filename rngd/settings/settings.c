/* SPDX-License-Identifier: MIT */
#include <syslog.h>

#include "lib/policy/credit.h"
#include "rngd/settings/settings.h"

int settings_init(Settings *settings) {
        Settings defaults = {
                .action = ACTION_RUN,
                .log_level = LOG_NOTICE,
                .watermark = { WATERMARK_BITS, SETTINGS_DEFAULT_WATERMARK_BITS },
                .reseed_interval_usec = SETTINGS_DEFAULT_RESEED_USEC,
                .fork_check_usec = SETTINGS_DEFAULT_FORK_CHECK_USEC,
                .timeout_usec = SETTINGS_DEFAULT_TIMEOUT_USEC,
                .worker = { .uid = SETTINGS_NO_USER },
                .option_credit_per_1024 = CREDIT_OVERRIDE_NONE,
        };

        if (source_settings_init(defaults.sources) < 0 ||
            values_set_string(&defaults.config_path, SETTINGS_DEFAULT_CONFIG) < 0 ||
            values_set_string(&defaults.pid_file, SETTINGS_DEFAULT_PID_FILE) < 0) {
                settings_deinit(&defaults);
                return -ENOMEM;
        }

        *settings = defaults;
        return 0;
}

void settings_deinit(Settings *settings) {
        source_settings_deinit(settings->sources);
        free(settings->base_directory);
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
        hwrng->path_origin = ORIGIN_DEFAULT;
        if (settings->option_credit_per_1024 != CREDIT_OVERRIDE_NONE)
                file->credit_override_per_1024 = settings->option_credit_per_1024;
}

int settings_finish(Settings *settings, Messages *errors) {
        SourceSettings *file = &settings->sources[SOURCE_FILE];
        int r;

        r = source_settings_finish(settings->sources, errors);
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
                if (file->path_origin == ORIGIN_COMMAND_LINE)
                        file->credit_override_per_1024 = credit_per_1024;
        }

        for (SourceId id = 0; id < _SOURCE_LIVE_MAX; id++) {
                SourceSettings *source = &settings->sources[id];

                if (source->timeout_usec == 0)
                        source->timeout_usec = settings->timeout_usec;
                if (source->user_origin == ORIGIN_DEFAULT &&
                    settings->worker.uid != SETTINGS_NO_USER)
                        source->user = settings->worker;
        }
        return 0;
}
