/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether a tree holds an operating system: /usr, and an os-release(5) in /etc or /usr/lib. Of
 * anything else, an empty mount point or a mistyped path, "nothing was found" would be a false word.
 */

#include "seeder/image/tree.h"

enum {
        OS_E_NONE = 1,
};

/* OS_E_NONE with *ret_what, escaped and to be freed: what it looks like instead. Else 0 or an
 * errno. */
_must_check_ int os_check(const Tree *tree, char **ret_what);
