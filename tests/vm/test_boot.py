# SPDX-License-Identifier: MIT
"""Whole Debian 12 guests with the cloud kernel: as shipped, and with what we install.

The guest's clock counts instructions, so that the times are those of the guest and not those of a busy
machine: 1 ms is a million instructions.
"""

import base64

from harness import debian, debian_boot, hostile
from harness.bed import check
from harness.debian_boot import Guests, check_no_failure_of_ours, credited
from harness.entropy_server import random_stream
from harness.runner import vm_test

OURS = debian.Spec("ours", True)
STOCK = debian.Spec("stock", False)
# Without dracut's own module rngd, which would take our rngd along and measure both.
DRACUT = debian.Spec("dracut-ours", True, builder="dracut", options="--omit rngd")
DRACUT_PLAIN = debian.Spec("dracut-plain-ours", True, builder="dracut-plain")
# Building a guest takes a minute, a boot with a counting clock another.
LIMIT_SEC = 900

QUICK = "systemd.unit=quick.target"
UNIT_COST_SEC = 0.150
STOP_SEC = 0.100
READY_AFTER_BOUND_SEC = 0.050
BLOCKED_SEC = 0.020


def try_virtio(bed, spec, stock=None):
    """Device bound to ready, and two getrandom(): the first one of the boot in the initramfs, another before sysinit.target."""
    guests = Guests(bed)
    report = guests.boot(spec, spec.name, "probe=initramfs", "probe=unit", QUICK, devices=hostile.RNG, precise=True)
    guests.note(spec.name, report)
    ready, bound = report.probe("ready"), report.probe("bound")
    check(ready is not None, f"the watcher did not tell: {report.kmsg}")
    # A systemd in the initramfs loads virtio_rng before anything else runs: the binding is over.
    started = report.probe("watching")
    check(bound is not None or ready - started < 0.001, f"neither bound nor ready at the start: {report.kmsg}")
    check(bound is None or ready - bound <= READY_AFTER_BOUND_SEC, f"ready {ready} s, virtio_rng bound {bound} s")
    for where in ("initramfs", "unit"):
        blocked = report.probe(f"getrandom-{where}", "usec")
        check(blocked is not None and blocked <= BLOCKED_SEC, f"{where}: getrandom() blocked for {blocked} s: {report.kmsg}")
    check(not report.failed, f"failed units: {report.failed}")
    run_report = report.run_report("seeder-initramfs")
    # Where udev takes longer than the seeder's two seconds, the driver comes after its end: the kernel feeds itself then.
    ended_before = run_report and bound is not None and run_report["ended_usec"] / 1e6 <= bound
    check(run_report and (run_report["ready"] or ended_before), f"no run report of the initramfs, or not ready: {run_report}")
    check(report.first("rngd") == "active", f"rngd.service is {report.first('rngd')}")
    if stock:
        report = guests.boot(stock, stock.name, "probe=initramfs", QUICK, devices=hostile.RNG, precise=True)
        guests.note(f"{stock.name}, probe=initramfs", report)
        blocked = report.probe("getrandom-initramfs", "usec")
        check(blocked is not None and blocked > 10 * BLOCKED_SEC, f"the stock guest does not starve: blocked for {blocked} s")


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_initramfs_tools(bed):
    try_virtio(bed, OURS, STOCK)


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_dracut(bed):
    try_virtio(bed, DRACUT)


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_dracut_without_systemd(bed):
    try_virtio(bed, DRACUT_PLAIN)


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_no_source(bed):
    """Nothing at all: the boot pays little, each seeder ends, no unit fails, and rngd says that it has no source."""
    guests = Guests(bed)
    report = guests.boot(OURS, "no source", "stop=each", precise=True)
    guests.note("no source", report)
    check(not report.failed, f"failed units: {report.failed}")
    run_report = report.run_report("seeder-initramfs")
    check(run_report, f"no run report of the initramfs: {report.kmsg}")
    check(run_report["ended_usec"] - run_report["started_usec"] < 2_200_000, f"the seeder of the initramfs ended late: {run_report}")
    check(report.run_report("seeder"), "no run report of the real root")
    check(report.run_report("seeder-2") is None, "a run for a metadata service that nobody spoke of")
    check(report.first("rngd") == "active", f"rngd.service is {report.first('rngd')}")
    check(any("no source" in line for line in report.parts["rngd"]), f"rngd does not say that it has no source: {report.parts['rngd']}")
    # Most of it is systemd's, which sets up the sandboxes. ./dev bench compares whole boots.
    cost_sec = {unit: report.cpu_sec(unit) for unit in ("rngd", "entropy-seeder")}
    check(all(0 < sec <= UNIT_COST_SEC for sec in cost_sec.values()), f"CPU time: {cost_sec}")
    # With the seed that rngd saves.
    stop_sec = {unit: report.stop_sec(unit) for unit in ("rngd", "systemd-random-seed")}
    check(stop_sec["rngd"] is not None and stop_sec["rngd"] <= STOP_SEC, f"to stop: {stop_sec}")
    bed.note(f"CPU time {cost_sec}; to stop {stop_sec}")


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_shutdown_saves(bed):
    """What a shutdown leaves: a seed that rngd has saved, or a unit where there is no rngd, or none in a machine that was cleaned."""
    guests = Guests(bed)
    disk = debian_boot.writable_disk(guests.directory(OURS), bed.directory / "disk.qcow2")
    boots = [guests.boot(OURS, words, QUICK, "forget=seeds", words, devices=hostile.RNG, disk=disk, precise=True)
             for words in ("rngd", "systemd.mask=rngd.service", "no-seed=1", "the last")]
    savers = [(report.first("rngd"), report.first("saver")) for report in boots]
    # A boot finds what the one before has left.
    found = [credited(report, "seed-file") is not None for report in boots]
    bed.note(f"rngd and the unit: {savers}; a seed was there: {found}")
    check(savers == [("active", "inactive"), ("inactive", "active"), ("active", "inactive"), ("active", "inactive")], f"{savers}")
    check(found == [False, True, True, False], f"{found}")
    for report in boots:
        check_no_failure_of_ours(report, "a seed is saved")


def try_twice(bed, source, devices):
    """A seed that is the same at each boot is credited once, and never in the initramfs."""
    guests = Guests(bed)
    disk = debian_boot.writable_disk(guests.directory(OURS), bed.directory / "disk.qcow2")
    first = guests.boot(OURS, "first boot", QUICK, devices=devices, disk=disk, precise=True)
    second = guests.boot(OURS, "second boot", QUICK, devices=devices, disk=disk, precise=True)
    bits = [credited(report, source) for report in (first, second)]
    early = [[line for line in (report.run_report("seeder-initramfs") or {"sources": []})["sources"] if line["name"].startswith(source)]
             for report in (first, second)]
    bed.note(f"{source}: {bits} bits credited at the first and the second boot; in the initramfs {early}")
    check(bits[0], f"nothing was credited at the first boot: {first.run_report('seeder')}")
    check(not bits[1], f"the same seed was credited at the second boot: {second.run_report('seeder')}")
    check(not any(line["credited_bits"] for lines in early for line in lines), f"credited in the initramfs: {early}")
    for report in (first, second):
        check_no_failure_of_ours(report, source)


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_credential_twice(bed):
    seed = base64.b64encode(random_stream("credential")(0, 64)).decode()
    try_twice(bed, "platform", ["-smbios", f"type=11,value=io.systemd.credential.binary:entropy.seed={seed}"])


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_config_drive_twice(bed):
    drive = hostile.config_drive(bed.directory / "config.iso", random_stream("config drive")(0, 512))
    try_twice(bed, "config-drive", [*drive, *hostile.OPENSTACK])


def try_hostile(bed, what):
    guests = Guests(bed)
    options = hostile.KINDS[what][0](guests.directory(OURS), bed.directory)
    report = guests.boot(OURS, what, options.pop("append", ""), **options)
    guests.note(what, report)
    check_no_failure_of_ours(report, what)
    check(report.first("rngd") == "active", f"{what}: rngd.service is {report.first('rngd')}")
    return report


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_hostile_library(bed):
    """The initramfs has a library that does not load: the boot goes on, and the real root seeds."""
    report = try_hostile(bed, "a broken library")
    check(report.run_report("seeder-initramfs") is None, "the library was not broken")
    check(report.run_report("seeder")["ready"], "the real root was not seeded")


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_hostile_run(bed):
    """No space for the run report."""
    report = try_hostile(bed, "a full /run")
    check(report.run_report("seeder-initramfs") is None, "there was space")
    check(report.probe("ready") is not None, f"never ready: {report.kmsg}")


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_hostile_read_only(bed):
    """A root that stays read-only: what cannot be recorded is not credited, and nothing of ours fails."""
    report = try_hostile(bed, "a read-only root")
    check(not report.parts["state"], f"it was written to: {report.parts['state']}")


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_hostile_hwrng(bed):
    """Hardware RNGs that never answer: no process hangs in the probe of one, and the guest ends."""
    report = try_hostile(bed, "silent hwrngs")
    check(not report.parts["stuck"], f"a probe hangs: {report.parts['stuck']}")
    check(report.probe("bound"), "no hardware RNG was bound")


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_hostile_config_drive(bed):
    """A config drive whose label is all that can be read."""
    report = try_hostile(bed, "a corrupt config drive")
    check(not credited(report, "config-drive"), f"credited: {report.run_report('seeder')}")
