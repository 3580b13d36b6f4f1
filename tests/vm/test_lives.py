# SPDX-License-Identifier: MIT
"""Lives of machines and of their copies on real kernels: no byte string is credited twice in any of them.

{seeder, rngd} × {reboot, power cut, clone seen, clone unseen, volatile /var, golden image, restart of the source}. The
tracer between the programs and the kernel keeps what was credited; what the programs say of themselves counts only as
the reason where nothing was. A clone is seen if it has a generation ID, and another than before. An unseen one has none.
"""

import base64
import copy
import json
import os
import pathlib
import shutil
import sys

from harness.bed import check, quote_call
from harness.entropy_server import random_stream
from harness.runner import vm_test

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import test_seeder as seeder  # noqa: E402
import test_sources as sources  # noqa: E402

STATE, SEEDER = seeder.STATE, seeder.SEEDER
WINDOW_BYTES = 32
SIGUSR1, SIGKILL = 10, 9
UUID = "11111111-2222-3333-4444-555555555555"
ONLY_HWRNG = ("-x", "rdrand", "-x", "jitter")
MODULES = (*sources.DRIVE, "virtio_rng", "qemu_fw_cfg", "isofs")
EGD = "unix:/run/egd-pool"


# The witness


class Witness:
    """What was credited in all lives of one machine and of its copies. Judged at the end, so that each cell is told."""

    def __init__(self, bed):
        self.bed, self.windows, self.faults, self.bits = bed, {}, {}, {}

    def saw(self, program, event, life, result, unless=None, words=()):
        """result: the calls, and what the program says. unless: words in it that allow that nothing was credited;
        words: what it has to say in any case, as why this or that was not."""
        cell, (calls, said) = f"{program} × {event}", result
        credited = [c for c in calls if c["call"] == "add" and c["rval"] == 0 and c["bits"] > 0]
        for call in credited:
            self._judge(cell, life, call)
        self.bits[cell] = self.bits.get(cell, 0) + sum(c["bits"] for c in credited)
        if not credited and not (unless and unless in said):
            self._fault(cell, f"{life}: nothing was credited, and not since {unless!r}: {said}")
        for word in words:
            if word not in said:
                self._fault(cell, f"{life}: not said: {word!r}: {said}")

    def _fault(self, cell, text):
        self.faults.setdefault(cell, []).append(text)

    def _judge(self, cell, life, call):
        data, known = call["bytes"], None
        if len(data) < WINDOW_BYTES:
            self._fault(cell, f"{life}: credited less than can be compared: {quote_call(call)}")
        for at in range(len(data) - WINDOW_BYTES + 1):
            window = data[at:at + WINDOW_BYTES]
            known = known or self.windows.get(window)
            self.windows.setdefault(window, f"{cell}, {life}")
        if known:
            self._fault(cell, f"{life}: credited before ({known}): {quote_call(call)}")

    def judge(self):
        self.bed.note("; ".join(f"{cell}: {bits} bits" for cell, bits in self.bits.items()))
        check(not self.faults, "\n".join(f"{cell}: {text}" for cell, texts in self.faults.items() for text in texts))


# Machines


def binary(vm, path, data):
    vm.write("/tmp/hex", data.hex())
    vm.shell(f"busybox xxd -r -p </tmp/hex >{path}")


def config_drive(bed, name):
    directory, file = bed.directory / f"drive-{name}", bed.directory / f"{name}.iso"
    (directory / "openstack/latest").mkdir(parents=True)
    document = {"uuid": "1", "random_seed": base64.b64encode(os.urandom(512)).decode()}
    (directory / "openstack/latest/meta_data.json").write_text(json.dumps(document), encoding="utf-8")
    sources.tool("genisoimage", "-J", "-r", "-V", "config-2", "-o", str(file), str(directory))
    return file


def identity(uuid, guid):
    return ["-uuid", uuid, *(["-device", f"vmgenid,guid={guid},id=vmgenid0"] if guid else [])]


class Platform:
    """What the host gives to one machine, the same at each of its boots: seeds, a UUID; and bytes, always others."""

    def __init__(self, bed, name, uuid=UUID, guid=None):
        (bed.directory / f"{name}.item").write_bytes(os.urandom(64))
        self.server = bed.server(random_stream(f"{bed.directory}:{name}"), f"egd-{name}")
        smbios = base64.b64encode(os.urandom(64)).decode()
        self.seeds = [*sources.disk(config_drive(bed, name), "drive"), *sources.OPENSTACK,
                      "-fw_cfg", f"name=opt/guest-entropy/seed,file={bed.directory / f'{name}.item'}",
                      "-smbios", f"type=11,value=io.systemd.credential.binary:entropy.seed={smbios}"]
        self.bed, self.identity = bed, identity(uuid, guid)

    def copied(self, name, guid):
        """What the host gives to a copy: the same seeds, other bytes."""
        other = copy.copy(self)
        other.server = self.bed.server(random_stream(f"{self.bed.directory}:{name}"), f"egd-{name}")
        other.identity = identity(UUID, guid)
        return other

    def devices(self):
        return [*self.seeds, *self.identity, *self.server.device()]


class Life:
    """From one boot, or one start of a copy, to its end: always a power cut for QEMU, whatever the guest did before."""

    def __init__(self, bed, platform, disk, incoming=None, kernel="cloud-6.1", before=None, load=()):
        self.bed, self.n_seen = bed, dict(before.n_seen) if before else {}
        self.vm = self._copy(platform, disk, incoming, kernel) if incoming else \
            seeder.guest(bed, disk, platform.devices(), load=("qemu_fw_cfg", "isofs", *load), modules=MODULES, kernel=kernel)
        if not incoming:
            # In its own time: with it the kernel is ready in a moment, by itself.
            self.vm.load("virtio_rng")
            self.vm.write("/sys/class/misc/hw_random/rng_quality", "1024")
        old = before.daemon if before else None
        self.daemon = type(old)(self.vm, old.pid, old.started_usec, old.trace) if old else None

    def _copy(self, platform, disk, incoming, kernel):
        vm = self.bed.linux(kernel=kernel, image=seeder.image(self.bed), modules=MODULES, incoming=incoming,
                            devices=[*(seeder.state_disk(disk) if disk else []), *platform.devices()])
        vm.wait_until(lambda: vm.qmp("query-status")["status"] in ("paused", "running"), 30, "the snapshot is loaded", 0.02)
        vm.qmp("cont")
        return vm

    def calls(self, trace):
        """Since the last look, in this life and in those that it is a copy of."""
        lines = (self.vm.read(trace, check=False) or "").splitlines()
        new = [json.loads(line) for line in lines[self.n_seen.get(trace, 0):]]
        self.n_seen[trace] = len(lines)
        return [{**c, "bytes": bytes.fromhex(c["bytes"])} for c in new if "bytes" in c]

    # The seeder

    def seeder(self, *args, deadline="4s"):
        """(the calls, the lines of the report)"""
        argv = [SEEDER, "--real-root", f"--deadline={deadline}", *args]
        pid = self.vm.ask("spawn", "log=/tmp/seeder.log", "trace=/tmp/seeder", "--", *argv)["pid"]
        done = self.vm.ask("wait", pid, 20000, timeout=30)
        check(done.get("code") in (seeder.READY, seeder.NOT_READY), f"{argv}: {done}: {self.vm.read('/tmp/seeder.log')}")
        listed = self.vm.run(SEEDER, "--report=json")
        lines = {line["name"]: line for line in json.loads(listed["out"])[-1]["sources"]}
        said = "; ".join(f"{n} {s['bytes']} B +{s['credited_bits']}, {s['note']}" for n, s in lines.items())
        return self.calls("/tmp/seeder"), said

    def cut_seeder(self):
        """Power cut at its first credit, or within the milliseconds after that."""
        self.vm.ask("spawn", "log=/tmp/seeder.log", "trace=/tmp/seeder", "--", SEEDER, "--real-root", "--deadline=4s")
        calls = []
        self.vm.wait_until(lambda: calls.extend(self.calls("/tmp/seeder")) or any(c["bits"] > 0 for c in calls), 15, "a credit", 0)
        self.cut()
        return calls, ""

    def save(self):
        done = self.vm.run(SEEDER, "save")
        check(done.get("code") == 0, f"no seed was saved: {done}")

    # rngd

    def start_rngd(self, *args, config="", wait=10):
        self.daemon = self.bed.start(self.vm, *ONLY_HWRNG, *args, config=config, trace=True)
        return self.feed(wait=wait, signal=False)

    def feed(self, wait=10, signal=True, source="hwrng"):
        """What it hands to the kernel when it is told to, until something was credited or it has said why not."""
        if signal:
            self.daemon.signal(SIGUSR1)
        calls = []

        def is_over():
            calls.extend(self.calls("/tmp/feeds"))
            return any(c["bits"] > 0 for c in calls)
        try:
            self.vm.wait_until(is_over, wait, "a credit")
        except AssertionError:
            pass  # then it has to say why
        return calls, f"{self.daemon.source(source)}"

    # Ends

    def cut(self):
        self.vm.process.kill()
        self.vm.close()

    def shut_down(self):
        if self.daemon:
            self.daemon.stop()
        self.save()
        self.vm.shell(f"busybox umount {STATE}; busybox sync")
        self.cut()

    def snapshot(self, name):
        self.vm.shell("busybox sync")
        file = self.bed.directory / name
        self.vm.snapshot(file)
        return file


def copy_disk(bed, disk, name):
    file = bed.directory / f"{name}.img"
    shutil.copy(disk, file)
    return file


def guid(number):
    return f"aaaaaaaa-0000-0000-0000-{number:012}"


# Boots


@vm_test()
def test_boots(bed):
    """Reboots and power cuts of one machine: its seed and what its host gives, once each."""
    bed.only_ours()
    witness, platform, disk = Witness(bed), Platform(bed, "one", guid=guid(1)), seeder.make_state(bed)
    life = Life(bed, platform, disk)
    witness.saw("seeder", "reboot", "first boot", life.seeder())
    witness.saw("rngd", "reboot", "first boot", life.start_rngd())
    life.shut_down()
    for event in ("reboot", "power cut"):
        life = Life(bed, platform, disk)
        witness.saw("seeder", event, "boot", life.seeder(), words=(
            "seed-file 512 B +4096", "config-drive vdb:latest 512 B +0, seen before",
            "fw_cfg 64 B +0, seen before", "smbios 64 B +0, seen before"))
        witness.saw("rngd", event, "boot", life.start_rngd())
        life.cut()
    witness.saw("seeder", "power cut", "cut at its credit", Life(bed, platform, disk).cut_seeder())
    life = Life(bed, platform, disk)
    witness.saw("seeder", "power cut", "boot after that", life.seeder())
    witness.saw("rngd", "power cut", "boot after that", life.start_rngd())
    witness.judge()


VOLATILE = (
    f"mount -t tmpfs none {STATE}",
    f"mkdir -p /upper; mount -t tmpfs none /upper; mkdir /upper/u /upper/w; "
    f"mount -t overlay -o lowerdir={STATE},upperdir=/upper/u,workdir=/upper/w none {STATE}",
    f"busybox umount {STATE}",  # what is left is the initramfs itself
)


@vm_test()
def test_volatile_var(bed):
    """Nothing outlasts a boot: static seeds are not credited, and what is new at each boot is."""
    bed.only_ours()
    witness, platform, disk = Witness(bed), Platform(bed, "one", guid=guid(1)), seeder.make_state(bed)
    for script in VOLATILE:
        life = Life(bed, platform, disk, load=("overlay",))
        life.vm.shell(script + f"; chmod 700 {STATE}")
        witness.saw("seeder", "volatile /var", script, life.seeder(), words=(
            "config-drive vdb:latest 512 B +0, the state directory is kept in memory only",))
        witness.saw("rngd", "volatile /var", script, life.start_rngd())
        life.vm.run(SEEDER, "save")
        life.cut()
    witness.judge()


BAKED = "/var/lib/cloud/seed/config_drive/openstack/latest"


@vm_test(slow=True, timeout=300)
def test_golden_image(bed):
    """A machine ran, and its disk became an image: careless, nothing was cleaned, and each instance has its machine-id.

    With and without what tells the instances apart, a generation ID or a UUID. Two seeds are part of the image: one
    where cloud-init looks for a config drive, and one that rngd's configuration names.
    """
    bed.only_ours()
    witness, baked = Witness(bed), os.urandom(512)
    document = json.dumps({"random_seed": base64.b64encode(baked).decode()})
    config = "[file]\npath = /etc/seed.bin\ncredit = 1024\n"

    def boot(platform, disk):
        life = Life(bed, platform, disk)
        # Part of the image, as is the configuration.
        life.vm.shell(f"mkdir -p {BAKED}")
        life.vm.write(f"{BAKED}/meta_data.json", document)
        binary(life.vm, "/etc/seed.bin", baked[::-1])
        return life

    def run(life, name, why_not):
        witness.saw("seeder", "golden image", name, life.seeder(), words=(
            "config-drive vdb:latest 512 B +4096", "directory:latest 512 B +0, part of the image", why_not))
        witness.saw("rngd", "golden image", name, life.start_rngd(config=config))
        life.daemon.wait_status(lambda s: life.daemon.source("file")["batches"] > 0, 10, "the file was read")
        witness.saw("rngd", "golden image", name, (life.calls("/tmp/feeds"), f"{life.daemon.source('file')}"),
                    "not made for this request")
    for kind, template, instances, why_not in (
            ("none", {}, [{}] * 2, "no generation ID shows that this machine was not cloned or restored"),
            ("generation", {"guid": guid(1)}, [{"guid": guid(2)}, {"guid": guid(3)}], "this machine was cloned or restored"),
            ("uuid", {}, [{"uuid": UUID.replace("1", "2")}], "another machine saved it")):
        disk = seeder.make_state(bed, kind)
        life = boot(Platform(bed, f"template-{kind}", **template), disk)
        run(life, f"template-{kind}", "")
        life.shut_down()
        for number, identity_ in enumerate(instances, 1):
            name = f"instance{number}-{kind}"
            life = boot(Platform(bed, name, **identity_), copy_disk(bed, disk, name))
            run(life, name, f"seed-file 512 B +0, {why_not}")
            life.cut()
    witness.judge()


# Clones


def leave_stale_bytes(vm):
    """32 of the 64 bytes that the core fetched stay in its buffer, beside the 64 that the driver holds ready."""
    vm.run("/bin/dd", "if=/dev/hwrng", "of=/dev/null", "bs=32", "count=1")


def clone_seeder(bed, event, guids):
    """The seeder alone. Two copies run it again, two save a seed at once; then each boots from its disk."""
    bed.only_ours()
    witness, disk = Witness(bed), seeder.make_state(bed)
    first = Platform(bed, "template", guid=guids[0])
    template = Life(bed, first, disk)
    witness.saw("seeder", event, "template", template.seeder())
    template.save()
    leave_stale_bytes(template.vm)
    image = template.snapshot("snapshot")
    for number, again in ((1, True), (2, True), (3, False), (4, False)):
        platform, own = first.copied(f"clone{number}", guids[number]), copy_disk(bed, disk, f"clone{number}")
        life = Life(bed, platform, own, incoming=image, before=template)
        if again:
            witness.saw("seeder", event, f"clone {number}", life.seeder(), words=("hwrng", "seed-file 512 B +0"))
        life.shut_down()
        life = Life(bed, platform, own)
        witness.saw("seeder", event, f"clone {number}, next boot", life.seeder(), words=("seed-file 512 B +0",))
        life.cut()
    witness.judge()


@vm_test(timeout=300)
def test_seeder_clone_seen(bed):
    clone_seeder(bed, "clone seen", [guid(n) for n in range(1, 6)])


@vm_test(timeout=300)
def test_seeder_clone_unseen(bed):
    clone_seeder(bed, "clone unseen", [None] * 5)


def file_answers(life):
    told = life.daemon.source("file")
    return told["batches"] + told["failures"]


def clone_rngd(bed, event, guids):
    bed.only_ours()
    witness, disk = Witness(bed), seeder.make_state(bed)
    first = Platform(bed, "template", guid=guids[0])
    template = Life(bed, first, disk)
    # A FIFO of the host's bytes, in which a program made some ahead.
    binary(template.vm, "/tmp/bytes", os.urandom(8192))
    template.vm.shell("busybox mkfifo /tmp/fifo; (busybox sleep 1000 >/tmp/fifo &) ; (cat /tmp/bytes >/tmp/fifo &)")
    witness.saw("rngd", event, "template", template.start_rngd(
        "--fork-check=1s", config="[file]\npath = /tmp/fifo\ncredit = 1024\ntimeout = 1s\n"))
    template.vm.wait_until(lambda: file_answers(template) > 0, 20, "the FIFO was read")
    witness.saw("rngd", event, "template, again", template.feed())
    leave_stale_bytes(template.vm)
    image = template.snapshot("snapshot")
    for number in (1, 2):
        platform, own = first.copied(f"clone{number}", guids[number]), copy_disk(bed, disk, f"clone{number}")
        life = Life(bed, platform, own, incoming=image, before=template)
        answers = file_answers(life)
        for turn in range(3):
            witness.saw("rngd", event, f"clone {number}, feed {turn}", life.feed(signal=turn > 0 or guids[0] is None))
        # It may be in a back-off.
        life.vm.wait_until(lambda life=life: file_answers(life) > answers or not life.daemon.signal(SIGUSR1), 40,
                           "the FIFO was read", 1)
        witness.saw("rngd", event, f"clone {number}, FIFO", life.feed())
        forks = life.daemon.status()["forks"]
        check(forks == (guids[0] is not None), f"{forks} forks were seen")
        life.cut()
        life = Life(bed, platform, own)
        witness.saw("rngd", event, f"clone {number}, next boot", life.start_rngd())
        life.cut()
    witness.judge()


@vm_test(timeout=300)
def test_rngd_clone_seen(bed):
    clone_rngd(bed, "clone seen", [guid(n) for n in range(1, 6)])


@vm_test(timeout=300)
def test_rngd_clone_unseen(bed):
    clone_rngd(bed, "clone unseen", [None] * 3)


# Restart of the source


def start_egd(vm):
    """It begins anew: what it sends first, it sent first before."""
    vm.shell("kill $(busybox pidof seed-probe) 2>/dev/null; rm -f /run/egd-pool; :")
    vm.ask("spawn", "log=/tmp/egd.log", "--", "/usr/sbin/seed-probe", "serve", EGD)
    vm.wait_until(lambda: "egd-pool" in vm.shell("ls /run"), 5, "the EGD server listens")


def start_writer(vm, data):
    """A program that writes to the FIFO until it is full, or a new one after that one."""
    vm.shell("kill $(cat /tmp/writer) 2>/dev/null; [ -p /tmp/fifo ] || { rm -f /tmp/fifo; busybox mkfifo /tmp/fifo; }")
    binary(vm, "/tmp/bytes", data)
    vm.shell("cat /tmp/bytes >/tmp/fifo & echo $! >/tmp/writer")


def put_file(vm, data):
    """A regular file in the FIFO's place."""
    vm.shell("kill $(cat /tmp/writer) 2>/dev/null; rm -f /tmp/fifo")
    binary(vm, "/tmp/fifo", data)


RESTARTS = f"[egd]\naddress = {EGD}\ntrust = always\n[file]\npath = /tmp/fifo\ncredit = 1024\n"


@vm_test()
def test_seeder_restarts(bed):
    """Of the seeder, and of the server that it asks, which begins anew; in one boot and the next."""
    bed.only_ours()
    witness, platform, disk = Witness(bed), Platform(bed, "one", guid=guid(1)), seeder.make_state(bed)
    for boot in ("boot 1", "boot 2"):
        life = Life(bed, platform, disk)
        life.vm.write("/etc/guest-entropy.conf", f"[egd]\naddress = {EGD}\n", 0o644)
        for turn in range(3):
            if turn != 1:
                start_egd(life.vm)
            witness.saw("seeder", "restart of the source", f"{boot}, run {turn}", life.seeder())
        life.shut_down()
    witness.judge()


@vm_test()
def test_rngd_restarts(bed):
    """Of rngd, its workers, and of what they read, each time the same again."""
    bed.only_ours()
    witness, platform, stream = Witness(bed), Platform(bed, "one", guid=guid(1)), os.urandom(4096)
    life = Life(bed, platform, seeder.make_state(bed))
    vm, event = life.vm, "restart of the source"
    start_egd(vm)
    start_writer(vm, stream)
    witness.saw("rngd", event, "start", life.start_rngd(config=RESTARTS))

    def restart():
        life.daemon.stop()
        life.start_rngd(config=RESTARTS, wait=0)

    def kill_workers():
        for process in life.daemon.tree():
            if process["pid"] != life.daemon.pid:
                vm.ask("kill", process["pid"], SIGKILL, check=False)
    for name, act in {
            "rngd restarted": restart, "EGD server restarted": lambda: start_egd(vm),
            "writer restarted": lambda: start_writer(vm, os.urandom(4096)), "workers killed": kill_workers,
            "a regular file": lambda: put_file(vm, stream), "another one": lambda: put_file(vm, stream),
            "rngd restarted again": restart, "a FIFO again": lambda: start_writer(vm, os.urandom(4096))}.items():
        act()
        witness.saw("rngd", event, name, life.feed())

    # The server alone, and one that forgot what it has sent.
    life.daemon.stop()
    for turn in range(3):
        start_egd(vm)
        life.start_rngd("-x", "hwrng", config=f"[egd]\naddress = {EGD}\ntrust = always\n", wait=0)
        life.daemon.wait_status(lambda s: life.daemon.source("egd")["batches"] > 0, 15, "the server was asked")
        witness.saw("rngd", event, f"EGD server alone, {turn}", life.feed(wait=1, source="egd"), "came before")
        life.daemon.stop()
    witness.judge()
