# SPDX-License-Identifier: MIT
"""A snapshot and its clones: each must be fed with bytes that no other one has.

What proves it: the host serves a different stream to the template and to each clone and keeps every byte; the
tracer in the guest, which stands between rngd and the kernel, keeps every byte that was credited, and knows no
opinion of rngd's. A credited batch is fresh if and only if it is found in its own clone's stream. rng_quality is
set to 1024 so that rngd hands bytes on as they are (below that it hashes them, and nothing could be found again),
and the CPU's instruction is left out.
That stale bytes do wait in the guest (the driver holds 64 ready, the core up to 64) is shown in a clone with the
template's own generation ID, where rngd has no reason to wake and the test reads the device itself.
"""

import time

from harness.bed import check, quote_call
from harness.entropy_server import random_stream
from harness.runner import vm_test

GUIDS = ["0f32a9c4-5a3d-4a5c-9a0e-2d1c8b7e6f01", "6d1e7b1a-93a5-4c1f-8a6e-94b7a1c30e02", "b7c84f0e-2f0d-4f57-b3b1-10a85d2c7f03"]
MODULES = ["virtio_pci", "virtio_rng", "qemu_fw_cfg"]


def devices(server, guid):
    return [*server.device(), "-device", f"vmgenid,guid={guid},id=vmgenid0"]


def template(bed, kernel, config=None):
    server = bed.server(random_stream("template"), "egd-template")
    vm = bed.linux(kernel=kernel, devices=devices(server, GUIDS[0]), cpu="max", load=MODULES)
    vm.write("/sys/class/misc/hw_random/rng_quality", "1024")
    daemon = bed.start(vm, "--fork-check=1s", "-x", "rdrand", "-x", "jitter", config=config, trace=True)
    vm.wait_until(daemon.credited, 5, "a first feed")
    vm.wait_until(daemon.reseeds, 3, "a first reseed")
    for call in daemon.credited():
        # Else a later search would find nothing and prove nothing.
        check(server.share_served(call["bytes"]) > 0.8, f"fed bytes that the host never served: {quote_call(call)}")
    # 32 of the 64 bytes that the core fetched stay in its buffer, beside the 64 that the driver holds ready.
    vm.run("/bin/dd", "if=/dev/hwrng", "of=/dev/null", "bs=32", "count=1")
    return vm, daemon, server


class Clone:
    def __init__(self, bed, kernel, snapshot, number, old_server, old, guid, silent=False):
        self.server = bed.server(random_stream(f"clone {number}"), f"egd-clone{number}")
        if silent:
            self.server.serve_only(0)
        self.old_server, self.old = old_server, old
        self.vm = bed.linux(kernel=kernel, devices=devices(self.server, guid), cpu="max", load=MODULES, incoming=snapshot)
        self.vm.wait_until(lambda: self.vm.qmp("query-status")["status"] in ("paused", "running"), 30, "the snapshot is loaded")
        self.vm.qmp("cont")
        self.daemon = type(old)(self.vm, old.pid, old.started_usec, old.trace)


def check_clone(bed, clone, before, n_calls):
    daemon, vm = clone.daemon, clone.vm
    after = daemon.wait_status(lambda s: s["forks"] == before["forks"] + 1 and s["last_feed"] != before["last_feed"], 15,
                               "rngd saw the fork and fed")
    vm.wait_until(lambda: any(c["call"] == "reseed" for c in daemon.calls()[n_calls:]), 3, "a reseed")
    calls = daemon.calls()[n_calls:]
    adds = [c for c in calls if c["call"] == "add" and c["rval"] == 0 and c["bits"] > 0]
    check(adds, f"nothing was credited: {[quote_call(c) for c in calls]}")
    for call in adds:
        check(clone.old_server.share_served(call["bytes"]) == 0,
              f"bytes served before the snapshot were credited: {quote_call(call)}")
        check(clone.server.share_served(call["bytes"]) > 0.8, f"credited what the host did not serve: {quote_call(call)}")
    bits = sum(c["bits"] for c in adds)
    check(bits >= 256, f"only {bits} fresh bits")
    last_add = max(i for i, c in enumerate(calls) if c["call"] == "add" and c["bits"] > 0)
    check(any(c["call"] == "reseed" and c["rval"] == 0 for c in calls[last_add:]), "no reseed after the fresh bytes")
    generation = vm.read_number("/run/guest-entropy/generation")
    check(generation == before["generation"] + 1 == after["generation"], f"generation {generation} after {before['generation']}")
    check(clone.server.position() >= 128 + 64, f"only {clone.server.position()} bytes were taken from the host")
    return [c["bytes"] for c in adds]


def snapshot_and_clones(bed, kernel, kernel_tells):
    bed.only_ours()
    vm, old, server = template(bed, kernel)
    before, n_calls, at = old.status(), len(old.calls()), vm.boottime_usec()
    image = bed.directory / "snapshot"
    vm.snapshot(image)

    twin = Clone(bed, kernel, image, 0, server, old, GUIDS[0])
    taken = twin.vm.run("/bin/dd", "if=/dev/hwrng", "of=/tmp/x", "bs=256", "count=1")
    check(taken.get("code") == 0, f"dd: {taken}")
    data = twin.vm.read("/tmp/x").encode("latin-1")
    stale = sum(server.share_served(data[i:i + 8]) == 1 for i in range(0, 256, 8)) * 8
    bed.note(f"{stale} bytes from before the snapshot wait in the restored guest")
    check(stale >= 32, "no stale bytes wait in the guest: this test would prove nothing")
    time.sleep(2.5)
    check(len(twin.daemon.calls()) == n_calls and twin.daemon.status()["forks"] == 0,
          "it fed, though the generation ID did not change")
    twin.vm.close()

    fed = []
    for number in (1, 2):
        clone = Clone(bed, kernel, image, number, server, old, GUIDS[number])
        fed.append(check_clone(bed, clone, before, n_calls))
        calls = clone.daemon.calls()[n_calls:]
        lines = [line for line in clone.vm.kmsg() if "crng reseeded due to virtual machine fork" in line]
        check(bool(lines) == kernel_tells, f"kernel log: {lines}")
        bed.note(f"clone {number}: {len(calls)} feeding calls, credited {(calls[0]['boottime_usec'] - at) / 1000:.0f} ms"
                 f" after the snapshot, {clone.server.position()} bytes taken from the host")
        clone.vm.close()
    check(not set(fed[0]) & set(fed[1]), "both clones got the same bytes")


@vm_test()
def test_generic(bed):
    """6.1 with the vmgenid driver: the kernel log tells."""
    snapshot_and_clones(bed, "generic-6.1", True)


@vm_test()
def test_cloud(bed):
    """6.1 cloud has no driver: the generation ID in fw_cfg is looked at."""
    snapshot_and_clones(bed, "cloud-6.1", False)


@vm_test()
def test_in_the_middle_of_a_batch(bed):
    """The snapshot is taken while a worker holds half a batch: that half must not be credited in the clone."""
    bed.only_ours()
    vm, old, server = template(bed, "generic-6.1")
    server.serve_only(0)
    # The 96 bytes that wait in the guest are one batch and a half.
    for _ in range(4):
        old.signal(10)
        time.sleep(0.5)
        if old.source("hwrng")["state"] == "asked":
            break
    check(old.source("hwrng")["state"] == "asked", "no worker waits for the host")
    before, n_calls = old.status(), len(old.calls())
    image = bed.directory / "snapshot"
    vm.snapshot(image)
    clone = Clone(bed, "generic-6.1", image, 1, server, old, GUIDS[1])
    check_clone(bed, clone, before, n_calls)


@vm_test()
def test_without_an_answer(bed):
    """In the clone the host says nothing: the fork is told all the same, and made good when the host speaks again."""
    bed.only_ours()
    vm, old, server = template(bed, "generic-6.1", "[hwrng]\ntimeout = 1s\n")
    # The driver's own stock would be an answer, though a stale one: rngd must not take it for fresh.
    before, n_calls = old.status(), len(old.calls())
    image = bed.directory / "snapshot"
    vm.snapshot(image)
    clone = Clone(bed, "generic-6.1", image, 1, server, old, GUIDS[1], silent=True)
    daemon, vm = clone.daemon, clone.vm
    daemon.wait_status(lambda s: s["forks"] == before["forks"] + 1, 5, "rngd saw the fork")
    vm.wait_until(lambda: vm.read_number("/run/guest-entropy/generation") == before["generation"] + 1, 8,
                  "the generation grew, though nothing could be fed")
    check(not [c for c in daemon.calls()[n_calls:] if c["bits"] > 0], "credited without a fresh byte")
    told = daemon.source("hwrng")
    check(told["state"] in ("asked", "waiting") and told["last_error"], f"{told}")
    clone.server.allow()
    check_clone(bed, clone, before, n_calls)
