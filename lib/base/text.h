/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Text that somebody else wrote (names of processes, files, devices and disks, answers of programs), in
 * a form that cannot forge or break a log line, a table, a picture or a document.
 */

#include <stdbool.h>
#include <stddef.h>

/* Printable ASCII, the space included. */
static inline bool text_is_plain(char character) {
        return character >= ' ' && character <= '~';
}

/* Puts '?' for every other character. */
void text_make_plain(char *text);

/* Puts '?' for every byte that is no part of a UTF-8 character (RFC 3629), as JSON has it. */
void text_make_utf8(char *text);

/* TEXT_ESCAPED_SIZE(n) is room for n characters in any case. */
#define TEXT_ESCAPED_SIZE(n) (4 * (n) + sizeof("..."))

/*
 * What is not plain, and the backslash, as \xNN, so that no two texts look the same; cut with "..."
 * where it does not fit (size is 4 at least). Returns buffer.
 */
const char *text_escape(const char *text, char *buffer, size_t size);
