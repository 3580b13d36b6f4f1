/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Everything that the defaults, guest-entropy.conf, the kernel's command line and our own decide, in
 * that order of rising strength.
 */

#include <stdio.h>

#include "lib/config/source-settings.h"
#include "lib/feed/seed-mark.h"
#include "seeder/run/run.h"

#define SETTINGS_DEFAULT_CONFIG    SYSCONFDIR "/guest-entropy.conf"
#define SETTINGS_STATE_DIRECTORY   SEED_STATE_DIRECTORY
#define SETTINGS_MAX_DEADLINE_USEC UINT64_C(3600000000)

typedef enum Action {
        ACTION_RUN,
        ACTION_SAVE,
        ACTION_REPORT,
        ACTION_REPORT_JSON,
        ACTION_HELP,
        ACTION_VERSION,
} Action;

typedef struct Settings {
        /* our command line */
        Action action;
        bool verb_given;
        const char *config_path; /* NULL: the default, which may be missing */
        Phase phase;
        Origin phase_origin; /* ORIGIN_DEFAULT: it is to be detected */
        bool dry_run;
        int log_level;
        bool only_named; /* --source was given */
        bool named[_SOURCE_MAX];
        bool seed_file_named;

        /* the kernel's: command-line.h */
        char *kernel_line; /* NULL: it cannot be read, and nothing is credited */
        bool off;
        unsigned int n_ignored; /* words of ours that made no sense */

        /* [seeder] */
        bool enabled;
        bool seed_file;
        uint64_t deadline_usec; /* also --deadline; 0: that of the phase */

        SourceSettings saved; /* the seed file: credit and trust alone */
        SourceSettings sources[_SOURCE_MAX];
} Settings;

/* The defaults; 0 or -ENOMEM, and then nothing is left to free. */
_must_check_ int settings_init(Settings *settings);
void settings_deinit(Settings *settings);

/* 0, CONFIG_E_USAGE or a negative errno. Strings stay argv's. */
_must_check_ int settings_read_options(
        Settings *settings,
        int argc,
        char *argv[],
        Messages *errors);
void settings_print_help(FILE *stream);

/* 0, CONFIG_E_FILE or -ENOMEM. Both command lines have to be applied over it again. */
_must_check_ int settings_read_file(
        Settings *settings,
        const char *path,
        bool must_exist,
        Messages *errors);

/* Strings stay those of settings. */
void settings_make_run(const Settings *settings, Phase phase, RunSettings *ret_run);

#define _cleanup_settings_ _cleanup_(settings_deinit)
