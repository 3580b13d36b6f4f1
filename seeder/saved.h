/* SPDX-License-Identifier: MIT */
#pragma once

/* The seed file within a run, and by itself for `entropy-seeder save`. */

#include "lib/intake/feeder.h"
#include "seeder/account.h"
#include "seeder/seed-file.h"

/* Loads and feeds it; the override is CREDIT_OVERRIDE_NONE or the administrator's. With
 * account->dry_run it is only looked for. */
void saved_load(
        SeedFile *file,
        const RootDir *root,
        const Feeder *feeder,
        Batch *batch,
        uint32_t override_per_1024,
        Account *account);

/* Saves a new one; a failure is noted in the account, too. */
int saved_save(SeedFile *file, const RootDir *root, Account *account);
