/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/config/options.h"

#define HELP_COLUMN 28

typedef struct Line {
        const ConfigOptions *options;
        int argc, next; /* the word that is read next */
        char **argv;
        void *target;
        const SettingLayer *layer;
        Messages *errors;
} Line;

typedef enum Argument {
        ARGUMENT_NONE,
        ARGUMENT_OPTIONAL, /* --status[=json] */
        ARGUMENT_REQUIRED, /* --config=FILE */
} Argument;

static Argument argument_of(const Setting *row) {
        return strstr(row->option, "[=")  ? ARGUMENT_OPTIONAL
               : strchr(row->option, '=') ? ARGUMENT_REQUIRED
                                          : ARGUMENT_NONE;
}

typedef enum Match {
        MATCH_NONE,
        MATCH_BEGINNING,
        MATCH_EXACT,
} Match;

static Match match_names(const Setting *row, const char *name, size_t length) {
        Match match = MATCH_NONE;

        for (const char *p = row->option; p; p = strchr(p, ',')) {
                size_t n;

                p += strspn(p, ", ");
                n = strcspn(p, "=[,");
                if (n < length || memcmp(p, name, length) != 0)
                        continue;
                if (n == length)
                        return MATCH_EXACT;
                match = MATCH_BEGINNING;
        }
        return match;
}

/* Letters have to be there as they are; of a long name its beginning is enough. */
static const Setting *find_option(const Line *line, const char *name, size_t length) {
        const Setting *found = NULL;
        bool ambiguous = false;

        for (size_t i = 0; i < line->options->n_rows; i++) {
                const Setting *row = &line->options->table[i];
                Match match = match_names(row, name, length);

                if (match == MATCH_EXACT)
                        return row;
                if (match == MATCH_BEGINNING && length > 2) {
                        ambiguous = found;
                        found = row;
                }
        }
        return ambiguous ? NULL : found;
}

static int refuse(Line *line, const char *problem, const char *text) {
        char quoted[MESSAGES_QUOTE_SIZE];

        messages_add(line->errors, "%s '%s' (see --help)", problem, messages_quote(text, quoted));
        return CONFIG_E_USAGE;
}

/* name is the option as it was given; empty for an argument that is no option. */
static int apply(Line *line, const Setting *row, const char *name, const char *value) {
        char quoted[MESSAGES_QUOTE_SIZE], expected[SETTING_TEXT_SIZE];
        int r;

        r = setting_apply(row, line->target, value, line->layer);
        if (r != -EINVAL && r != -ERANGE)
                return r;
        messages_add(
                line->errors,
                "%s%s'%s': expected %s",
                name,
                *name ? " " : "",
                setting_quote(row, value ? value : "", quoted),
                setting_expected(row, line->layer->origin, expected));
        return CONFIG_E_USAGE;
}

static int apply_option(Line *line, const Setting *row, const char *name, const char *value) {
        const Argument argument = argument_of(row);
        char expected[SETTING_TEXT_SIZE];

        if (argument == ARGUMENT_NONE && value) {
                messages_add(line->errors, "%s: takes no value", name);
                return CONFIG_E_USAGE;
        }
        if (argument == ARGUMENT_REQUIRED && !value && line->next == line->argc) {
                messages_add(
                        line->errors,
                        "%s: no value given, expected %s",
                        name,
                        setting_expected(row, line->layer->origin, expected));
                return CONFIG_E_USAGE;
        }
        if (argument == ARGUMENT_REQUIRED && !value)
                value = line->argv[line->next++];
        return apply(line, row, name, value);
}

/* "--name" or "--name=VALUE" */
static int take_name(Line *line, const char *word) {
        size_t length = strcspn(word, "=");
        const Setting *row = find_option(line, word, length);
        char name[48];

        (void)snprintf(name, sizeof(name), "%.*s", (int)length, word);
        if (!row) /* without the value, which may hold a password */
                return refuse(line, "unknown or ambiguous option", name);
        return apply_option(line, row, name, word[length] ? word + length + 1 : NULL);
}

/* "-f", "-fd", "-W VALUE" or "-WVALUE" */
static int take_letters(Line *line, const char *word) {
        int r = 0;

        for (const char *p = word + 1; *p && r == 0; p++) {
                const char name[] = { '-', *p, '\0' };
                const Setting *row = find_option(line, name, 2);

                if (!row)
                        return refuse(line, "unknown option", name);
                if (argument_of(row) == ARGUMENT_REQUIRED)
                        return apply_option(line, row, name, p[1] ? p + 1 : NULL);
                r = apply_option(line, row, name, NULL);
        }
        return r;
}

static int take_argument(Line *line, const char *word) {
        for (size_t i = 0; i < line->options->n_rows; i++) {
                const Setting *row = &line->options->table[i];

                if (row->option && *row->option != '-')
                        return apply(line, row, "", word);
        }
        return refuse(line, "unexpected argument", word);
}

int config_read_options(
        const ConfigOptions *options,
        int argc,
        char *argv[],
        void *target,
        const SettingLayer *layer,
        Messages *errors) {
        Line line = { options, argc, 1, argv, target, layer, errors };
        bool only_arguments = false;
        int r = 0;

        while (r == 0 && line.next < argc) {
                const char *word = argv[line.next++];

                if (only_arguments || *word != '-' || word[1] == '\0')
                        r = take_argument(&line, word);
                else if (word[1] != '-')
                        r = take_letters(&line, word);
                else if (word[2] == '\0')
                        only_arguments = true;
                else
                        r = take_name(&line, word);
        }
        return r;
}

void config_print_options(FILE *stream, const ConfigOptions *options) {
        for (size_t i = 0; i < options->n_rows; i++) {
                const Setting *row = &options->table[i];
                int column;

                if (!row->help)
                        continue;
                if (!row->option) {
                        (void)fprintf(stream, "\n%s:\n", row->help);
                        continue;
                }
                /* Names without a letter stand below the others' names. */
                column =
                        fprintf(stream,
                                "  %s%s",
                                strncmp(row->option, "--", 2) == 0 ? "    " : "",
                                row->option);
                if (column > HELP_COLUMN - 2) {
                        (void)fputc('\n', stream);
                        column = 0;
                }
                (void)fprintf(stream, "%*s%s\n", HELP_COLUMN - column, "", row->help);
        }
}
