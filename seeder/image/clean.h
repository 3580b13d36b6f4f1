/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Does what a report says. Files are unlinked and the directory is synced; their bytes are not
 * overwritten: a journal, a snapshot, a log-structured or copy-on-write layer keeps the old blocks
 * anyway, and where a file has a second name (ostree, deduplicated layers) the overwritten bytes
 * would be somebody else's. Blocks are given back by fstrim or virt-sparsify.
 */

#include "seeder/image/host.h"
#include "seeder/image/report.h"
#include "seeder/image/tree.h"

/*
 * Each item that is to be removed or reset becomes PLANNED, or FAILED with its error: -EXDEV if the
 * running system has the same outside of the tree. Nothing is touched. host NULL: the tree is the
 * running system.
 */
void clean_plan(const Tree *tree, const Host *host, Report *report);

/* Each item that has not FAILED becomes DONE, or FAILED with its error. */
void clean_carry_out(const Tree *tree, const Host *host, Report *report);
