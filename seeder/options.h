/* SPDX-License-Identifier: MIT */
#pragma once

/* The command line of entropy-seeder. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/config/setting.h"
#include "lib/sources/source.h"
#include "seeder/run/plan.h"

#define SEEDER_DEADLINE_MAX_USEC UINT64_C(3600000000)

typedef enum SeederAction {
        SEEDER_RUN,
        SEEDER_SAVE,
        SEEDER_REPORT,
        SEEDER_HELP,
        SEEDER_VERSION,
} SeederAction;

typedef struct SeederOptions {
        SeederAction action;
        const char *config_path; /* NULL: the default, which may be missing */
        bool phase_given;
        Phase phase;
        uint64_t deadline_usec; /* 0: that of the phase */
        bool dry_run;
        bool as_json;
        bool quiet;
        bool verbose;
        bool only_named; /* --source was given */
        bool named[_SOURCE_MAX];
        bool seed_file_named;
} SeederOptions;

/* 0, or CONFIG_E_USAGE after one line in the log: exit 64. */
_must_check_ int seeder_options_parse(int argc, char *argv[], SeederOptions *ret_options);
void seeder_options_help(void);
