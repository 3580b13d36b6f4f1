/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "lib/base/parse.h"
#include "monitor/settings.h"

void settings_defaults(MonitorSettings *ret_settings) {
        *ret_settings = (MonitorSettings){
                .interval_usec = 10 * USEC_PER_MSEC,
                .duration_usec = SETTINGS_BOOT_DURATION,
                .until = UNTIL_BOOT,
                .output = SETTINGS_OUTPUT,
        };
}

static int set_until(MonitorSettings *settings, const char *value) {
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

int settings_set(MonitorSettings *settings, const char *key, const char *value) {
        uint64_t usec;
        int r;

        if (strcmp(key, "until") == 0)
                return set_until(settings, value);
        if (strcmp(key, "output") == 0) {
                if (value[0] == '\0' || strlen(value) >= sizeof(settings->output))
                        return -EINVAL;
                (void)stpcpy(settings->output, value);
                return 0;
        }
        if (strcmp(key, "interval") == 0) {
                r = parse_usec(value, SETTINGS_MAX_INTERVAL, &usec);
                if (r >= 0 && usec < SETTINGS_MIN_INTERVAL)
                        r = -ERANGE;
                if (r >= 0)
                        settings->interval_usec = usec;
                return r;
        }
        if (strcmp(key, "duration") == 0) {
                r = parse_usec(value, SETTINGS_MAX_DURATION, &usec);
                if (r >= 0)
                        settings->duration_usec = usec;
                return r;
        }
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
                /* It is written through PID 1's root: a relative path would mean nothing. */
                if (strcmp(word, "output") == 0 && *value != '/')
                        continue;
                (void)!settings_set(settings, word, value);
        }
}

static void take_parameter(MonitorSettings *settings, const char *parameter, size_t length) {
        static const char init_key[] = "entropy.init=", monitor_key[] = "entropy.monitor=",
                          rdinit_key[] = "rdinit=";
        char value[512];

        if (length > strlen(rdinit_key) && strncmp(parameter, rdinit_key, strlen(rdinit_key)) == 0)
                settings->rdinit = true;
        if (length >= sizeof(value))
                return;
        if (length > strlen(init_key) && strncmp(parameter, init_key, strlen(init_key)) == 0) {
                length -= strlen(init_key);
                if (length < sizeof(settings->init))
                        (void)snprintf(
                                settings->init,
                                sizeof(settings->init),
                                "%.*s",
                                (int)length,
                                parameter + strlen(init_key));
        } else if (
                length > strlen(monitor_key) &&
                strncmp(parameter, monitor_key, strlen(monitor_key)) == 0) {
                (void)snprintf(
                        value,
                        sizeof(value),
                        "%.*s",
                        (int)(length - strlen(monitor_key)),
                        parameter + strlen(monitor_key));
                take_words(settings, value);
        }
}

void settings_take_command_line(MonitorSettings *settings, const char *command_line) {
        static const char blanks[] = " \t\n";

        while (*command_line) {
                size_t length;

                command_line += strspn(command_line, blanks);
                length = strcspn(command_line, blanks);
                take_parameter(settings, command_line, length);
                command_line += length;
        }
}
