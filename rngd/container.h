/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/* Whether this looks like a container; for a better message, never for a decision. */
bool in_container(void);
