/* SPDX-License-Identifier: MIT */
#pragma once

/* Words that report and the pictures share. */

#include "monitor/settings.h"
#include "monitor/show/analysis.h"

#define FORMAT_USEC_MAX 32U
#define VERDICT_MAX     256U

/* "12 us", "3.4 ms", "1.234 s" */
void format_usec(uint64_t usec, char buffer[static FORMAT_USEC_MAX]);

/* The verdict in one sentence; returns what would help, NULL where nothing needs to. */
const char *verdict_of(
        const Recording *recording,
        const Analysis *analysis,
        char buffer[static VERDICT_MAX]);
