/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is done when this machine turns out to be a clone or a restored snapshot: fresh bytes, a
 * reseed, a new number in the generation file, a systemd target for others to hang on.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "lib/base/error.h"
#include "lib/kernel/vmgenid.h"

typedef struct Manager Manager;

/* Who said so; two signs of one fork within seconds are one fork. */
typedef enum ForkSign {
        FORK_SIGN_NONE,
        FORK_SIGN_KERNEL_LOG,
        FORK_SIGN_VMGENID, /* fw_cfg, where the kernel has no driver */
        FORK_SIGN_VMCLOCK,
} ForkSign;

typedef struct ForkWatch {
        uint64_t forks;      /* since the start */
        uint64_t generation; /* of the file: also counts the forks of earlier runs in this boot */
        ForkSign last_sign;
        uint64_t last_usec;
        bool pending; /* until fed and reseeded, or known that it cannot be */
        sd_bus *bus;
} ForkWatch;

/* Reads or creates the generation file. */
void fork_start(Manager *manager);

/* Whatever lies on a disk may be on that of another clone. */
void fork_strip_marks(Manager *manager);

/* A sign was seen. */
void fork_seen(Manager *manager, ForkSign sign);

/* The need ended: fed with fresh_bits and reseeded, or not. */
void fork_done(Manager *manager, uint32_t fresh_bits, bool reseeded);

void fork_deinit(ForkWatch *fork_watch);
