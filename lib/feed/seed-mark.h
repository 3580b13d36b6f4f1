/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The mark of a saved seed (seeder/state/seed-file.h): its name. It is taken away before the seed is
 * credited, and when this machine was copied, since each copy has it.
 */

#include "lib/base/error.h"

#define SEED_STATE_DIRECTORY "/var/lib/guest-entropy"
#define SEED_MARKED_NAME     "seed.credit"
#define SEED_UNMARKED_NAME   "seed"

/*
 * Takes the mark away so that no crash brings it back: renames and syncs. It can wait for a disk, or
 * for a file system that is frozen. -ENOENT: there is no marked seed. After any other error the mark may
 * be there, or come back.
 */
_must_check_ int seed_file_strip_mark(int directory_fd);
