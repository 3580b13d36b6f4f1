/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Everything that the defaults, the configuration file and the command line decide, in that order
 * of rising strength. Plain values: nothing here opens a device or asks the kernel.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/config/options.h"
#include "lib/config/source-settings.h"
#include "rngd/watermark.h"

#define SETTINGS_DEFAULT_CONFIG          SYSCONFDIR "/guest-entropy.conf"
#define SETTINGS_DEFAULT_PID_FILE        "/run/rngd.pid"
#define SETTINGS_DEFAULT_WATERMARK_BITS  UINT32_C(3072)
#define SETTINGS_DEFAULT_RESEED_USEC     UINT64_C(3600000000)
#define SETTINGS_DEFAULT_FORK_CHECK_USEC UINT64_C(10000000)
#define SETTINGS_DEFAULT_TIMEOUT_USEC    UINT64_C(10000000)
#define SETTINGS_NO_USER                 ((uid_t)-1)

/* Under 32 bytes the health tests cannot judge; more than 512 at once gains nothing. */
#define SETTINGS_MIN_STEP_BYTES      UINT32_C(32)
#define SETTINGS_MAX_STEP_BYTES      UINT32_C(512)
#define SETTINGS_MAX_RESEED_USEC     (UINT64_C(365) * 86400 * 1000000)
#define SETTINGS_MAX_FORK_CHECK_USEC (UINT64_C(86400) * 1000000)

typedef enum Action {
        ACTION_RUN,
        ACTION_LIST,        /* -l */
        ACTION_TEST,        /* -t: rates, nothing is fed */
        ACTION_OUTPUT,      /* -o: tested bytes to output_path */
        ACTION_STATUS,      /* --status: a table */
        ACTION_STATUS_JSON, /* --status=json: the document as it comes */
        /* These are answered by options_print() at once: the configuration was not read. */
        ACTION_HELP,
        ACTION_VERSION,
        ACTION_SOURCE_KEYS, /* -O SOURCE: the keys of topic */
        ACTION_HRNG_NAMES,  /* --hrng=help */
} Action;

typedef struct Settings {
        Action action;
        const char *topic; /* ACTION_SOURCE_KEYS: a static name, else NULL */
        bool foreground;   /* for ACTION_RUN; the other actions never go to the background */
        bool require_source;
        int log_level;        /* LOG_ERR (-q), LOG_NOTICE, LOG_INFO (--verbose), LOG_DEBUG (-d) */
        char *base_directory; /* relative paths started here; stays across a reload after chdir() */
        char *config_path;
        Origin config_origin; /* named on the command line: must exist */
        char *pid_file;
        char *output_path; /* ACTION_OUTPUT, else NULL */
        Watermark watermark;
        Origin watermark_origin;         /* -W: a notice where it has no effect */
        uint32_t random_step_bytes;      /* at most so many in a batch; 0: not given */
        uint64_t reseed_interval_usec;   /* 0: never */
        uint64_t fork_check_usec;        /* 0: never; only for kernels that do not tell */
        uint64_t timeout_usec;           /* what sources without a timeout of their own got */
        UserIds worker;                  /* -D: of all workers; or SETTINGS_NO_USER */
        uint32_t option_credit_per_1024; /* of -e or -H, or CREDIT_OVERRIDE_NONE */
        /* After -r the path of SOURCE_HWRNG may be no hwrng at all. timeout_usec is never 0 after
         * options_load(); the static ones are the seeder's alone. */
        SourceSettings sources[_SOURCE_MAX];
} Settings;

/* All that can be set: the options of the command line and the keys of [rngd]. */
extern const ConfigOptions settings_table;

/* The defaults; 0 or -ENOMEM, and then nothing is left to free. */
_must_check_ int settings_init(Settings *settings);
void settings_deinit(Settings *settings);

/*
 * Takes the device of -r away from hwrng and gives it to file, for the caller who opened it and saw
 * a FIFO or a device that is no hwrng. hwrng is disabled then: -r replaced it. Its credit is what
 * -e or -H said, else what [file] says, else none.
 */
void settings_rng_device_to_file(Settings *settings);

/* Fills in what depends on both layers. 0, CONFIG_E_USAGE or CONFIG_E_FILE with lines in errors. */
_must_check_ int settings_finish(Settings *settings, Messages *errors);

#define _cleanup_settings_ _cleanup_(settings_deinit)
