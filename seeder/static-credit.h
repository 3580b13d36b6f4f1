/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * First use of a static seed: known only where the list of the used ones can be read and written.
 * Everything else (the initramfs, a read-only or damaged folder) is no first use.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "seeder/account.h"
#include "seeder/seen.h"

typedef struct StaticCredit {
        int folder_fd; /* not owned; -1: there is none */
        bool usable;
        Seen seen;
        uint8_t salt[16];      /* of the digests that an initramfs leaves in /run */
        Account *of_initramfs; /* what it left; NULL: nothing */
        const char *why_not;   /* why usable is false */
} StaticCredit;

/* Loads the list. Cannot fail: without it nothing is a first use. */
void static_credit_init(StaticCredit *credit, int folder_fd, const char *why_not);
void static_credit_deinit(StaticCredit *credit);

/* Takes over what the run in the initramfs wrote into its ledger. */
void static_credit_load_initramfs(StaticCredit *credit, const RootDir *root, const char *path);

/*
 * Whether this is the first use, and then it is on the disk that it was used, unless dry_run. The
 * note is a word for the report, or NULL.
 */
bool static_credit_first_use(
        StaticCredit *credit,
        const uint8_t *seed,
        size_t length,
        bool dry_run,
        const char **ret_note);

/* For the ledger in /run: a seed was credited here, where it could not be recorded. */
void static_credit_leave(
        const StaticCredit *credit,
        const uint8_t *seed,
        size_t length,
        Account *account);
