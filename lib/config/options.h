/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Command lines. Long names may be cut as long as they stay unique; "--" ends the options; options
 * and other arguments may come in any order. Unlike getopt_long() it has no state of its own and
 * leaves argv as it is, so that SIGHUP can read it again.
 */

#include <stdio.h>

#include "lib/config/setting.h"

typedef struct ConfigOptions {
        const Setting *table;
        size_t n_rows;
} ConfigOptions;

/*
 * Applies a command line from argv[1] on; argv[0] is the program or its verb.
 * 0, CONFIG_E_HELP or CONFIG_E_ANSWERED (what follows was not looked at), CONFIG_E_USAGE with one
 * line in errors, or a negative errno.
 */
_must_check_ int config_read_options(
        const ConfigOptions *options,
        int argc,
        char *argv[],
        void *target,
        const SettingLayer *layer,
        Messages *errors);

/* The options with their help, under the table's headings. */
void config_print_options(FILE *stream, const ConfigOptions *options);
