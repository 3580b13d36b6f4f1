/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the run did, for the kernel's log, the ledger in /run and the report: one line a seed or a
 * live source.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/intake/seen.h"
#include "lib/policy/refill.h"
#include "lib/sources/source.h"
#include "seeder/plan.h"

#define ACCOUNT_LINES_MAX 64U
#define ACCOUNT_NOTE_MAX  160U
#define ACCOUNT_NAME_MAX  80U

typedef struct AccountLine {
        char name[ACCOUNT_NAME_MAX]; /* "hwrng", "platform smbios", "seed-file" */
        size_t n_bytes;
        uint32_t credited_bits;
        uint64_t at_usec;            /* CLOCK_BOOTTIME of its last feed; 0: nothing was fed */
        char note[ACCOUNT_NOTE_MAX]; /* why nothing, or no credit; else empty */
} AccountLine;

/* The static seeds that a run credited, so that a later one of the same boot credits none again. */
typedef struct AccountSeeds {
        uint8_t salt[16];
        uint8_t digests[ACCOUNT_LINES_MAX][SEEN_DIGEST_BYTES];
        size_t n;
} AccountSeeds;

typedef struct Account {
        PlanPhase phase;
        bool dry_run;
        RandomModel model;
        bool ready;
        uint64_t started_usec;
        uint64_t ready_usec; /* when this run saw it; 0: not */
        uint64_t ended_usec;
        const char *ended_why;

        AccountLine lines[ACCOUNT_LINES_MAX];
        size_t n_lines;
        AccountSeeds seeds;
} Account;

/* Adds to the line of this name; the same note again is kept once. Beyond the limit it is dropped. */
void account_add(Account *account, const AccountLine *line);

/* "kernel RNG ready at 0.412 s; hwrng 64 B +512 bits at 0.401 s; ...", cut at size. */
void account_summary(const Account *account, char *text, size_t size);

/* A JSON string of the caller's. */
_must_check_ int account_to_json(const Account *account, char **ret_text);

/* Only the salt and the digests of credited seeds. -EBADMSG for another document. */
_must_check_ int account_seeds_from_json(const char *text, AccountSeeds *ret_seeds);
