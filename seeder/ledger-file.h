/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The ledgers of this boot's runs in /run/guest-entropy: seeder-initramfs.json and seeder.json, and
 * seeder-2.json and so on for runs after the first, as the one for the metadata service is.
 */

#include <stdbool.h>

#include "seeder/account.h"

#define LEDGER_FILE_NUMBER_MAX 9U

/* The number of a new run, one that no ledger has yet, or the highest. The account is left there as
 * it is now, so that no other run takes it; *ret_shared tells that one had the highest before. */
unsigned ledger_file_reserve(const Account *account, bool *ret_shared);

/* Where they are: a file descriptor, or a negative errno. */
int ledger_file_open_directory(void);

/* Atomically. Negative errno: a full or missing /run. */
_must_check_ int ledger_file_write(const Account *account, unsigned number);

/* Calls back with the text of each ledger there is. */
void ledger_file_each(void (*take)(const char *text, void *userdata), void *userdata);

/* --report: all of them, as text or as one JSON array. An exit status: 69 if no run left one. */
int ledger_file_report(bool as_json);
