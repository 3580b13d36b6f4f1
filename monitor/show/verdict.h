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

/* The verdict in one sentence. Returns advice, or NULL if none is needed. */
const char *verdict_of(
        const Recording *recording,
        const Analysis *analysis,
        char buffer[static VERDICT_MAX]);

/* The file name, the kernel, its model and its hardware RNG. */
void title_of(const Recording *recording, char ret_title[static TITLE_MAX]);
