# SPDX-License-Identifier: MIT
"""A hwrng that goes and comes: by QMP behind a PCIe port, and by its driver; with udevd and without."""

import time

from harness import archive
from harness.bed import Skip, check
from harness.runner import vm_test

PORT = ["-device", "pcie-root-port,id=port0,chassis=1,slot=1"]


def plug(vm, server, ident="rng0"):
    vm.qmp("device_add", driver="virtio-rng-pci", id=f"dev-{ident}", rng=ident, bus="port0")


def unplug(vm, ident="rng0"):
    # A port whose slot is still powering up refuses, as on real hardware.
    deadline = time.monotonic() + 10
    while True:
        try:
            vm.qmp("device_del", id=f"dev-{ident}")
            vm.qmp.wait_event("DEVICE_DELETED", 15)
            return
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


def unplug_and_plug(bed, vm, server, daemon):
    daemon.wait_status(lambda s: s["last_feed"], 5, "a first feed")
    pid, before = daemon.pid, daemon.status()
    unplug(vm)
    gone = daemon.wait_status(lambda s: s["sources"][0]["state"] == "absent", 5, "the status says that it is gone")
    bed.note(f"after unplugging: {gone['sources'][0]['last_error']}")
    check(daemon.alive(), "rngd ended when its device went")
    switches = daemon.switches()
    time.sleep(3)
    woken = daemon.switches() - switches
    check(woken <= 1, f"{woken} context switches in 3 s without a device")
    position, at = server.position(), vm.boottime_usec()
    plug(vm, server)
    vm.wait_until(lambda: daemon.feeds(at), 8, "a feed from the new device")
    after = daemon.wait_status(lambda s: s["wakes"]["plug"] > before["wakes"]["plug"], 3, "the wake is counted")
    check(after["pid"] == pid, "another process")
    check(after["sources"][0]["state"] == "idle", f"{after['sources'][0]}")
    check(server.position() > position, "nothing was asked from the new device")
    bed.note(f"fed {(daemon.feeds(at)[0]['boottime_usec'] - at) / 1000:.0f} ms after device_add began")


@vm_test()
def test_unplug_without_udevd(bed):
    """Only the kernel's own uevents: nothing else runs in this guest."""
    bed.only_ours()
    server = bed.server()
    vm = bed.linux(devices=[*PORT, *server.device(bus="port0")], load=["virtio_pci", "virtio_rng"])
    unplug_and_plug(bed, vm, server, bed.start(vm, trace=True))


@vm_test()
def test_unplug_with_udevd(bed):
    """The same beside a running systemd-udevd, which repeats the uevents to its own group."""
    bed.only_ours()
    udevadm = bed.kernel("udev") / "bin/udevadm"
    # udevd and udevadm are one program. Its libraries are this machine's: another release has other ones.
    if missing := archive.libraries_missing(str(udevadm)):
        raise Skip(f"Debian 12's udevd needs {missing[0]}")
    image = bed.archive()
    image.program(udevadm, "usr/bin/systemd-udevd")
    image.directory("etc/udev/rules.d")
    server = bed.server()
    vm = bed.linux(image=image, devices=[*PORT, *server.device(bus="port0")], load=["virtio_pci", "virtio_rng"])
    vm.ask("spawn", "log=/tmp/udevd.log", "--", "/usr/bin/systemd-udevd")
    vm.wait_until(lambda: "control" in vm.run("/bin/ls", "/run/udev")["out"], 5, "udevd runs")
    unplug_and_plug(bed, vm, server, bed.start(vm, trace=True))


@vm_test()
def test_driver_unloaded(bed):
    """rmmod and insmod of virtio_rng, while a worker is blocked in a read."""
    bed.only_ours()
    server = bed.server()
    vm = bed.linux(devices=server.device(), load=["virtio_pci", "virtio_rng"])
    daemon = bed.start(vm, trace=True)
    daemon.wait_status(lambda s: s["last_feed"], 5, "a first feed")
    server.serve_only(0)
    # Two, so that what the driver holds ready is used up and the second read blocks.
    for _ in range(2):
        daemon.signal(10)
        time.sleep(0.3)
    daemon.wait_status(lambda s: s["sources"][0]["state"] in ("asked", "waiting"), 5, "a worker is blocked")
    vm.ask("rmmod", "virtio_rng", timeout=30)
    daemon.wait_status(lambda s: s["sources"][0]["state"] == "absent", 5, "the status says that it is gone")
    server.allow()
    at = vm.boottime_usec()
    vm.load("virtio_rng")
    vm.wait_until(lambda: daemon.feeds(at), 8, "a feed from the device")
    check(daemon.source("hwrng")["state"] == "idle", f"{daemon.source('hwrng')}")
    bed.note(f"fed {(daemon.feeds(at)[0]['boottime_usec'] - at) / 1000:.0f} ms after the driver came back")


@vm_test()
def test_current_rng_none(bed):
    """A device that is there from the start, and no rng behind /dev/hwrng: a state, not a failure."""
    bed.only_ours()
    vm = bed.linux(modules=("virtio_pci", "virtio_rng"), load=["virtio_pci", "virtio_rng"])
    check("none" in vm.read("/sys/class/misc/hw_random/rng_current"), "there is a hwrng")
    daemon = bed.start(vm)
    check(daemon.source("hwrng")["state"] == "absent", f"{daemon.source('hwrng')}")
    check(daemon.alive(), "rngd ended")


def two_devices(bed):
    bad, good = bed.server(lambda position, n: b"\xff" * n, "egd-bad"), bed.server(name="egd-good")
    vm = bed.linux(cpu="max", devices=[*bad.device("rng0"), *good.device("rng1")], load=["virtio_pci", "virtio_rng"])
    names = vm.read("/sys/class/misc/hw_random/rng_available").split()
    check({"virtio_rng.0", "virtio_rng.1"} <= set(names), f"{names}")
    current = vm.read("/sys/class/misc/hw_random/rng_current").strip()
    other = {"virtio_rng.0": "virtio_rng.1", "virtio_rng.1": "virtio_rng.0"}[current]
    # Which name is which device is the kernel's choice: the current one shall be the bad one.
    if bad.position() == 0:
        bad, good = good, bad
        bad.read, good.read = good.read, bad.read
    return vm, current, other


@vm_test(timeout=90)
def test_next_device(bed):
    """Two RNGs, and the current one gives nothing but ones: rngd takes the other one itself."""
    bed.only_ours()
    vm, bad, good = two_devices(bed)
    daemon = bed.start(vm, "-x", "rdrand", "-x", "jitter", config="[rngd]\nreseed-interval = 2s\n", trace=True)
    vm.wait_until(daemon.credited, 40, "credited by the other one")
    check(vm.read("/sys/class/misc/hw_random/rng_current").strip() == good, "the bad one is still the current one")
    check(daemon.source("hwrng")["detail"] == good, f"{daemon.source('hwrng')}")
    check(not [c for c in daemon.credited() if set(c["bytes"]) == {0xff}], "credited ones")
    check(f"{bad} is left for another one" in daemon.log(), daemon.log())


@vm_test(timeout=90)
def test_chosen_by_hand(bed):
    """Who wrote rng_current decides: rngd keeps to it, retires it, and takes what is written there next."""
    bed.only_ours()
    vm, bad, good = two_devices(bed)
    vm.write("/sys/class/misc/hw_random/rng_current", bad)
    daemon = bed.start(vm, "-x", "rdrand", "-x", "jitter", config="[rngd]\nreseed-interval = 2s\n", trace=True)
    daemon.wait_status(lambda s: s["sources"][0]["state"] == "retired", 30, "the bad one is retired")
    check(vm.read("/sys/class/misc/hw_random/rng_current").strip() == bad, "a choice by hand was changed")
    vm.write("/sys/class/misc/hw_random/rng_current", good)
    vm.wait_until(daemon.credited, 20, "the other one is used at the next trigger")
    check(daemon.source("hwrng")["detail"] == good, f"{daemon.source('hwrng')}")


@vm_test(timeout=90)
def test_device_of_the_configuration(bed):
    """[hwrng] device= names the one to use; one that is not there is waited for, and no other is taken."""
    bed.only_ours()
    vm, bad, good = two_devices(bed)
    daemon = bed.start(vm, "-x", "rdrand", "-x", "jitter", config=f"[hwrng]\ndevice = {good}\n", trace=True)
    vm.wait_until(daemon.credited, 20, "credited")
    check(vm.read("/sys/class/misc/hw_random/rng_current").strip() == good, "not the one that was asked for")
    daemon.stop()
    at = vm.boottime_usec()
    daemon = bed.start(vm, "-x", "rdrand", "-x", "jitter", config="[hwrng]\ndevice = virtio_rng.7\n", trace=True)
    told = daemon.source("hwrng")
    check(told["state"] == "absent" and "virtio_rng.7" in told["detail"], f"{told}")
    check(not daemon.feeds(at), "another one was used")
