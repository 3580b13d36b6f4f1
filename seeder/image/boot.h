/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What boot loaders and units hand to each boot of an image: seeds on the command line of a kernel,
 * in the configuration of boot loaders and of what writes it, in unified kernel images and their
 * addons; credentials beside these; and those in units of the seeder.
 */

#include "seeder/image/report.h"
#include "seeder/image/tree.h"

/* What cannot be looked at is an item of its own. */
void boot_find(const Tree *tree, Report *report);
