/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The one table of options: the parser, --help and the messages are made from it, so that they
 * cannot drift apart. tests/integration/check-man.py holds manual and completions against --help.
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/config/messages.h"
#include "rngd/settings.h"

/* Room in the tables that are made for getopt_long(). */
#define OPTIONS_MAX      64U
#define OPTION_NAMES_MAX 4U

typedef enum OptionGroup {
        OPTION_GROUP_ACTION,
        OPTION_GROUP_RUN,
        OPTION_GROUP_SOURCES,
        OPTION_GROUP_FEED,
        OPTION_GROUP_NOTICE, /* accepted for a command line of rng-tools, answered with a notice */
        _OPTION_GROUP_MAX,
} OptionGroup;

typedef struct OptionContext {
        Settings *settings;
        Messages *notices;
        bool answered; /* --help and its like: what follows is not looked at */
} OptionContext;

typedef struct Option {
        const char *letters;                     /* at most two: "vV"; or NULL */
        const char *names[OPTION_NAMES_MAX + 1]; /* the first is ours */
        const char *argument;                    /* what --help calls it; NULL: takes none */
        bool argument_optional;
        OptionGroup group;
        const char *help;
        const char *expected; /* what the value must be, for the error line */
        /* 0, -EINVAL or -ERANGE (not such a value), -ENOMEM */
        int (*apply)(OptionContext *context, const char *value);
        const char *notice; /* added whenever the option is given */
} Option;

extern const Option option_table[];
extern const size_t option_table_length;

const char *option_group_to_string(OptionGroup group);
