/* SPDX-License-Identifier: MIT */
#pragma once

/* Sentences that report and the pictures share. */

#include "monitor/show/analysis.h"

#define FORMAT_USEC_MAX 32U
#define VERDICT_MAX     256U
#define TITLE_MAX       320U

/* "12 us", "3.4 ms", "1.234 s"; returns buffer. */
const char *format_usec(uint64_t usec, char buffer[static FORMAT_USEC_MAX]);
#define FORMAT_USEC(usec) format_usec(usec, (char[FORMAT_USEC_MAX]){})

/* The verdict in one sentence; returns what would help, NULL where nothing needs to. */
const char *verdict_of(
        const Recording *recording,
        const Analysis *analysis,
        char buffer[static VERDICT_MAX]);

/* The name of the file, its kernel and what that has. */
void title_of(const Recording *recording, char ret_title[static TITLE_MAX]);
