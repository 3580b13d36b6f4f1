/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * guest-entropy.conf: sections and KEY = VALUE lines, read with libinih. Strict: an unknown section
 * or key, a second value, a line that is too long or holds a zero byte is an error with file and
 * line, and all errors of a file are told (up to MESSAGES_MAX).
 *
 * What there is to be set is the caller's: tables of keys, and a section for each of them. One file
 * is for all programs, so a program names the sections of the others, too, and passes them over.
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/config/messages.h"

#define CONFIG_MAX_BYTES 65536U
/* libinih's own buffer is 200 bytes by default, and it would split a longer line silently. */
#define CONFIG_MAX_LINE_BYTES 190U
#define CONFIG_SECTIONS_MAX   16U
#define CONFIG_KEYS_MAX       20U

/* Positive codes of what reads the settings; the lines are in Messages. */
enum {
        CONFIG_E_USAGE = 1, /* the command line: exit 64 */
        CONFIG_E_FILE,      /* the configuration file: exit 78 */
};

typedef struct ConfigKey {
        const char *name;
        uint32_t sections;    /* the bits of those that have it */
        const char *expected; /* what the value must be, for the error line */
        /* 0; -EINVAL or -ERANGE: not such a value; others end the reading */
        int (*apply)(void *target, const char *value);
} ConfigKey;

typedef struct ConfigSection {
        const char *name;
        uint32_t bit;
        const ConfigKey *keys;
        size_t n_keys; /* 0: another program's, what is in it is not looked at */
        void *target;
} ConfigSection;

typedef struct ConfigSections {
        ConfigSection list[CONFIG_SECTIONS_MAX];
        size_t n;
} ConfigSections;

void config_add_section(ConfigSections *sections, const ConfigSection *section);

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
