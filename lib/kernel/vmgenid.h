/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The VM generation identifier on a kernel that has no driver for it: QEMU's blob in fw_cfg
 * (docs/specs/vmgenid.rst). Reading it after a restore shows the new GUID.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/rootdir.h"

#define VMGENID_BYTES 16U

typedef struct Vmgenid {
        uint8_t guid[VMGENID_BYTES];
} Vmgenid;

/* Whether a driver of the kernel is bound to the device, so that the kernel log will tell. */
bool vmgenid_has_driver(const RootDir *root);

/* -ENOENT without the device or without the module qemu_fw_cfg. */
_must_check_ int vmgenid_open(const RootDir *root, int *ret_fd);
_must_check_ int vmgenid_read(int fd, Vmgenid *ret_vmgenid);
bool vmgenid_equal(const Vmgenid *a, const Vmgenid *b);
