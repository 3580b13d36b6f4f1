/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <ini.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "lib/base/io.h"
#include "lib/base/parse.h"
#include "lib/policy/credit.h"
#include "lib/sources/egd.h"
#include "lib/sources/metadata-format.h"
#include "rngd/config.h"

/* One bit for each section that has the key: the sources by their id, then [rngd]. */
#define SECTION_RNGD ((unsigned)_SOURCE_LIVE_MAX)
#define SECTION_NONE (SECTION_RNGD + 1)
#define IN_HWRNG     (1U << SOURCE_HWRNG)
#define IN_CPU       (1U << SOURCE_CPU)
#define IN_TPM       (1U << SOURCE_TPM)
#define IN_EGD       (1U << SOURCE_EGD)
#define IN_METADATA  (1U << SOURCE_METADATA)
#define IN_FILE      (1U << SOURCE_FILE)
#define IN_EXEC      (1U << SOURCE_EXEC)
#define IN_JITTER    (1U << SOURCE_JITTER)
#define IN_RNGD      (1U << SECTION_RNGD)
#define IN_BLOCKING  (IN_HWRNG | IN_TPM | IN_EGD | IN_METADATA | IN_FILE | IN_EXEC | IN_JITTER)
#define IN_SOURCES   (IN_CPU | IN_BLOCKING)

#define KEYS_MAX      16U
#define SECTION_NAMES "[rngd], [hwrng], [cpu], [tpm], [egd], [metadata], [file], [exec], [jitter]"

typedef struct ConfigKey {
        const char *name;
        unsigned sections;
        const char *expected;
        int (*apply_rngd)(Settings *settings, const char *value);
        int (*apply_source)(SourceSettings *source, const char *value);
} ConfigKey;

typedef struct ConfigParser {
        const char *name;
        const char *next; /* what is not read yet */
        const char *end;
        Settings *settings;
        Messages *errors;
        unsigned line_number;
        unsigned section; /* SECTION_NONE: before the first, or in an unknown one */
        bool in_unknown_section;
        bool failed;
        int fatal; /* negative errno */
        unsigned first_line[SECTION_NONE][KEYS_MAX];
} ConfigParser;

static int apply_log_level(Settings *settings, const char *value) {
        static const struct {
                const char *name;
                int level;
        } levels[] = {
                { "error", LOG_ERR },
                { "notice", LOG_NOTICE },
                { "info", LOG_INFO },
                { "debug", LOG_DEBUG },
        };

        for (size_t i = 0; i < ELEMENTSOF(levels); i++)
                if (strcmp(value, levels[i].name) == 0) {
                        settings->log_level = levels[i].level;
                        return 0;
                }
        return -EINVAL;
}

static int apply_watermark(Settings *settings, const char *value) {
        return values_parse_watermark(value, &settings->watermark);
}

static int apply_step(Settings *settings, const char *value) {
        return parse_u32(
                value,
                VALUES_MIN_STEP_BYTES,
                VALUES_MAX_STEP_BYTES,
                &settings->random_step_bytes);
}

static int apply_reseed(Settings *settings, const char *value) {
        return parse_usec(value, VALUES_MAX_RESEED_USEC, &settings->reseed_interval_usec);
}

static int apply_fork_check(Settings *settings, const char *value) {
        return parse_usec(value, VALUES_MAX_FORK_CHECK_USEC, &settings->fork_check_usec);
}

static int apply_require_source(Settings *settings, const char *value) {
        return parse_bool(value, &settings->require_source);
}

static int apply_timeout(Settings *settings, const char *value) {
        return values_parse_timeout(value, &settings->timeout_usec);
}

static int apply_worker_user(Settings *settings, const char *value) {
        return values_parse_user(value, &settings->worker);
}

static int apply_enabled(SourceSettings *source, const char *value) {
        source->enabled_origin = ORIGIN_CONFIG;
        return parse_bool(value, &source->enabled);
}

static int apply_credit(SourceSettings *source, const char *value) {
        if (strcmp(value, "auto") == 0) {
                source->credit_override_per_1024 = CREDIT_OVERRIDE_NONE;
                return 0;
        }
        return parse_u32(value, 0, CREDIT_PER_1024_MAX, &source->credit_override_per_1024);
}

static int apply_path(SourceSettings *source, const char *value) {
        if (*value != '/')
                return -EINVAL;
        return settings_set_string(&source->path, value);
}

static int apply_address(SourceSettings *source, const char *value) {
        EgdAddress address;
        int r;

        r = egd_parse_address(value, &address);
        return r < 0 ? r : settings_set_string(&source->address, value);
}

static int apply_url(SourceSettings *source, const char *value) {
        int r;

        r = metadata_check_url(value);
        return r < 0 ? r : settings_set_string(&source->url, value);
}

static int apply_format(SourceSettings *source, const char *value) {
        MetadataFormat format;
        int r;

        r = metadata_parse_format(value, &format);
        return r < 0 ? r : settings_set_string(&source->format, value);
}

static int apply_ca_file(SourceSettings *source, const char *value) {
        if (*value != '/')
                return -EINVAL;
        return settings_set_string(&source->ca_file, value);
}

static int apply_source_timeout(SourceSettings *source, const char *value) {
        return values_parse_timeout(value, &source->timeout_usec);
}

static int apply_command(SourceSettings *source, const char *value) {
        char **argv;
        int r;

        r = values_parse_command(value, &argv);
        if (r < 0)
                return r;
        values_free_command(source->argv);
        source->argv = argv;
        return 0;
}

static int apply_source_user(SourceSettings *source, const char *value) {
        source->user_given = true;
        return values_parse_user(value, &source->user);
}

static const ConfigKey config_keys[] = {
        { "log-level", IN_RNGD, "error, notice, info or debug", apply_log_level, NULL },
        { "watermark", IN_RNGD, "0 to 4096 bits, or 0% to 100%", apply_watermark, NULL },
        { "random-step", IN_RNGD, "32 to 512 bytes", apply_step, NULL },
        { "reseed-interval", IN_RNGD, "a time like 1h up to 365d, or 0", apply_reseed, NULL },
        { "fork-check", IN_RNGD, "a time like 10s up to 1d, or 0", apply_fork_check, NULL },
        { "require-source", IN_RNGD, "yes or no", apply_require_source, NULL },
        { "timeout",
          IN_RNGD | IN_BLOCKING,
          "a time from 100ms to 1h",
          apply_timeout,
          apply_source_timeout },
        { "user",
          IN_RNGD | IN_EXEC,
          "USER or USER:GROUP, names or ids that exist",
          apply_worker_user,
          apply_source_user },
        { "enabled", IN_SOURCES, "yes or no", NULL, apply_enabled },
        { "credit", IN_SOURCES, "0 to 1024, or auto", NULL, apply_credit },
        { "path", IN_HWRNG | IN_TPM | IN_FILE, "an absolute path", NULL, apply_path },
        { "address",
          IN_EGD,
          "unix:/PATH, tcp:ADDRESS:PORT, tcp:[IPV6]:PORT or vsock:CID:PORT, all in numbers",
          NULL,
          apply_address },
        { "url",
          IN_METADATA,
          "http://HOST... or https://HOST..., without user and password",
          NULL,
          apply_url },
        { "format", IN_METADATA, "raw, base64 or json:KEY", NULL, apply_format },
        { "ca-file", IN_METADATA, "an absolute path", NULL, apply_ca_file },
        { "command",
          IN_EXEC,
          "an absolute path of a program, and its arguments",
          NULL,
          apply_command },
};

_Static_assert(ELEMENTSOF(config_keys) <= KEYS_MAX, "KEYS_MAX is too small");

static const char *section_name(unsigned section) {
        return section == SECTION_RNGD ? "rngd" : source_name((SourceId)section);
}

static void add_error(ConfigParser *parser, const char *text, const char *problem) {
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

static void add_unknown_key(ConfigParser *parser, const char *key) {
        char quoted[MESSAGES_QUOTE_SIZE], known[160] = "";
        char *end = known;

        for (size_t i = 0; i < ELEMENTSOF(config_keys); i++)
                if (config_keys[i].sections & (1U << parser->section)) {
                        end = stpcpy(end, end > known ? ", " : "");
                        end = stpcpy(end, config_keys[i].name);
                }

        parser->failed = true;
        messages_add(
                parser->errors,
                "%s:%u: [%s] has no key '%s', expected one of: %s",
                parser->name,
                parser->line_number,
                section_name(parser->section),
                messages_quote(key, quoted),
                known);
}

static void add_bad_value(
        ConfigParser *parser,
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
                section_name(parser->section),
                key,
                messages_quote(value, quoted),
                expected);
}

static void enter_section(ConfigParser *parser, char *line) {
        char *close = strchr(line, ']');
        SourceId id;

        parser->section = SECTION_NONE;
        parser->in_unknown_section = true;
        if (!close || close[1] != '\0') {
                add_error(parser, line, "is no section, expected one of: " SECTION_NAMES);
                return;
        }

        *close = '\0';
        if (strcmp(line + 1, "rngd") == 0)
                parser->section = SECTION_RNGD;
        else if (settings_find_source(line + 1, &id) == 0)
                parser->section = (unsigned)id;
        else
                add_error(
                        parser,
                        line + 1,
                        "is an unknown section, expected one of: " SECTION_NAMES);
        *close = ']';
        parser->in_unknown_section = parser->section == SECTION_NONE;
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
static bool next_line(ConfigParser *parser, const char **ret_line, size_t *ret_length) {
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

/*
 * fgets() for libinih. Lines come without leading blanks, since libinih takes an indented line for
 * a second value of the key before it, and without comments, since what it cuts depends on how it
 * was built. What must not reach it is reported here and goes on as an empty line.
 */
static char *read_line(char *buffer, int size, void *userdata) {
        ConfigParser *parser = userdata;
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

        if (buffer[0] == '[') {
                enter_section(parser, buffer);
                if (parser->section == SECTION_NONE)
                        length = 0;
        } else if (length > 0 && parser->in_unknown_section)
                length = 0; /* one error for the section is enough */
        else if (length > 0 && parser->section == SECTION_NONE) {
                add_error(
                        parser,
                        buffer,
                        "is outside of a section, expected one of: " SECTION_NAMES);
                length = 0;
        } else if (length > 0 && (buffer[0] == '=' || !strchr(buffer, '='))) {
                add_error(parser, buffer, "is no setting, expected KEY = VALUE");
                length = 0;
        }

        buffer[length] = '\n';
        buffer[length + 1] = '\0';
        return buffer;
}

static int apply_key(ConfigParser *parser, size_t i, const char *value) {
        const ConfigKey *key = &config_keys[i];
        unsigned *first_line = &parser->first_line[parser->section][i];
        int r;

        if (*first_line > 0) {
                char problem[64];

                (void)snprintf(problem, sizeof(problem), "was set in line %u already", *first_line);
                add_error(parser, key->name, problem);
                return 0;
        }
        *first_line = parser->line_number;

        if (parser->section == SECTION_RNGD)
                r = key->apply_rngd(parser->settings, value);
        else
                r = key->apply_source(&parser->settings->sources[parser->section], value);
        if (r == -EINVAL || r == -ERANGE) {
                add_bad_value(parser, key->name, value, key->expected);
                return 0;
        }
        return r;
}

/* libinih's callback: 1 is success. */
static int handle_value(void *userdata, const char *section, const char *key, const char *value) {
        ConfigParser *parser = userdata;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(config_keys); i++) {
                if (!(config_keys[i].sections & (1U << parser->section)) ||
                    strcmp(config_keys[i].name, key) != 0)
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

int config_parse(
        const char *name,
        const char *text,
        size_t length,
        Settings *settings,
        Messages *errors) {
        ConfigParser parser = {
                .name = name,
                .next = text,
                .end = text + length,
                .settings = settings,
                .errors = errors,
                .section = SECTION_NONE,
        };
        const char *zero;
        int r;

        zero = length > 0 ? memchr(text, '\0', length) : NULL;
        if (zero) {
                parser.line_number = line_of(text, zero);
                add_error(&parser, NULL, "there is a zero byte, expected text");
                return SETTINGS_E_CONFIG;
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
        return parser.failed ? SETTINGS_E_CONFIG : 0;
}

static int refuse(Messages *errors, const char *path, const char *problem) {
        char quoted[MESSAGES_QUOTE_SIZE];

        messages_add(errors, "%s: %s", messages_quote(path, quoted), problem);
        return SETTINGS_E_CONFIG;
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

int config_load(const char *path, bool must_exist, Settings *settings, Messages *errors) {
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

        return config_parse(path, text, length, settings, errors);
}
