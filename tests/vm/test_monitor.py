# SPDX-License-Identifier: MIT
"""entropy-monitor as the first process of a guest: the boot goes on as without it, and is recorded."""

import json
import pathlib

from harness.bed import check
from harness.qemu import COUNT_INSTRUCTIONS
from harness.runner import vm_test

MONITOR = "/usr/bin/entropy-monitor"
RECORDING = "/run/guest-entropy/boot.json"


def monitor_image(bed):
    """The agent is the real init; the monitor is to be put before it with rdinit=."""
    image = bed.archive()
    image.program(pathlib.Path(bed.agent).parents[2] / "monitor/entropy-monitor", MONITOR)
    return image


def finish(vm):
    done = vm.run(MONITOR, "finish", timeout=40)
    check(done.get("code") == 0, f"finish: {done}")
    return json.loads(vm.read(RECORDING))


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
    check(recording["monitor"]["page_faults"] == 0, f"{recording['monitor']['page_faults']} page faults while sampling")
    check(set(kinds(recording)) >= {"hwrng", "ready", "log-ready", "boot-finished"}, f"events: {kinds(recording)}")


@vm_test()
def test_blocked(bed):
    """A starved guest: who waits in getrandom() is named, and the recording shows the jitter loop that ends it."""
    vm = bed.linux(image=monitor_image(bed), init=MONITOR)
    for n in range(3):
        vm.ask("spawn", f"log=/tmp/dd{n}", "--", "/bin/dd", "if=/dev/random", "of=/dev/null", "bs=16", "count=1")
        vm.shell("sleep 0.1")
    vm.wait_until(lambda: vm.random()["ready"], 20, "the jitter loop made the RNG ready")
    vm.shell("sleep 0.2")
    recording = finish(vm)
    waits = [w for w in recording["blocked"] if w["name"] == "dd"]
    bed.note(json.dumps(recording["blocked"]))
    check(len(waits) == 3, f"seen to wait: {recording['blocked']}")
    check(any(w["jitter"] for w in waits), "the jitter loop was not seen")
    ready = recording["rng"]["ready_usec"]
    check(all(not w["open"] and w["to_usec"] <= ready for w in waits), f"{waits} although ready at {ready}")
    longest = max(w["to_usec"] - w["from_usec"] for w in waits)
    check(longest >= 500_000, f"the longest waited only {longest} us")
