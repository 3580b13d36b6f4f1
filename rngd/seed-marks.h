/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * After a VM fork the seeds on this machine's disks are those of its twins, too: none of them may be
 * credited at the next boot. Their credit marks are taken away, or the seed itself where its loader
 * knows no mark: our own (seeder/state/seed-file.h), systemd-random-seed's (random-seed, an extended
 * attribute), seedrng's (seed.credit), and the boot loader's in the EFI system partition.
 */

#include <sys/types.h>

#include "lib/base/error.h"

/*
 * Does it in a child, since a disk may be slow or its file system frozen, and nothing must wait for it.
 * A seed that is being saved meanwhile is waited for there. The child is reaped by whoever handles
 * SIGCHLD. root: "/"; 0 or a negative errno.
 */
_must_check_ int seed_marks_strip(const char *root);
