# SPDX-License-Identifier: MIT
"""What a driver or a hand says of the quality is obeyed: 0 is no credit.

Before 6.2 a driver that says nothing has the quality 0, too. virtio-rng always said 1000, so its 0 is a hand's.
"""

from harness.bed import check, quote_call
from harness.runner import vm_test

QUALITY = "/sys/class/misc/hw_random/rng_quality"


def obeyed(bed, kernel):
    bed.only_ours()
    server = bed.server()
    vm = bed.linux(kernel=kernel, devices=server.device(), load=["virtio_pci", "virtio_rng"])
    for quality in (512, 1, 0):
        vm.write(QUALITY, f"{quality}\n")
        check(vm.read_number(QUALITY) == quality, f"the kernel did not take the quality {quality}")
        vm.shell("rm -f /tmp/feeds /tmp/rngd.log")
        daemon = bed.start(vm, "-x", "cpu", "-x", "jitter", trace=True)
        daemon.wait_status(lambda s: s["sources"][0]["batches"] > 0, 10, "a batch")
        daemon.stop()
        feeds = daemon.feeds()
        check(feeds, "its bytes were not even mixed in")
        n_bytes, bits = sum(c["n_bytes"] for c in feeds), sum(c["bits"] for c in feeds)
        bed.note(f"quality {quality}: {[quote_call(c) for c in feeds]}")
        check(bits <= 8 * n_bytes * quality / 1024, f"{bits} bits for {n_bytes} bytes of quality {quality}")


@vm_test()
def test_6_1(bed):
    """6.1, where no statement is a 0 in sysfs."""
    obeyed(bed, "cloud-6.1")


@vm_test()
def test_6_12(bed):
    """6.12, where no statement is 1024."""
    obeyed(bed, "cloud-6.12")
