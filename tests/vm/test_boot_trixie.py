# SPDX-License-Identifier: MIT
"""Whole Debian 13 guests with the cloud kernel of that release, its initramfs-tools and its dracut: our packages are those
that are built on the machine that tests.

The guest's clock counts instructions, as in test_boot.py.
"""

from harness import debian
from harness.runner import vm_test
from test_boot import try_virtio

TOOLS = debian.Spec("trixie-ours", True, suite="trixie")
# Without dracut's own module rngd, which would take our rngd along and measure both.
DRACUT = debian.Spec("trixie-dracut", True, suite="trixie", builder="dracut", options="--omit rngd")
LIMIT_SEC = 900


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_initramfs_tools(bed):
    try_virtio(bed, TOOLS)


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_dracut(bed):
    try_virtio(bed, DRACUT)
