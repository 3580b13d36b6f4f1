/* SPDX-License-Identifier: MIT */
#pragma once

/* How to record, from the command line of record or from the kernel's (entropy.monitor=). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/config/options.h"

#define SETTINGS_OUTPUT          "/run/guest-entropy/boot.json"
#define SETTINGS_OUTPUT_MAX      256U
#define SETTINGS_INIT_MAX        256U
#define SETTINGS_MIN_INTERVAL    UINT64_C(100)
#define SETTINGS_MAX_INTERVAL    UINT64_C(10000000)
#define SETTINGS_MAX_DURATION    UINT64_C(39600000000) /* 11 h: the range of a sample's time */
#define SETTINGS_BOOT_DURATION   UINT64_C(600000000)
#define SETTINGS_RECORD_DURATION UINT64_C(60000000)

typedef enum SettingsUntil {
        UNTIL_DURATION, /* nothing ends it earlier */
        UNTIL_READY,    /* until_extra_usec after the RNG became ready */
        UNTIL_BOOT,     /* entropy-monitor finish */
} SettingsUntil;

typedef struct MonitorSettings {
        uint64_t interval_usec;
        uint64_t duration_usec;
        Origin duration_origin;
        SettingsUntil until;
        uint64_t until_extra_usec;
        bool off;            /* kernel command line only, as the next ones */
        bool rdinit;         /* something was to run instead of the initramfs's /init */
        const char *command; /* of record: the word of argv where it begins; NULL: none */
        char output[SETTINGS_OUTPUT_MAX];
        char init[SETTINGS_INIT_MAX]; /* empty: not said */
} MonitorSettings;

void settings_defaults(MonitorSettings *ret_settings);

/* The options of record. */
extern const ConfigOptions settings_table;

/* One setting: "interval", "duration", "until" or "output". -EINVAL, -ERANGE. */
_must_check_ int settings_set(MonitorSettings *settings, const char *key, const char *value);

/*
 * The kernel's command line: rdinit=, entropy.init=PATH and entropy.monitor=off or
 * entropy.monitor=interval=1ms,duration=5min,until=boot,output=/run/x. What is not understood is
 * left out: a word wrong must not change how the machine boots. The text is cut up.
 */
void settings_take_command_line(MonitorSettings *settings, char *command_line);
