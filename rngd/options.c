/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <string.h>
#include <sysexits.h>

#include "rngd/compat.h"
#include "rngd/config.h"
#include "rngd/option-table.h"
#include "rngd/options.h"

#define OPTION_LONG_FIRST 256 /* what getopt_long() returns for the first row; below: letters */
#define HELP_COLUMN       34

/* The shapes in which getopt_long() wants the table. */
typedef struct GetoptTables {
        char letters[4 * OPTIONS_MAX];
        struct option names[OPTIONS_MAX * OPTION_NAMES_MAX + 1];
} GetoptTables;

static int argument_kind(const Option *option) {
        if (!option->argument)
                return no_argument;
        return option->argument_optional ? optional_argument : required_argument;
}

static void make_letters(GetoptTables *tables) {
        char *end = tables->letters;

        /* '+': arguments are errors, so argv need not be sorted. ':': a missing value is told
         * apart from an unknown option. */
        *end++ = '+';
        *end++ = ':';
        for (size_t i = 0; i < option_table_length; i++)
                for (const char *p = option_table[i].letters; p && *p; p++) {
                        if (*p == '?')
                                continue; /* getopt's own code for an error */
                        *end++ = *p;
                        if (option_table[i].argument)
                                *end++ = ':';
                }
        *end = '\0';
}

static void make_names(GetoptTables *tables) {
        struct option *end = tables->names;

        for (size_t i = 0; i < option_table_length; i++)
                for (size_t j = 0; option_table[i].names[j]; j++)
                        *end++ = (struct option){
                                .name = option_table[i].names[j],
                                .has_arg = argument_kind(&option_table[i]),
                                .val = OPTION_LONG_FIRST + (int)i,
                        };
        *end = (struct option){ 0 };
}

static const Option *find_option(int code) {
        if (code >= OPTION_LONG_FIRST)
                return &option_table[code - OPTION_LONG_FIRST];

        for (size_t i = 0; i < option_table_length; i++)
                if (option_table[i].letters && code > 0 && strchr(option_table[i].letters, code))
                        return &option_table[i];
        return NULL;
}

/* "-W/--fill-watermark 'x': expected 0 to 4096 bits, or 0% to 100%" */
static void add_error(
        Messages *errors,
        const Option *option,
        const char *value,
        const char *verb,
        const char *object) {
        char quoted[MESSAGES_QUOTE_SIZE];

        messages_add(
                errors,
                "%s%.1s%s--%s%s%s%s: %s%s",
                option->letters ? "-" : "",
                option->letters ? option->letters : "",
                option->letters ? "/" : "",
                option->names[0],
                value ? " '" : "",
                value ? messages_quote(value, quoted) : "",
                value ? "'" : "",
                verb,
                object);
}

static int refuse(Messages *errors, const char *text, const char *problem) {
        char quoted[MESSAGES_QUOTE_SIZE];

        messages_add(errors, "%s '%s' (see --help)", problem, messages_quote(text, quoted));
        return CONFIG_E_USAGE;
}

/* getopt said no: find out to what. */
static int refuse_option(Messages *errors, int code, const char *word) {
        const Option *option = find_option(optopt);
        char letter[] = { '-', (char)optopt, '\0' };

        if (code == ':' && option) {
                add_error(errors, option, NULL, "no value given, expected ", option->expected);
                return CONFIG_E_USAGE;
        }
        if (strncmp(word, "--", 2) != 0)
                return refuse(errors, letter, "unknown option");
        if (option) {
                add_error(errors, option, NULL, "takes no value", "");
                return CONFIG_E_USAGE;
        }
        return refuse(errors, word, "unknown or ambiguous option");
}

static int apply_option(
        OptionContext *context,
        const Option *option,
        const char *value,
        Messages *errors) {
        int r;

        r = option->apply(context, value);
        if (r == -EINVAL || r == -ERANGE) {
                add_error(errors, option, value ? value : "", "expected ", option->expected);
                return CONFIG_E_USAGE;
        }
        if (r < 0)
                return r;

        if (option->notice)
                messages_add(context->notices, "%s", option->notice);
        return 0;
}

int options_parse(int argc, char *argv[], Settings *settings, Messages *errors, Messages *notices) {
        OptionContext context = { .settings = settings, .notices = notices };
        const Option *option;
        static GetoptTables tables; /* 8 KiB: too much for the stack */
        int code, r;

        make_letters(&tables);
        make_names(&tables);
        opterr = 0;
        optind = 0; /* glibc: forget where an earlier call was */

        while (!context.answered) {
                optopt = 0;
                code = getopt_long(argc, argv, tables.letters, tables.names, NULL);
                if (code == -1)
                        break;

                if (code == ':' || (code == '?' && optopt != '?'))
                        return refuse_option(errors, code, argv[optind - 1]);
                option = find_option(code);
                if (!option)
                        return -ENOTRECOVERABLE;
                r = apply_option(&context, option, optarg, errors);
                if (r != 0)
                        return r;
        }

        if (!context.answered && optind < argc)
                return refuse(errors, argv[optind], "unexpected argument");
        return 0;
}

static int init_settings(const Settings *previous, Settings *settings) {
        int r;

        r = settings_init(settings);
        if (r < 0)
                return r;

        if (!previous) {
                /* NULL in a directory that was deleted: relative paths stay as they are. */
                settings->base_directory = getcwd(NULL, 0);
                return 0;
        }
        if (!previous->base_directory)
                return 0;

        r = values_set_string(&settings->base_directory, previous->base_directory);
        if (r < 0)
                settings_deinit(settings);
        return r;
}

static bool needs_config(Action action) {
        return action == ACTION_RUN || action == ACTION_LIST || action == ACTION_TEST ||
               action == ACTION_OUTPUT;
}

int options_load(
        int argc,
        char *argv[],
        const Settings *previous,
        Settings *ret_settings,
        Messages *errors,
        Messages *notices) {
        _cleanup_settings_ Settings line = { 0 }, all = { 0 };
        int r;

        /* The command line alone: is it right, and which file does it name? */
        r = init_settings(previous, &line);
        if (r < 0)
                return r;
        r = options_parse(argc, argv, &line, errors, NULL);
        if (r != 0)
                return r;
        if (!needs_config(line.action)) {
                *ret_settings = TAKE(line, ((Settings){ 0 }));
                return 0;
        }

        r = init_settings(previous, &all);
        if (r < 0)
                return r;
        r = config_load(line.config_path, line.config_given, &all, errors);
        if (r != 0)
                return r;
        r = options_parse(argc, argv, &all, errors, notices);
        if (r != 0)
                return r;
        r = settings_finish(&all, errors);
        if (r != 0)
                return r;

        *ret_settings = TAKE(all, ((Settings){ 0 }));
        return 0;
}

int options_exit_status(int r) {
        switch (r) {
        case 0:
                return EXIT_SUCCESS;
        case CONFIG_E_USAGE:
                return EX_USAGE;
        case CONFIG_E_FILE:
                return EX_CONFIG;
        default:
                return EXIT_FAILURE;
        }
}

static void print_option(FILE *stream, const Option *option) {
        const char *open = option->argument_optional ? "[=" : "=";
        const char *close = option->argument_optional ? "]" : "";
        int column = 0;

        for (const char *p = option->letters; p && *p; p++)
                column += fprintf(stream, "%s-%c", column ? ", " : "  ", *p);
        for (size_t i = 0; option->names[i]; i++)
                column +=
                        fprintf(stream,
                                "%s--%s%s%s%s",
                                column ? ", " : "      ",
                                option->names[i],
                                option->argument ? open : "",
                                option->argument ? option->argument : "",
                                option->argument ? close : "");

        if (column >= HELP_COLUMN) {
                fputc('\n', stream);
                column = 0;
        }
        fprintf(stream, "%*s%s\n", HELP_COLUMN - column, "", option->help);
}

static void print_help(FILE *stream) {
        fputs("Usage: rngd [OPTION]...\n"
              "Feeds this machine's kernel with random bytes whenever something calls for them.\n",
              stream);

        for (OptionGroup group = 0; group < _OPTION_GROUP_MAX; group++) {
                fprintf(stream, "\n%s:\n", option_group_to_string(group));
                for (size_t i = 0; i < option_table_length; i++)
                        if (option_table[i].group == group)
                                print_option(stream, &option_table[i]);
        }
        fputs("\nSee rngd(8) and guest-entropy.conf(5).\n", stream);
}

bool options_print(const Settings *settings, FILE *stream) {
        switch (settings->action) {
        case ACTION_HELP:
                print_help(stream);
                return true;
        case ACTION_VERSION:
                fputs("rngd (guest-entropy) " PACKAGE_VERSION "\n", stream);
                return true;
        case ACTION_SOURCE_KEYS:
                compat_print_source_keys(stream, settings->topic);
                return true;
        case ACTION_HRNG_NAMES:
                compat_print_hrng_names(stream);
                return true;
        case ACTION_RUN:
        case ACTION_LIST:
        case ACTION_TEST:
        case ACTION_OUTPUT:
        case ACTION_STATUS:
        case ACTION_STATUS_JSON:
                return false;
        }
        return false;
}
