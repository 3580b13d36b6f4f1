# SPDX-License-Identifier: MIT
"""A hwrng that does not do its work: nothing bad is credited, nobody spins, and the state says why."""

import time

from harness import entropy_server
from harness.bed import check, quote_call
from harness.runner import vm_test

CPU_SHARE = 0.01
WATCH_SEC = 6


def cpu_share(daemon, seconds=WATCH_SEC):
    """After its start: loading the program is not what is measured here."""
    time.sleep(1)
    before = daemon.cpu_usec()
    time.sleep(seconds)
    return (daemon.cpu_usec() - before) / (seconds * 1e6)


def watch(bed, daemon, what):
    share = cpu_share(daemon)
    source = daemon.source("hwrng")
    bed.note(f"{what}: {source['state']}, {source['last_error']}; CPU {share:.2%}")
    check(share < CPU_SHARE, f"{what}: {share:.1%} CPU")
    check(daemon.alive(), f"{what}: rngd ended")
    return source


@vm_test()
def test_predictable(bed):
    """All zeros, a period of 16 bytes, a counter: the health tests are what stands in between."""
    bed.only_ours()
    server = bed.server(entropy_server.zeros)
    vm = bed.linux(devices=server.device(), load=["virtio_pci", "virtio_rng"])
    vm.write("/sys/class/misc/hw_random/rng_quality", "1024")
    for name in ("zeros", "pattern", "counter"):
        server.switch(getattr(entropy_server, name))
        # What the driver and the core still hold is of the former kind.
        vm.shell("dd if=/dev/hwrng of=/dev/null bs=256 count=1 2>/dev/null")
        vm.shell("rm -f /tmp/feeds /tmp/rngd.log")
        daemon = bed.start(vm, trace=True)
        source = watch(bed, daemon, name)
        credited = daemon.credited()
        check(not credited, f"{name}: credited {[quote_call(c) for c in credited]}")
        check(source["credited_bits"] == 0, f"{name}: {source}")
        check(source["state"] in ("waiting", "retired"), f"{name}: state {source['state']}")
        check(source["health_failures"] > 0 and source["last_error"], f"{name}: no reason in {source}")
        daemon.stop()


@vm_test()
def test_good_again(bed):
    """Retired for all zeros; the driver loaded again, now with good bytes: fed. Again with both at once."""
    bed.only_ours()
    server = bed.server(entropy_server.zeros)
    vm = bed.linux(devices=server.device(), load=["virtio_pci", "virtio_rng"])
    daemon = bed.start(vm, trace=True)
    daemon.wait_status(lambda s: s["sources"][0]["health_failures"] > 0, 5, "a health failure")
    vm.ask("rmmod", "virtio_rng", timeout=30)
    daemon.wait_status(lambda s: s["sources"][0]["state"] == "absent", 5, "gone")
    server.switch(entropy_server.random_stream("good"))
    at = vm.boottime_usec()
    vm.load("virtio_rng")
    vm.wait_until(lambda: daemon.credited(at), 10, "credited after it was plugged in again")
    check(not [c for c in daemon.credited() if c["boottime_usec"] < at], "credited before")

    # Bad, and then unbound and bound so quickly that rngd finds it there with the same name as before.
    server.switch(entropy_server.zeros)
    vm.shell("dd if=/dev/hwrng of=/dev/null bs=256 count=1 2>/dev/null")
    daemon.signal(10)
    daemon.wait_status(lambda s: s["sources"][0]["state"] == "retired", 5, "retired again")
    server.switch(entropy_server.random_stream("better"))
    at = vm.boottime_usec()
    daemon.signal(19)
    vm.shell("cd /sys/bus/virtio/drivers/virtio_rng && echo virtio0 > unbind && echo virtio0 > bind")
    daemon.signal(18)
    vm.wait_until(lambda: daemon.credited(at), 10, "credited after it was bound again")


@vm_test()
def test_closed(bed):
    """The host's daemon ends: the device is there and says nothing any more."""
    bed.only_ours()
    server = bed.server()
    vm = bed.linux(devices=server.device(), load=["virtio_pci", "virtio_rng"])
    server.drop_client()
    time.sleep(0.3)
    daemon = bed.start(vm, config="[hwrng]\ntimeout = 1s\n", trace=True)
    source = watch(bed, daemon, "closed")
    # What the driver already held may be used; what comes after it is silence.
    credited = sum(c["bits"] for c in daemon.credited())
    check(credited <= 8 * server.position(), f"{credited} bits from {server.position()} bytes")
    daemon.signal(10)
    daemon.wait_status(lambda s: s["sources"][0]["failures"] > 0 and s["sources"][0]["last_error"], 5, "the status says why")
    check(daemon.source("hwrng")["state"] in ("asked", "waiting"), f"{source}")


@vm_test()
def test_half_a_batch(bed):
    """32 bytes, then silence for a minute."""
    bed.only_ours()
    server = bed.server()
    vm = bed.linux(devices=[*server.device(extra=",max-bytes=32,period=60000")], load=["virtio_pci", "virtio_rng"])
    daemon = bed.start(vm, config="[hwrng]\ntimeout = 1s\n", trace=True)
    source = watch(bed, daemon, "half a batch")
    credited = sum(c["bits"] for c in daemon.credited())
    check(credited <= 8 * server.position(), f"{credited} bits from {server.position()} bytes")
    check(source["state"] in ("asked", "waiting") and source["failures"] > 0 and source["last_error"], f"{source}")
    stopped = daemon.stop()
    check(stopped["r"] == 0 and stopped["usec"] <= 100_000, f"SIGTERM with a blocked worker: {stopped}")


@vm_test()
def test_one_byte_at_a_time(bed):
    """100 good bytes a second, each alone: slow is not bad, and not a reason to spin."""
    bed.only_ours()
    server = bed.server()
    vm = bed.linux(devices=server.device(extra=",max-bytes=1,period=10"), load=["virtio_pci", "virtio_rng"])
    vm.write("/sys/class/misc/hw_random/rng_quality", "1024")
    daemon = bed.start(vm, trace=True)
    source = watch(bed, daemon, "one byte at a time")
    vm.wait_until(daemon.credited, 12, "fed at last")
    for call in daemon.credited():
        check(server.share_served(call["bytes"]) > 0.8, f"not what the host served: {quote_call(call)}")
        check(call["bits"] <= 8 * call["n_bytes"], f"too much credit: {quote_call(call)}")
    check(source["health_failures"] == 0, f"good bytes were refused: {source}")


@vm_test()
def test_kernels_own_output(bed):
    """/dev/random as a source by another name is refused, also when it hides behind a symlink or a node."""
    bed.only_ours()
    vm = bed.linux(modules=())
    vm.shell("ln -s /dev/urandom /tmp/link; busybox mknod /tmp/node c 1 8")
    for path in ("/dev/random", "/dev/urandom", "/tmp/link", "/tmp/node"):
        done = vm.run("/usr/sbin/rngd", "-f", "-r", path, timeout=5)
        check(done.get("code") == 78, f"-r {path}: {done}")
        check(not vm.random()["ready"], f"-r {path}: it fed")
