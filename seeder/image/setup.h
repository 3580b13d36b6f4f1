/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What should be in an image, so that its guests are seeded early: each kernel's configuration,
 * virtio_rng within reach of the initramfs, our programs, hook and units, no daemon that conflicts, and
 * no configuration that feeds the kernel its own output.
 */

#include "seeder/image/report.h"
#include "seeder/image/tree.h"

void kernel_find(const Tree *tree, Report *report);
void services_find(const Tree *tree, Report *report);
