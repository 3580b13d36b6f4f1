# SPDX-License-Identifier: MIT
"""One kernel starts the next: the machine is the same, the kernel's RNG is new, and nothing was shut down."""

import pathlib

import test_seeder as seeder
import test_sources as sources
from harness import archive
from harness.bed import check
from harness.runner import vm_test

KEXEC = "/sbin/kexec-probe"
KERNEL = "cloud-6.1"


def drive(name, file):
    return ["-drive", f"if=none,id={name},file={file},format=raw,readonly=on", "-device", f"virtio-blk-pci,drive={name},serial={name}"]


def on_disk(name, command):
    return f"for d in /sys/block/vd*; do [ \"$(cat $d/serial)\" != {name} ] || {command.format('/dev/${d##*/}')}; done"


def prepare(vm):
    for module in sources.DRIVE:
        vm.load(module)
    vm.shell(f"mkdir -p {seeder.STATE}; {on_disk('state', f'mount -t ext4 {{}} {seeder.STATE}')}; "
             f"rm -rf {seeder.STATE}/lost+found; chmod 700 {seeder.STATE}")
    return vm.read("/proc/sys/kernel/random/boot_id")


def next_kernel(vm, sizes):
    for name, size in sizes.items():
        vm.shell(on_disk(name, f"head -c {size} {{}} >/{name}"), timeout=60)
    # The answer never comes: whoever was asked is gone.
    vm.start("run", "--", KEXEC, "/kernel", "/initrd", vm.read("/proc/cmdline").strip())
    vm.wait_for_agent(90)
    return prepare(vm)


@vm_test(timeout=300)
def test_seed_file(bed):
    """A seed that was saved before is used by the next kernel, credited at most once, and in no later one."""
    image = seeder.image(bed)
    image.file(pathlib.Path(bed.agent).parent / "kexec-probe", KEXEC, 0o755)
    image.link("bin/head", "busybox")
    kernel = bed.kernel(KERNEL)
    archive.Modules(kernel).add_to(image, sources.DRIVE)
    sizes = {}
    for name, data in (("kernel", (kernel / "vmlinuz").read_bytes()), ("initrd", image.bytes())):
        (bed.directory / name).write_bytes(data + b"\0" * (-len(data) % 512))
        sizes[name] = len(data)
    disks = [word for name in sizes for word in drive(name, bed.directory / name)]
    vm = bed.linux(kernel=KERNEL, image=image, memory_mb=320, cpu="max", modules=sources.DRIVE,
                   devices=[*seeder.state_disk(seeder.make_state(bed)), *disks])
    boots = [prepare(vm)]
    check(vm.run(seeder.SEEDER, "save").get("code") == 0, "no seed was saved")

    boots.append(next_kernel(vm, sizes))
    first = seeder.run(vm, "--real-root", "--source=seed-file")
    again = seeder.run(vm, "--real-root", "--source=seed-file")
    bed.note(f"first: {first.note()}; again: {again.note()}")
    check(first.lines["seed-file"]["bytes"] == 512, f"the next kernel got no seed: {first.note()}")
    check(again.bits() == 0, f"credited twice by one kernel: {again.note()}")

    # What the last run has saved is a new one; without it, the used one is there.
    vm.shell(f"cd {seeder.STATE}; [ ! -e seed.credit ] || mv seed.credit seed; sync")
    boots.append(next_kernel(vm, sizes))
    last = seeder.run(vm, "--real-root", "--source=seed-file")
    check(last.bits() == 0, f"a used seed was credited: {last.note()}")
    check(len(set(boots)) == 3, f"these are no three kernels: {boots}")
