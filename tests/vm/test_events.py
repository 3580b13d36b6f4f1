# SPDX-License-Identifier: MIT
"""What else wakes rngd: signals, its timer, a jump of the clock, a suspend."""

import time

from harness.bed import check
from harness.qemu import COUNT_INSTRUCTIONS
from harness.runner import vm_test

SIGHUP, SIGINT, SIGKILL, SIGUSR1, SIGTERM = 1, 2, 9, 10, 15


def ready_guest(bed, *args, **kwargs):
    """A ready kernel (by the CPU's own instructions) and a rngd that has only its hwrng: one feed for each wake."""
    server = bed.server()
    options = {k: kwargs.pop(k) for k in ("kernel", "append", "suspends") if k in kwargs}
    devices = [*server.device(), *kwargs.pop("devices", ())]
    vm = bed.linux(cpu="max", devices=devices, load=["virtio_pci", "virtio_rng", *kwargs.pop("load", ())], **options)
    daemon = bed.start(vm, "-x", "rdrand", *args, trace=True, **kwargs)
    daemon.wait_status(lambda s: s["last_feed"], 5, "a first feed")
    return vm, daemon, server


def settle(daemon, vm):
    """Until the start's own feeds are over."""
    last = -1
    while (n := len(daemon.calls())) != last:
        last = n
        time.sleep(0.5)
    return vm.boottime_usec()


@vm_test()
def test_sigusr1(bed):
    """Feed now: one batch and one reseed a signal."""
    bed.only_ours()
    vm, daemon, _ = ready_guest(bed)
    settle(daemon, vm)
    before = daemon.status()["wakes"]["signal"]
    for _ in range(3):
        at = daemon.signal(SIGUSR1)
        vm.wait_until(lambda: daemon.reseeds(at), 3, "a reseed")
        check(len(daemon.feeds(at)) >= 1, "a reseed without a feed")
        bed.note(f"SIGUSR1 to the reseed: {(daemon.reseeds(at)[0]['boottime_usec'] - at) / 1000:.1f} ms")
    check(daemon.status()["wakes"]["signal"] >= before + 3, "the signals were not counted")


@vm_test()
def test_sighup(bed):
    """A good file is taken over, a broken one is named and the old settings stay."""
    bed.only_ours()
    vm, daemon, _ = ready_guest(bed, config="[rngd]\nreseed-interval = 1h\n")
    at = settle(daemon, vm)
    vm.write("/etc/guest-entropy.conf", "[rngd]\nreseed-interval = 1s\n")
    daemon.signal(SIGHUP)
    vm.wait_until(lambda: len(daemon.feeds(at)) >= 2, 8, "the new interval of 1 s works")
    vm.write("/etc/guest-entropy.conf", "[rngd]\nreseed-interval = 1h\nnonsense = 1\n")
    daemon.signal(SIGHUP)
    vm.wait_until(lambda: "guest-entropy.conf:3" in daemon.log(), 3, "the broken line is named")
    at = vm.boottime_usec()
    vm.wait_until(lambda: len(daemon.feeds(at)) >= 2, 8, "the old interval of 1 s still works")
    vm.write("/etc/guest-entropy.conf", "[rngd]\nreseed-interval = 0\n")
    daemon.signal(SIGHUP)
    time.sleep(1.5)
    n = len(daemon.calls())
    time.sleep(4)
    check(len(daemon.calls()) == n, "reseed-interval = 0, and it still feeds")
    check(daemon.alive(), "rngd ended")


@vm_test()
def test_sigterm(bed):
    """Stopped within 100 ms with all its workers: idle, and with a worker blocked in the driver."""
    bed.only_ours()
    vm, daemon, server = ready_guest(bed, devices=COUNT_INSTRUCTIONS)
    settle(daemon, vm)
    stopped = daemon.stop(SIGTERM)
    bed.note(f"idle: {stopped['processes']} processes gone in {stopped['usec'] / 1000:.1f} ms")
    check(stopped["r"] == 0 and stopped["usec"] <= 100_000, f"idle: {stopped}")
    check(daemon.wait(2).get("code") == 0, "the exit status is not 0")
    check(vm.read("/run/guest-entropy/rngd.sock", check=False) is None, "the socket was left behind")

    for number in (SIGTERM, SIGINT):
        server.allow()
        daemon = bed.start(vm, "-x", "rdrand")
        daemon.wait_status(lambda s: s["last_feed"], 5, "a feed")
        server.serve_only(0)
        for _ in range(3):
            daemon.signal(SIGUSR1)
            time.sleep(0.3)
        daemon.wait_status(lambda s: s["sources"][0]["state"] == "asked", 3, "a worker is blocked")
        stopped = daemon.stop(number)
        bed.note(f"with a blocked worker: {stopped['processes']} processes gone in {stopped['usec'] / 1000:.1f} ms")
        check(stopped["r"] == 0 and stopped["usec"] <= 100_000, f"blocked worker, signal {number}: {stopped}")
        check(daemon.wait(2).get("code") == 0, "the exit status is not 0")


@vm_test()
def test_workers_killed(bed):
    """A worker killed, then one stopped for ever: rngd is not impressed and feeds again."""
    bed.only_ours()
    server = bed.server()
    vm = bed.linux(devices=server.device(), load=["virtio_pci", "virtio_rng"])
    daemon = bed.start(vm, config="[hwrng]\ntimeout = 1s\n")
    daemon.wait_status(lambda s: s["last_feed"], 5, "a first feed")
    server.serve_only(0)
    for _ in range(3):
        daemon.signal(SIGUSR1)
        time.sleep(0.2)
    for number in (SIGKILL, 19):  # SIGSTOP
        workers = [p["pid"] for p in daemon.tree() if p["parent"] == daemon.pid and p["state"] != "Z"]
        check(workers, "there is no worker to kill")
        failures = daemon.source("hwrng")["failures"]
        for pid in workers:
            vm.ask("kill", pid, number)
        if number == 19:
            daemon.signal(SIGUSR1)
        daemon.wait_status(lambda s: s["sources"][0]["failures"] > failures, 6, f"signal {number} to a worker is noticed")
        server.allow()
        last = daemon.status()["last_feed"]["at_usec"]
        time.sleep(1.2)
        daemon.signal(SIGUSR1)
        daemon.wait_status(lambda s: s["last_feed"]["at_usec"] > last, 30, f"fed again after signal {number}")
    check(daemon.alive(), "rngd ended")


@vm_test()
def test_reseed_interval(bed):
    """reseed-interval = 2s: a feed each 2 s with at most 10 % slack, counted as a timer's."""
    bed.only_ours()
    vm, daemon, _ = ready_guest(bed, config="[rngd]\nreseed-interval = 2s\n")
    at = settle(daemon, vm)
    time.sleep(9)
    times = [c["boottime_usec"] for c in daemon.reseeds(at)]
    gaps = [(b - a) / 1e6 for a, b in zip(times, times[1:])]
    bed.note("gaps between the timer's reseeds: " + ", ".join(f"{gap:.2f} s" for gap in gaps))
    check(3 <= len(times) <= 5, f"{len(times)} reseeds in 9 s")
    check(all(1.7 <= gap <= 2.6 for gap in gaps), f"gaps {gaps}")
    check(daemon.status()["wakes"]["timer"] >= 3, f"{daemon.status()['wakes']}")


@vm_test()
def test_clock_jump(bed):
    """A jump may be a restored clone or only chrony: exactly one feed, and no second one within a minute."""
    bed.only_ours()
    vm, daemon, _ = ready_guest(bed)
    at = settle(daemon, vm)
    vm.ask("set-time", 3600)
    vm.wait_until(lambda: daemon.reseeds(at), 4, "a feed after the jump")
    time.sleep(1)
    check(len(daemon.reseeds(at)) == 1, f"{len(daemon.reseeds(at))} reseeds after one jump")
    for seconds in (-1800, 60, 86400):
        vm.ask("set-time", seconds)
        time.sleep(0.7)
    check(len(daemon.reseeds(at)) == 1, f"{len(daemon.reseeds(at))} reseeds after four jumps in a few seconds")
    status = daemon.status()
    check(status["wakes"]["clock"] >= 1, f"{status['wakes']}")
    check(status["forks"] == 0, "a clock jump was counted as a fork")


def suspend(bed, kernel):
    vm, daemon, _ = ready_guest(bed, kernel=kernel, suspends=True)
    at, before = settle(daemon, vm), daemon.status()["wakes"]
    sleeping = vm.start("run", "--", "/bin/busybox", "sh", "-c", "echo mem > /sys/power/state")
    vm.qmp.wait_event("SUSPEND")
    time.sleep(2)
    vm.qmp("system_wakeup")
    check(vm.finish(sleeping).get("code") == 0, "the guest could not suspend")
    check(any("crng reseeded on system resumption" in line for line in vm.kmsg()), "the kernel did not say it resumed")
    vm.wait_until(lambda: daemon.reseeds(at), 5, "a feed after the resume")
    time.sleep(1)
    after = daemon.status()["wakes"]
    check(after["resume"] == before["resume"] + 1, f"{before} -> {after}")
    check(daemon.feeds(at), "a reseed without fresh bytes")
    check(len(daemon.reseeds(at)) == 1, f"one resume, {len(daemon.reseeds(at))} reseeds: {before} -> {after}")


@vm_test()
def test_suspend_generic(bed):
    """To RAM (S3) for 2 s and back: the kernel log tells of the resumption, one feed answers it."""
    bed.only_ours()
    suspend(bed, "generic-6.1")


@vm_test()
def test_suspend_cloud(bed):
    bed.only_ours()
    suspend(bed, "cloud-6.1")


@vm_test()
def test_status_clients(bed):
    """Any user is answered; clients that connect and never read hold nothing up, however many they are."""
    bed.only_ours()
    vm, daemon, _ = ready_guest(bed)
    settle(daemon, vm)
    unprivileged = vm.run("/usr/sbin/rngd", "--status=json", uid=65534)
    check(unprivileged.get("code") == 0 and '"version"' in unprivileged["out"], f"as nobody: {unprivileged}")
    held = vm.ask("hold", "/run/guest-entropy/rngd.sock", 12)["held"]
    check(held == 12, f"only {held} of 12 could connect")
    check(daemon.status()["pid"] == daemon.pid, "no answer beside 12 silent clients")
    held += vm.ask("hold", "/run/guest-entropy/rngd.sock", 40)["held"]
    check(daemon.status(timeout=20)["pid"] == daemon.pid, f"no answer beside {held} silent clients")
    n_files = len(vm.run("/bin/ls", f"/proc/{daemon.pid}/fd")["out"].split())
    bed.note(f"{held} silent clients, {n_files} open files")
    check(n_files <= 48, f"{n_files} files are open")
    at = vm.boottime_usec()
    daemon.signal(SIGUSR1)
    vm.wait_until(lambda: daemon.reseeds(at), 3, "a feed beside silent clients")
    switches = daemon.switches()
    time.sleep(5)
    woken = daemon.switches() - switches
    check(woken <= 16, f"{woken} context switches in 5 s beside silent clients")
