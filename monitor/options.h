/* SPDX-License-Identifier: MIT */
#pragma once

/* The command line of a verb. */

#include "lib/config/options.h"

#define OPTIONS_HELP \
        { "-h, --help", "print this", .type = SETTING_HELP }

/*
 * Applies it to target. False: the verb ends with *ret_status, because the line is wrong, which was
 * logged, or asks for help, which was printed with this usage.
 */
bool options_read(
        const ConfigOptions *options,
        const char *usage,
        int argc,
        char *argv[],
        void *target,
        int *ret_status);
