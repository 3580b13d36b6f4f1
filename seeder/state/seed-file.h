/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A seed that is carried from boot to boot: two names for one file in /var/lib/guest-entropy.
 *
 *   seed.credit   made from a ready RNG, not used yet: may be credited, once
 *   seed          used, or made from an RNG that was not ready: mixed in only
 *
 * Loading renames seed.credit to seed and syncs the directory before a bit is credited, so that no
 * crash, power cut or copy of the disk afterwards can lead to a second credit. Saving writes, syncs
 * and renames, so that there is always a whole seed. A new seed is hashed with the old one, so that
 * it never holds less. The order is seedrng's; the identity in it, the first-boot rule and that the
 * used seed stays for mixing are ours.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/secret.h"
#include "seeder/state/identity.h"

#define SEED_FILE_HEADER_BYTES 128U
#define SEED_FILE_BYTES        512U /* the seed itself, behind the header */

typedef struct SeedFile {
        int directory_fd;          /* locked */
        const char *why_no_memory; /* what is written there does not last; NULL: it does */
} SeedFile;

#define SEED_FILE_NULL \
        { .directory_fd = -1 }

typedef struct SeedLoad {
        Secret *seed;        /* SEED_FILE_BYTES; the caller's */
        bool marked;         /* it was seed.credit, the mark is gone and that is on the disk */
        const char *why_not; /* why marked is false; NULL if it is true */
} SeedLoad;

enum {
        SEED_FILE_E_NONE = 1, /* there is no seed */
        SEED_FILE_E_BUSY,     /* another process holds the lock */
};

/* Opens and locks the directory, see state_directory_open(). */
_must_check_ int seed_file_open(const char *directory, bool create, SeedFile *ret_file);
void seed_file_close(SeedFile *file);

/* -EBADMSG for a file that is not ours. */
_must_check_ int seed_file_load(SeedFile *file, const Identity *identity, SeedLoad *ret_load);

/* The seed that a new one is to be hashed with, whatever its name; the mark is left alone. */
_must_check_ int seed_file_read_old(const SeedFile *file, Secret **ret_seed);

/*
 * Saves a new seed, hashed with the old one (NULL: none). Waits for nothing: where the kernel's RNG
 * is not ready the seed is saved without its mark, and ret_creditable is false.
 */
_must_check_ int seed_file_save(
        SeedFile *file,
        const Identity *identity,
        const Secret *old_seed,
        bool *ret_creditable);
