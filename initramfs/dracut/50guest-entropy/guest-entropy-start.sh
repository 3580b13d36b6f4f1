#!/bin/sh
# SPDX-License-Identifier: MIT
# dracut without systemd, pre-udev: starts the seeder and waits for nothing. It is sourced: no exit.

if [ -x /usr/bin/entropy-seeder ]; then
    (umask 022 && mkdir -p /run/guest-entropy) 2>/dev/null || :

    # The seeder first: it listens for devices, and is there when the modules bring them.
    /usr/bin/entropy-seeder run --initramfs --quiet </dev/null >/dev/null 2>&1 &
    (echo $! >/run/guest-entropy/seeder-initramfs.pid) 2>/dev/null || :
    # Each by itself: the first may not come back from a device that does not answer.
    modprobe -qab virtio_pci virtio_mmio virtio_rng </dev/null >/dev/null 2>&1 &
    modprobe -qab qemu_fw_cfg dmi-sysfs </dev/null >/dev/null 2>&1 &
fi
