/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/* --status: asks the running rngd and prints a table, or the document as it came. */
int status_client(bool as_json);
