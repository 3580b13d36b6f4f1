/* SPDX-License-Identifier: MIT */
#pragma once

#include "lib/base/error.h"
#include "lib/base/rootdir.h"

/* Binds virtio's hardware RNGs to their driver, which is loaded, one after the other: "entropy-seeder
 * bind-virtio-rng virtio0 virtio3", for the scripts of an initramfs.
 *
 * Before Linux 6.11 hwrng_register() of drivers/char/hw_random/core.c ends with a read of the device
 * behind reading_mutex. The kernel's own thread, which the first registration starts, holds that mutex
 * while it waits for an answer. So a probe that comes behind it waits as long as the device is silent,
 * unkillable and with the lock of its device, and the machine can neither use that device nor power off.
 * There, the next device is bound when the one before has answered, however long that takes.
 *
 * names: NULL-terminated, of devices on the virtio bus.
 * Returns an exit status: 0, or 1 if a device could not be bound, which is logged. */
_must_check_ int bind_virtio_rngs(const RootDir *root, char *const names[]);
