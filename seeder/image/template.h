/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What must not be in a template, because every clone would have the same: saved seeds, marks
 * that a seed may be credited, flags that seeding was done, and what identifies a machine.
 * Sources: systemd's BUILDING_IMAGES.md and random-seed-tool.c, machine-id(5), seedrng, OpenRC,
 * Debian's urandom script, pollinate, cloud-init.
 */

#include "seeder/image/report.h"
#include "seeder/image/tree.h"

/* Also the attribute that systemd-random-seed.service(8) sets on a seed it may credit. */
#define IMAGE_CREDITABLE_MARK "user.random-seed-creditable"

#define IMAGE_MACHINE_ID      "etc/machine-id"
#define IMAGE_MACHINE_ID_TEXT "uninitialized\n"

/* groups: bits of ImageGroup; others are not looked for. What cannot be looked at is an item of its
 * own. */
void image_template_find(const ImageTree *tree, unsigned groups, ImageReport *report);
