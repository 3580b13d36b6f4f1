# SPDX-License-Identifier: MIT
"""An ordinary guest is not taken for a confidential one, whatever CPU it is shown: the real instruction.

QEMU's emulator answers a leaf above the highest one with another leaf's registers, as Intel's CPUs do: with -cpu max,
CPUID 0x8000001f has the bit of SEV set. It can emulate neither SEV nor TDX, nor Hyper-V's leaves.
"""

from harness.bed import check
from harness.runner import vm_test

CPUS = ["max", "qemu64,vendor=AuthenticAMD,xlevel=0x8000001f", "qemu64,vendor=GenuineIntel,level=0x21", "qemu64,-hypervisor"]


@vm_test()
def test_ordinary_guest(bed):
    """Four CPUs, without the driver that would tell: virtio-rng is credited."""
    bed.only_ours()
    for cpu in CPUS:
        vm = bed.linux(cpu=cpu, devices=bed.server(name=f"egd-{CPUS.index(cpu)}").device(), load=["virtio_pci", "virtio_rng"])
        daemon = bed.start(vm, "-x", "cpu", "-x", "jitter")
        found = daemon.wait_status(lambda s: s["sources"][0]["batches"] > 0, 10, "a batch")["sources"][0]
        check(found["credited_bits"] > 0, f"{cpu}: {found}\n{daemon.log()}")
        check("confidential" not in daemon.log(), f"{cpu}: {daemon.log()}")
        bed.note(f"{cpu}: {found['credited_bits']} bits")
        vm.close()
