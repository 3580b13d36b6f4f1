/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * guest-entropy.conf: sections and KEY = VALUE lines. Strict: an unknown section or key, a second
 * value, a line that is too long or a zero byte is an error with file and line, and all errors of a
 * file are reported (up to MESSAGES_MAX).
 *
 * One file is for all programs, so a program names the sections of the others, too, and passes over
 * what is in them.
 */

#include "lib/config/setting.h"

#define CONFIG_MAX_BYTES      65536U
#define CONFIG_MAX_LINE_BYTES 190U
#define CONFIG_SECTIONS_MAX   16U
#define CONFIG_ROWS_MAX       64U

typedef struct ConfigSection {
        const char *name;
        uint32_t bit;         /* in the rows that it has; 0: all */
        const Setting *table; /* at most CONFIG_ROWS_MAX rows */
        size_t n_rows;
        void *target; /* NULL: another program's, whose settings are passed over */
} ConfigSection;

typedef struct ConfigSections {
        ConfigSection list[CONFIG_SECTIONS_MAX];
        size_t n;
} ConfigSections;

/*
 * Applies a file. It must be a regular file of at most CONFIG_MAX_BYTES, owned by root or the
 * caller, not writable by all nor by a group other than root's: it names programs to run. A missing
 * file is fine unless must_exist.
 *
 * 0, CONFIG_E_FILE (lines in errors; targets are half changed: throw them away) or -ENOMEM.
 */
_must_check_ int config_read_file(
        const char *path,
        bool must_exist,
        const ConfigSections *sections,
        Messages *errors);

/* The same for text in memory; name is what the error lines call it. text is not terminated. */
_must_check_ int config_read_text(
        const char *name,
        const char *text,
        size_t length,
        const ConfigSections *sections,
        Messages *errors);
