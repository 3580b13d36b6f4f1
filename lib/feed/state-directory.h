/* SPDX-License-Identifier: MIT */
#pragma once

/* The directory where the programs keep what outlasts a boot, /var/lib/guest-entropy as a rule. */

#include <stdbool.h>

#include "lib/base/error.h"

/*
 * With create it is made, with mode 0700, if it is not there, and what is above it, with mode 0755.
 * -EPERM: others could write to it; -ENOENT, -EROFS...: nothing can be kept.
 */
_must_check_ int state_directory_open(const char *directory, bool create, int *ret_fd);

/* Why what is written there does not last; NULL: it does. */
const char *state_directory_no_memory(int directory_fd);
