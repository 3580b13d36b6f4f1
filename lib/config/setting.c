/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "lib/base/parse.h"
#include "lib/config/setting.h"
#include "lib/config/values.h"

int config_exit_status(int r) {
        return r == 0                ? EXIT_SUCCESS
               : r == CONFIG_E_USAGE ? EX_USAGE
               : r == CONFIG_E_FILE  ? EX_CONFIG
                                     : EXIT_FAILURE;
}

int setting_set_path(char **target, const char *path, const SettingLayer *layer) {
        _cleanup_free_ char *absolute = NULL;
        const bool relative = *path != '/';

        if (*path == '\0' || (relative && layer->origin != ORIGIN_COMMAND_LINE))
                return -EINVAL;
        if (!relative || !layer->base_directory)
                return values_set_string(target, path);

        if (asprintf(&absolute, "%s/%s", layer->base_directory, path) < 0) {
                absolute = NULL; /* its content is undefined after a failure */
                return -ENOMEM;
        }

        free(*target);
        *target = TAKE_PTR(absolute);
        return 0;
}

static int set_usec(const Setting *setting, const char *value, uint64_t *target) {
        uint64_t usec;
        int r;

        r = parse_usec(value, setting->maximum, &usec);
        if (r < 0)
                return r;
        if (usec < setting->minimum)
                return -ERANGE;
        *target = usec;
        return 0;
}

int setting_find_word(const SettingWord *words, const char *name, int *ret_value) {
        for (; words->name; words++)
                if (strcmp(words->name, name) == 0) {
                        *ret_value = words->value;
                        return 0;
                }
        return -EINVAL;
}

static int check_text(const Setting *setting, const char *value) {
        if (setting->check)
                return setting->check(value);
        return *value == '\0' ? -EINVAL : 0;
}

static int set_text(const Setting *setting, const char *value, char **target) {
        int r = check_text(setting, value);

        return r < 0 ? r : values_set_string(target, value);
}

static int set_argument(const Setting *setting, const char *value, const char **target) {
        int r = check_text(setting, value);

        if (r >= 0)
                *target = value;
        return r;
}

static int add_argument(const Setting *setting, SettingArguments *arguments, const char *value) {
        if (arguments->n == setting->maximum || *value == '\0')
                return -EINVAL;
        arguments->list[arguments->n++] = value;
        return 0;
}

static int set(
        const Setting *setting,
        void *target,
        void *place,
        const char *value,
        const SettingLayer *layer) {
        switch (setting->type) {
        case SETTING_CALL:
                return setting->apply(target, value, layer);
        case SETTING_OFF:
                *(bool *)place = false;
                return 0;
        case SETTING_CHOICE:
                *(int *)place = setting->value;
                return 0;
        case SETTING_ANSWER:
                *(int *)place = setting->value;
                return CONFIG_E_ANSWERED;
        case SETTING_HELP:
                return CONFIG_E_HELP;
        case SETTING_BOOL:
                return parse_bool(value ? value : "yes", place);
        case SETTING_U32:
                return parse_u32(
                        value,
                        (uint32_t)setting->minimum,
                        (uint32_t)setting->maximum,
                        place);
        case SETTING_USEC:
                return set_usec(setting, value, place);
        case SETTING_WORD:
                if (value)
                        return setting_find_word(setting->words, value, place);
                *(int *)place = setting->value;
                return 0;
        case SETTING_TEXT:
                return set_text(setting, value, place);
        case SETTING_PATH:
                return setting_set_path(place, value, layer);
        case SETTING_ARGUMENTS:
                return add_argument(setting, place, value);
        case SETTING_ARGUMENT:
                return set_argument(setting, value, place);
        case SETTING_USER:
                return values_parse_user(value, place);
        case SETTING_COMMAND:
                return values_set_command(place, value);
        }
        return -EINVAL;
}

int setting_apply(
        const Setting *setting,
        void *target,
        const char *value,
        const SettingLayer *layer) {
        SettingArguments ignored = {}; /* room for every type */
        void *place = setting->ignored ? (void *)&ignored : (char *)target + setting->offset;
        int r;

        r = set(setting, target, place, value, layer);
        if (r < 0)
                return r;
        if (setting->ignored)
                messages_add(layer->notices, "%s", setting->ignored);
        if (setting->origin_offset > 0) {
                void *origin = (char *)target + setting->origin_offset;

                *(Origin *)origin = layer->origin;
        }
        return r;
}

/* The largest unit that gives a whole number: "100ms", "10min", "365d". */
static void print_usec(uint64_t usec, char buffer[static 32]) {
        static const struct {
                const char *name;
                uint64_t usec;
        } units[] = {
                { "d", 86400 * USEC_PER_SEC }, { "h", 3600 * USEC_PER_SEC },
                { "min", 60 * USEC_PER_SEC },  { "s", USEC_PER_SEC },
                { "ms", USEC_PER_MSEC },       { "us", 1 },
        };
        size_t i = 0;

        while (usec % units[i].usec != 0)
                i++;
        (void)snprintf(buffer, 32, "%" PRIu64 "%s", usec / units[i].usec, units[i].name);
}

static void expect_usec(const Setting *setting, char buffer[static SETTING_TEXT_SIZE]) {
        char minimum[32], maximum[32];

        print_usec(setting->minimum, minimum);
        print_usec(setting->maximum, maximum);
        if (setting->minimum == 0)
                (void)snprintf(
                        buffer,
                        SETTING_TEXT_SIZE,
                        "0, or a time like 500ms, 10s, 5min or 1h up to %s",
                        maximum);
        else
                (void)snprintf(buffer, SETTING_TEXT_SIZE, "a time from %s to %s", minimum, maximum);
}

static void expect_word(const SettingWord *words, char buffer[static SETTING_TEXT_SIZE]) {
        size_t n = 0;

        for (const SettingWord *word = words; word->name && n < SETTING_TEXT_SIZE; word++)
                n += (size_t)snprintf(
                        buffer + n,
                        SETTING_TEXT_SIZE - n,
                        "%s%s",
                        word == words      ? ""
                        : (word + 1)->name ? ", "
                                           : " or ",
                        word->name);
}

const char *setting_quote(
        const Setting *setting,
        const char *value,
        char buffer[static MESSAGES_QUOTE_SIZE]) {
        return setting->hidden ? "..." : messages_quote(value, buffer);
}

const char *setting_expected(
        const Setting *setting,
        Origin origin,
        char buffer[static SETTING_TEXT_SIZE]) {
        if (setting->expected)
                return setting->expected;

        switch (setting->type) {
        case SETTING_BOOL:
                return "yes or no";
        case SETTING_PATH:
        case SETTING_ARGUMENT:
                return origin == ORIGIN_COMMAND_LINE ? "a path" : "an absolute path";
        case SETTING_USER:
                return "USER or USER:GROUP, names or ids that exist";
        case SETTING_COMMAND:
                return "an absolute path of a program, and its arguments";
        case SETTING_USEC:
                expect_usec(setting, buffer);
                return buffer;
        case SETTING_WORD:
                expect_word(setting->words, buffer);
                return buffer;
        case SETTING_U32:
                (void)snprintf(
                        buffer,
                        SETTING_TEXT_SIZE,
                        "%" PRIu64 " to %" PRIu64 "%s",
                        setting->minimum,
                        setting->maximum,
                        setting->unit ? setting->unit : "");
                return buffer;
        case SETTING_CALL:
        case SETTING_OFF:
        case SETTING_CHOICE:
        case SETTING_ANSWER:
        case SETTING_HELP:
        case SETTING_ARGUMENTS:
        case SETTING_TEXT:
                break;
        }
        return "another value";
}
