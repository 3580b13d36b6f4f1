/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A short list of lines for the administrator: what was wrong, or which option was answered
 * instead of honoured. Collected where it is found, logged by the program, each line once.
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"

#define MESSAGES_MAX        16U
#define MESSAGES_QUOTE_SIZE 72U

typedef struct Messages {
        char *lines[MESSAGES_MAX];
        size_t n_lines;
        size_t n_dropped; /* beyond MESSAGES_MAX, or without memory */
} Messages;

/* A line that is there already is not added again. list may be NULL: nobody wants to know. */
void messages_add(Messages *list, const char *format, ...) _printf_(2, 3);

/* Each line at this priority, and how many more there were. */
void messages_log(const Messages *list, int level);
void messages_deinit(Messages *list);

/* text_escape(), cut to what fits into a line. Returns buffer. */
const char *messages_quote(const char *text, char buffer[static MESSAGES_QUOTE_SIZE]);

#define _cleanup_messages_ _cleanup_(messages_deinit)
