#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""dracut 108 and later keep the numbers 50 to 59 for modules from elsewhere: ours is there, and the newest dracut that
Debian has, in a tree of Debian 13, makes images with it. test_boot*.py boot those of older ones.

    dracut-newest.py
"""

import os
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/vm"))

from harness import debian, packages  # noqa: E402
from tap import case, counts  # noqa: E402

NEWEST = ("forky", ("dracut-install", "dracut-core", "dracut-network"))
FIRST_WITH_RULES = 108
OURS = "50guest-entropy"
HOOKS = "var/lib/dracut/hooks"
UNIT = "entropy-seeder-initramfs.service"
METADATA_UNIT = "entropy-seeder-initramfs-metadata.service"
WANTS = "etc/systemd/system/sysinit.target.wants"
COMMON = {"usr/bin/entropy-seeder", "virtio-rng.ko"}
# With systemd, its first process loads the driver of an RNG.
AFTER_UDEV = {"etc/udev/rules.d/79-guest-entropy-initramfs.rules", "usr/lib/guest-entropy/bind-virtio-rng.sh",
              f"{HOOKS}/initqueue/settled/05-guest-entropy-rng.sh", f"{HOOKS}/pre-mount/00-guest-entropy-rng.sh"}
# Options of dracut, what is in the image then, and what is not.
IMAGES = {
    "with systemd and dracut's own module rngd beside ours": (
        "--add rngd",
        {*COMMON, f"usr/lib/systemd/system/{UNIT}", f"{WANTS}/{UNIT}", "usr/sbin/rngd", "usr/lib/systemd/system/rngd.service"},
        {*AFTER_UDEV, f"{HOOKS}/pre-udev/05-guest-entropy-start.sh", f"{WANTS}/{METADATA_UNIT}"},
    ),
    "without systemd": (
        "--omit 'systemd systemd-initrd dracut-systemd'",
        {*COMMON, *AFTER_UDEV, f"{HOOKS}/pre-udev/05-guest-entropy-start.sh", f"{HOOKS}/cleanup/95-guest-entropy-stop.sh"},
        {f"usr/lib/systemd/system/{UNIT}", "usr/sbin/rngd"},
    ),
    "with the metadata service, and with it the network": (
        "",
        {*COMMON, f"usr/lib/systemd/system/{METADATA_UNIT}", f"{WANTS}/{METADATA_UNIT}", "usr/lib/systemd/systemd-networkd"},
        set(),
    ),
    "where there can be no network: with the seeder all the same": (
        "--omit network",
        {*COMMON, f"usr/lib/systemd/system/{UNIT}"},
        {f"{WANTS}/{METADATA_UNIT}"},
    ),
}
# What dracut is to say of our module, where it is to say something.
SAID = {"--omit network": "no network for this image"}


def misnumbered(names):
    """By dracut's developer documentation: 50 to 59 are for others, and no module of its own is there."""
    return sorted(name for name in names if (50 <= int(name[:2]) <= 59) != (name == OURS))


def make_image(tree, options):
    """What is in it, modules without their directory, and what dracut said."""
    (version,) = (path.name for path in (tree / "lib/modules").iterdir())
    told = debian.in_chroot(tree, f"dracut --force --no-hostonly --no-compress {options} /root/image {version} 2>&1")
    listed = debian.in_chroot(tree, "lsinitramfs /root/image").split()
    return {re.sub(r"^.*/([^/]+\.ko)(\.xz|\.zst)?$", r"\1", path) for path in listed}, told


def try_images(tree):
    for name, (options, wanted, unwanted) in IMAGES.items():
        conf = tree / "etc/dracut.conf.d/50-test.conf"
        debian.write(conf, "entropy_metadata=yes\n" if "network" in name else "")
        found, told = make_image(tree, options)
        complaints = [f"{path} is missing" for path in sorted(wanted - found)] + [f"{path} is there" for path in sorted(unwanted & found)]
        said = [line for line in told.splitlines() if "entropy" in line and "Including module" not in line]
        if options not in SAID:
            complaints += said
        elif not any(SAID[options] in line for line in said):
            complaints.append(f"dracut said {said}")
        case(f"an image {name}", "\n".join(complaints))


def main():
    cache = debian.cache_directory()
    try:
        if os.geteuid() != 0:
            raise debian.Unbuildable("not root")
        tar, debs, newest = debian.make_tree(cache, "trixie"), packages.get(cache), debian.download(cache, *NEWEST)
    except debian.Unbuildable as e:
        case("dracut with the rules of 108", skipped=str(e))
        return 1 if counts["failed"] else 77
    with debian.tree_directory("dracut-newest-") as directory:
        tree = pathlib.Path(directory, "tree")
        tree.mkdir()
        subprocess.run(["tar", "-C", tree, "--exclude=./dev/*", "-xf", tar], check=True, timeout=200)
        debian.write(tree / "etc/initramfs-tools/update-initramfs.conf", "update_initramfs=no\n")
        debian.install_packages(tree, newest, NEWEST[1])
        debian.install_packages(tree, debs, debian.SUITES["trixie"][1])
        version = debian.in_chroot(tree, "dracut --version 2>&1")
        number = int(re.search(r"\d+", version)[0])
        case("this dracut has the rules", number < FIRST_WITH_RULES and version)
        names = [path.name for path in (tree / "usr/lib/dracut/modules.d").iterdir()]
        case("our module's number is one that is kept for others", "\n".join(misnumbered(names)) or OURS not in names and f"{names}")
        case("a number of dracut's own is noticed", misnumbered([*names, "55base"]) != ["55base"] and "it was not")
        try_images(tree)
    print(f"# counts passed={counts['passed']} failed={counts['failed']} skipped={counts['skipped']}")
    return 1 if counts["failed"] else 0


sys.exit(main())
