/* SPDX-License-Identifier: MIT */
#pragma once

/* The ledgers of this boot's runs: /run/guest-entropy/seeder-initramfs.json and seeder.json. */

#include <stdbool.h>

#include "seeder/account.h"

/* Atomically; makes the folder. A failure (a full /run) is logged: the boot is not its business. */
void ledger_file_write(const Account *account);

/* --report: both, as text or as one JSON document. An exit status: 69 if no run left one. */
int ledger_file_report(bool as_json);
