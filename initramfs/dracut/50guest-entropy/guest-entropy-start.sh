#!/bin/sh
# SPDX-License-Identifier: MIT
# dracut without systemd, pre-udev: starts the seeder and waits for nothing. It is sourced: no exit.

if [ -x /usr/bin/entropy-seeder ]; then
    (umask 022 && mkdir -p /run/guest-entropy) 2>/dev/null || :

    # It listens for devices, and is there when udev brings them.
    /usr/bin/entropy-seeder run --initramfs --quiet </dev/null >/dev/null 2>&1 &
    (echo $! >/run/guest-entropy/seeder-initramfs.pid) 2>/dev/null || :
    # udev loads what devices ask for, but virtio_rng, which is for guest-entropy-rng.sh.
    # Since Linux 4.2 the firmware's table is there without a module.
    [ -e /sys/firmware/dmi/tables/DMI ] || [ -e /sys/firmware/dmi/entries ] ||
        modprobe -qb dmi-sysfs </dev/null >/dev/null 2>&1 &
fi
