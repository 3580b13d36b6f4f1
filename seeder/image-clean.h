/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Does what a report says. Files are unlinked and the folder is synced; their bytes are not
 * overwritten: a journal, a snapshot, a log-structured or copy-on-write layer keeps the old blocks
 * anyway, and where a file has a second name (ostree, deduplicated layers) the overwritten bytes
 * would be somebody else's. Blocks are given back by fstrim or virt-sparsify.
 */

#include "seeder/image-host.h"
#include "seeder/image-report.h"
#include "seeder/image-tree.h"

/*
 * Each item's outcome becomes DONE or FAILED with its error. With dry_run: PLANNED, nothing is
 * touched. host NULL: also what the running system has at the same place. Returns how many failed.
 */
size_t image_clean(const ImageTree *tree, const ImageHost *host, bool dry_run, ImageReport *report);
