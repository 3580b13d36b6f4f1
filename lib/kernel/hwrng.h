/* SPDX-License-Identifier: MIT */
#pragma once

/* What sysfs says of /dev/hwrng (drivers/char/hw_random/core.c, class/misc/hw_random). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"

#define HWRNG_NAME_MAX 64U

typedef struct Hwrng {
        char name[HWRNG_NAME_MAX]; /* rng_current, "virtio_rng.0" */
        bool host_made;            /* see hwrng_is_host_made() */
        /* The driver's or a hand's word; a 0 that is known is no credit. Not known where the kernel
         * has no such file (before 5.19), and before 6.2 where nobody stated anything. */
        bool quality_known;
        uint32_t quality_per_1024;
} Hwrng;

/* -ENODEV where no RNG is registered ("none"), -ENOENT without sysfs or hw_random. */
_must_check_ int hwrng_read_current(const RootDir *root, Hwrng *ret_hwrng);

/* The names of all that are registered, separated by spaces; newer kernels add "none". */
_must_check_ int hwrng_read_available(const RootDir *root, char *buffer, size_t size);

/* Whether rng_current was written, by whomever, and the kernel thus keeps it. */
bool hwrng_is_selected(const RootDir *root);

/* Makes it the current one. The kernel takes any name without a word, so it is read back: -ENODEV. */
_must_check_ int hwrng_select(const RootDir *root, const char *name);

/*
 * Whether the host makes the bytes of a driver of this name. Its drivers are few and known, so every
 * other name is a part of the machine. For reports: in an ordinary guest both are credited, and in a
 * confidential one neither is, since a host can emulate any chip.
 */
bool hwrng_is_host_made(const char *name);
