/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The run reports of this boot's runs in /run/guest-entropy: seeder-initramfs.json and seeder.json, and
 * seeder-2.json and so on for runs after the first, as the one for the metadata service is.
 */

#include <stdbool.h>

#include "seeder/state/run-report.h"

#define REPORT_FILE_NUMBER_MAX 9U

/* The number of a new run, one that no run report has yet, or the highest. The run report is left there as
 * it is now, so that no other run takes it; *ret_shared tells that one had the highest before. */
unsigned report_file_reserve(const RunReport *run_report, bool *ret_shared);

/* Where they are: a file descriptor, or a negative errno. */
int report_file_open_directory(void);

/* Atomically. Negative errno: a full or missing /run. */
_must_check_ int report_file_write(const RunReport *run_report, unsigned number);

/* Calls back with the text of each run report there is. */
void report_file_each(void (*take)(const char *text, void *userdata), void *userdata);

/* --report: all of them, as text or as one JSON array. An exit status: 69 if no run left one. */
int report_file_report(bool as_json);
