# SPDX-License-Identifier: MIT
"""Every source that is not the kernel's own hwrng, each with the real thing: disks, firmware tables, a TPM, servers."""

import base64
import hashlib
import json
import pathlib
import shutil
import subprocess
import time

from harness import guest
from harness.bed import Skip, check
from harness.runner import vm_test

DRIVE = ("virtio_pci", "virtio_blk")
VERSIONS = ("2012-08-10", "2013-04-04", "2013-10-17", "2015-10-15", "2016-06-30", "2016-10-06", "2017-02-22", "2018-08-27",
            "2020-10-14", "2025-04-04", "latest")
SEEDLESS = "2012-08-10"
OPENSTACK = ["-smbios", "type=1,product=OpenStack Nova"]


def seed(name, n=512):
    return b"".join(hashlib.sha512(f"{name}:{i}".encode()).digest() for i in range((n + 63) // 64))[:n]


def image(bed):
    """The daemon's image, with the probe that stands in for the seeder."""
    archive = bed.archive()
    archive.program(pathlib.Path(bed.agent).parent / "seed-probe", "usr/sbin/seed-probe")
    return archive


def tool(*argv):
    if not shutil.which(argv[0]):
        raise Skip(f"no {argv[0]} on this machine")
    subprocess.run(argv, check=True, capture_output=True, timeout=60)


def probe(vm, source):
    """(result and text of the look, {label: bytes or error}) of a source in the guest"""
    done = vm.run("/usr/sbin/seed-probe", "seeds", source, timeout=40)
    # A library that reads /dev/urandom starts the kernel's own jitter loop, for a second.
    check(not vm.random()["ready"], "something that only reads seeds made the kernel's RNG ready")
    lines = done["out"].splitlines()
    check(done.get("code") == 0 and lines and lines[0].startswith("look "), f"the probe failed: {done}")
    seeds = {}
    for line in lines[1:]:
        kind, label, value = line.split(" ")
        check(label not in seeds, f"two seeds of one name: {label}")
        seeds[label] = bytes.fromhex(value) if kind == "seed" else int(value)
    return lines[0], seeds


# Config drive


def drive_directory(bed):
    """As nova lays it out, and what a tenant or an enemy may add."""
    directory = bed.directory / "drive"
    for version in VERSIONS:
        (directory / "openstack" / version).mkdir(parents=True)
        text = base64.b64encode(seed(version)).decode()
        document = {"uuid": "1", "meta": {"random_seed": base64.b64encode(seed("tenant")).decode()}}
        if version != SEEDLESS:
            document["random_seed"] = text + ("\n" if version == "2018-08-27" else "")
        (directory / "openstack" / version / "meta_data.json").write_text(json.dumps(document), encoding="utf-8")
    (directory / "openstack" / "content").mkdir()
    (directory / "openstack" / "content" / "0000").write_text("hello", encoding="utf-8")
    return directory


def make_iso(bed, label="config-2"):
    file = bed.directory / f"{label}.iso"
    directory = drive_directory(bed)
    # Rock Ridge keeps a link; nova makes none, so it is somebody else's and must not be followed.
    (directory / "openstack" / "evil").mkdir()
    (directory / "openstack" / "evil" / "meta_data.json").symlink_to("/etc/secret.json")
    tool("genisoimage", "-J", "-r", "-ldots", "-allow-lowercase", "-allow-multidot", "-l", "-V", label, "-o", str(file), str(directory))
    return file


def make_vfat(bed, label="config-2"):
    file = bed.directory / "vfat.img"
    file.write_bytes(b"")
    with file.open("r+b") as disk:
        disk.truncate(64 << 20)
    tool("mkfs.vfat", "-n", label, str(file))
    tool("mcopy", "-s", "-i", str(file), str(drive_directory(bed) / "openstack"), "::/")
    return file


def disk(file, name):
    return ["-drive", f"if=none,id={name},file={file},format=raw,readonly=on", "-device", f"virtio-blk-pci,drive={name}"]


def check_drive(seeds, where):
    expected = {f"{where}:{v}": seed(v) for v in VERSIONS if v != SEEDLESS}
    wrong = {label for label in {*seeds, *expected} if seeds.get(label) != expected.get(label)}
    check(not wrong, f"wrong or missing: {sorted(wrong)}; found {sorted(seeds)}")


def mounts(vm):
    return vm.read("/proc/self/mountinfo")


@vm_test()
def test_config_drive_iso(bed):
    """The second of two disks, found by its own label: ten different seeds, and no mount to be seen after it."""
    blank = bed.directory / "blank.img"
    blank.write_bytes(bytes(1 << 20))
    vm = bed.linux(image=image(bed), devices=disk(blank, "d0") + disk(make_iso(bed), "d1") + OPENSTACK, load=(*DRIVE, "isofs"))
    secret = base64.b64encode(seed("secret")).decode()
    vm.write("/etc/secret.json", json.dumps({"random_seed": secret}))
    before = mounts(vm)
    said, seeds = probe(vm, "config-drive")
    bed.note(said)
    check_drive(seeds, "vdb")
    check("static-host" in said, f"its class: {said}")
    check(mounts(vm) == before, "the drive is still mounted, or was seen outside")
    check(probe(vm, "config-drive")[1] == seeds, "a second look found something else")


@vm_test()
def test_config_drive_vfat(bed):
    vm = bed.linux(image=image(bed), devices=disk(make_vfat(bed, "CONFIG-2"), "d0") + OPENSTACK,
                   load=(*DRIVE, "vfat", "nls_cp437", "nls_ascii"))
    said, seeds = probe(vm, "config-drive")
    bed.note(said)
    check_drive(seeds, "vda")


@vm_test()
def test_config_drive_by_udev(bed):
    """Where udev was, only the disk that it names is looked at; another label is no config drive."""
    vm = bed.linux(image=image(bed), devices=disk(make_iso(bed), "d0") + OPENSTACK, load=(*DRIVE, "isofs"))
    vm.shell("mkdir -p /run/udev/data; : > /run/udev/data/b$(cat /sys/class/block/vda/dev)")
    said, seeds = probe(vm, "config-drive")
    check(said.startswith("look -2 ") and seeds == {"-": -2}, f"udev said it is none, but: {said}, {sorted(seeds)}")
    vm.shell("echo E:ID_FS_LABEL=config-2 > /run/udev/data/b$(cat /sys/class/block/vda/dev)")
    said, seeds = probe(vm, "config-drive")
    check(said.startswith("look 0 "), said)
    check_drive(seeds, "vda")


@vm_test()
def test_not_a_config_drive(bed):
    vm = bed.linux(image=image(bed), devices=disk(make_iso(bed, "cidata"), "d0") + OPENSTACK, load=(*DRIVE, "isofs"))
    said, seeds = probe(vm, "config-drive")
    check(not [s for s in seeds.values() if isinstance(s, bytes)], f"seeds from another disk: {said}, {sorted(seeds)}")


# Firmware


@vm_test()
def test_platform(bed):
    """SMBIOS strings, fw_cfg items, OEM0 and credentials, each by its own name."""
    for name in ("item", "credential"):
        (bed.directory / name).write_bytes(seed(name, 64))
    (bed.directory / "oem0").write_bytes(seed("oem0", 64))
    binary = "io.systemd.credential.binary:entropy.seed="
    text = "io.systemd.credential:entropy.seed="
    vm = bed.linux(image=image(bed), load=("qemu_fw_cfg",), devices=[
        "-smbios", f"type=11,value={binary}{base64.b64encode(seed('smbios', 64)).decode()},value={text}{seed('text', 32).hex()}",
        "-fw_cfg", f"name=opt/guest-entropy/seed,file={bed.directory / 'item'}",
        "-fw_cfg", f"name=opt/io.systemd.credentials/entropy.seed,file={bed.directory / 'credential'}",
        "-acpitable", f"sig=OEM0,oem_id=VRTUAL,oem_table_id=MICROSFT,data={bed.directory / 'oem0'}"])
    vm.shell("mkdir -p /run/credentials/@system; head -c 64 /proc/version > /run/credentials/@system/entropy.seed")
    said, seeds = probe(vm, "platform")
    bed.note(said)
    check(said.startswith("look 0 static-host"), said)
    expected = {"smbios": seed("smbios", 64), "smbios-2": seed("text", 32).hex().encode(), "fw_cfg": seed("item", 64),
                "fw_cfg-credential": seed("credential", 64), "acpi-oem0": seed("oem0", 64)}
    for label, value in expected.items():
        check(seeds.get(label) == value, f"{label}: {seeds.get(label)!r}; found {sorted(seeds)}")
    check(len(seeds.get("system-credential", b"")) == 64 and len(seeds) == 6, f"found {sorted(seeds)}")


@vm_test()
def test_platform_without_seeds(bed):
    """Another hypervisor's OEM0, a header alone, and no other place: nothing is found, nothing fails."""
    empty = bed.directory / "empty"
    empty.write_bytes(b"")
    vm = bed.linux(image=image(bed), modules=(), devices=[
        "-smbios", "type=11,value=hello",
        "-acpitable", f"sig=OEM0,oem_id=VRTUAL,oem_table_id=MICROSFT,data={empty}"])
    said, seeds = probe(vm, "platform")
    bed.note(said)
    check(not seeds, f"found {seeds}")


# TPM


def start_swtpm(bed):
    if not shutil.which("swtpm"):
        raise Skip("no swtpm on this machine")
    state = bed.directory / "tpm"
    state.mkdir()
    process = guest.start_process(
        ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--ctrl", f"type=unixio,path={bed.directory / 'swtpm'}"],
        open(bed.directory / "swtpm.log", "wb"))
    end = time.monotonic() + 10
    while not (bed.directory / "swtpm").exists():
        check(process.poll() is None and time.monotonic() < end, "swtpm did not start")
        time.sleep(0.02)
    return ["-chardev", f"socket,id=tpmchr,path={bed.directory / 'swtpm'}", "-tpmdev", "emulator,id=tpm0,chardev=tpmchr",
            "-device", "tpm-tis,tpmdev=tpm0"]


@vm_test()
def test_tpm(bed):
    """A kernel that makes no hwrng of its TPM: rngd asks the TPM itself, and the kernel is ready."""
    bed.only_ours()
    vm = bed.linux(modules=(), devices=start_swtpm(bed))
    check(not vm.random()["ready"], "this guest was to be starved")
    daemon = bed.start(vm, trace=True)
    vm.wait_until(lambda: vm.random()["ready"], 10, "the kernel is ready\n" + daemon.log())
    source = daemon.source("tpm")
    bed.note(f"{source['detail']}: {source['credited_bits']} bits, {source['rate_bytes_per_sec']} B/s")
    check(source["class"] == "local-hardware" and source["credited_bits"] >= 256, f"{source}")
    check(source["detail"] == "/dev/tpmrm0", f"{source}")
    check(all(len(set(c["bytes"])) > 16 for c in daemon.credited()), "what it fed does not look random")
    daemon.stop()
    daemon = bed.start(vm, "-x", "tpm")
    check(daemon.source("tpm")["state"] == "disabled", f"-x tpm: {daemon.source('tpm')}")


# EGD


def start_server(vm, address):
    vm.ask("spawn", "log=/tmp/egd.log", "--", "/usr/sbin/seed-probe", "serve", address)


def check_egd(bed, vm, address):
    check(not vm.random()["ready"], "this guest was to be starved")
    # First nobody listens: a back-off, not an end.
    daemon = bed.start(vm, config=f"[egd]\naddress = {address}\n", trace=True)
    daemon.wait_status(lambda s: daemon.source("egd")["failures"] > 0, 5, "the first try failed")
    start_server(vm, address)
    vm.wait_until(lambda: vm.random()["ready"], 15, "the kernel is ready\n" + daemon.log())
    source = daemon.source("egd")
    bed.note(f"{source['detail']}: {source['credited_bits']} bits after {source['failures']} failures")
    check(source["class"] == "live-network" and source["credited_bits"] >= 256, f"{source}")
    return daemon


@vm_test()
def test_egd_unix(bed):
    bed.only_ours()
    check_egd(bed, bed.linux(image=image(bed), modules=()), "unix:/run/egd-pool")


@vm_test()
def test_egd_tcp(bed):
    bed.only_ours()
    vm = bed.linux(image=image(bed), modules=())
    vm.shell("busybox ifconfig lo 127.0.0.1 up")
    check_egd(bed, vm, "tcp:127.0.0.1:8888")


@vm_test()
def test_egd_vsock(bed):
    """Within the guest: CID 1 is the guest itself."""
    bed.only_ours()
    vm = bed.linux(image=image(bed), load=("vsock_loopback",))
    check_egd(bed, vm, "vsock:1:8888")


@vm_test()
def test_egd_ends_while_in_use(bed):
    """The server goes away and comes back: said, and asked again."""
    bed.only_ours()
    vm = bed.linux(image=image(bed), modules=())
    daemon = check_egd(bed, vm, "unix:/run/egd-pool")
    batches = daemon.source("egd")["batches"]
    vm.shell("kill $(busybox pidof seed-probe); rm /run/egd-pool")
    daemon.signal(10)
    daemon.wait_status(lambda s: daemon.source("egd")["last_error"], 5, "the status says why")
    bed.note(daemon.source("egd")["last_error"])
    start_server(vm, "unix:/run/egd-pool")
    daemon.wait_status(lambda s: daemon.source("egd")["batches"] > batches, 20, "asked again\n" + daemon.log())


# Jitter


# jitterentropy_rng asks for sha3 when it is loaded, which modules.dep does not tell.
JITTER = ("sha3_generic", "af_alg", "algif_rng", "jitterentropy_rng")


def stays_asleep(daemon):
    time.sleep(1)
    switches = daemon.switches()
    time.sleep(5)
    check(daemon.switches() == switches, "it woke after that")


@vm_test()
def test_jitter(bed):
    """The last resort: asked where nothing else is, and enough for the kernel to be ready."""
    bed.only_ours()
    vm = bed.linux(load=JITTER)
    check(not vm.random()["ready"], "this guest was to be starved")
    daemon = bed.start(vm, trace=True)
    vm.wait_until(lambda: vm.random()["ready"], 20, "the kernel is ready\n" + daemon.log())
    source = daemon.source("jitter")
    bed.note(f"{source['credited_bits']} bits, {source['rate_bytes_per_sec']} B/s")
    check(source["class"] == "local-software" and source["credited_bits"] >= 256, f"{source}")
    check(all(len(set(c["bytes"])) > 16 for c in daemon.credited()), "what it fed does not look random")
    stays_asleep(daemon)


@vm_test()
def test_jitter_is_not_offered(bed):
    """AF_ALG without the algorithm: absent, and not asked again and again."""
    bed.only_ours()
    vm = bed.linux(load=("af_alg", "algif_rng"))
    daemon = bed.start(vm)
    # Not at once: this kernel makes jitter itself, for whoever waits.
    daemon.wait_status(lambda s: daemon.source("jitter")["last_error"], 25, "jitter was asked")
    source = daemon.source("jitter")
    bed.note(source["last_error"])
    check(source["state"] == "absent" and source["failures"] == 1 and source["batches"] == 0, f"{source}")
    check("no source" in daemon.status()["status"], daemon.status()["status"])
    for _ in range(3):
        vm.shell("echo change >/sys/devices/platform/serial8250/uevent; sleep 0.3")
        check(daemon.source("jitter")["state"] == "absent", "a plug event of something else brought it back")
    check(daemon.source("jitter")["failures"] == 1, f"asked again at a plug event: {daemon.source('jitter')}")
    stays_asleep(daemon)


@vm_test()
def test_jitter_is_the_last(bed):
    """With a source that can be credited jitter is left alone; when that one fails, it is not."""
    bed.only_ours()
    vm = bed.linux(image=image(bed), load=JITTER)
    start_server(vm, "unix:/run/egd-pool")
    daemon = bed.start(vm, config="[egd]\naddress = unix:/run/egd-pool\ntrust = always\n")
    vm.wait_until(lambda: vm.random()["ready"], 10, "the kernel is ready\n" + daemon.log())
    daemon.signal(10)
    daemon.wait_status(lambda s: daemon.source("egd")["batches"] > 1, 5, "fed again")
    source = daemon.source("jitter")
    check(source["batches"] == 0 and source["failures"] == 0 and source["state"] == "idle", f"{source}")
    vm.shell("kill $(busybox pidof seed-probe); rm /run/egd-pool")
    daemon.signal(10)
    daemon.wait_status(lambda s: daemon.source("jitter")["batches"] > 0, 15, "jitter was asked at last\n" + daemon.log())
