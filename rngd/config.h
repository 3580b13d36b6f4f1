/* SPDX-License-Identifier: MIT */
#pragma once

/* What rngd takes from guest-entropy.conf: its own section and those of the sources. */

#include <stddef.h>

#include "rngd/settings.h"

/* As config_read_file() and config_read_text(); settings are half changed after an error. */
_must_check_ int config_load(
        const char *path,
        bool must_exist,
        Settings *settings,
        Messages *errors);
_must_check_ int config_parse(
        const char *name,
        const char *text,
        size_t length,
        Settings *settings,
        Messages *errors);
