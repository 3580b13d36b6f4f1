/* SPDX-License-Identifier: MIT */
#pragma once

/* The seed file within a run, and by itself for `entropy-seeder save`. */

#include "lib/intake/feeder.h"
#include "seeder/account.h"
#include "seeder/seed-file.h"

/*
 * Loads and feeds it. terms is what the run knows and the administrator says: confidential_guest,
 * override_per_1024, trust. With account->dry_run it is only looked for.
 */
void saved_load(
        SeedFile *file,
        const RootDir *root,
        const Feeder *feeder,
        Batch *batch,
        const CreditInput *terms,
        Account *account);

/* Saves a new one; a failure is noted in the account, too. */
int saved_save(SeedFile *file, const RootDir *root, Account *account);
