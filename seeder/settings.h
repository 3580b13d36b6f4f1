/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Everything that the defaults, guest-entropy.conf, the kernel's command line and our own decide, in
 * that order of rising strength.
 */

#include "lib/config/source-settings.h"
#include "lib/feed/seed-mark.h"
#include "seeder/command-line.h"
#include "seeder/options.h"
#include "seeder/run/run.h"

#define SETTINGS_DEFAULT_CONFIG  SYSCONFDIR "/guest-entropy.conf"
#define SETTINGS_STATE_DIRECTORY SEED_STATE_DIRECTORY

typedef struct Settings {
        bool enabled;                /* [seeder] */
        bool seed_file;              /* [seeder] */
        uint64_t deadline_usec;      /* [seeder]; 0: that of the phase */
        CreditTrust seed_file_trust; /* [seed-file] */
        SourceSettings sources[_SOURCE_MAX];
} Settings;

/* 0, CONFIG_E_FILE with lines in errors, or -ENOMEM. */
_must_check_ int settings_load(
        const char *path,
        bool must_exist,
        Settings *ret_settings,
        Messages *errors);
void settings_deinit(Settings *settings);

/* Strings stay those of settings. */
void settings_make_run(
        const Settings *settings,
        const CommandLine *line,
        const SeederOptions *options,
        Phase phase,
        RunSettings *ret_run);
