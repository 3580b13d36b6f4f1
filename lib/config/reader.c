/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/io.h"
#include "lib/config/reader.h"

typedef struct Parser {
        const char *name;
        const char *next; /* what is not read yet */
        const char *end;
        const ConfigSections *sections;
        const ConfigSection *section; /* NULL: before the first, or in an unknown one */
        Messages *errors;
        unsigned line_number;
        bool in_unknown_section;
        bool failed;
        int fatal; /* negative errno */
        unsigned first_line[CONFIG_SECTIONS_MAX][CONFIG_KEYS_MAX];
} Parser;

void config_add_section(ConfigSections *sections, const ConfigSection *section) {
        if (sections->n < CONFIG_SECTIONS_MAX)
                sections->list[sections->n++] = *section;
}

static void add_error(Parser *parser, const char *text, const char *problem) {
        char quoted[MESSAGES_QUOTE_SIZE];

        parser->failed = true;
        messages_add(
                parser->errors,
                "%s:%u: %s%s%s%s",
                parser->name,
                parser->line_number,
                text ? "'" : "",
                text ? messages_quote(text, quoted) : "",
                text ? "' " : "",
                problem);
}

static void add_unknown_key(Parser *parser, const char *key) {
        const ConfigSection *section = parser->section;
        char quoted[MESSAGES_QUOTE_SIZE], known[CONFIG_KEYS_MAX * 20] = "";
        char *end = known;

        for (size_t i = 0; i < section->n_keys; i++)
                if (section->keys[i].sections & section->bit) {
                        end = stpcpy(end, end > known ? ", " : "");
                        end = stpcpy(end, section->keys[i].name);
                }

        parser->failed = true;
        messages_add(
                parser->errors,
                "%s:%u: [%s] has no key '%s', expected one of: %s",
                parser->name,
                parser->line_number,
                section->name,
                messages_quote(key, quoted),
                known);
}

static void add_bad_value(
        Parser *parser,
        const char *key,
        const char *value,
        const char *expected) {
        char quoted[MESSAGES_QUOTE_SIZE];

        parser->failed = true;
        messages_add(
                parser->errors,
                "%s:%u: [%s] %s '%s': expected %s",
                parser->name,
                parser->line_number,
                parser->section->name,
                key,
                messages_quote(value, quoted),
                expected);
}

/* "[cpu] x" "is no section, expected one of: [rngd], [cpu]" */
static void add_bad_section(Parser *parser, const char *text, const char *problem) {
        char line[sizeof(", []") * CONFIG_SECTIONS_MAX + 16 * CONFIG_SECTIONS_MAX + 64];
        char *end = stpcpy(stpcpy(line, problem), ", expected one of: ");

        for (size_t i = 0; i < parser->sections->n; i++)
                end += snprintf(
                        end,
                        (size_t)(line + sizeof(line) - end),
                        "%s[%s]",
                        i > 0 ? ", " : "",
                        parser->sections->list[i].name);
        add_error(parser, text, line);
}

static void enter_section(Parser *parser, char *line) {
        char *close = strchr(line, ']');

        parser->section = NULL;
        parser->in_unknown_section = true;
        if (!close || close[1] != '\0') {
                add_bad_section(parser, line, "is no section");
                return;
        }

        *close = '\0';
        for (size_t i = 0; i < parser->sections->n; i++)
                if (strcmp(line + 1, parser->sections->list[i].name) == 0)
                        parser->section = &parser->sections->list[i];
        if (!parser->section)
                add_bad_section(parser, line + 1, "is an unknown section");
        *close = ']';
        parser->in_unknown_section = !parser->section;
}

/* Where a comment begins: at the start, or after white space. */
static size_t length_without_comment(const char *line, size_t length) {
        for (size_t i = 0; i < length; i++)
                if ((line[i] == '#' || line[i] == ';') &&
                    (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t'))
                        return i;
        return length;
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r';
}

/* The next line without its comment and the blanks around it; false at the end of the text. */
static bool next_line(Parser *parser, const char **ret_line, size_t *ret_length) {
        const char *line = parser->next, *newline;
        size_t length;

        if (line == parser->end)
                return false;

        newline = memchr(line, '\n', (size_t)(parser->end - line));
        parser->next = newline ? newline + 1 : parser->end;
        length = (size_t)((newline ? newline : parser->end) - line);
        parser->line_number++;

        while (length > 0 && is_blank(*line)) {
                line++;
                length--;
        }
        length = length_without_comment(line, length);
        while (length > 0 && is_blank(line[length - 1]))
                length--;

        *ret_line = line;
        *ret_length = length;
        return true;
}

/* Whether libinih is to see a line; else what is wrong with it was told, or it is not ours. */
static bool is_for_libinih(Parser *parser, char *line) {
        if (line[0] == '[') {
                enter_section(parser, line);
                return parser->section;
        }
        if (line[0] == '\0')
                return true;
        if (parser->in_unknown_section)
                return false; /* one error for the section is enough */
        if (!parser->section) {
                add_bad_section(parser, line, "is outside of a section");
                return false;
        }
        if (parser->section->n_keys == 0)
                return false; /* another program's */
        if (line[0] == '=' || !strchr(line, '=')) {
                add_error(parser, line, "is no setting, expected KEY = VALUE");
                return false;
        }
        return true;
}

/*
 * fgets() for libinih. Lines come without leading blanks, since libinih takes an indented line for
 * a second value of the key before it, and without comments, since what it cuts depends on how it
 * was built. What must not reach it is reported here and goes on as an empty line.
 */
static char *read_line(char *buffer, int size, void *userdata) {
        Parser *parser = userdata;
        const char *line;
        size_t length, room = MIN((size_t)size - 2, CONFIG_MAX_LINE_BYTES);

        if (!next_line(parser, &line, &length))
                return NULL;

        if (length > room) {
                char problem[64];

                (void)snprintf(problem, sizeof(problem), "the line is longer than %zu bytes", room);
                add_error(parser, NULL, problem);
                length = 0;
        }
        memcpy(buffer, line, length);
        buffer[length] = '\0';

        if (!is_for_libinih(parser, buffer))
                length = 0;
        buffer[length] = '\n';
        buffer[length + 1] = '\0';
        return buffer;
}

static int apply_key(Parser *parser, size_t i, const char *value) {
        const ConfigKey *key = &parser->section->keys[i];
        unsigned *first_line = &parser->first_line[parser->section - parser->sections->list][i];
        int r;

        if (*first_line > 0) {
                char problem[64];

                (void)snprintf(problem, sizeof(problem), "was set in line %u already", *first_line);
                add_error(parser, key->name, problem);
                return 0;
        }
        *first_line = parser->line_number;

        r = key->apply(parser->section->target, value);
        if (r == -EINVAL || r == -ERANGE) {
                add_bad_value(parser, key->name, value, key->expected);
                return 0;
        }
        return r;
}

/* libinih's callback: 1 is success. */
static int handle_value(void *userdata, const char *section, const char *key, const char *value) {
        Parser *parser = userdata;
        const ConfigKey *keys = parser->section->keys;
        int r;

        for (size_t i = 0; i < parser->section->n_keys; i++) {
                if (!(keys[i].sections & parser->section->bit) || strcmp(keys[i].name, key) != 0)
                        continue;
                r = apply_key(parser, i, value);
                if (r < 0)
                        parser->fatal = r;
                return 1;
        }

        add_unknown_key(parser, key);
        return 1;
}

static unsigned line_of(const char *text, const char *position) {
        unsigned line = 1;

        for (; text < position; text++)
                line += *text == '\n';
        return line;
}

int config_read_text(
        const char *name,
        const char *text,
        size_t length,
        const ConfigSections *sections,
        Messages *errors) {
        Parser parser = {
                .name = name,
                .next = text,
                .end = text + length,
                .sections = sections,
                .errors = errors,
        };
        const char *zero;
        int r;

        zero = length > 0 ? memchr(text, '\0', length) : NULL;
        if (zero) {
                parser.line_number = line_of(text, zero);
                add_error(&parser, NULL, "there is a zero byte, expected text");
                return CONFIG_E_FILE;
        }
        if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
                parser.next += 3; /* a byte order mark would hide the first section */

        r = ini_parse_stream(read_line, &parser, handle_value, &parser);
        if (parser.fatal < 0)
                return parser.fatal;
        if (r < 0)
                return -ENOMEM;
        if (r > 0) {
                parser.line_number = (unsigned)r;
                add_error(&parser, NULL, "expected KEY = VALUE");
        }
        return parser.failed ? CONFIG_E_FILE : 0;
}

static int refuse(Messages *errors, const char *path, const char *problem) {
        char quoted[MESSAGES_QUOTE_SIZE];

        messages_add(errors, "%s: %s", messages_quote(path, quoted), problem);
        return CONFIG_E_FILE;
}

static int check_file(const char *path, const struct stat *st, Messages *errors) {
        if (!S_ISREG(st->st_mode))
                return refuse(errors, path, "not a regular file");
        if (st->st_uid != 0 && st->st_uid != geteuid())
                return refuse(errors, path, "expected root or the caller as its owner");
        if (st->st_mode & S_IWOTH)
                return refuse(errors, path, "everybody may write it (expected mode 0644 or less)");
        if ((st->st_mode & S_IWGRP) && st->st_gid != 0)
                return refuse(
                        errors,
                        path,
                        "a group may write it (expected mode 0644 or group root)");
        return 0;
}

int config_read_file(
        const char *path,
        bool must_exist,
        const ConfigSections *sections,
        Messages *errors) {
        _cleanup_close_ int fd = -1;
        _cleanup_free_ char *text = NULL;
        struct stat st;
        size_t length;
        int r;

        /* Links are followed, packages use them; the checks are of what was opened. O_NONBLOCK: a
         * FIFO must not hold the start up. */
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT && !must_exist)
                return 0;
        if (fd < 0)
                return refuse(errors, path, strerror(errno));
        if (fstat(fd, &st) < 0)
                return refuse(errors, path, strerror(errno));
        r = check_file(path, &st, errors);
        if (r != 0)
                return r;

        text = malloc(CONFIG_MAX_BYTES + 1);
        if (!text)
                return -ENOMEM;
        r = io_read_full(fd, text, CONFIG_MAX_BYTES + 1, &length);
        if (r < 0)
                return refuse(errors, path, strerror(-r));
        if (length > CONFIG_MAX_BYTES)
                return refuse(errors, path, "larger than 65536 bytes");

        return config_read_text(path, text, length, sections, errors);
}
