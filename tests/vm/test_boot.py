# SPDX-License-Identifier: MIT
"""Whole Debian 12 guests with the cloud kernel: as shipped, and with what we install.

The guest's clock counts instructions, so that the times are those of the guest and not those of a busy
machine: 1 ms is a million instructions.
"""

import base64
import json
import shutil
import subprocess

from harness import debian, debian_boot
from harness.bed import Skip, check
from harness.debian_boot import Guests, check_no_failure_of_ours, credited
from harness.entropy_server import random_stream
from harness.runner import vm_test

RNG = ["-device", "virtio-rng-pci"]
OURS = debian.Spec("ours", True)
STOCK = debian.Spec("stock", False)
# Without dracut's own module rngd, which would take our rngd along and measure both.
DRACUT = debian.Spec("dracut-ours", True, builder="dracut", options="--omit rngd")
DRACUT_PLAIN = debian.Spec("dracut-plain-ours", True, builder="dracut-plain")
# Building a guest takes a minute, a boot with a counting clock another.
LIMIT_SEC = 900

QUICK = "systemd.unit=quick.target"
READY_AFTER_BOUND_SEC = 0.050
BLOCKED_SEC = 0.020


def try_virtio(bed, spec, stock=None):
    """Device bound to ready, and the first getrandom() of a boot."""
    guests = Guests(bed)
    for where in ("initramfs", "unit"):
        report = guests.boot(spec, spec.name, f"probe={where}", QUICK, devices=RNG, precise=True)
        guests.note(f"{spec.name}, probe={where}", report)
        ready, bound = report.probe("ready"), report.probe("bound")
        check(ready is not None, f"the watcher did not tell: {report.kmsg}")
        # A systemd in the initramfs loads virtio_rng before anything else runs: the binding is over.
        started = report.probe("watching")
        check(bound is not None or ready - started < 0.001, f"neither bound nor ready at the start: {report.kmsg}")
        check(bound is None or ready - bound <= READY_AFTER_BOUND_SEC, f"ready {ready} s, virtio_rng bound {bound} s")
        blocked = report.probe(f"getrandom-{where}", "usec")
        check(blocked is not None and blocked <= BLOCKED_SEC, f"the first getrandom() blocked for {blocked} s: {report.kmsg}")
        check(not report.failed, f"failed units: {report.failed}")
        ledger = report.ledger("seeder-initramfs")
        check(ledger and ledger["ready"], f"no ledger of the initramfs, or not ready: {ledger}")
        check(report.first("rngd") == "active", f"rngd.service is {report.first('rngd')}")
    if stock:
        report = guests.boot(stock, stock.name, "probe=initramfs", QUICK, devices=RNG, precise=True)
        guests.note(f"{stock.name}, probe=initramfs", report)
        blocked = report.probe("getrandom-initramfs", "usec")
        check(blocked is not None and blocked > 10 * BLOCKED_SEC, f"the stock guest does not starve: blocked for {blocked} s")


@vm_test(timeout=LIMIT_SEC)
def test_initramfs_tools(bed):
    try_virtio(bed, OURS, STOCK)


@vm_test(timeout=LIMIT_SEC)
def test_dracut(bed):
    try_virtio(bed, DRACUT)


@vm_test(timeout=LIMIT_SEC)
def test_dracut_without_systemd(bed):
    try_virtio(bed, DRACUT_PLAIN)


@vm_test(timeout=LIMIT_SEC)
def test_no_source(bed):
    """Nothing at all: the seeder of the initramfs ends when the real root takes over, and no unit fails."""
    guests = Guests(bed)
    report = guests.boot(OURS, "no source")
    guests.note("no source", report)
    check(not report.failed, f"failed units: {report.failed}")
    ledger = report.ledger("seeder-initramfs")
    check(ledger, f"no ledger of the initramfs: {report.kmsg}")
    check(ledger["ended_usec"] - ledger["started_usec"] < 2_200_000, f"the seeder of the initramfs ended late: {ledger}")
    check(report.ledger("seeder"), "no ledger of the real root")
    check(report.first("rngd") == "active", f"rngd.service is {report.first('rngd')}")
    bed.note(f"rngd: {[line for line in report.parts['rngd'] if 'StatusText' in line]}")
    bed.note(f"to stop, in microseconds: {report.parts['stop']}")


def try_twice(bed, source, devices):
    """A seed that is the same at each boot is credited once, and never in the initramfs."""
    guests = Guests(bed)
    disk = debian_boot.writable_disk(guests.folder(OURS), bed.folder / "disk.qcow2")
    first = guests.boot(OURS, "first boot", devices=devices, disk=disk)
    second = guests.boot(OURS, "second boot", devices=devices, disk=disk)
    bits = [credited(report, source) for report in (first, second)]
    early = [[line for line in (report.ledger("seeder-initramfs") or {"sources": []})["sources"] if line["name"].startswith(source)]
             for report in (first, second)]
    bed.note(f"{source}: {bits} bits credited at the first and the second boot; in the initramfs {early}")
    check(bits[0], f"nothing was credited at the first boot: {first.ledger('seeder')}")
    check(not bits[1], f"the same seed was credited at the second boot: {second.ledger('seeder')}")
    check(not any(line["credited_bits"] for lines in early for line in lines), f"credited in the initramfs: {early}")
    for report in (first, second):
        check_no_failure_of_ours(report, source)


@vm_test(timeout=LIMIT_SEC)
def test_credential_twice(bed):
    seed = base64.b64encode(random_stream("credential")(0, 64)).decode()
    try_twice(bed, "platform", ["-smbios", f"type=11,value=io.systemd.credential.binary:entropy.seed={seed}"])


def config_drive(path, seed):
    if not shutil.which("genisoimage"):
        raise Skip("no genisoimage on this machine")
    folder = path.parent / "drive/openstack/latest"
    folder.mkdir(parents=True)
    (folder / "meta_data.json").write_text(json.dumps({"uuid": "i-1", "random_seed": base64.b64encode(seed).decode()}))
    subprocess.run(["genisoimage", "-quiet", "-J", "-r", "-V", "config-2", "-o", path, path.parent / "drive"], check=True, timeout=60,
                   capture_output=True)
    return ["-drive", f"file={path},format=raw,if=virtio,readonly=on"]


@vm_test(timeout=LIMIT_SEC)
def test_config_drive_twice(bed):
    try_twice(bed, "config-drive", config_drive(bed.folder / "config.iso", random_stream("config drive")(0, 512)))


def hostile(bed, what, *words, **options):
    guests = Guests(bed)
    report = guests.boot(OURS, what, *words, **options)
    guests.note(what, report)
    check_no_failure_of_ours(report, what)
    check(report.first("rngd") == "active", f"{what}: rngd.service is {report.first('rngd')}")
    return report


@vm_test(timeout=LIMIT_SEC)
def test_hostile_library(bed):
    """The initramfs has a library that does not load: the boot goes on, and the real root seeds."""
    guests = Guests(bed)
    broken = {"usr/lib/x86_64-linux-gnu/libgcrypt.so.20": b"", "usr/lib/x86_64-linux-gnu/libgcrypt.so.20.4.1": b""}
    initrd = debian_boot.overlaid(guests.folder(OURS), bed.folder / "initrd", broken)
    report = hostile(bed, "a broken library", devices=RNG, initrd=initrd)
    check(report.ledger("seeder-initramfs") is None, "the library was not broken")
    check(report.ledger("seeder")["ready"], "the real root was not seeded")


@vm_test(timeout=LIMIT_SEC)
def test_hostile_run(bed):
    """No space for the ledger."""
    guests = Guests(bed)
    script = b"""#!/bin/sh
[ "$1" != prereqs ] || exit 0
mkdir -p /run/guest-entropy
mount -t tmpfs -o size=4k tmpfs /run/guest-entropy
dd if=/dev/zero of=/run/guest-entropy/fill bs=4096 count=1 2>/dev/null
/usr/sbin/boot-probe watch </dev/null >/dev/null 2>&1 &
"""
    initrd = debian_boot.overlaid(guests.folder(OURS), bed.folder / "initrd", {"scripts/init-top/a-boot-probe": script})
    report = hostile(bed, "a full /run", "probe=initramfs", devices=RNG, initrd=initrd)
    check(report.ledger("seeder-initramfs") is None, "there was space")
    check(report.probe("ready") is not None, f"never ready: {report.kmsg}")


@vm_test(timeout=LIMIT_SEC)
def test_hostile_read_only(bed):
    """A root that stays read-only: what cannot be recorded is not credited, and nothing of ours fails."""
    hostile(bed, "a read-only root", "fstab=no", devices=RNG)


@vm_test(timeout=LIMIT_SEC)
def test_hostile_hwrng(bed):
    """A hardware RNG that never answers."""
    silent = ["-chardev", f"socket,id=rng,path={bed.folder / 'silent'},server=on,wait=off",
              "-object", "rng-egd,chardev=rng,id=rng0", "-device", "virtio-rng-pci,rng=rng0"]
    hostile(bed, "a silent hwrng", devices=silent)


@vm_test(timeout=LIMIT_SEC)
def test_hostile_config_drive(bed):
    """A config drive whose label is all that can be read."""
    iso = bed.folder / "config.iso"
    drive = config_drive(iso, random_stream("corrupt")(0, 512))
    data = bytearray(iso.read_bytes())
    data[18 * 2048:] = random_stream("noise")(0, len(data) - 18 * 2048)
    iso.write_bytes(data)
    report = hostile(bed, "a corrupt config drive", devices=drive)
    check(not credited(report, "config-drive"), f"credited: {report.ledger('seeder')}")
