/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * guest-entropy.conf: sections and KEY = VALUE lines, read with libinih. Strict: an unknown section
 * or key, a second value, a line that is too long or holds a zero byte is an error with file and
 * line, and all errors of a file are told (up to MESSAGES_MAX).
 */

#include <stddef.h>

#include "rngd/messages.h"
#include "rngd/settings.h"

#define CONFIG_MAX_BYTES 65536U
/* libinih's own buffer is 200 bytes by default, and it would split a longer line silently. */
#define CONFIG_MAX_LINE_BYTES 190U

/*
 * Applies a file to settings. It must be a regular file of at most CONFIG_MAX_BYTES, owned by root
 * or the caller, not writable by all nor by a group other than root's: it names programs to run.
 * A missing file is fine unless must_exist.
 *
 * 0, SETTINGS_E_CONFIG (lines in errors; settings are half changed: throw them away) or -ENOMEM.
 */
_must_check_ int config_load(
        const char *path,
        bool must_exist,
        Settings *settings,
        Messages *errors);

/* The same for text in memory; name is what the error lines call it. text is not terminated. */
_must_check_ int config_parse(
        const char *name,
        const char *text,
        size_t length,
        Settings *settings,
        Messages *errors);
