# SPDX-License-Identifier: MIT
"""Copies of a machine, and what of it must not be credited in them: bytes that waited in buffers, where no sign shows
the copy; and seeds on the disk, however the copy was noticed.

The tracer between rngd and the kernel keeps every byte that was credited, as in test_clone.
"""

import pathlib
import shutil
import subprocess
import sys
import time

from harness.bed import Skip, check, quote_call
from harness.runner import vm_test

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import test_clone as clones  # noqa: E402
import test_seeder as seeder  # noqa: E402
import test_sources as sources  # noqa: E402

SIGUSR1 = 10
STATE = seeder.STATE


def credited_after(daemon, n_calls):
    return [c for c in daemon.calls()[n_calls:] if c["call"] == "add" and c["rval"] == 0 and c["bits"] > 0]


@vm_test()
def test_hwrng_without_any_sign(bed):
    """Two copies with the template's own generation ID: what the driver and the core held is mixed in, not credited."""
    bed.only_ours()
    vm, old, server = clones.template(bed, "generic-6.1")
    n_calls, image = len(old.calls()), bed.directory / "snapshot"
    vm.snapshot(image)
    fed = []
    for number in (1, 2):
        clone = clones.Clone(bed, "generic-6.1", image, number, server, old, clones.GUIDS[0])
        clone.daemon.signal(SIGUSR1)
        clone.vm.wait_until(lambda c=clone: credited_after(c.daemon, n_calls), 15, "a feed with credit")
        stale = [c for c in clone.daemon.feeds() if c["bits"] == 0 and server.share_served(c["bytes"]) > 0]
        check(stale, "no stale bytes were mixed in: this test would prove nothing")
        for call in credited_after(clone.daemon, n_calls):
            check(server.share_served(call["bytes"]) == 0, f"credited what both copies have: {quote_call(call)}")
            fed.append(call["bytes"])
        # Passed over once, and then no more: the next request in a row needs no more than its own bytes.
        check(clone.daemon.status()["forks"] == 0, "a fork without a sign")
        clone.vm.close()
    check(len(set(fed)) == len(fed), "both copies credited the same bytes")


@vm_test()
def test_fifo(bed):
    """A FIFO that was full when the copies were made: none of it is credited, with or without a generation ID."""
    bed.only_ours()
    server = bed.server(name="egd-template")
    vm = bed.linux(kernel="generic-6.1", devices=clones.devices(server, clones.GUIDS[0]), cpu="max", load=clones.MODULES)
    vm.shell("busybox mkfifo /tmp/fifo; (busybox sleep 1000 >/tmp/fifo &) ; (cat /dev/urandom >/tmp/fifo &)")
    daemon = bed.start(vm, "-r", "/tmp/fifo", "-H", "1", "-x", "rdrand", trace=True)
    vm.wait_until(daemon.feeds, 5, "a first feed")
    n_calls, image = len(daemon.calls()), bed.directory / "snapshot"
    vm.snapshot(image)
    fed = []
    for number, guid in ((1, clones.GUIDS[0]), (2, clones.GUIDS[0]), (3, clones.GUIDS[1]), (4, clones.GUIDS[2])):
        clone = clones.Clone(bed, "generic-6.1", image, number, server, daemon, guid)
        clone.daemon.signal(SIGUSR1)
        clone.vm.wait_until(lambda c=clone: c.daemon.calls()[n_calls:], 15, "it feeds")
        time.sleep(0.5)
        fed += [c["bytes"] for c in credited_after(clone.daemon, n_calls)]
        told = clone.daemon.source("file")
        check(told["last_verdict"] and "copied" in told["last_verdict"], f"{told}")
        clone.vm.close()
    check(len(set(fed)) == len(fed), "two copies credited the same bytes")
    check(not fed, "credited what a program made ahead")


def make_disk(bed):
    if not shutil.which("mkfs.ext4"):
        raise Skip("no mkfs.ext4 on this machine")
    disk = bed.directory / "disk.img"
    disk.write_bytes(bytes(8 << 20))
    subprocess.run(["mkfs.ext4", "-q", "-F", str(disk)], check=True)
    return disk


def disk_guest(bed, disk, guid, n, incoming=None):
    server = bed.server(name=f"egd-disk{n}")
    devices = [*clones.devices(server, guid), "-drive", f"file={disk},format=raw,if=virtio"]
    # fw_cfg's module is left out: the kernel's log alone tells of the fork.
    vm = bed.linux(kernel="generic-6.1", devices=devices, cpu="max", image=None if incoming else seeder.image(bed),
                   load=["virtio_pci", "virtio_rng", *sources.DRIVE, "crc32c_generic", "ext4"], incoming=incoming)
    if incoming:
        vm.wait_until(lambda: vm.qmp("query-status")["status"] in ("paused", "running"), 30, "the snapshot is loaded")
        vm.qmp("cont")
    else:
        vm.shell(f"mkdir -p {STATE}; mount -t ext4 /dev/vda {STATE}; echo 0123456789abcdef0123456789abcdef >/etc/machine-id")
    return vm


@vm_test(timeout=180)
def test_seed_on_disk(bed):
    """A seed was saved; two clones; power cut; boot. The fork took the mark away, so neither boot credits the seed."""
    bed.only_ours()
    disk = make_disk(bed)
    vm = disk_guest(bed, disk, clones.GUIDS[0], 0)
    check(vm.run(seeder.SEEDER, "save").get("code") == 0, "no seed was saved")
    check("seed.credit" in vm.shell(f"ls {STATE}"), "the seed has no mark: this test would prove nothing")
    daemon = bed.start(vm, "-x", "rdrand", trace=True)
    vm.shell("busybox sync")
    image = bed.directory / "snapshot"
    vm.snapshot(image)
    for number in (1, 2):
        copy = bed.directory / f"disk{number}.img"
        shutil.copy(disk, copy)
        vm = disk_guest(bed, copy, clones.GUIDS[number], number, incoming=image)
        twin = type(daemon)(vm, daemon.pid, daemon.started_usec, daemon.trace)
        twin.wait_status(lambda s: s["forks"] == 1, 15, "rngd saw the fork")
        vm.wait_until(lambda t=twin: "is not credited any more" in t.log(), 10, "the mark is taken away")
        vm.process.kill()
        vm.close()

        vm = disk_guest(bed, copy, clones.GUIDS[number], 10 + number)
        names = vm.shell(f"ls {STATE}").split()
        check("seed" in names and "seed.credit" not in names, f"after the power cut: {names}")
        check(vm.run(seeder.SEEDER, "--real-root", "--source=seed-file", timeout=30).get("code") == 0, "the seeder failed")
        report = vm.run(seeder.SEEDER, "--report")["out"]
        line = next((line for line in report.splitlines() if "seed-file" in line), "")
        check("used before" in line and "4096" not in line, report)
        vm.close()
