# SPDX-License-Identifier: MIT
"""entropy-seeder in starved guests (qemu64: no RDRAND, no virtio-rng): what was credited, when, and what the next boot does.

A disk that survives the guest holds /var/lib/guest-entropy. QEMU is killed, never shut down: each end is a power cut.
"""

import base64
import json
import pathlib
import re
import shutil
import sys
import time

from harness.bed import Skip, check
from harness.runner import vm_test

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import test_metadata as network  # noqa: E402
import test_sources as sources  # noqa: E402

metadata_server = network.metadata_server

SEEDER = "/usr/bin/entropy-seeder"
STATE = "/var/lib/guest-entropy"
READY, NOT_READY = 0, 69
SEED_BITS = 4096  # of 512 bytes
OPENSTACK = sources.OPENSTACK
NO_CLOUD = "labelled config-2, but nothing shows that this is an OpenStack machine: not mounted"


def image(bed, machine_id="0123456789abcdef0123456789abcdef"):
    bed.only_ours()
    archive = sources.image(bed)
    archive.program(pathlib.Path(bed.rngd).parents[1] / "seeder/entropy-seeder", SEEDER)
    archive.data("etc/machine-id", machine_id + "\n")
    return archive


def make_state(bed, name="state"):
    """An ext4 with 4 MiB, which the 6.1 cloud kernel knows without a module."""
    file = bed.directory / f"{name}.img"
    with file.open("wb") as disk:
        disk.truncate(4 << 20)
    sources.tool("mke2fs", "-q", "-t", "ext4", "-F", str(file))
    return file


def state_disk(file):
    return ["-drive", f"if=none,id=state,file={file},format=raw", "-device", "virtio-blk-pci,drive=state,serial=state"]


def guest(bed, state=None, devices=(), load=(), machine_id="0123456789abcdef0123456789abcdef", **options):
    disks = state_disk(state) if state else []
    vm = bed.linux(image=image(bed, machine_id), devices=[*disks, *devices], load=(*sources.DRIVE, *load), **options)
    check(not vm.random()["ready"], "this guest was to be starved")
    if state:
        vm.shell(f"mkdir -p {STATE}; chmod 700 {STATE}; for d in /sys/block/vd*; do "
                 f"[ \"$(cat $d/serial)\" = state ] && mount -t ext4 /dev/${{d##*/}} {STATE}; done; "
                 f"rm -rf {STATE}/lost+found; chmod 700 {STATE}")
    return vm


class Result:
    def __init__(self, vm, done):
        self.code, self.out, self.usec = done.get("code"), done["out"], done["usec"]
        listed = vm.run(SEEDER, "--report=json")
        check(listed.get("code") == 0, f"no report: {listed}, after {done}")
        self.run_report = json.loads(listed["out"])[-1]
        self.lines = {line["name"]: line for line in self.run_report["sources"]}

    def bits(self, source=""):
        return sum(line["credited_bits"] for name, line in self.lines.items() if name.startswith(source))

    def note(self):
        return "; ".join(f"{n} {s['bytes']} B +{s['credited_bits']} at {s['at_usec'] / 1e6:.3f} s"
                         + (f", {s['note']}" if s["note"] else "") for n, s in self.lines.items())


def run(vm, *args, code=READY, timeout=40):
    done = vm.run(SEEDER, *args, timeout=timeout)
    result = Result(vm, done)
    check(result.code == code, f"exit status {result.code}, expected {code}: {result.out}\n{result.note()}")
    return result


def check_not_blocked(vm):
    """getrandom() would not wait, and a read of /dev/random does not."""
    check(vm.random()["ready"], "the kernel is not ready")
    done = vm.run("/bin/busybox", "dd", "if=/dev/random", "of=/dev/null", "bs=16", "count=1")
    check(done["code"] == 0 and done["usec"] < 1_000_000, f"a read of /dev/random blocked: {done}")


# Config drive


def check_seeds(result, where, bits, note):
    expected = {f"config-drive {where}:{v}" for v in sources.VERSIONS if v != sources.SEEDLESS}
    lines = {n: s for n, s in result.lines.items() if n.startswith("config-drive")}
    check(set(lines) == expected, f"found {sorted(lines)}")
    wrong = [s for s in lines.values() if s["bytes"] != 512 or s["credited_bits"] != bits or (s["note"] or "") != note]
    check(not wrong, f"expected 512 B, {bits} bits and {note!r}: {wrong[:2]}")


@vm_test()
def test_config_drive(bed):
    """Ten version directories as ISO: each seed is credited once, and in the next boot of this disk not at all."""
    state = make_state(bed)
    drive = [*sources.disk(sources.make_iso(bed), "drive"), *OPENSTACK]
    vm = guest(bed, state, drive, load=("isofs",))
    result = run(vm, "--real-root")
    check(mounted_iso(vm), "the drive was never mounted")
    bed.note(f"credited within {result.usec // 1000} ms: {result.note()[:120]}")
    check_seeds(result, "vdb", SEED_BITS, "")
    check_not_blocked(vm)
    check(any("entropy-seeder: kernel RNG ready at " in line for line in map(str, vm.kmsg())), "no line in the kernel's log")
    again = run(vm, "--real-root", "--source=config-drive")
    check_seeds(again, "vdb", 0, "credited in this boot already")
    vm.close()

    vm = guest(bed, state, drive, load=("isofs",))
    result = run(vm, "--real-root", "--source=config-drive", "--deadline=1s", code=NOT_READY)
    check_seeds(result, "vdb", 0, "seen before")
    check(not vm.random()["ready"], "ready without any credit")


@vm_test()
def test_config_drive_vfat(bed):
    """As vfat, and found in the initramfs: mixed there, credited in the real root. It comes late, too."""
    state = make_state(bed)
    vm = guest(bed, state, load=("vfat", "nls_cp437", "nls_ascii"),
               devices=["-device", "pcie-root-port,id=port0,chassis=1,slot=1", *OPENSTACK])
    drive = sources.make_vfat(bed, "CONFIG-2")
    # Without the disk, without anything: it waits, and ends when the disk comes.
    started = vm.ask("spawn", "log=/tmp/seeder.log", "--", SEEDER, "--real-root", "--deadline=30s")
    time.sleep(1)
    vm.qmp("blockdev-add", driver="raw", **{"node-name": "late", "read-only": True, "file": {"driver": "file", "filename": str(drive)}})
    vm.qmp("device_add", driver="virtio-blk-pci", id="late", drive="late", bus="port0")
    done = vm.ask("wait", started["pid"], 25000, timeout=40)
    result = Result(vm, {**done, "out": vm.read("/tmp/seeder.log", check=False), "usec": 0})
    bed.note(f"{result.run_report['ended_why']}: {result.note()[:120]}")
    check_seeds(result, "vdb", SEED_BITS, "")
    check_not_blocked(vm)


@vm_test()
def test_initramfs(bed):
    """First use is not known there: mixed, or credited for those who always want it, and then not again in this boot."""
    state = make_state(bed)
    vm = guest(bed, state, [*sources.disk(sources.make_iso(bed), "drive"), *OPENSTACK], load=("isofs",))
    result = run(vm, "--initramfs", "--deadline=1s", code=NOT_READY)
    check_seeds(result, "vdb", 0, "first use is not known in the initramfs")
    check(result.run_report["phase"] == "initramfs" and not vm.random()["ready"], f"{result.run_report}")
    vm.write("/etc/guest-entropy.conf", "[config-drive]\ntrust = always\n", 0o644)
    result = run(vm, "--initramfs")
    check_seeds(result, "vdb", SEED_BITS, "trust=always")
    check_not_blocked(vm)
    result = run(vm, "--real-root")
    check_seeds(result, "vdb", 0, "credited in this boot already")
    check(len(vm.read(f"{STATE}/seen").splitlines()) == 2 + 10, "the real root did not record what the initramfs used")
    vm.shell("rm -r /run/guest-entropy; echo > /etc/guest-entropy.conf")
    check_seeds(run(vm, "--real-root"), "vdb", 0, "seen before")


def mounted_iso(vm):
    """What the kernel says when it mounts an ISO with Rock Ridge or Joliet."""
    return "ISO 9660 Extensions" in vm.shell("busybox dmesg")


def data_disk(bed, name, partition=None):
    """A disk that somebody else wrote: the whole of it is a config drive, or its second partition."""
    iso = sources.make_iso(bed).read_bytes()
    if partition is None:
        return iso
    start, sectors = 4096, (len(iso) + 511) // 512
    entries = [(0x83, 2048, 2048), (0x83, start, sectors)]
    table = b"".join(bytes(4) + bytes((kind, 0, 0, 0)) + first.to_bytes(4, "little") + n.to_bytes(4, "little")
                     for kind, first, n in entries)
    return (bytes(446) + table).ljust(510, b"\0") + b"\x55\xaa" + bytes((start - 1) * 512) + iso.ljust(sectors * 512, b"\0")


@vm_test()
def test_config_drive_of_strangers(bed):
    """A label on a data disk is nobody's word: not mounted on a machine that is no cloud's, and a partition nowhere."""
    state = make_state(bed)
    for name, partition in (("whole", None), ("partition", 2)):
        (bed.directory / f"{name}.img").write_bytes(data_disk(bed, name, partition))
        shutil.rmtree(bed.directory / "drive")
    vm = guest(bed, state, sources.disk(bed.directory / "whole.img", "d0"), load=("isofs",))
    result = run(vm, "--real-root", "--source=config-drive", "--deadline=1s", code=NOT_READY)
    check(result.lines["config-drive vdb"]["note"] == NO_CLOUD and not result.bits(), result.note())
    check(not mounted_iso(vm) and not vm.random()["ready"], "a stranger's file system was mounted")
    vm.write("/etc/guest-entropy.conf", "[config-drive]\ntrust = always\n", 0o644)
    result = run(vm, "--real-root", "--source=config-drive")
    check_seeds(result, "vdb", SEED_BITS, "")
    check(mounted_iso(vm), "the drive was never mounted")
    vm.close()

    for config in ("", "[config-drive]\ntrust = always\n"):
        vm = guest(bed, state, [*sources.disk(bed.directory / "partition.img", "d0"), *OPENSTACK], load=("isofs",))
        check("vdb2" in vm.shell("ls /sys/class/block"), "the kernel sees no partition")
        vm.write("/etc/guest-entropy.conf", config, 0o644)
        result = run(vm, "--real-root", "--source=config-drive", "--deadline=1s", code=NOT_READY)
        check(not [n for n in result.lines if n.startswith("config-drive")] and not mounted_iso(vm), result.note())
        vm.close()

    # Two disks with the label: which of them is the cloud's cannot be told.
    disks = [*sources.disk(bed.directory / "whole.img", "d0"), *sources.disk(bed.directory / "whole.img", "d1")]
    vm = guest(bed, make_state(bed, "other"), [*disks, *OPENSTACK], load=("isofs",))
    result = run(vm, "--real-root", "--source=config-drive", "--deadline=1s", code=NOT_READY)
    check(result.lines and not result.bits("config-drive"), result.note())


@vm_test()
def test_config_drive_that_is_none(bed):
    """One line that says why: another file system, and documents that hold no seed."""
    ext = bed.directory / "ext.img"
    ext.write_bytes(bytes(4 << 20))
    sources.tool("mke2fs", "-q", "-t", "ext4", "-L", "config-2", "-F", str(ext))
    vm = guest(bed, make_state(bed), [*sources.disk(ext, "d0"), *OPENSTACK])
    result = run(vm, "--real-root", "--source=config-drive", "--deadline=1s", code=NOT_READY)
    check(result.lines["config-drive vdb"]["note"] == "labelled config-2, but neither iso9660 nor vfat", result.note())
    vm.close()

    documents = {"null": '{"random_seed": null}', "uuid": '{"random_seed": "550e8400-e29b-41d4-a716-446655440000"}',
                 "cut": '{"random_seed": "', "short": '{"random_seed": "QUJD"}',
                 "long": '{"a": "' + "x" * (1 << 20) + '"}', "none": '{"a": "b"}'}
    expected = {"null": "the seed is null, or no string", "uuid": "the seed is not base64", "cut": "this is no JSON object",
                "short": "the seed has fewer than 32 or more than 4096 bytes", "long": "the document is longer than 1 MiB"}
    for name, text in documents.items():
        (bed.directory / "bad/openstack" / name).mkdir(parents=True)
        (bed.directory / "bad/openstack" / name / "meta_data.json").write_text(text, encoding="utf-8")
    sources.tool("genisoimage", "-J", "-r", "-V", "config-2", "-o", str(bed.directory / "bad.iso"), str(bed.directory / "bad"))
    vm = guest(bed, make_state(bed), [*sources.disk(bed.directory / "bad.iso", "d0"), *OPENSTACK], load=("isofs",))
    result = run(vm, "--real-root", "--source=config-drive", "--deadline=1s", code=NOT_READY)
    found = {name.removeprefix("config-drive vdb:"): line["note"] for name, line in result.lines.items()}
    check(found == expected, f"{found}")


@vm_test()
def test_seeds_of_the_image(bed):
    """What lies in the image lies in each of its clones: mixed in, whoever says that it is to be trusted."""
    vm = guest(bed, make_state(bed), OPENSTACK)
    directory = "/var/lib/cloud/seed/config_drive/openstack/latest"
    document = json.dumps({"random_seed": base64.b64encode(sources.seed("image")).decode()})
    vm.shell(f"mkdir -p {directory}")
    vm.write(f"{directory}/meta_data.json", document.replace("random_seed", "random\\u005fseed"))
    for config in ("", "[config-drive]\ntrust = always\n"):
        vm.write("/etc/guest-entropy.conf", config, 0o644)
        result = run(vm, "--real-root", "--deadline=1s", code=NOT_READY)
        check(result.lines["config-drive directory:latest"]["bytes"] == 512 and not result.bits("config-drive"), result.note())
        check(result.lines["config-drive directory:latest"]["note"] == "part of the image, so every clone has it", result.note())


# Platform


@vm_test()
def test_platform(bed):
    """A credential in SMBIOS, fw_cfg, OEM0: credited once each, in a TCG guest within milliseconds."""
    (bed.directory / "item").write_bytes(sources.seed("item", 64))
    (bed.directory / "oem0").write_bytes(sources.seed("oem0", 64))
    binary = "io.systemd.credential.binary:entropy.seed=" + base64.b64encode(sources.seed("smbios", 64)).decode()
    vm = guest(bed, make_state(bed), load=("qemu_fw_cfg",), devices=[
        "-smbios", f"type=11,value={binary}", "-fw_cfg", f"name=opt/guest-entropy/seed,file={bed.directory / 'item'}",
        "-acpitable", f"sig=OEM0,oem_id=VRTUAL,oem_table_id=MICROSFT,data={bed.directory / 'oem0'}"])
    # What systemd makes of the credential in SMBIOS: the same bytes, credited once.
    vm.shell("mkdir -p /run/credentials/@system")
    vm.shell(f"echo {base64.b64encode(sources.seed('smbios', 64)).decode()} | busybox base64 -d > /run/credentials/@system/entropy.seed")
    dry = vm.run(SEEDER, "--dry-run", "--real-root", "--source=platform")
    check(dry["code"] == 0 and "+512 bits" in dry["out"] and not vm.random()["ready"], f"{dry}")
    check(not vm.shell(f"ls {STATE}").strip(), "the dry run wrote something")
    result = run(vm, "--real-root")
    bed.note(result.note())
    bits = {name.removeprefix("platform "): s["credited_bits"] for name, s in result.lines.items() if name.startswith("platform ")}
    same = bits.pop("smbios", 0) + bits.pop("system-credential", 0)
    check(same == 512 and bits == {"fw_cfg": 512, "acpi-oem0": 512}, f"{result.note()}")
    check_not_blocked(vm)
    vm.shell("rm -r /run/guest-entropy")
    again = run(vm, "--real-root", "--source=platform")
    check(again.bits("platform") == 0, again.note())


# Live sources


@vm_test()
def test_tpm_and_limits(bed):
    """A TPM makes the kernel ready. What holds a run up, ends it or is missing never does it a harm."""
    vm = guest(bed, devices=sources.start_swtpm(bed))
    # Told to end while it waits: at once, with a run report. No source, no state directory to write to.
    started = vm.ask("spawn", "log=/tmp/seeder.log", "--", SEEDER, "--real-root", "--source=config-drive", "--deadline=30s")
    time.sleep(1)
    sent = vm.ask("kill", started["pid"], 15)["boottime_usec"]
    done = vm.ask("wait", started["pid"], 5000)
    report = json.loads(vm.run(SEEDER, "--report=json")["out"])[-1]
    check(report["ended_why"] == "told to end" and done.get("code") == NOT_READY, f"{report}, {done}")
    bed.note(f"ended {(report['ended_usec'] - sent) / 1000:.1f} ms after SIGTERM")
    check(report["ended_usec"] - sent < 200_000, "SIGTERM was not obeyed at once")

    # The deadline, within milliseconds; nothing is there, so it costs nothing.
    result = run(vm, "--real-root", "--source=config-drive", "--deadline=1s", code=NOT_READY)
    late = result.run_report["ended_usec"] - result.run_report["started_usec"] - 1_000_000
    bed.note(f"ended {late / 1000:.1f} ms after the deadline")
    check(result.run_report["ended_why"] == "deadline" and 0 <= late < 100_000, f"{result.run_report}")
    check(not vm.random()["ready"], "something made the kernel ready")

    # No /proc, no /sys, a full /run, a root that cannot be written: the TPM is all that it needs.
    vm.shell("mount -o remount,ro /; busybox umount /sys; busybox mount -t tmpfs -o size=4k none /run; "
             "busybox dd if=/dev/zero of=/run/full || :")
    vm.shell("busybox umount /proc")
    done = vm.run(SEEDER, "--real-root", "--verbose", timeout=30)
    vm.shell("busybox mount -t proc proc /proc")
    bed.note(done["out"].strip()[:300])
    check(done.get("code") == READY and "tpm 64 B +512 bits" in done["out"], f"{done}")
    check_not_blocked(vm)


@vm_test()
def test_egd(bed):
    """EGD by unix socket makes the kernel ready; by tcp and vsock it is fed."""
    vm = guest(bed, load=("vsock_loopback",))
    vm.shell("busybox ifconfig lo 127.0.0.1 up")
    for address, code in (("unix:/run/egd-pool", READY), ("tcp:127.0.0.1:8888", READY), ("vsock:1:8888", READY)):
        vm.write("/etc/guest-entropy.conf", f"[egd]\naddress = {address}\ntrust = always\n", 0o644)
        vm.ask("spawn", "log=/tmp/egd.log", "--", "/usr/sbin/seed-probe", "serve", address)
        time.sleep(0.5)
        result = run(vm, "--real-root", "--source=egd", code=code)
        bed.note(f"{address}: {result.note()}")
        check(result.bits("egd") >= 256 and result.lines["egd"]["at_usec"] > 0, result.note())
        check_not_blocked(vm)


@vm_test()
def test_metadata(bed):
    """At its real address. By DMI alone: mixed. Enabled: waited for until the network comes, and credited."""
    bed.only_ours()
    server = metadata_server.Server()
    program = pathlib.Path(bed.rngd).parents[1] / "seeder/metadata/entropy-metadata"
    if not program.exists():
        raise Skip("entropy-metadata was not built")
    archive = image(bed)
    archive.program(program, network.PROGRAM)
    archive.link("bin/ip", "busybox")
    device = ("user,id=n,restrict=on,net=169.254.169.0/24,host=169.254.169.2,"
               f"guestfwd=tcp:169.254.169.254:80-cmd:busybox nc 127.0.0.1 {server.port}")
    vm = bed.linux(image=archive, memory_mb=256, modules=(), load=("virtio_pci", "virtio_net"), devices=[
        "-netdev", device, "-device", "virtio-net-pci,netdev=n,romfile=", "-smbios", "type=1,product=OpenStack Nova"])
    run(vm, "--real-root", "--deadline=500ms", code=NOT_READY)
    check(not server.requests, "asked without --source=metadata and without being enabled")
    vm.write("/etc/guest-entropy.conf", "[metadata]\nenabled = yes\n", 0o644)
    started = vm.ask("spawn", "log=/tmp/seeder.log", "--", SEEDER, "--real-root", "--deadline=40s")
    time.sleep(0.5)
    network.plug_network(vm)
    done = vm.ask("wait", started["pid"], 35000, timeout=50)
    result = Result(vm, {**done, "out": vm.read("/tmp/seeder.log", check=False), "usec": 0})
    bed.note(result.note())
    check(done.get("code") == READY and result.bits("metadata") >= 256, f"{done}, {result.note()}\n{result.out}")
    check_not_blocked(vm)
    vm.write("/etc/guest-entropy.conf", "", 0o644)
    result = run(vm, "--real-root", "--source=metadata", "--deadline=20s")
    check(result.bits() == 0 and result.lines["metadata"]["note"] == "not enabled by the administrator", result.note())


# The seed file


def make_ready(vm):
    """By the kernel's own jitter loop, which a read of /dev/random starts."""
    vm.run("/bin/busybox", "dd", "if=/dev/random", "of=/dev/null", "bs=16", "count=1", timeout=30)
    check(vm.random()["ready"], "the jitter loop did not make the kernel ready")


def saved(vm):
    """{name: digest} of the seeds in the directory"""
    out = vm.shell(f"cd {STATE}; for f in seed seed.credit; do [ ! -e $f ] || busybox sha256sum $f; done")
    return {name: digest for digest, name in (line.split() for line in out.splitlines())}


def seed_line(result):
    line = result.lines.get("seed-file", {})
    return line.get("bytes"), line.get("credited_bits"), line.get("note") or ""


@vm_test()
def test_seed_file(bed):
    """Credited once, in the next boot of the machine that saved it, and in no clone of it."""
    state = make_state(bed)
    uuid = ["-uuid", "11111111-2222-3333-4444-555555555555"]
    generation = ["-device", "vmgenid,guid=aaaaaaaa-0000-0000-0000-000000000001"]

    vm = guest(bed, state, [*uuid, *generation], load=("qemu_fw_cfg",))
    result = run(vm, "--real-root", "--deadline=500ms", code=NOT_READY)
    check("seed.credit" not in saved(vm) and "seed" in saved(vm), f"saved before the kernel was ready: {saved(vm)}")
    make_ready(vm)
    check(vm.run(SEEDER, "save")["code"] == 0 and "seed.credit" in saved(vm), f"{saved(vm)}")
    first = saved(vm)
    vm.close()
    clone = bed.directory / "clone.img"
    shutil.copy(state, clone)

    vm = guest(bed, state, [*uuid, *generation], load=("qemu_fw_cfg",))
    check(saved(vm) == first, "another seed than the one that was saved")
    result = run(vm, "--real-root")
    bed.note(f"second boot: {result.note()}")
    check(seed_line(result) == (512, SEED_BITS, ""), result.note())
    check_not_blocked(vm)
    check("seed.credit" in saved(vm) and saved(vm) != first, "no new seed at the end of the run")
    # The same kernel's own bytes are not fed back to it.
    check(seed_line(run(vm, "--real-root")) == (512, 0, "it was saved in this boot"), "credited what it knows")
    for machine_id, why in (("fedcba9876543210fedcba9876543210", "another machine saved it"), ("uninitialized", "this is the first boot")):
        check(vm.run(SEEDER, "save")["code"] == 0, "save")
        vm.shell(f"rm -r /run/guest-entropy; echo {machine_id} > /etc/machine-id")
        result = run(vm, "--real-root", "--source=seed-file")
        check(seed_line(result) == (512, 0, why), result.note())
        vm.shell("echo 0123456789abcdef0123456789abcdef > /etc/machine-id")
    vm.close()

    # The disk of a snapshot: the machine went on elsewhere, and used this seed.
    vm = guest(bed, clone, [*uuid, "-device", "vmgenid,guid=aaaaaaaa-0000-0000-0000-000000000002"], load=("qemu_fw_cfg",))
    check("seed.credit" in saved(vm), "the clone has no marked seed")
    result = run(vm, "--real-root", "--deadline=1s", code=NOT_READY)
    check(seed_line(result) == (512, 0, "this machine was cloned or restored"), result.note())
    vm.close()
    vm = guest(bed, clone, ["-uuid", "99999999-2222-3333-4444-555555555555"], load=("qemu_fw_cfg",))
    result = run(vm, "--real-root", "--deadline=1s", code=NOT_READY)
    check(seed_line(result)[:2] == (512, 0), result.note())


@vm_test()
def test_seed_file_without_generation(bed):
    """Nothing tells a disk that was set back from one that was not: mixed in, but for who knows that nobody does it."""
    state = make_state(bed)
    unknown = "no generation ID shows that this machine was not cloned or restored"
    generation = ["-device", "vmgenid,guid=aaaaaaaa-0000-0000-0000-000000000001"]
    # When it is saved; when it is loaded: the module for fw_cfg may be there in one boot and not in the next.
    for saving, loading in (([], []), (generation, []), ([], generation)):
        vm = guest(bed, state, saving, load=("qemu_fw_cfg",))
        make_ready(vm)
        check(vm.run(SEEDER, "save")["code"] == 0 and "seed.credit" in saved(vm), f"{saved(vm)}")
        vm.close()
        vm = guest(bed, state, loading, load=("qemu_fw_cfg",))
        result = run(vm, "--real-root", "--deadline=500ms", code=NOT_READY)
        check(seed_line(result) == (512, 0, unknown), result.note())
        vm.close()
    vm = guest(bed, state)
    make_ready(vm)
    check(vm.run(SEEDER, "save")["code"] == 0, "save")
    vm.close()
    vm = guest(bed, state)
    vm.write("/etc/guest-entropy.conf", "[seed-file]\ntrust = always\n", 0o644)
    check(seed_line(run(vm, "--real-root")) == (512, SEED_BITS, ""), "trust=always")


@vm_test()
def test_seed_file_in_a_snapshot(bed):
    """Memory and disk of a machine that has not used its seed yet: each clone has the seed, none credits it."""
    state = make_state(bed)

    def devices(disk, number):
        guid = f"aaaaaaaa-0000-0000-0000-{number:012}"
        return [*state_disk(disk), "-uuid", "11111111-2222-3333-4444-555555555555", "-device", f"vmgenid,guid={guid}"]

    vm = guest(bed, state, devices(state, 1)[4:], load=("qemu_fw_cfg",))
    make_ready(vm)
    check(vm.run(SEEDER, "save")["code"] == 0, "save")
    vm.close()
    vm = guest(bed, state, devices(state, 1)[4:], load=("qemu_fw_cfg",))
    first = saved(vm)
    check("seed.credit" in first, f"{first}")
    snapshot = bed.directory / "snapshot"
    vm.snapshot(snapshot)

    for number in (2, 3):
        disk = bed.directory / f"clone{number}.img"
        shutil.copy(state, disk)
        vm = bed.linux(image=image(bed), devices=devices(disk, number), load=(*sources.DRIVE, "qemu_fw_cfg"), incoming=snapshot)
        vm.wait_until(lambda vm=vm: vm.qmp("query-status")["status"] in ("paused", "running"), 30, "the snapshot is loaded")
        vm.qmp("cont")
        check(saved(vm) == first, "the clone has another seed")
        result = run(vm, "--real-root", "--source=seed-file", "--deadline=1s", code=NOT_READY)
        check(seed_line(result) == (512, 0, "this machine was cloned or restored"), result.note())
        vm.close()


@vm_test()
def test_confidential(bed):
    """The host of a confidential guest can read its disk, and hands out the credentials."""
    state = make_state(bed)
    devices = ["-device", "vmgenid,guid=aaaaaaaa-0000-0000-0000-000000000001", "-smbios",
               "type=11,value=io.systemd.credential.binary:entropy.seed=" + base64.b64encode(sources.seed("smbios", 64)).decode()]
    vm = guest(bed, state, devices, load=("qemu_fw_cfg",))
    make_ready(vm)
    check(vm.run(SEEDER, "save")["code"] == 0 and "seed.credit" in saved(vm), f"{saved(vm)}")
    vm.close()
    vm = guest(bed, state, devices, load=("qemu_fw_cfg",))
    vm.shell("busybox mknod /dev/sev-guest c 10 123")
    vm.write("/etc/guest-entropy.conf", "[seed-file]\ntrust = always\n[platform]\ntrust = always\n", 0o644)
    result = run(vm, "--real-root", "--deadline=500ms", code=NOT_READY)
    check(seed_line(result) == (512, 0, "not credited in a confidential guest"), result.note())
    check(result.lines["platform smbios"]["note"] == "not credited in a confidential guest" and not result.bits(), result.note())


# FIPS

BLOCKING = re.compile(r'getrandom\(.*, (0|GRND_RANDOM)[) ]|openat\(.*"/dev/random", O_RDONLY|openat\(.*"/dev/urandom"')


def blocking_calls(vm, *argv, timeout=40):
    """Of a program and its children: calls that wait for the kernel's RNG, or start its jitter loop."""
    strace = f"strace -f -qq -e trace=execve,getrandom,openat -o /tmp/trace {' '.join(argv)}"
    done = vm.run("/bin/busybox", "sh", "-c", strace, timeout=timeout)
    trace = vm.read("/tmp/trace")
    check("execve(" in trace, f"strace showed nothing: {done}")
    return [line for line in trace.splitlines() if BLOCKING.search(line)]


@vm_test()
def test_fips(bed):
    """FIPS mode of the kernel and of libgcrypt, whose self-test waits for the RNG: nobody starts it."""
    if not shutil.which("strace"):
        raise Skip("no strace on this machine")
    archive = image(bed)
    archive.program(shutil.which("strace"), "/usr/bin/strace")
    archive.data("etc/gcrypt/fips_enabled", "1\n")
    metadata = pathlib.Path(bed.rngd).parents[1] / "seeder/metadata/entropy-metadata"
    if metadata.exists():
        archive.program(metadata, network.PROGRAM)
    (bed.directory / "item").write_bytes(sources.seed("item", 64))
    vm = bed.linux(image=archive, memory_mb=256, append="fips=1", load=(*sources.DRIVE, "qemu_fw_cfg"),
                   devices=[*state_disk(make_state(bed)), "-fw_cfg", f"name=opt/guest-entropy/seed,file={bed.directory / 'item'}"])
    vm.shell(f"mkdir -p {STATE}; mount -t ext4 /dev/vda {STATE}; chmod 700 {STATE}")
    check(vm.read("/proc/sys/crypto/fips_enabled").strip() == "1", "this kernel has no FIPS mode")
    if metadata.exists():
        found = blocking_calls(vm, network.PROGRAM, "--url=http://127.0.0.1:9/", "--wait-route=300ms")
        check(not found, f"entropy-metadata: {found}")
    check(not vm.random()["ready"], "this guest was to be starved")
    vm.write("/etc/guest-entropy.conf", "[hwrng]\ncredit = 512\n[jitter]\nenabled = no\n", 0o644)
    found = blocking_calls(vm, SEEDER, "--real-root", "--source=platform", "--source=seed-file", "--deadline=2s")
    check(not found, f"entropy-seeder: {found}")
    result = Result(vm, {"code": READY, "out": "", "usec": 0})
    check(result.bits("platform") == 512 and vm.random()["ready"], result.note())
    found = blocking_calls(vm, "/bin/busybox", "timeout", "4", "/usr/sbin/rngd", "-f", "--verbose")
    check(not found, f"rngd: {found}")
    check(blocking_calls(vm, "/bin/busybox", "head", "-c1", "/dev/urandom"), "a read of /dev/urandom was not seen")
