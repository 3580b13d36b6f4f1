# SPDX-License-Identifier: MIT
"""A VM fork of a whole Debian 12 guest: what its units' sandboxes let rngd do then.

The cloud kernel has no driver of the VM generation ID: rngd looks at it in fw_cfg.
"""

import pathlib
import time

from harness import debian, debian_boot, hostile, qemu
from harness.bed import check
from harness.debian_boot import Guests
from harness.runner import vm_test

OURS = debian.Spec("ours", True)
GUIDS = ["0f32a9c4-5a3d-4a5c-9a0e-2d1c8b7e6f01", "6d1e7b1a-93a5-4c1f-8a6e-94b7a1c30e02"]
BOOT_SEC = 200
# What an initramfs lays into the root is not executable, and the agent writes to /tmp.
AGENT = """[Unit]
DefaultDependencies=no
[Service]
ExecStartPre=/bin/mount -t tmpfs tmpfs /tmp
ExecStartPre=/bin/cp /usr/sbin/agent /dev/shm/agent
ExecStartPre=/bin/chmod 755 /dev/shm/agent
ExecStart=/dev/shm/agent /dev/ttyS1
"""
WRITABLE = "/run/make-the-root-writable"
FILES = {
    "etc/guest-entropy.conf": "[rngd]\nfork-check = 1s\n",
    "etc/systemd/system/agent.service": AGENT,
    "etc/systemd/system/sysinit.target.d/agent.conf": "[Unit]\nWants=agent.service\n",
    "etc/systemd/system/systemd-remount-fs.service.d/late.conf":
        f"[Service]\nExecStartPre=/bin/sh -c 'until [ -e {WRITABLE} ]; do sleep 0.1; done'\n",
}
# Whoever credits a seed finds its mark in one of these.
OUR_MARK = "/var/lib/guest-entropy/seed.credit"
SYSTEMD_SEED = "/var/lib/systemd/random-seed"
LOADER_SEED = "/boot/efi/loader/random-seed"
MARK = "user.random-seed-creditable"


class Initrd:
    """A whole guest's, where a small guest has an archive."""

    def __init__(self, path):
        self.bytes = path.read_bytes


def boot(bed, directory, disk, guid, name, incoming=None):
    devices = [*hostile.RNG, "-device", f"vmgenid,guid={guid},id=vmgenid0", "-drive", f"file={disk},format=qcow2,if=virtio"]
    vm = qemu.Qemu(bed.directory / name, directory, Initrd(bed.directory / "initrd"), None, memory_mb=512, devices=devices,
                   append="root=/dev/vda ro systemd.mask=boot-report.service", incoming=incoming)
    bed.closers.append(vm)
    return vm


def shell(vm, script):
    done = vm.run("/bin/sh", "-c", script, timeout=60)
    check(done.get("code") == 0, f"{script}: {done}")
    return done["out"].strip()


def marks(vm):
    return shell(vm, f"ls -U {OUR_MARK} {LOADER_SEED} 2>/dev/null; "
                     f"python3 -c 'import os; print(\"{MARK}\" in os.listxattr(\"{SYSTEMD_SEED}\"))'").split()


@vm_test(whole=True, timeout=900)
def test_seed_marks(bed):
    """The root becomes writable late, and rngd.service waits for that: else its sandbox keeps the read-only root in which it
    was made, and the seeds on the disk their credit."""
    directory = Guests(bed).directory(OURS)
    debian_boot.laid(directory, bed.directory / "initrd", {**FILES, "usr/sbin/agent": pathlib.Path(bed.agent).read_bytes()})
    disk = debian_boot.writable_disk(directory, bed.directory / "disk.qcow2")
    vm = boot(bed, directory, disk, GUIDS[0], "template")
    check(shell(vm, "findmnt -no OPTIONS /").startswith("ro"), "the root is writable already: this test would prove nothing")
    # For an rngd that waits for nothing.
    time.sleep(5)
    shell(vm, f"touch {WRITABLE}")
    vm.wait_until(lambda: shell(vm, "systemctl is-active rngd.service multi-user.target || true") == "active\nactive", BOOT_SEC,
                  "rngd runs, and the boot is over", 1)
    shell(vm, f"/usr/lib/systemd/systemd-random-seed save; entropy-seeder save; mkdir -p $(dirname {LOADER_SEED}); "
              f"echo seed >{LOADER_SEED}; sync")
    before = marks(vm)
    check(before == [OUR_MARK, LOADER_SEED, "True"], f"this test would prove nothing: there are {before}")

    image = bed.directory / "snapshot"
    vm.snapshot(image)
    vm = boot(bed, directory, disk, GUIDS[1], "clone", image)
    vm.wait_until(lambda: vm.qmp("query-status")["status"] != "inmigrate", 60, "the snapshot is loaded")
    vm.qmp("cont")
    journal = "journalctl -b --no-pager -o cat -u rngd | grep '^VM fork:' || true"
    # For each of the three: it is not credited any more, or it could not be taken away.
    vm.wait_until(lambda: shell(vm, journal).count("credit") >= 3, 60, "rngd saw the fork, and looked at the seeds", 1)
    after = marks(vm)
    check(after == ["False"], f"credited at the next boot: {after}\n{shell(vm, journal)}")
