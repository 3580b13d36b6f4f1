/* SPDX-License-Identifier: MIT */
#pragma once

/* The three layers together: defaults, configuration file, command line. */

#include <stdio.h>

#include "rngd/settings/settings.h"

/*
 * Applies a command line to settings that hold the defaults or a configuration file's values, and
 * may be called again with the same argv: it is not changed. notices may be NULL.
 * 0, CONFIG_E_USAGE (one line in errors) or a negative errno.
 */
_must_check_ int options_parse(
        int argc,
        char *argv[],
        Settings *settings,
        Messages *errors,
        Messages *notices);

/*
 * Reads everything. previous is NULL at the start; for SIGHUP it is what is in force, so that
 * relative paths still mean the same after chdir(). On failure nothing is written, so a broken file
 * leaves the old settings in force. --help and its like do not read the configuration file.
 *
 * 0, CONFIG_E_USAGE, CONFIG_E_FILE (lines in errors) or a negative errno.
 */
_must_check_ int options_load(
        int argc,
        char *argv[],
        const Settings *previous,
        Settings *ret_settings,
        Messages *errors,
        Messages *notices);

/* What guest-entropy.conf sets. */
ConfigSections options_sections(Settings *settings);

/* Answers ACTION_HELP, ACTION_VERSION, ACTION_SOURCE_KEYS and ACTION_HRNG_NAMES; false: another. */
bool options_print(const Settings *settings, FILE *stream);
