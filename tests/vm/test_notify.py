# SPDX-License-Identifier: MIT
"""What rngd says to a service manager: by the agent's own socket here, and to a real systemd in test_systemd.py."""

import time

from harness.bed import check
from harness.runner import vm_test


@vm_test()
def test_ready_status_watchdog(bed):
    """READY=1 when the kernel is ready, STATUS kept true, WATCHDOG=1 twice an interval and not more."""
    bed.only_ours()
    server = bed.server()
    vm = bed.linux(devices=server.device(), load=["virtio_pci"])
    daemon = bed.start(vm, notify=True, watchdog_usec=4_000_000)
    time.sleep(9)
    beats = [m for m in vm.ask("notify")["messages"] if "WATCHDOG=1" in m["text"]]
    bed.note(f"{len(beats)} WATCHDOG=1 in 9 s of WATCHDOG_USEC=4000000")
    check(3 <= len(beats) <= 6, f"{len(beats)} beats")
    at = vm.load("virtio_rng")["start_usec"]
    daemon.wait_status(lambda s: s["last_feed"], 5, "a feed")
    messages = vm.ask("notify")["messages"]
    ready = [m for m in messages if "READY=1" in m["text"]]
    check(len(ready) == 1, f"READY=1 {len(ready)} times")
    status = daemon.status()["status"]
    vm.wait_until(lambda: any("STATUS=" + status in m["text"] for m in vm.ask("notify")["messages"]), 3,
                  "STATUS follows the socket")
    check(any(m["boottime_usec"] > at and "STATUS=" in m["text"] for m in vm.ask("notify")["messages"]),
          "STATUS did not change when the device came")
    daemon.stop()
    check(any("STOPPING=1" in m["text"] for m in vm.ask("notify")["messages"]), "no STOPPING=1")
