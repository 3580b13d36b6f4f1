/* SPDX-License-Identifier: MIT */
#pragma once

/* The searches of an image, a file each. What cannot be looked at is an item of its own. */

#include "seeder/image/report.h"
#include "seeder/image/tree.h"

/* Also the attribute that systemd-random-seed.service(8) sets on a seed it may credit. */
#define CREDITABLE_MARK "user.random-seed-creditable"

#define MACHINE_ID      "etc/machine-id"
#define MACHINE_ID_TEXT "uninitialized\n"

/*
 * What must not be in a template, because every clone would have the same: saved seeds, marks
 * that a seed may be credited, flags that seeding was done, and what identifies a machine; the two
 * below included. groups: bits of Group; others are not looked for.
 * Sources: systemd's BUILDING_IMAGES.md and random-seed-tool.c, machine-id(5), seedrng, OpenRC,
 * Debian's urandom script, pollinate, cloud-init.
 */
void template_find(const Tree *tree, unsigned groups, Report *report);

/*
 * What boot loaders and units hand to each boot of an image: seeds on the command line of a kernel,
 * in the configuration of boot loaders and of what writes it, in unified kernel images and their
 * addons; credentials beside these; and those in units of the seeder.
 */
void boot_find(const Tree *tree, Report *report);

/*
 * The machine id and its copy for D-Bus. machine-id(5), "First Boot Semantics": absent or
 * "uninitialized" is a first boot; empty gives each clone an id of its own, but it is no first
 * boot for systemd, which then credits a marked seed in every clone.
 */
void identity_find(const Tree *tree, Report *report);

/*
 * What should be in an image, so that its guests are seeded early: each kernel's configuration and
 * virtio_rng within reach of the initramfs; our programs, hook and units, no daemon that conflicts,
 * and no configuration that feeds the kernel its own output.
 */
void kernel_find(const Tree *tree, Report *report);
void services_find(const Tree *tree, Report *report);
