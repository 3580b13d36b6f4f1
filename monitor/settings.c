/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/parse.h"
#include "monitor/options.h"
#include "monitor/settings.h"

void settings_defaults(MonitorSettings *ret_settings) {
        *ret_settings = (MonitorSettings){
                .interval_usec = 10 * USEC_PER_MSEC,
                .duration_usec = SETTINGS_BOOT_DURATION,
                .until = UNTIL_BOOT,
                .output = SETTINGS_OUTPUT,
        };
}

static int apply_until(void *target, const char *value, const SettingLayer *layer) {
        MonitorSettings *settings = target;
        uint64_t extra_usec = 0;
        int r;

        if (strcmp(value, "boot") == 0) {
                settings->until = UNTIL_BOOT;
                return 0;
        }
        if (strncmp(value, "ready", 5) != 0 || (value[5] != '\0' && value[5] != '+'))
                return -EINVAL;
        if (value[5] == '+') {
                r = parse_usec(value + 6, SETTINGS_MAX_DURATION, &extra_usec);
                if (r < 0)
                        return r;
        }
        settings->until = UNTIL_READY;
        settings->until_extra_usec = extra_usec;
        return 0;
}

static int apply_output(void *target, const char *value, const SettingLayer *layer) {
        MonitorSettings *settings = target;

        if (*value == '\0' || strlen(value) >= sizeof(settings->output))
                return -EINVAL;
        /* That of a boot is written through PID 1's root: a relative path would mean nothing. */
        if (layer->origin != ORIGIN_COMMAND_LINE && *value != '/')
                return -EINVAL;
        (void)stpcpy(settings->output, value);
        return 0;
}

static int apply_command(void *target, const char *value, const SettingLayer *layer) {
        ((MonitorSettings *)target)->command = value;
        return CONFIG_E_ANSWERED;
}

#define AT(_type, _field) SETTING_AT(_type, MonitorSettings, _field)

static const Setting rows[] = {
        { "-i, --interval=TIME",
          "time from sample to sample (10ms)",
          .key = "interval",
          AT(USEC, interval_usec),
          SETTING_RANGE(SETTINGS_MIN_INTERVAL, SETTINGS_MAX_INTERVAL) },
        { "-d, --duration=TIME",
          "end after so long (60s, if nothing else ends it)",
          .key = "duration",
          AT(USEC, duration_usec),
          .origin_offset = offsetof(MonitorSettings, duration_origin),
          SETTING_RANGE(0, SETTINGS_MAX_DURATION) },
        { "-u, --until=WHEN",
          "end at boot, ready or ready+TIME",
          .key = "until",
          .apply = apply_until,
          .expected = "boot, ready or ready+TIME" },
        { "-o, --output=FILE",
          "write to FILE (entropy.json)",
          .key = "output",
          .apply = apply_output,
          .expected = "a path of at most 255 bytes" },
        OPTIONS_HELP,
        { "COMMAND", .apply = apply_command },
};

const ConfigOptions settings_table = { rows, ELEMENTSOF(rows) };

int settings_set(MonitorSettings *settings, const char *key, const char *value) {
        const SettingLayer layer = { .origin = ORIGIN_CONFIG };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].key && strcmp(rows[i].key, key) == 0)
                        return setting_apply(&rows[i], settings, value, &layer);
        return -EINVAL;
}

/* "interval=1ms,until=boot" or "off"; the text is cut up. */
static void take_words(MonitorSettings *settings, char *words) {
        char *save = NULL;

        for (char *word = strtok_r(words, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
                char *value = strchr(word, '=');

                if (strcmp(word, "off") == 0)
                        settings->off = true;
                if (!value)
                        continue;
                *value++ = '\0';
                (void)!settings_set(settings, word, value);
        }
}

/* What follows a prefix, if anything does. */
static char *value_of(char *parameter, const char *prefix) {
        size_t n = strlen(prefix);

        return strncmp(parameter, prefix, n) == 0 && parameter[n] ? parameter + n : NULL;
}

static void take_parameter(MonitorSettings *settings, char *parameter) {
        char *value;

        if (value_of(parameter, "rdinit="))
                settings->rdinit = true;
        value = value_of(parameter, "entropy.init=");
        if (value && strlen(value) < sizeof(settings->init))
                (void)stpcpy(settings->init, value);
        value = value_of(parameter, "entropy.monitor=");
        if (value)
                take_words(settings, value);
}

void settings_take_command_line(MonitorSettings *settings, char *command_line) {
        char *save = NULL;

        for (char *parameter = strtok_r(command_line, " \t\n", &save); parameter;
             parameter = strtok_r(NULL, " \t\n", &save))
                take_parameter(settings, parameter);
}
