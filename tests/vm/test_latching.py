# SPDX-License-Identifier: MIT
"""The latching kernel (6.1 cloud): feed from the first moment until ready, then sleep for ever."""

import time

from harness.bed import check, quote_call
from harness.qemu import COUNT_INSTRUCTIONS
from harness.runner import vm_test


@vm_test()
def test_late_hwrng(bed):
    """The driver comes two seconds after rngd; seen by the tracer: a credited feed within 50 ms."""
    bed.only_ours()
    vm = bed.linux(devices=["-device", "virtio-rng-pci", *COUNT_INSTRUCTIONS], load=["virtio_pci"])
    daemon = bed.start(vm, trace=True)
    time.sleep(2)
    check(not vm.random()["ready"], "this guest was to be starved")
    check(not daemon.feeds(), "it fed without a source")
    loaded = vm.load("virtio_rng")
    vm.wait_until(daemon.credited, 5, "a credited feed")
    first = daemon.credited()[0]
    took = first["boottime_usec"] - loaded["start_usec"]
    bed.note(f"fed {took / 1000:.1f} ms after the driver began to load, which itself takes"
             f" {(loaded['end_usec'] - loaded['start_usec']) / 1000:.1f} ms ({quote_call(first)})")
    check(took <= 50_000, f"fed only after {took} us")
    state = vm.random()
    check(state["ready"] and state["in"] and not state["out"], f"the kernel is not ready: {state}")
    check(vm.run("/bin/busybox", "dd", "if=/dev/random", "of=/dev/null", "bs=16", "count=1")["usec"] < 1_000_000,
          "a read of /dev/random blocked")


@vm_test()
def test_first_feed_from_first_bytes(bed):
    """A virtio-rng of 64 bytes a second: credited from the first 64, not after a FIPS block of 2500 (39 s)."""
    bed.only_ours()
    server = bed.server()
    vm = bed.linux(devices=server.device(extra=",max-bytes=64,period=1000"), load=["virtio_pci", "virtio_rng"])
    daemon = bed.start(vm, trace=True)
    vm.wait_until(daemon.credited, 12, "a credited feed")
    first = daemon.credited()[0]
    took, served = (first["boottime_usec"] - daemon.started_usec) / 1e6, server.position()
    bed.note(f"credited {took:.1f} s after the start: {quote_call(first)}; the host had served {served} bytes")
    check(first["n_bytes"] <= 64, f"it waited for {first['n_bytes']} bytes")
    check(first["bits"] <= 8 * first["n_bytes"], "more bits than bytes can hold")
    # The kernel's own thread reads from the same device, hence not one second.
    check(took <= 6, f"the first credit came after {took:.1f} s")


@vm_test()
def test_no_source(bed):
    """No hwrng, no RDRAND: it stays up and sleeps; the status says why; --require-source ends with 69."""
    bed.only_ours()
    vm = bed.linux(modules=())
    daemon = bed.start(vm, notify=True, trace=True)
    time.sleep(1)
    status = daemon.status()
    messages = vm.ask("notify")["messages"]
    check(any("READY=1" in m["text"] for m in messages), f"no READY=1 without a source: {messages}")
    check(any("STATUS=" in m["text"] for m in messages), f"no STATUS: {messages}")
    said = [line for m in messages for line in m["text"].splitlines() if line.startswith("STATUS=")][-1]
    bed.note(said)
    check(said == "STATUS=" + status["status"], f"STATUS and the socket differ: {said!r}, {status['status']!r}")
    check("no " in said.lower() and "source" in said.lower(), f"STATUS does not say it: {said}")
    for name in ("hwrng", "cpu"):
        check(daemon.source(name).get("state") == "absent", f"{name}: {daemon.source(name)}")
    # Jitter is asked once in between: this kernel can make its own, and 15 s later has not.
    for sec in (10, 10):
        switches = daemon.switches()
        time.sleep(sec)
        woken = daemon.switches() - switches
        bed.note(f"{woken} context switches in {sec} s")
        check(woken == 0, f"{woken} context switches in {sec} s without a source")
        for _ in range(200):
            if daemon.source("jitter").get("state") == "absent":
                break
            time.sleep(0.1)
        else:
            check(False, f"jitter: {daemon.source('jitter')}")
    check(not daemon.feeds(), "it fed without a source")
    check(daemon.alive(), "it ended")
    daemon.stop()
    done = vm.run("/usr/sbin/rngd", "-f", "--require-source")
    check(done.get("code") == 69, f"--require-source: {done}")
    bed.note("--require-source: " + done["out"].strip().splitlines()[-1])


@vm_test()
def test_cpu_source(bed):
    """RDSEED and RDRAND, nothing else, on a kernel that does not trust them: rngd makes it ready."""
    bed.only_ours()
    vm = bed.linux(cpu="max", modules=(), append="random.trust_cpu=off random.trust_bootloader=off")
    check(not vm.random()["ready"], "this guest was to be starved")
    daemon = bed.start(vm, trace=True)
    vm.wait_until(lambda: vm.random()["ready"], 5, "the kernel is ready")
    credited = vm.wait_until(daemon.credited, 2, "a credited feed, since the kernel is ready")
    bed.note(f"ready {(credited[0]['boottime_usec'] - daemon.started_usec) / 1000:.0f} ms after the start, "
             + quote_call(credited[0]))
    check(all(len(set(c["bytes"])) > 16 for c in credited), "what it fed does not look random")
    source = daemon.source("cpu")
    check(source["class"] == "cpu" and source["credited_bits"] >= 256, f"the status: {source}")
    time.sleep(1)
    switches = daemon.switches()
    time.sleep(8)
    check(daemon.switches() == switches, "it woke after the kernel was ready")


@vm_test()
def test_ready_without_us(bed):
    """Somebody else makes the kernel ready: the kernel log tells rngd, and its status is true again."""
    bed.only_ours()
    vm = bed.linux(modules=())
    daemon = bed.start(vm, notify=True)
    check(daemon.status()["kernel"]["ready"] is False, "ready too early")
    # The tests' own feed, with a claim that only a test may make.
    at = vm.ask("ioctl", "add", 64, 512)["boottime_usec"]
    status = daemon.wait_status(lambda s: s["kernel"]["ready"], 3, "the status says ready")
    since = status["kernel"]["ready_since_usec"]
    check(status["kernel"]["model"] == "latching" and status["kernel"]["pool_bits"] == 256, f"{status['kernel']}")
    check(abs(since - at) < 200_000, f"ready since {since}, but it was at {at}")
    check(any("random: crng init done" in line for line in vm.kmsg()), "the kernel log has no ready line")
    vm.wait_until(lambda: "STATUS=" + status["status"] in vm.ask("notify")["messages"][-1]["text"], 2, "STATUS follows")
    time.sleep(1)
    switches = daemon.switches()
    time.sleep(5)
    woken = daemon.switches() - switches
    check(woken == 0, f"it woke after the kernel was ready: {woken} context switches in 5 s")


@vm_test()
def test_ready_at_start(bed):
    """On a kernel that is ready long since it feeds once, tells systemd, and is silent."""
    bed.only_ours()
    server = bed.server()
    vm = bed.linux(cpu="max", devices=server.device(), load=["virtio_pci", "virtio_rng"])
    daemon = bed.start(vm, trace=True, notify=True)
    vm.wait_until(daemon.feeds, 5, "a first feed")
    vm.wait_until(lambda: any("READY=1" in m["text"] for m in vm.ask("notify")["messages"]), 3, "READY=1")
    vm.wait_until(daemon.reseeds, 3, "RNDRESEEDCRNG after the feed")
    time.sleep(1)
    switches, feeds = daemon.switches(), len(daemon.feeds())
    time.sleep(10)
    woken = daemon.switches() - switches
    bed.note(f"{feeds} feeds at the start, {woken} context switches in the next 10 s")
    check(woken == 0, f"{woken} context switches in 10 s")
    check(len(daemon.feeds()) == feeds, "it fed again for no reason")


@vm_test()
def test_rhel_options(bed):
    """RHEL's default line starts, feeds, and its workers run as the user it names, with nothing allowed."""
    bed.only_ours()
    server = bed.server()
    vm = bed.linux(devices=server.device(), load=["virtio_pci", "virtio_rng"])
    server.serve_only(0)
    line = "--fill-watermark=0 -x pkcs11 -x nist -x qrypt -x namedpipe -x jitter -D daemon:daemon"
    daemon = bed.start(vm, *line.split())

    def blocked_worker():
        return next((p for p in daemon.tree() if p["parent"] == daemon.pid), None)
    worker = vm.wait_until(blocked_worker, 5, "a worker")
    vm.wait_until(lambda: "NoNewPrivs:\t1" in blocked_worker()["status"], 3, "the worker gave everything up")
    worker = blocked_worker()["status"]
    check("Uid:\t1\t1\t1\t1" in worker, f"not daemon's: {worker}")
    check("CapEff:\t0000000000000000" in worker and "CapPrm:\t0000000000000000" in worker, f"capabilities: {worker}")
    server.allow()
    daemon.wait_status(lambda s: s["last_feed"], 10, "a feed")
