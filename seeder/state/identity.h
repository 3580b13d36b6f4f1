/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which machine this is, and whether it starts for the first time: what a seed that was saved by
 * another machine, or by the template of this one, must not be mistaken over.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"
#include "lib/kernel/vmgenid.h"

#define IDENTITY_SALT_BYTES   16U
#define IDENTITY_DIGEST_BYTES 32U

typedef struct Identity {
        char machine_id[64];   /* "" where it cannot be read */
        char product_uuid[64]; /* DMI; "" where there is none (not x86, microVMs) */
        char boot_id[64];      /* of the kernel; "" without /proc */
        bool first_boot;
        bool virtual_possible; /* somebody may have copied or set back its disk */
        bool generation_known;
        Vmgenid generation; /* of the VM: another one after a snapshot was restored or cloned */
} Identity;

/*
 * machine-id(5): absent, empty or "uninitialized" is a first boot, and so is systemd's own flag
 * /run/systemd/first-boot. What cannot be read counts as different from all that could be.
 */
void identity_read(const RootDir *root, Identity *ret_identity);

/* A digest of machine-id and product UUID that tells nobody what it was made of. */
_must_check_ int identity_digest(
        const Identity *identity,
        const uint8_t salt[static IDENTITY_SALT_BYTES],
        uint8_t ret_digest[static IDENTITY_DIGEST_BYTES]);

/* The same of the generation, and of the boot: zeroes where it is not known. */
_must_check_ int identity_digest_generation(
        const Identity *identity,
        const uint8_t salt[static IDENTITY_SALT_BYTES],
        uint8_t ret_digest[static IDENTITY_DIGEST_BYTES]);
_must_check_ int identity_digest_boot(
        const Identity *identity,
        const uint8_t salt[static IDENTITY_SALT_BYTES],
        uint8_t ret_digest[static IDENTITY_DIGEST_BYTES]);
