/* SPDX-License-Identifier: MIT */
#pragma once

/* The values that configuration file and command lines share: their shapes, limits and texts. */

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"

#define VALUES_MIN_TIMEOUT_USEC  UINT64_C(100000)
#define VALUES_MAX_TIMEOUT_USEC  UINT64_C(3600000000)
#define VALUES_MAX_COMMAND_WORDS 32U

typedef struct UserIds {
        uid_t uid;
        gid_t gid;
} UserIds;

/* Text to value: 0, -EINVAL or -ERANGE (not such a value), other errno values. */
_must_check_ int values_parse_user(const char *text, UserIds *ret_user);
_must_check_ int values_parse_timeout(const char *text, uint64_t *ret_usec);
/* Replaces a command. Words between blanks; '...' and "..." keep blanks in a word. No shell, no escapes. */
_must_check_ int values_set_command(char ***target, const char *text);

char **values_free_command(char **argv);

/* Replaces a string by a copy of another: 0 or -ENOMEM with the old one in place. */
_must_check_ int values_set_string(char **target, const char *value);
