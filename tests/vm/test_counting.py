# SPDX-License-Identifier: MIT
"""The counting kernel (UML 5.10.46): the level falls as it is used, and rngd holds it up.

The kernel's own hwrng thread is switched off in all of them (see harness/uml.py): who fills is rngd alone.
"""

from harness.bed import check
from harness.runner import vm_test

THRESHOLD = "/proc/sys/kernel/random/write_wakeup_threshold"
KERNEL_DEFAULT = 896


def counting_guest(bed):
    vm = bed.uml()
    check(vm.read_number("/sys/module/rng_core/parameters/current_quality") == 0, "the kernel feeds itself")
    return vm


def level_at_least(vm, bits, timeout, what):
    return vm.wait_until(lambda: vm.random()["level"] >= bits, timeout, what, 0.02)


@vm_test(alone=True)
def test_level_under_load(bed):
    """8 reseeds (256 bits each) every 100 ms for 20 s, then 10 s of nothing, then SIGTERM."""
    bed.only_ours()
    vm = counting_guest(bed)
    daemon = bed.start(vm)
    level_at_least(vm, 3000, 5, "a first fill")
    before = daemon.cpu_usec()
    load = vm.ask("drain", 20000, 100, 8, timeout=40)
    used = daemon.cpu_usec() - before
    bed.note(f"mean level {load['mean']} of 4096, lowest {load['minimum']}, below 896 for at most"
             f" {load['longest_below_usec']} us, {load['reseeds']} reseeds, longest gap between samples"
             f" {load['longest_gap_usec'] / 1000:.1f} ms, rngd {used / 20e6:.2%} CPU")
    check(load["mean"] >= 3000, f"mean level is only {load['mean']}")
    check(load["longest_below_usec"] <= 5000, f"below 896 bits for {load['longest_below_usec']} us")
    check(load["reseeds"] >= 1500, f"the load was too small: {load['reseeds']} reseeds")

    level_at_least(vm, 3072, 5, "the last fill")
    switches, wakes = daemon.switches(), daemon.status()["wakes"]
    # The status itself woke it: count from after it was read.
    switches = daemon.switches()
    vm.ask("drain", 10000, 100, 0, timeout=30)
    idle = daemon.switches() - switches
    after = daemon.status()["wakes"]
    bed.note(f"idle for 10 s: {idle} context switches, wakes {after}")
    # Only the slow re-arm timer may run here: this kernel forgets a wake-up.
    check(idle <= 4, f"{idle} context switches in 10 idle seconds")
    check(after["level"] == wakes["level"], f"woken by the level while idle: {wakes} -> {after}")

    check(vm.read_number(THRESHOLD) == 3072, "the threshold is not the default of 3072")
    stopped = daemon.stop()
    check(stopped["usec"] <= 100_000, f"SIGTERM took {stopped['usec']} us")
    check(vm.read_number(THRESHOLD) == KERNEL_DEFAULT, "the threshold was not restored after SIGTERM")


@vm_test()
def test_watermark_values(bed):
    """What each -W really sets, and that the former value comes back whatever ends rngd."""
    bed.only_ours()
    vm = counting_guest(bed)
    expected = {"0": KERNEL_DEFAULT, "192": 192, "2048": 2048, "3700": 3584, "4096": 3584, "90%": 3584, "50%": 2048}
    for n, (value, bits) in enumerate(expected.items()):
        daemon = bed.start(vm, "-W", value)
        vm.wait_until(lambda: vm.random()["ready"], 5, f"-W {value}: ready")
        found = vm.read_number(THRESHOLD)
        check(found == bits, f"-W {value}: threshold {found}, not {bits}")
        told = daemon.status()["kernel"]
        check(told["threshold_bits"] == (None if value == "0" else bits), f"-W {value}: the status says {told['threshold_bits']}")
        daemon.stop(15 if n % 2 else 2)
        found = vm.read_number(THRESHOLD)
        check(found == KERNEL_DEFAULT, f"-W {value}: {found} was left behind")


@vm_test()
def test_wakes_and_fills_to_the_top(bed):
    """One drain under the threshold: POLLOUT wakes it, and it fills in one go; above it nothing happens."""
    bed.only_ours()
    vm = counting_guest(bed)
    daemon = bed.start(vm)
    level_at_least(vm, 3072, 5, "a first fill")
    vm.ask("ioctl", "zap")
    vm.ask("ioctl", "add", 512, 4096)
    vm.ask("ioctl", "add", 512, 4096)
    start = vm.ask("ioctl", "reseed")["boottime_usec"]
    level_at_least(vm, 3072, 3, "filled again after a wake")
    took = vm.random()["boottime_usec"] - start
    bed.note(f"filled {took / 1000:.0f} ms after the wake (with the test's own delay)")
    check(daemon.status()["kernel"]["model"] == "counting", "it does not see a counting kernel")
    switches = daemon.switches()
    level = vm.random()["level"]
    # The level is far over the threshold and this takes 256 bits: nobody needs to wake.
    if level - 256 > 3072:
        vm.ask("ioctl", "reseed")
        vm.ask("drain", 500, 100, 0)
        check(daemon.switches() - switches <= 1, "it woke above its threshold")


@vm_test()
def test_forgotten_wake(bed):
    """RNDZAPENTCNT empties this kernel's pool and wakes nobody: the slow re-arm timer finds out."""
    bed.only_ours()
    vm = counting_guest(bed)
    daemon = bed.start(vm)
    level_at_least(vm, 3072, 5, "a first fill")
    start = vm.ask("ioctl", "zap")["boottime_usec"]
    check(vm.random()["level"] < 512, "the pool is not empty")
    level_at_least(vm, 3000, 75, "the re-arm timer fills the pool")
    bed.note(f"an emptied pool was found after {(vm.random()['boottime_usec'] - start) / 1e6:.1f} s")
    check(daemon.alive(), "rngd ended")


@vm_test()
def test_failing_source_at_the_top(bed):
    """A source that fails while somebody else fills the pool: no busy loop over what nobody wants any more."""
    bed.only_ours()
    vm = counting_guest(bed)
    vm.write("/bin/source", "#!/bin/sh\n[ ! -s /tmp/fail ] || exit 1\nexec head -c 512 /dev/urandom\n", 0o755)
    config = "[hwrng]\nenabled = no\n[cpu]\nenabled = no\n[exec]\ncommand = /bin/source\ncredit = 1024\n"
    daemon = bed.start(vm, config=config)
    level_at_least(vm, 3072, 20, "a first fill")
    vm.ask("drain", 3000, 100, 0, timeout=30)
    vm.write("/tmp/fail", "yes", 0o644)
    vm.ask("ioctl", "zap")
    vm.ask("ioctl", "add", 64, 256)
    vm.ask("ioctl", "reseed")
    vm.wait_until(lambda: daemon.source("exec")["failures"] > 0, 5, "the source failed")
    for _ in range(6):
        vm.ask("ioctl", "add", 512, 4096)
    level_at_least(vm, 3968, 1, "filled by the test")
    # Past the first back-off, which is over a second after the failure.
    vm.ask("drain", 2500, 100, 0, timeout=30)
    switches = daemon.switches()
    vm.ask("drain", 10000, 100, 0, timeout=30)
    idle = daemon.switches() - switches
    bed.note(f"{idle} context switches in 10 s with a full pool and a source that fails")
    check(idle <= 10, f"{idle} context switches in 10 s")
    check(daemon.alive(), "rngd ended")
    # And when it works again, the next wake finds it.
    vm.write("/tmp/fail", "", 0o644)
    vm.ask("ioctl", "zap")
    vm.ask("ioctl", "add", 64, 256)
    vm.ask("ioctl", "reseed")
    level_at_least(vm, 3072, 10, "feeds again")
