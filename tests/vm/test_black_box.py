# SPDX-License-Identifier: MIT
"""What any rngd must do, run against ours and against Debian's two: so the tests test rngd and not themselves."""

import time

from harness.bed import check, quote_call
from harness.entropy_server import random_stream
from harness.runner import vm_test

QUALITY = "/sys/module/rng_core/parameters/current_quality"


def peer(bed, name):
    """Another rngd in the guests of this test; rng_tools_* names are directories of the cache."""
    if name != "ours":
        bed.rngd, bed.ours = str(bed.kernel(name.replace("_", "-")) / "usr/sbin/rngd"), False


def feeds_starved_guest(bed):
    """The kernel's own thread is made to credit nothing: ready comes from rngd or not at all."""
    server = bed.server(random_stream("black box"))
    vm = bed.linux(devices=server.device(), load=["virtio_pci"])
    # Whatever the driver asks for is held back until the quality is 0: its thread waits for it.
    server.serve_only(0)
    vm.load("virtio_rng")
    vm.write(QUALITY, "0")
    server.allow()
    time.sleep(1)
    check(not vm.random()["ready"], "the kernel made itself ready: nothing would be proved")
    if bed.ours:
        # A stated quality of 0 is no credit for ours.
        vm.write(QUALITY, "1024")
    daemon = bed.start(vm, "-r", "/dev/hwrng", trace=True)
    waited = vm.ask("wait-ready", 15000, timeout=30)
    # The kernel is ready within the call, the tracer writes after it.
    credited = vm.wait_until(daemon.credited, 2, "a credited feed, since the kernel is ready")
    check(server.share_served(credited[0]["bytes"]) > 0.5, f"not what the host served: {quote_call(credited[0])}")
    bed.note(f"ready {(waited['boottime_usec'] - daemon.started_usec) / 1000:.0f} ms after its start by"
             f" {quote_call(credited[0])}; the host had served {server.position()} bytes")
    time.sleep(2)
    check(daemon.alive(), "it ended")
    stopped = daemon.stop(timeout=15)
    check(stopped["r"] == 0, f"SIGTERM: {stopped}")
    # rng-tools5 has no handler in the foreground.
    check("rng-tools5" in bed.rngd or daemon.wait(5).get("code") == 0, "its exit status is not 0")


def fills_counting_pool(bed):
    """The pool is emptied several times, and each time filled over the kernel's own mark of 896 bits again."""
    vm = bed.uml()
    check(vm.read_number(QUALITY) == 0, "the kernel feeds itself")
    daemon = bed.start(vm, "-r", "/dev/hwrng")
    vm.wait_until(lambda: vm.random()["ready"], 15, "the kernel is ready", 0.05)
    for _ in range(3):
        vm.wait_until(lambda: vm.random()["level"] >= 896, 10, "filled", 0.05)
        vm.ask("drain", 1500, 50, 8)
    vm.wait_until(lambda: vm.random()["level"] >= 896, 10, "filled after the last drain", 0.05)
    check(daemon.alive(), "it ended")
    stopped = daemon.stop(timeout=15)
    check(stopped["r"] == 0, f"SIGTERM: {stopped}")


def goes_to_background(bed):
    """Without -f: the caller returns, a pid file names who runs, and SIGTERM ends it."""
    server = bed.server()
    vm = bed.linux(devices=server.device(), load=["virtio_pci", "virtio_rng"])
    name = "--pid-file" if bed.ours or "rng-tools5" in bed.rngd else "--pidfile"
    started = vm.run("/usr/sbin/rngd", f"{name}=/run/test.pid", "-r", "/dev/hwrng", timeout=15)
    check(started.get("code") == 0, f"{started}")

    def named():
        """The pid in the file, once that is the daemon: a peer's caller may return a little before."""
        text = (vm.read("/run/test.pid", check=False) or "").strip()
        processes = vm.ask("tree", int(text))["processes"] if text.isdigit() else []
        return int(text) if processes and processes[0].get("comm", "").startswith("rngd") else None

    pid = vm.wait_until(named, 3, "a pid file that names the daemon")
    vm.wait_until(lambda: vm.random()["ready"], 5, "the kernel is ready")
    stopped = vm.ask("stop", pid, 15, 10000, timeout=20)
    check(stopped["r"] == 0, f"SIGTERM: {stopped}")


def make(name, function):
    @vm_test()
    def test(bed):
        peer(bed, name)
        function(bed)
    test.__doc__, test.__module__ = function.__doc__, __name__
    return test


for _name in ("ours", "rng_tools_debian", "rng_tools5"):
    for _function in (feeds_starved_guest, fills_counting_pool, goes_to_background):
        globals()[f"test_{_function.__name__}_{_name}"] = make(_name, _function)
