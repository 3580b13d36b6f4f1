#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs the packages of a directory in a plain Debian 12, and purges them.

    deb-tree.py DIRECTORY

Exits 1 with what is wrong; 77 where there is no such tree.
"""

import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/vm"))

from harness import debian  # noqa: E402

ENABLED = {"rngd.service", "entropy-seeder.service", "entropy-seeder-save.service"}
IN_INITRAMFS = {"usr/bin/entropy-seeder", "scripts/init-top/guest-entropy", "scripts/init-bottom/guest-entropy"}


def names(tree):
    return {str(path.relative_to(tree)) for path in tree.rglob("*")}


def initramfs(tree):
    return set(debian.in_chroot(tree, "lsinitramfs /boot/initrd.img-*").split())


def main():
    if os.geteuid() != 0:
        print("not root")
        return 77
    try:
        tar = debian.make_tree(debian.cache_directory())
    except debian.Unbuildable as e:
        print(e)
        return 77
    wrong = []
    with debian.tree_directory("deb-tree-") as directory:
        tree = pathlib.Path(directory, "tree")
        tree.mkdir()
        subprocess.run(["tar", "-C", tree, "--exclude=./dev/*", "-xf", tar], check=True, timeout=200)
        before = names(tree)
        debian.install_packages(tree, pathlib.Path(sys.argv[1]))
        wants = {path.name for path in (tree / "etc/systemd/system/sysinit.target.wants").iterdir()}
        missing = (ENABLED - wants) | (IN_INITRAMFS - initramfs(tree))
        if missing:
            wrong.append(f"not enabled, or not in the initramfs: {missing}")
        if not any(name.endswith("/virtio-rng.ko") for name in initramfs(tree)):
            wrong.append("no virtio-rng in the initramfs")
        users = {line.split(":")[0] for line in (tree / "etc/passwd").read_text().splitlines()}
        if not {"_rng-reader", "_rng-exec"} <= users:
            wrong.append(f"no users for the workers: {users}")
        # A hook that fails would break the system's upgrades.
        told = debian.in_chroot(tree, "mv /usr/bin/entropy-seeder /root; update-initramfs -u 2>&1; mv /root/entropy-seeder /usr/bin")
        if "guest-entropy" not in told or IN_INITRAMFS <= initramfs(tree):
            wrong.append(f"update-initramfs said nothing of the missing seeder: {told}")
        names_of_ours = "guest-entropy guest-entropy-image-tools guest-entropy-metadata entropy-monitor"
        debian.in_chroot(tree, f"touch /var/lib/guest-entropy/seed; dpkg --purge {names_of_ours} 2>&1")
        left = names(tree) - before - {"var/log/dpkg.log"}
        if left:
            wrong.append(f"a purge left {sorted(left)}")
        if IN_INITRAMFS & initramfs(tree):
            wrong.append("a purge left the seeder in the initramfs")
    print("\n".join(wrong))
    return 1 if wrong else 0


sys.exit(main())
