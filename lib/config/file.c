/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/io.h"
#include "lib/config/file.h"

typedef struct Parser {
        const char *name;
        const ConfigSections *sections;
        const ConfigSection *section; /* NULL: before the first */
        Messages *errors;
        unsigned line_number;
        bool failed;
        unsigned first_line[CONFIG_SECTIONS_MAX][CONFIG_ROWS_MAX];
} Parser;

static void add_error(Parser *parser, const char *format, ...) _printf_(2, 3);

static void add_error(Parser *parser, const char *format, ...) {
        char line[2048];
        va_list args;

        va_start(args, format);
        (void)vsnprintf(line, sizeof(line), format, args);
        va_end(args);

        parser->failed = true;
        messages_add(parser->errors, "%s:%u: %s", parser->name, parser->line_number, line);
}

static bool has_key(const ConfigSection *section, const Setting *row) {
        return row->key && (row->sections == 0 || (row->sections & section->bit));
}

static void add_unknown_key(Parser *parser, const char *key) {
        const ConfigSection *section = parser->section;
        char quoted[MESSAGES_QUOTE_SIZE], known[CONFIG_ROWS_MAX * 20] = "";
        char *end = known;

        for (size_t i = 0; i < section->n_rows; i++)
                if (has_key(section, &section->table[i])) {
                        end = stpcpy(end, end > known ? ", " : "");
                        end = stpcpy(end, section->table[i].key);
                }
        add_error(
                parser,
                "[%s] has no key '%s', expected one of: %s",
                section->name,
                messages_quote(key, quoted),
                known);
}

/* "'[cpu] x' is no section, expected one of: [rngd], [cpu]" */
static void add_bad_section(Parser *parser, const char *text, const char *problem) {
        char quoted[MESSAGES_QUOTE_SIZE], known[CONFIG_SECTIONS_MAX * 20] = "";
        char *end = known;

        for (size_t i = 0; i < parser->sections->n; i++) {
                end = stpcpy(end, i > 0 ? ", [" : "[");
                end = stpcpy(stpcpy(end, parser->sections->list[i].name), "]");
        }
        add_error(
                parser,
                "'%s' is %s, expected one of: %s",
                messages_quote(text, quoted),
                problem,
                known);
}

static void enter_section(Parser *parser, char *line) {
        static const ConfigSection unknown = {}; /* one error for it is enough */
        char *close = strchr(line, ']');

        parser->section = &unknown;
        if (!close || close[1] != '\0') {
                add_bad_section(parser, line, "no section");
                return;
        }

        *close = '\0';
        for (size_t i = 0; i < parser->sections->n; i++)
                if (strcmp(line + 1, parser->sections->list[i].name) == 0) {
                        parser->section = &parser->sections->list[i];
                        return;
                }
        add_bad_section(parser, line + 1, "an unknown section");
}

static int apply_row(Parser *parser, size_t i, const char *value) {
        const SettingLayer layer = { .origin = ORIGIN_CONFIG };
        const ConfigSection *section = parser->section;
        const Setting *row = &section->table[i];
        unsigned *first_line = &parser->first_line[section - parser->sections->list][i];
        char quoted[MESSAGES_QUOTE_SIZE], expected[SETTING_TEXT_SIZE];
        int r;

        if (*first_line > 0) {
                add_error(parser, "'%s' was set in line %u already", row->key, *first_line);
                return 0;
        }
        *first_line = parser->line_number;

        r = setting_apply(row, section->target, value, &layer);
        if (r != -EINVAL && r != -ERANGE)
                return r;
        add_error(
                parser,
                "[%s] %s '%s': expected %s",
                section->name,
                row->key,
                setting_quote(row, value, quoted),
                setting_expected(row, layer.origin, expected));
        return 0;
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r';
}

/* The length without the blanks at the end. */
static size_t trim(const char *text, size_t length) {
        while (length > 0 && is_blank(text[length - 1]))
                length--;
        return length;
}

static int take_setting(Parser *parser, char *line) {
        const ConfigSection *section = parser->section;
        char quoted[MESSAGES_QUOTE_SIZE];
        char *equals = strchr(line, '=');
        const char *value;

        if (!equals || equals == line) {
                add_error(
                        parser,
                        "'%s' is no setting, expected KEY = VALUE",
                        messages_quote(line, quoted));
                return 0;
        }
        line[trim(line, (size_t)(equals - line))] = '\0';
        for (value = equals + 1; is_blank(*value);)
                value++;

        for (size_t i = 0; i < section->n_rows; i++)
                if (has_key(section, &section->table[i]) &&
                    strcmp(section->table[i].key, line) == 0)
                        return apply_row(parser, i, value);
        add_unknown_key(parser, line);
        return 0;
}

/* A line without its comment and the blanks around it. */
static int take_line(Parser *parser, char *line) {
        if (*line == '\0')
                return 0;
        if (*line == '[')
                enter_section(parser, line);
        else if (!parser->section)
                add_bad_section(parser, line, "outside of a section");
        else if (parser->section->target)
                return take_setting(parser, line);
        return 0;
}

/* Where a comment begins: at the start, or after white space. */
static size_t length_without_comment(const char *line, size_t length) {
        for (size_t i = 0; i < length; i++)
                if ((line[i] == '#' || line[i] == ';') &&
                    (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t'))
                        return i;
        return length;
}

static int take_raw_line(Parser *parser, const char *line, size_t length) {
        char buffer[CONFIG_MAX_LINE_BYTES + 1];

        parser->line_number++;
        if (memchr(line, '\0', length)) {
                add_error(parser, "there is a zero byte, expected text");
                return 0;
        }
        for (; length > 0 && is_blank(*line); line++)
                length--;
        length = trim(line, length_without_comment(line, length));
        if (length > CONFIG_MAX_LINE_BYTES) {
                add_error(parser, "the line is longer than %u bytes", CONFIG_MAX_LINE_BYTES);
                return 0;
        }
        memcpy(buffer, line, length);
        buffer[length] = '\0';
        return take_line(parser, buffer);
}

int config_read_text(
        const char *name,
        const char *text,
        size_t length,
        const ConfigSections *sections,
        Messages *errors) {
        Parser parser = { .name = name, .sections = sections, .errors = errors };
        const char *end = text + length;
        int r;

        if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
                text += 3; /* a byte order mark would hide the first section */

        while (text < end) {
                const char *newline = memchr(text, '\n', (size_t)(end - text));
                size_t n = (size_t)((newline ? newline : end) - text);

                r = take_raw_line(&parser, text, n);
                if (r < 0)
                        return r;
                text += n + (newline ? 1 : 0);
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
