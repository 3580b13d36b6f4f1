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
#define CREDITABLE_MARK "user.random-seed-creditable"

#define MACHINE_ID      "etc/machine-id"
#define MACHINE_ID_TEXT "uninitialized\n"

/* groups: bits of Group; others are not looked for. What cannot be looked at is an item of its
 * own. */
void template_find(const Tree *tree, unsigned groups, Report *report);
