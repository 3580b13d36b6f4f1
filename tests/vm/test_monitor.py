# SPDX-License-Identifier: MIT
"""entropy-monitor as the first process of a guest: the boot goes on as without it, and is recorded."""

import json
import pathlib
import re

from harness.bed import check
from harness.guest import GuestError
from harness.qemu import COUNT_INSTRUCTIONS
from harness.runner import vm_test

from test_systemd import GUIDS, systemd_image

MONITOR = "/usr/bin/entropy-monitor"
RECORDING = "/run/guest-entropy/boot.json"


def monitor_image(bed):
    """The agent is the real init; the monitor is to be put before it with rdinit=."""
    image = bed.archive()
    image.program(pathlib.Path(bed.agent).parents[2] / "monitor/entropy-monitor", MONITOR)
    return image


def finish(vm, faults=0):
    done = vm.run(MONITOR, "finish", timeout=40)
    check(done.get("code") == 0, f"finish: {done}")
    recording = json.loads(vm.read(RECORDING))
    check(recording["monitor"]["page_faults"] <= faults, f"{recording['monitor']['page_faults']} page faults while sampling")
    return recording


def kinds(recording):
    return [event["kind"] for event in recording["events"]]


def ready_times(recording):
    """By poll() and by the kernel's log."""
    log = [e["at_usec"] for e in recording["events"] if e["kind"] == "log-ready"]
    return recording["rng"]["ready_usec"], log[0] if log else None


@vm_test()
def test_first_process(bed):
    """rdinit=: the real init is PID 1, and the RNG is recorded as ready when the kernel's log says so."""
    vm = bed.linux(image=monitor_image(bed), init=MONITOR, devices=["-device", "virtio-rng-pci", *COUNT_INSTRUCTIONS])
    check(vm.ask("ping")["pid"] == 1, "the real init is not PID 1")
    vm.load("virtio_pci")
    vm.load("virtio_rng")
    vm.wait_until(lambda: vm.random()["ready"], 10, "the RNG is ready")
    recording = finish(vm)
    polled, logged = ready_times(recording)
    started = {e["kind"]: e["at_usec"] for e in reversed(recording["events"])}
    bed.note(f"ready {polled} us by poll(), {logged} us by the kernel's log; sampling began"
             f" {started['monitor-started'] - started['init-started']} us after the kernel ran it")
    check(polled and logged and abs(polled - logged) <= 2000, f"ready at {polled}, but {logged} by the kernel's log")
    check(recording["first_process"] and recording["end"] == "boot", f"{recording['end']}")
    check(recording["rng"]["hwrng"] == "virtio_rng.0", "the hwrng was not seen to come")
    check(set(kinds(recording)) >= {"hwrng", "ready", "log-ready", "boot-finished"}, f"events: {kinds(recording)}")


@vm_test()
def test_init_is_executed_at_once(bed):
    """What the monitor costs a boot's init: the time from the kernel's line to the init's own, with it and without."""
    def start(first, append=""):
        image = monitor_image(bed)
        image.file(bed.agent, "sbin/agent", 0o755)
        image.data("init", """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs none /dev
echo this is init >/dev/kmsg
exec /sbin/agent /dev/ttyS1
""", 0o755)
        vm = bed.linux(image=image, init=first, modules=(), devices=COUNT_INSTRUCTIONS, append=append)
        at = {what: int(second) * 1000000 + int(part) for second, part, what in re.findall(
            r"\[ *(\d+)\.(\d{6})\] (?:Run \S+ as )?(init process|this is init)", vm.shell("busybox dmesg"))}
        vm.close()
        return at["this is init"] - at["init process"]

    plain = start("/init")
    delays = [start(MONITOR, append) - plain for append in ("", "entropy.monitor=interval=1ms")]
    bed.note(f"init ran {delays} us later than without the monitor")
    # It is executed after 2 ms. What it does first may come behind the sampler's first turn, which is a tick of 4 ms.
    check(all(0 < delay <= 7000 for delay in delays), f"init ran {delays} us later")


@vm_test()
def test_blocked(bed):
    """A starved guest: who waits in getrandom() is named, and the recording shows the jitter loop that ends it."""
    vm = bed.linux(image=monitor_image(bed), init=MONITOR)
    spawned = []
    for n in range(3):
        dd = ("/bin/dd", "if=/dev/random", "of=/dev/null", "bs=16", "count=1")
        spawned.append(vm.ask("spawn", f"log=/tmp/dd{n}", "--", *dd)["boottime_usec"])
        vm.shell("sleep 0.1")
    vm.wait_until(lambda: vm.random()["ready"], 20, "the jitter loop made the RNG ready")
    vm.shell("sleep 0.2")
    recording = finish(vm)
    waits = sorted((w for w in recording["blocked"] if w["name"] == "dd"), key=lambda w: w["from_usec"])
    ready = recording["rng"]["ready_usec"]
    bed.note(f"spawned {[ready - at for at in spawned]} us before it was ready, seen to wait from"
             f" {[ready - w['from_usec'] for w in waits]} us before")
    # How long the kernel's loop takes is the machine's affair: it may have ended before the last one came.
    before = [at for at in spawned if at < ready - 200_000]
    check(before and len(before) <= len(waits) <= 3, f"seen to wait: {recording['blocked']}, ready at {ready}")
    check(any(w["jitter"] for w in waits), "the jitter loop was not seen")
    for wait, at in zip(waits, spawned):
        check(0 <= wait["from_usec"] - at <= 300_000, f"spawned at {at}, seen to wait from {wait['from_usec']}")
        check(not wait["open"] and 0 <= ready - wait["to_usec"] <= 50_000, f"{wait} although ready at {ready}")


@vm_test()
def test_missing_init(bed):
    """entropy.init= names nothing: the boot goes on with the next one, and the kernel's log says why."""
    vm = bed.linux(image=monitor_image(bed), init=MONITOR, append="entropy.init=/no/such entropy.monitor=interval=1ms")
    check(vm.ask("ping")["pid"] == 1, "the real init is not PID 1")
    recording = finish(vm)
    check(recording["samples"]["interval_usec"] == 1000, "the command line's interval was not taken")


@vm_test()
def test_nothing_mounted_anywhere(bed):
    """The sampler leaves no mount behind, and none of its own is seen by others; /proc is not there when it starts."""
    vm = bed.linux(image=monitor_image(bed), init=MONITOR)
    plain = bed.linux(image=monitor_image(bed))
    ours, theirs = vm.read("/proc/mounts").splitlines(), plain.read("/proc/mounts").splitlines()
    check(ours == theirs, f"mounts differ: {ours} {theirs}")
    for line in vm.shell("for p in /proc/[0-9]*; do echo $p $(cat $p/cmdline 2>/dev/null | tr '\\0' ' '); done").splitlines():
        if "@usr/bin/entropy-monitor" in line:
            pid = line.split()[0].rpartition("/")[2]
            break
    else:
        raise AssertionError("no process with the name that systemd spares")
    kept = vm.shell(f"ls -l /proc/{pid}/fd /proc/{pid}/cwd /proc/{pid}/root | sed -n 's/.* -> //p'").splitlines()
    below = [path for path in kept if path.startswith("/") and not path.startswith(("/dev/", "/sys/kernel/random/", "/stat",
                                                                                    "/random", "/kmsg", "/null")) and path != "/"]
    check(not below, f"kept open: {below}")
    check(finish(vm)["samples"]["taken"] > 10, "nothing was sampled")


@vm_test()
def test_killed_at_any_moment(bed):
    """SIGKILL or SIGSTOP to the sampler: the boot is unharmed, and finish says that there is no recording."""
    vm = bed.linux(image=monitor_image(bed), init=MONITOR)
    # Only the sampler's process has this name; PID 1 became init.
    vm.shell("kill -9 $(grep -l '^entropy-monitor$' /proc/[0-9]*/comm | cut -d/ -f3)")
    check(vm.ask("ping")["pid"] == 1, "init is gone")
    vm.wait_until(lambda: vm.run(MONITOR, "finish").get("code") == 69, 5, "finish says that no sampler runs")
    check(vm.read(RECORDING, check=False) is None, "a killed sampler left a recording")


@vm_test()
def test_killed_in_front_of_each_call(bed):
    """The sampler dies at one moment after the other: init is PID 1 and alone, and below /run is a whole recording or none."""
    image = monitor_image(bed)
    image.file(pathlib.Path(bed.agent).parent / "kill-probe", "usr/sbin/kill-probe", 0o755)
    vm = bed.linux(image=image, append="entropy.monitor=duration=20ms")
    done = vm.run("/usr/sbin/kill-probe", MONITOR, "10", "20", timeout=100)
    bed.note(f"{done['out'].strip()}, in {done['usec'] / 1e6:.0f} s")
    check(done.get("code") == 0, f"{done}")
    check("killed in front of" in done["out"], f"{done}")
    check(not vm.shell("ls /run/guest-entropy 2>/dev/null || :"), "something was written outside of the namespace")


@vm_test()
def test_read_only(bed):
    """Where nothing can be written, the boot goes on, and the recording appears as soon as it can."""
    image = monitor_image(bed)
    vm = bed.linux(image=image, init=MONITOR, append="entropy.monitor=duration=1s")
    vm.shell("mount -t tmpfs -o ro none /run")
    vm.shell("sleep 2")
    check(vm.read(RECORDING, check=False) is None, "written to a read-only directory")
    vm.shell("mount -o remount,rw /run")
    vm.wait_until(lambda: vm.read(RECORDING, check=False), 5, "written as soon as /run is writable")
    check(json.loads(vm.read(RECORDING))["end"] == "duration", "it did not end by its duration")


@vm_test()
def test_off(bed):
    vm = bed.linux(image=monitor_image(bed), init=MONITOR, append="entropy.monitor=off")
    check(vm.run(MONITOR, "finish").get("code") == 69, "it samples although it is off")


@vm_test()
def test_no_init_at_all(bed):
    """The kernel panics as it does without a monitor, and its log says that no init was found."""
    image = monitor_image(bed)
    image.file(bed.agent, "sbin/agent", 0o755)
    del image.entries["init"], image.entries["bin/sh"]
    try:
        vm = bed.linux(image=image, init=MONITOR)
        vm.close()
        raise AssertionError("it booted without an init")
    except GuestError as e:
        text = str(e)
    console = "".join(p.read_text(errors="replace") for p in bed.directory.glob("guest*/console.log"))
    check("found no init" in console or "Attempted to kill init" in console, text + console[-500:])


@vm_test()
def test_switch_root(bed):
    """rdinit= in an initramfs that switches to another root: the sampler goes on and writes there."""
    image = monitor_image(bed)
    image.file(bed.agent, "sbin/agent", 0o755)
    image.data("init", """#!/bin/busybox sh
busybox mkdir -p /new
busybox mount -t tmpfs none /new
busybox mkdir -p /new/run /new/proc /new/sys /new/dev /new/tmp /new/sbin /new/bin /new/usr/bin /new/lib64 /new/lib
busybox cp -a /bin/. /new/bin/
busybox cp -a /lib/. /new/lib/
busybox cp -a /lib64/. /new/lib64/
busybox cp -a /usr/. /new/usr/
busybox cp /sbin/agent /new/sbin/agent
exec busybox switch_root /new /sbin/agent /dev/ttyS1
""", 0o755)
    vm = bed.linux(image=image, init=MONITOR, memory_mb=256)
    check(vm.ask("ping")["pid"] == 1, "the real init is not PID 1")
    recording = finish(vm)
    check("switch-root" in kinds(recording), f"events: {kinds(recording)}")
    check(recording["first_process"] and recording["end"] == "boot", "another recording")
    check(not vm.read("/proc/1/root/new", check=False), "the old root is still there")


@vm_test()
def test_systemd(bed):
    """init= of a guest with systemd: systemd is PID 1, no unit fails, and its unit ends the recording."""
    image = systemd_image(bed)
    image.program(pathlib.Path(bed.agent).parents[2] / "monitor/entropy-monitor", MONITOR)
    text = (pathlib.Path(bed.agent).parents[2] / "units/entropy-monitor-finish.service").read_text()
    check("ExecStart=/usr/bin/entropy-monitor finish --wait=5min\n" in text, "the unit is not built")
    image.data("etc/systemd/system/entropy-monitor-finish.service", text)
    image.data("etc/systemd/system/multi-user.target", "[Unit]\nWants=agent.service entropy-monitor-finish.service\n")
    image.data("etc/systemd/system/default.target", "[Unit]\nRequires=multi-user.target\nAfter=multi-user.target\n")
    image.link("sbin/init", "/lib/systemd/systemd")
    vm = bed.linux(kernel="generic-6.1", cpu="max", memory_mb=256, image=image, init=MONITOR)
    check(vm.read("/proc/1/comm").strip() == "systemd", "systemd is not PID 1")
    vm.wait_until(lambda: vm.read(RECORDING, check=False), 20, "the unit ends the recording")
    recording = json.loads(vm.read(RECORDING))
    check(recording["end"] == "boot" and recording["first_process"], f"{recording['end']}")
    failed = vm.run("/bin/systemctl", "--failed", "--no-legend", "--plain")["out"].split()
    check("entropy-monitor-finish.service" not in failed, f"failed: {failed}")
    finished = [e for e in recording["events"] if e["kind"] == "boot-finished"]
    own = int(vm.run("/bin/systemctl", "show", "--property=FinishTimestampMonotonic")["out"].strip().rpartition("=")[2])
    check(len(finished) == 1 and finished[0]["text"] == "systemd" and abs(finished[0]["at_usec"] - own) <= 1,
          f"systemd was finished at {own}, recorded: {finished}")
    bed.note(f"finished at {own} us, the recording ended {recording['ended_usec'] - own} us later")
    bed.note(f"{len(recording['events'])} events, {sum(recording['starts']['execs'])} starts, failed units: {failed}")


@vm_test()
def test_clone_and_disk(bed):
    """The recording goes on in the clone of a snapshot, with the fork in it, and a disk that is plugged in later."""
    port = ["-device", "pcie-root-port,id=port0,chassis=1,slot=1"]
    options = {"kernel": "generic-6.1", "cpu": "max", "modules": ("virtio_pci", "virtio_blk"), "image": monitor_image(bed), "init": MONITOR}
    vm = bed.linux(devices=[*port, "-device", f"vmgenid,guid={GUIDS[0]},id=vmgenid0"], load=("virtio_pci", "virtio_blk"), **options)
    at = vm.boottime_usec()
    vm.snapshot(bed.directory / "snapshot")
    clone = bed.linux(devices=[*port, "-device", f"vmgenid,guid={GUIDS[1]},id=vmgenid0"], incoming=bed.directory / "snapshot", **options)
    clone.wait_until(lambda: clone.qmp("query-status")["status"] in ("paused", "running"), 30, "the snapshot is loaded")
    clone.qmp("cont")
    disk = bed.directory / "disk"
    disk.write_bytes(bytes(1 << 20))
    clone.wait_until(lambda: any("virtual machine fork" in str(line) for line in clone.kmsg()), 10, "the kernel tells of the fork")
    clone.qmp("blockdev-add", driver="raw", **{"node-name": "late", "file": {"driver": "file", "filename": str(disk)}})
    plugged = clone.boottime_usec()
    clone.qmp("device_add", driver="virtio-blk-pci", id="late", drive="late", bus="port0")
    clone.wait_until(lambda: "vda" in clone.shell("ls /sys/block"), 10, "the disk is there")
    clone.shell("sleep 0.2")
    recording = finish(clone)
    forks = [e["at_usec"] for e in recording["events"] if e["kind"] == "vm-fork"]
    disks = [(e["at_usec"], e["text"]) for e in recording["events"] if e["kind"] == "block-device"]
    check(len(forks) == 1 and at <= forks[0] <= plugged + 20_000, f"snapshot at {at}, forks {forks}, disk plugged at {plugged}")
    check([name for _, name in disks] == ["vda"] and plugged <= disks[0][0], f"plugged at {plugged}, events {disks}")
    bed.note(f"fork seen {forks[0] - at} us after the snapshot, disk {disks[0][0] - plugged} us after it was plugged")
    page = clone.run(MONITOR, "report")["out"]
    check("\nVM forks          1\n" in page, page)
    picture = clone.run(MONITOR, "plot")["out"]
    check("VM fork<" in picture and "disk vda<" in picture, picture[-2000:])


@vm_test()
def test_counting_kernel(bed):
    """UML 5.10.46, where a read of /dev/urandom comes too early, and a daemon moves the threshold."""
    vm = bed.uml(monitor_image(bed), append=f"rdinit={MONITOR}")
    check(vm.ask("ping")["pid"] == 1, "the real init is not PID 1")
    vm.run("/bin/sleep", "0.5")  # the sampler takes its memory after the init's exec
    vm.write("/sys/module/rng_core/parameters/current_quality", "0")
    vm.run("/bin/dd", "if=/dev/urandom", "of=/dev/null", "bs=16", "count=1")
    vm.ask("ioctl", "add", 512, 4096)
    vm.write("/proc/sys/kernel/random/write_wakeup_threshold", "2048")
    vm.run("/bin/sleep", "2")
    vm.ask("ioctl", "zap")
    vm.run("/bin/sleep", "0.2")
    # UML has no page table that hardware marks: a page that it took for old is a fault, though nothing is missing.
    recording = finish(vm, faults=10)
    events = [(e["kind"], e["text"]) for e in recording["events"]]
    check(("uninitialized-read", "dd") in events, f"the early read was not seen: {events}")
    check(("threshold", "2048") in events, f"the new threshold was not seen: {events}")
    check(recording["rng"]["ready_usec"], "ready was not seen")
    check(recording["rng"]["pool_bits"] == 4096, "another kernel")
    levels = recording["samples"]["minimum_bits"]
    check(max(levels) > 1000 and levels[-1] < 500, f"levels up to {max(levels)}, {levels[-1]} at the end")
