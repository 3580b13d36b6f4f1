# SPDX-License-Identifier: MIT
"""What rngd makes of the kernel's log: a VM fork while no rngd ran, one that was answered before, lines that were lost."""

import pathlib
import sys
import time

from harness.bed import check
from harness.runner import vm_test

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import test_clone as clones  # noqa: E402

SIGSTOP, SIGCONT = 19, 18
FORK_LINE = "crng reseeded due to virtual machine fork"
SEQUENCE = "/run/guest-entropy/kmsg-sequence"


@vm_test(timeout=120)
def test_fork_while_no_rngd_runs(bed):
    """The fork happens between two runs of the daemon: the next one answers it, and the one after that does not again."""
    bed.only_ours()
    server = bed.server(name="egd-template")
    # No fw_cfg: the log alone tells.
    load = ["virtio_pci", "virtio_rng"]
    vm = bed.linux(kernel="generic-6.1", devices=clones.devices(server, clones.GUIDS[0]), cpu="max", load=load)
    daemon = bed.start(vm, "-x", "rdrand")
    vm.wait_until(lambda: vm.read(SEQUENCE, check=False), 10, "the place in the log is kept")
    check(daemon.stop()["r"] == 0, "rngd does not stop")
    image = bed.directory / "snapshot"
    vm.snapshot(image)

    vm = bed.linux(kernel="generic-6.1", devices=clones.devices(bed.server(name="egd-clone"), clones.GUIDS[1]), cpu="max",
                   load=load, incoming=image)
    vm.wait_until(lambda: vm.qmp("query-status")["status"] in ("paused", "running"), 30, "the snapshot is loaded")
    vm.qmp("cont")
    vm.wait_until(lambda: any(FORK_LINE in line for line in vm.kmsg()), 15, "the kernel tells of the fork")
    # Older than any tolerance between two clocks.
    time.sleep(3)
    daemon = bed.start(vm, "-x", "rdrand", trace=True)
    daemon.wait_status(lambda s: s["forks"] == 1, 10, "the fork is seen")
    vm.wait_until(daemon.reseeds, 5, "a reseed")
    generation = daemon.wait_status(lambda s: s["generation"] == 1, 10, "a new generation")["generation"]
    daemon.stop()

    daemon = bed.start(vm, "-x", "rdrand")
    time.sleep(2)
    again = daemon.status()
    check(again["forks"] == 0 and again["generation"] == generation, f"the same fork was answered again: {again}")


@vm_test(timeout=120)
def test_lost_lines(bed):
    """Lines that were overwritten unread may have told of a fork: fresh bytes, stripped marks, and no fork for others."""
    bed.only_ours()
    server = bed.server()
    vm = bed.linux(cpu="max", devices=server.device(), load=["virtio_pci", "virtio_rng"], append="log_buf_len=64K printk.devkmsg=on")
    vm.shell("mkdir -p /var/lib/guest-entropy; echo marked >/var/lib/guest-entropy/seed.credit")
    daemon = bed.start(vm, "-x", "rdrand")
    vm.wait_until(lambda: vm.read(SEQUENCE, check=False), 10, "the log was read")
    before, generation = daemon.status(), vm.read("/run/guest-entropy/generation")

    def flood():
        daemon.signal(SIGSTOP)
        # More than the log holds, in lines as long as it takes.
        vm.shell("i=0; while [ $i -lt 900 ]; do echo '" + "x" * 800 + "' >/dev/kmsg; i=$((i+1)); done", timeout=60)
        check(daemon.tree()[0]["state"] == "T", "rngd is not stopped: this test would prove nothing")
        daemon.signal(SIGCONT)

    flood()
    after = daemon.wait_status(lambda s: s["wakes"]["gap"] == 1, 10, "the gap is noticed")
    daemon.wait_status(lambda s: s["last_feed"] != before["last_feed"] and s["last_feed"]["reseeded"], 10, "fresh bytes and a reseed")
    vm.wait_until(lambda: "seed.credit" not in vm.shell("ls /var/lib/guest-entropy"), 10, "the mark is taken away")
    check(after["forks"] == before["forks"] and vm.read("/run/guest-entropy/generation") == generation,
          "a flood of lines became a fork for others")
    for _ in range(3):
        flood()
    time.sleep(1)
    told = daemon.status()
    check(told["wakes"]["gap"] == 1, f"a flood of lines became a flood of reseeds: {told['wakes']}")
