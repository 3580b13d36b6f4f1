/* SPDX-License-Identifier: MIT */
#pragma once

/* The recordings that a verb is given on its command line. */

#include "monitor/options.h"
#include "monitor/show/recording.h"

/* Reads a recording or logs the error. Returns an exit status, or 0. */
int input_read(const char *path, Recording *ret_recording);

/* The row of a table of options for SettingArguments. */
#define INPUT_RECORDINGS(_struct, _field, _maximum, _expected)                               \
        {                                                                                    \
                "RECORDING", SETTING_AT(ARGUMENTS, _struct, _field), .maximum = (_maximum),  \
                                                                     .expected = (_expected) \
        }

typedef struct InputOptions {
        SettingArguments recordings;
} InputOptions;

/* options_read() of a verb that takes one or two recordings and nothing else. */
bool input_read_options(
        const char *usage,
        int argc,
        char *argv[],
        InputOptions *options,
        int *ret_status);

/* The first one, or that of this boot. */
const char *input_path(const SettingArguments *recordings);
