# SPDX-License-Identifier: MIT
"""What a whole guest must outlive: each makes the arguments of debian_boot.boot() for one trouble.

KINDS: name -> (maker, maker of the same guest without the trouble). A maker gets the guest's directory and one for its files.
"""

import base64
import json
import shutil
import subprocess

from . import debian_boot
from .bed import Skip
from .entropy_server import random_stream

RNG = ["-device", "virtio-rng-pci"]
OPENSTACK = ["-smbios", "type=1,product=OpenStack Nova"]
NO_SOURCE = {"append": "probe=none"}
BLANK_BYTES = 400 << 10
LIBRARIES = ("libjson-c.so.5", "libjson-c.so.5.2.0")
FULL_RUN = b"""#!/bin/sh
[ "$1" != prereqs ] || exit 0
mkdir -p /run/guest-entropy
mount -t tmpfs -o size=4k tmpfs /run/guest-entropy
dd if=/dev/zero of=/run/guest-entropy/fill bs=4096 count=1 2>/dev/null
/usr/sbin/boot-probe watch </dev/null >/dev/null 2>&1 &
"""

def config_drive(path, seed):
    """The devices of a good one."""
    if not shutil.which("genisoimage"):
        raise Skip("no genisoimage on this machine")
    directory = path.parent / "drive/openstack/latest"
    directory.mkdir(parents=True)
    (directory / "meta_data.json").write_text(json.dumps({"uuid": "i-1", "random_seed": base64.b64encode(seed).decode()}))
    subprocess.run(["genisoimage", "-quiet", "-J", "-r", "-V", "config-2", "-o", path, path.parent / "drive"], check=True, timeout=60,
                   capture_output=True)
    return ["-drive", f"file={path},format=raw,if=virtio,readonly=on"]


def corrupt_drive(_, work):
    """The label is all that can be read."""
    iso = work / "config.iso"
    drive = config_drive(iso, random_stream("corrupt")(0, 512))
    data = bytearray(iso.read_bytes())
    data[18 * 2048:] = random_stream("noise")(0, len(data) - 18 * 2048)
    iso.write_bytes(data)
    return {"devices": [*drive, *OPENSTACK], **NO_SOURCE}


def blank_drive(_, work):
    """As large, with nothing on it: what another disk costs a boot is not the trouble."""
    path = work / "blank.img"
    path.write_bytes(bytes(BLANK_BYTES))
    return {"devices": ["-drive", f"file={path},format=raw,if=virtio,readonly=on"], **NO_SOURCE}


def silent(work, n_devices):
    devices = []
    for n in range(n_devices):
        devices += ["-chardev", f"socket,id=rng{n},path={work / f'silent{n}'},server=on,wait=off",
                    "-object", f"rng-egd,chardev=rng{n},id=rng{n}", "-device", f"virtio-rng-pci,rng=rng{n}"]
    return {"devices": devices}


def silent_hwrng(_, work):
    """It never answers."""
    return {**silent(work, 1), **NO_SOURCE}


def silent_hwrngs(_, work):
    """Before Linux 6.11 the kernel's reader waits for the first one and holds what the probe of the next wants: whoever probes
    it never comes back, and the guest cannot end."""
    return {**silent(work, 3), **NO_SOURCE}


def broken_library(directory, work):
    """One of the initramfs does not load."""
    files = {f"usr/lib/x86_64-linux-gnu/{name}": b"" for name in LIBRARIES}
    return {"devices": RNG, "initrd": debian_boot.overlaid(directory, work / "initrd", files)}


def full_run(directory, work):
    """No space for a run report."""
    initrd = debian_boot.overlaid(directory, work / "initrd", {"scripts/init-top/a-boot-probe": FULL_RUN})
    return {"devices": RNG, "initrd": initrd, "append": "probe=initramfs"}


def read_only_root(_directory, _work):
    """It stays read-only: fstab=no. systemd-logind fails in it again and again, for a minute after the guest was told to end."""
    return {"devices": RNG, "append": "fstab=no", "ends": False}


KINDS = {
    "a corrupt config drive": (corrupt_drive, blank_drive),
    "a silent hwrng": (silent_hwrng, lambda *_: NO_SOURCE),
    "silent hwrngs": (silent_hwrngs, lambda *_: NO_SOURCE),
    "a broken library": (broken_library, lambda *_: {"devices": RNG}),
    "a full /run": (full_run, lambda *_: {"devices": RNG, "append": "probe=initramfs"}),
    "a read-only root": (read_only_root, lambda *_: {"devices": RNG}),
}
