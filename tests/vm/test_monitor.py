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
