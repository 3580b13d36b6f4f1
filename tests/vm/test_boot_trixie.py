# SPDX-License-Identifier: MIT
"""Whole Debian 13 guests with the cloud kernel of that release, its initramfs-tools and its dracut: our packages are those
that are built on the machine that tests.

The guest's clock counts instructions, as in test_boot.py. One boot has both probes: in the initramfs, which is the
first getrandom() of the boot, and as a unit before sysinit.target.
"""

from harness import debian
from harness.bed import check
from harness.debian_boot import Guests, check_no_failure_of_ours
from harness.runner import vm_test

TOOLS = debian.Spec("trixie-ours", True, suite="trixie")
# Without dracut's own module rngd, which would take our rngd along and measure both.
DRACUT = debian.Spec("trixie-dracut", True, suite="trixie", builder="dracut", options="--omit rngd")
LIMIT_SEC = 900
READY_AFTER_BOUND_SEC = 0.050
BLOCKED_SEC = 0.020


def try_virtio(bed, spec):
    guests = Guests(bed)
    report = guests.boot(spec, spec.name, "probe=initramfs", "probe=unit", "systemd.unit=quick.target",
                         devices=["-device", "virtio-rng-pci"], precise=True)
    guests.note(spec.name, report)
    ready, bound, watching = (report.probe(what) for what in ("ready", "bound", "watching"))
    check(ready is not None, f"the watcher did not tell: {report.kmsg}")
    # A systemd in the initramfs loads virtio_rng before anything else runs: the binding is over.
    check(bound is not None or ready - watching < 0.001, f"neither bound nor ready at the start: {report.kmsg}")
    check(bound is None or ready - bound <= READY_AFTER_BOUND_SEC, f"ready {ready} s, virtio_rng bound {bound} s")
    for where in ("initramfs", "unit"):
        blocked = report.probe(f"getrandom-{where}", "usec")
        check(blocked is not None and blocked <= BLOCKED_SEC, f"{where}: getrandom() blocked for {blocked} s: {report.kmsg}")
    ledger = report.ledger("seeder-initramfs")
    check(ledger and ledger["ready"], f"no ledger of the initramfs, or not ready: {ledger}")
    check_no_failure_of_ours(report, spec.name)
    check(report.first("rngd") == "active", f"rngd.service is {report.first('rngd')}")


@vm_test(timeout=LIMIT_SEC)
def test_initramfs_tools(bed):
    try_virtio(bed, TOOLS)


@vm_test(timeout=LIMIT_SEC)
def test_dracut(bed):
    try_virtio(bed, DRACUT)
