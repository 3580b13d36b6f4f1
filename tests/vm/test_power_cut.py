# SPDX-License-Identifier: MIT
"""QEMU is killed in front of each step of entropy-seeder's work on its state directory, and after the last.

The tracer in the guest leaves the seeder stopped in front of its n-th call that changes a file there, or credits; then
QEMU is killed, and another boot of what the disk holds shows what came of it; then n + 1, until nothing was stopped.
Each boot is a restored snapshot of a starved guest that has read neither its boot ID nor a disk: half a second.

What the guest did not sync is lost by the kill: the journal commits nothing by itself, and no kindness of ext4 syncs a
file that is renamed. In another round what was done is on the disk at the cut though it was not synced. Where the guest
wrote what it did not flush, the disk without that is booted, too.
"""

import base64
import json
import os
import pathlib
import struct
import sys

from harness.bed import check
from harness.runner import vm_test

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import test_seeder as seeder  # noqa: E402
import test_sources as sources  # noqa: E402

STATE, SEEDER = seeder.STATE, seeder.SEEDER
RUN = (SEEDER, "--real-root", "--source=seed-file", "--deadline=100ms")
# Its end comes with the credit, not with the deadline; a later boot that credits nothing waits for it.
RUN_STATIC = (SEEDER, "--real-root", "--source=seed-file", "--source=platform", "--deadline=2s")
SAVE = (SEEDER, "save")
SEED_FILE_BYTES, HEADER_BYTES, MAGIC = 640, 128, b"guest-entropy 1\0"
STEPS_MAX = 40
SLOT = 5


# Disks that remember what was flushed


def disk_device(file, log):
    node = {"driver": "blklogwrites", "node-name": "state", "file": {"driver": "file", "filename": str(file)},
            "log": {"driver": "file", "filename": str(log)}}
    return ["-blockdev", json.dumps(node), "-device", f"virtio-blk-pci,drive=state,addr={SLOT}"]


def flushed(before, log):
    """The disk without the writes that no flush followed; the log is that of dm-log-writes."""
    disk, unflushed = bytearray(before), []
    flush, sector_size = 1, struct.unpack_from("<QQQI", log)[3]
    at = sector_size
    while at + sector_size <= len(log):
        sector, n_sectors, flags, length = struct.unpack_from("<QQQQ", log, at)
        at += sector_size
        if n_sectors:
            unflushed.append((sector * sector_size, log[at:at + n_sectors * sector_size]))
            at += n_sectors * sector_size
        if flags & flush:
            for start, data in unflushed:
                disk[start:start + len(data)] = data
            unflushed = []
        check(length in (0, n_sectors * sector_size), f"a log of another kind: {length} B, {n_sectors} sectors")
    return bytes(disk)


class Boot:
    """A restored guest with a disk of its own."""

    def __init__(self, lab, disk):
        lab.n_boots += 1
        self.before = disk
        self.file, self.log = (lab.bed.directory / f"state{lab.n_boots}.{end}" for end in ("img", "log"))
        self.file.write_bytes(disk)
        self.log.write_bytes(b"")
        self.vm = vm = lab.linux(disk_device(self.file, self.log), incoming=lab.template)
        vm.wait_until(lambda: vm.qmp("query-status")["status"] in ("paused", "running"), 30, "the snapshot is loaded", 0.02)
        vm.qmp("cont")
        # Uncredited: two boots from one snapshot are to differ by more than their clocks.
        vm.write("/dev/urandom", os.urandom(16).hex())
        vm.shell(f"echo 0000:00:{SLOT:02}.0 > /sys/bus/pci/drivers_probe; "
                 f"mount -t ext4 -o noauto_da_alloc,commit=10000 /dev/vda {STATE}")
        boot_id = vm.read("/proc/sys/kernel/random/boot_id")
        check(boot_id not in lab.boot_ids and not vm.random()["ready"], "this is no boot of its own")
        lab.boot_ids.add(boot_id)

    def make_ready(self):
        self.vm.ask("ioctl", "add", 32, 256)

    def seeds(self):
        """{name: content}"""
        out = self.vm.shell(f"cd {STATE}; for f in seed seed.credit; do [ ! -e $f ] || echo $f $(busybox xxd -p $f); done")
        return {name: bytes.fromhex(text) for name, _, text in (line.partition(" ") for line in out.splitlines())}

    def seeder(self, argv, stop_at=0):
        """(exit status or None if it was stopped, its steps, the bytes that it credited)"""
        pid = self.vm.ask("spawn", "log=/tmp/seeder.log", "trace=/tmp/trace", f"steps={STATE}", f"stop_at={stop_at}", "--", *argv)["pid"]
        done, trace = {}, ""

        def is_over():
            nonlocal done, trace
            done = self.vm.ask("wait", pid, 50, check=False)
            trace = self.vm.read("/tmp/trace", check=False) or ""
            return done["r"] == 0 or '"stopped":true' in trace
        self.vm.wait_until(is_over, 30, f"{argv} ends, or stops at step {stop_at}", 0)
        calls = [json.loads(line) for line in trace.splitlines()]
        return (done.get("code"), [c["call"] for c in calls if "step" in c],
                [bytes.fromhex(c["bytes"]) for c in calls if c["call"] == "add" and c["bits"] > 0 and c["rval"] == 0])

    def said(self):
        return self.vm.read("/tmp/seeder.log")

    def cut(self):
        """What the disk holds, and what it holds without the writes that were not flushed, if that is less."""
        self.vm.process.kill()
        self.vm.close()
        left = self.file.read_bytes()
        durable = flushed(self.before, self.log.read_bytes())
        self.file.unlink()
        self.log.unlink()
        return [left] if durable == left else [left, durable]


class Lab:
    """One program on one disk, cut everywhere."""

    def __init__(self, bed, credential=None):
        self.bed, self.run = bed, RUN_STATIC if credential else RUN
        self.n_boots, self.boot_ids = 0, set()
        self.image = seeder.image(bed)
        # These guests have no generation ID: somebody knows that nobody sets their disks back.
        self.image.data("etc/guest-entropy.conf", "[seed-file]\ntrust = always\n")
        self.template = bed.directory / "template"
        blank, log = bed.directory / "blank.img", bed.directory / "blank.log"
        blank.write_bytes(bytes(4 << 20))
        log.write_bytes(b"")
        vm = self.linux(disk_device(blank, log))
        # The driver is there, and does not look for its disk yet.
        vm.write("/sys/bus/pci/drivers_autoprobe", "0")
        for module in sources.DRIVE:
            vm.load(module)
        vm.shell(f"mkdir -p {STATE} /run/credentials/@system")
        if credential:
            vm.shell(f"echo {credential} | busybox base64 -d > /run/credentials/@system/entropy.seed")
        vm.snapshot(self.template)
        self.disk = seeder.make_state(bed).read_bytes()
        self.has_seed = False

    def linux(self, devices, **options):
        return self.bed.linux(image=self.image, modules=sources.DRIVE, devices=devices, memory_mb=112, **options)

    def prepare(self, *argv, ready):
        """The disk as a boot before left it."""
        boot = Boot(self, self.disk)
        if ready:
            boot.make_ready()
        code, _, _ = boot.seeder(argv)
        self.has_seed = bool(boot.seeds())
        check(code in (0, seeder.NOT_READY) and self.has_seed, f"{argv} in the boot before: exit status {code}, {boot.said()}")
        self.disk = boot.cut()[0]

    def check_next_boot(self, disk, where, credited):
        """Whole seeds, none of which was credited is marked, and a run that ends as it should. True if it credited."""
        boot = Boot(self, disk)
        seeds = boot.seeds()
        check(seeds or not self.has_seed, f"{where}: no seed is left")
        parts = {name: len(s) for name, s in seeds.items() if len(s) != SEED_FILE_BYTES or not s.startswith(MAGIC)}
        check(not parts, f"{where}: a part of a seed: {parts}")
        marked = seeds.get("seed.credit", b"")[HEADER_BYTES:]
        check(marked not in credited, f"{where}: a seed that was credited is marked again")
        code, _, again = boot.seeder(self.run)
        check(not set(again) & set(credited), f"{where}: credited again in the next boot")
        check(not marked or marked in again, f"{where}: a marked seed was not credited: {boot.said()}")
        check(code == (seeder.READY if again else seeder.NOT_READY), f"{where}: exit status {code}: {boot.said()}")
        check(boot.seeds(), f"{where}: no seed after the next run: {boot.said()}")
        boot.cut()
        return bool(again)

    def cut_before(self, n, argv, ready, synced):
        """The steps until there, and whether it was the end"""
        boot = Boot(self, self.disk)
        if ready:
            boot.make_ready()
        code, steps, credited = boot.seeder(argv, stop_at=n)
        over = code is not None
        check(code in (None, seeder.READY, seeder.NOT_READY), f"{argv}: exit status {code}: {boot.said()}")
        where = f"cut after {steps[-1]}" if over else f"cut in front of step {n}, {steps[-1]}"
        if synced:
            boot.vm.shell("busybox sync")
            where += ", all synced"
        for disk in boot.cut():
            self.n_credited += self.check_next_boot(disk, where, credited)
        return steps, over

    def cut_everywhere(self, *argv, ready=False, until=None):
        """In front of each step, and after the last of all, or the first that is called until."""
        self.n_credited, n, over = 0, 0, False
        while not over and n < STEPS_MAX:
            n += 1
            steps, over = self.cut_before(n, argv, ready, synced=False)
            over = over or until in [call.partition("(")[0] for call in steps[:-1]]
        check(over, f"more than {STEPS_MAX} steps")
        # In front of a call that comes after a change: elsewhere the round before saw the same.
        for number, call in enumerate(steps, 1):
            if call.startswith(("openat", "write", "rename")):
                self.cut_before(number + 1, argv, ready, synced=True)
        self.bed.note(f"{self.n_boots} boots, {self.n_credited} of those after a cut credited a seed; {', '.join(steps)}")
        return steps


# The mark is taken away and synced; only then it is credited. A seed is written beside, synced, and renamed.
STRIP = ["renameat(seed.credit, seed)", "fsync(.)", "RNDADDENTROPY(4096 bits)"]
WRITE = ["openat(seed.new)", "write(seed.new)", "fsync(seed.new)", "renameat(seed.new, seed)", "fsync(.)"]
MARK = ["renameat(seed, seed.credit)", "fsync(.)"]
RECORD = ["openat(seen.new)", "write(seen.new)", "fchmod(seen.new)", "fsync(seen.new)", "renameat(seen.new, seen)", "fsync(.)"]


@vm_test(slow=True, timeout=240)
def test_run(bed):
    """With the marked seed of the boot before: it is credited, and a new one is saved."""
    lab = Lab(bed)
    lab.prepare(*SAVE, ready=True)
    steps = lab.cut_everywhere(*RUN)
    check(steps[-10:] == STRIP + WRITE + MARK, f"other steps than DESIGN's: {steps}")


@vm_test(slow=True, timeout=240)
def test_save(bed):
    """At a shutdown, beside a marked seed that no run of this boot has used."""
    lab = Lab(bed)
    lab.prepare(*SAVE, ready=True)
    steps = lab.cut_everywhere(*SAVE, ready=True)
    check(steps[-7:] == WRITE + MARK, f"other steps than DESIGN's: {steps}")


@vm_test(slow=True, timeout=240)
def test_run_that_credits_nothing(bed):
    """A seed without a mark, and a kernel that is not ready at the end."""
    lab = Lab(bed)
    lab.prepare(*RUN, ready=False)
    steps = lab.cut_everywhere(*RUN)
    check(steps[-5:] == WRITE, f"other steps than DESIGN's: {steps}")


@vm_test(slow=True, timeout=240)
def test_static_seed(bed):
    """The first run of all finds a credential: it is on the list of used seeds before it is credited.

    What comes after the credit is as in test_run.
    """
    lab = Lab(bed, base64.b64encode(sources.seed("credential", 64)).decode())
    steps = lab.cut_everywhere(*RUN_STATIC, until="RNDADDENTROPY")
    check(steps[2:9] == [*RECORD, "RNDADDENTROPY(512 bits)"], f"other steps than DESIGN's: {steps}")
