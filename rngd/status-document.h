/* SPDX-License-Identifier: MIT */
#pragma once

/* The JSON document of rngd.sock; its fields are documented in rngd(8). */

#include "lib/base/error.h"

typedef struct Manager Manager;

/* A string of the caller's, to be freed. */
_must_check_ int status_document(const Manager *manager, char **ret_text);
