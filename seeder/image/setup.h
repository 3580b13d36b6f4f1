/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What should be in an image, so that its guests are seeded early: each kernel's configuration,
 * virtio_rng within reach of the initramfs, our programs, hook and units, no daemon that conflicts, and
 * no configuration that feeds the kernel its own output.
 */

#include "seeder/image/report.h"
#include "seeder/image/tree.h"

/* Fails only for lack of memory. */
_must_check_ int image_setup_find(const ImageTree *tree, ImageReport *report);

/* The two halves of it. */
_must_check_ int image_kernel_find(const ImageTree *tree, ImageReport *report);
_must_check_ int image_services_find(const ImageTree *tree, ImageReport *report);
