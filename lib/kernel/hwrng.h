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
        bool local;                /* in this machine, not the host's: see hwrng_is_local() */
        uint32_t quality_per_1024; /* rng_quality; 0 where the kernel does not say (before 5.19) */
} Hwrng;

/* -ENODEV where no RNG is registered ("none"), -ENOENT without sysfs or hw_random. */
_must_check_ int hwrng_read_current(const RootDir *root, Hwrng *ret_hwrng);

/*
 * Whether an RNG of this name is a part of the machine. A name that is not known is the host's:
 * in a confidential guest that is worth no credit, so the doubt must fall to this side. TPMs are
 * the host's too, since a guest cannot tell an emulated one.
 */
bool hwrng_is_local(const char *name);
