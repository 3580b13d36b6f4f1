/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Log lines for the programs. lib/ itself logs at debug only; a program logs once, where it
 * decides. Never pass bytes of a seed or of a batch to these.
 */

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

#include "lib/base/error.h"

typedef enum LogTarget {
        LOG_TARGET_STDERR,  /* "HH:MM:SS.mmm text" on a terminal, plain text elsewhere */
        LOG_TARGET_JOURNAL, /* stderr with the <N> prefix that sd-daemon(3) defines */
        LOG_TARGET_SYSLOG,  /* for a daemon without stderr */
} LogTarget;

/* LOG_TARGET_JOURNAL if stderr is the journal's stream ($JOURNAL_STREAM), else LOG_TARGET_STDERR. */
LogTarget log_target_detect(void);

/* program stays the caller's; max_level is a LOG_... priority, LOG_NOTICE to begin with. */
void log_open(const char *program, LogTarget target, int max_level);
void log_set_max_level(int max_level);
bool log_enabled(int level);

void log_message(int level, const char *format, ...) _printf_(2, 3);

/* Logs "text: strerror" and returns error (negative), so that callers can return it. */
int log_errno(int level, int error, const char *format, ...) _printf_(3, 4);

#define log_error(...)   log_message(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)  log_message(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)    log_message(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_message(LOG_DEBUG, __VA_ARGS__)
