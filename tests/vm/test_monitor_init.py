# SPDX-License-Identifier: MIT
"""The monitor where the way to the init leads back to it, where names lie, and where a recording is behind a link."""

import json
import pathlib

from harness.bed import check
from harness.runner import vm_test

from test_monitor import MONITOR, RECORDING, finish, kinds, monitor_image

AGAIN = f"#!/bin/busybox sh\nexec {MONITOR} \"$@\"\n"
COPY = """#!/bin/busybox sh
busybox mount -t devtmpfs none /dev
echo '<1>init of the initramfs' >/dev/kmsg
busybox mkdir -p /new
busybox mount -t tmpfs none /new
for directory in /bin /lib /lib64 /usr /sbin /etc /init; do busybox cp -a $directory /new; done
busybox mkdir -p /new/run /new/proc /new/sys /new/dev /new/tmp
"""


def passes(vm, text):
    return sum(text in str(line) for line in vm.kmsg())


def root_image(bed):
    """The agent is no /init here, but where the monitor has to look for an init."""
    image = monitor_image(bed)
    image.file(bed.agent, "sbin/agent", 0o755)
    del image.entries["init"]
    return image


@vm_test()
def test_initramfs_that_copies_itself(bed):
    """Its /init is in the new root, too, where the monitor is the init: it must not run again."""
    image = root_image(bed)
    image.data("init", COPY + f"exec busybox switch_root /new {MONITOR}\n", 0o755)
    vm = bed.linux(image=image, memory_mb=320, append="entropy.init=/sbin/agent")
    check(vm.ask("ping")["pid"] == 1, "the real init is not PID 1")
    check(passes(vm, "init of the initramfs") == 1, "the initramfs's /init ran again")
    check(finish(vm)["end"] == "boot", "another recording")


@vm_test()
def test_init_that_starts_the_monitor(bed):
    """/sbin/init is a script that executes the monitor, and so is what entropy.init= names: the next one is PID 1."""
    for append in ("", "entropy.init=/sbin/wrapper", "entropy.init=/sbin/wrapper entropy.monitor=off"):
        image = root_image(bed)
        for name in ("sbin/init", "sbin/wrapper"):
            image.data(name, f"#!/bin/busybox sh\necho '<1>pass of {name}' >/dev/kmsg\nexec {MONITOR} \"$@\"\n", 0o755)
        image.link("bin/init", "/sbin/agent")
        image.entries["dev/kmsg"] = (0o020600, b"", (1, 11))
        vm = bed.linux(image=image, init=MONITOR, append=append)
        check(vm.ask("ping")["pid"] == 1, "the real init is not PID 1")
        counts = passes(vm, "pass of sbin/init"), passes(vm, "pass of sbin/wrapper")
        check(counts == (1, 1 if append else 0), f"{append}: passes {counts}")
        bed.note(f"{append or 'nothing'}: /sbin/init and the wrapper ran {counts} times")
        vm.close()


@vm_test()
def test_forged_names(bed):
    """Processes named as the kernel's lines read /dev/urandom too early: they are readers, and the RNG is not ready."""
    names = ["crng init done", "fast init done", ""]
    vm = bed.uml(monitor_image(bed), append=f"rdinit={MONITOR}")
    vm.run("/bin/sleep", "0.5")
    for name in names:
        # A process may also give itself an empty name, which a script cannot have.
        path = f"/tmp/{name}" if name else "/tmp/empty"
        vm.write(path, "#!/bin/busybox sh\nread -n 1 x </dev/urandom\n" if name else
                 "#!/bin/busybox sh\nprintf '\\n' >/proc/$$/comm\nread -n 1 x </dev/urandom\n", 0o755)
        vm.run(path)
        vm.run("/bin/sleep", "1.1")
    lines = [str(line) for line in vm.kmsg() if "uninitialized" in str(line)]
    check(len(lines) == len(names), f"the kernel's lines: {lines}")
    early = vm.run(MONITOR, "status", "--json")
    vm.ask("ioctl", "add", 512, 4096)
    at = vm.boottime_usec()
    told = json.loads(vm.run(MONITOR, "status", "--json")["out"])
    daemon = bed.start(vm)
    since = daemon.status()["kernel"]["ready_since_usec"]
    recording = finish(vm, faults=10)
    reads = [e["text"] for e in recording["events"] if e["kind"] == "uninitialized-read"]
    done = vm.run(MONITOR, "check", "--no-uninitialized-reads")
    bed.note(f"{lines}; read: {reads}; {done['out'].strip()}; ready at {at} us, by status {told['since_usec']}, by rngd {since}")
    check(reads == ["crng init done", "fast init done", "\\x0a"], f"{recording['events']}")
    check(done["code"] == 1, f"check passed: {done}")
    check(early["code"] == 2 and abs(told["since_usec"] - at) < 500_000 and abs(since - at) < 500_000,
          f"ready at {at}, by status {told['since_usec']}, by rngd {since}")
    # The kernel's own "fast init done" was before all that.
    check(kinds(recording).count("log-ready") == 1 and kinds(recording).count("fast-init") == 1, f"{recording['events']}")


@vm_test()
def test_output_behind_links(bed):
    """output= behind absolute links of the guest, which mean its own root."""
    image = monitor_image(bed)
    image.link("var/run", "/run")
    image.link("var/log", "/var/store/log")
    image.directory("var/store/log")
    for output, read in (("/var/run/x.json", "/run/x.json"), ("/var/log/monitor/x.json", "/var/store/log/monitor/x.json")):
        vm = bed.linux(image=image, init=MONITOR, append=f"entropy.monitor=output={output}")
        check(vm.run(MONITOR, "finish", timeout=40).get("code") == 0, "finish failed")
        check(vm.read(read, check=False), f"{output} was not written")
        check(json.loads(vm.read(read))["end"] == "boot", "another recording")
        check(not vm.read(RECORDING, check=False), "written to the usual place, too")
        vm.close()


@vm_test()
def test_verb_on_the_kernel_command_line(bed):
    """A word that the kernel does not know is init's, even if it is one of the monitor's verbs."""
    image = root_image(bed)
    image.data("sbin/init", "#!/bin/busybox sh\nexec /sbin/agent /dev/ttyS1 \"$@\"\n", 0o755)
    vm = bed.linux(image=image, init=MONITOR, append="status")
    check(vm.ask("ping")["pid"] == 1, "the real init is not PID 1")
    check("status" in vm.read("/proc/1/cmdline").split("\0"), "init was not given the word")
    check(finish(vm)["first_process"], "another recording")


@vm_test()
def test_lines_that_are_gone(bed):
    """An early read whose line the log has lost since, or nobody may read: no recording says that there was none."""
    vm = bed.uml(monitor_image(bed))
    vm.run("/bin/dd", "if=/dev/urandom", "of=/dev/null", "bs=16", "count=1")
    vm.run(MONITOR, "record", "-d", "100ms", "-o", "/tmp/whole.json")
    vm.shell("chmod 600 /dev/kmsg; chmod 1777 /tmp")
    vm.run(MONITOR, "record", "-d", "100ms", "-o", "/tmp/none.json", uid=1)
    vm.shell("for i in $(busybox seq 1500); do echo '<6>" + "x" * 200 + "' >/dev/kmsg; done")
    check(not any("uninitialized" in str(line) for line in vm.kmsg()), "the log still has the line")
    vm.run(MONITOR, "record", "-d", "100ms", "-o", "/tmp/cut.json")
    told = {name: vm.run(MONITOR, "check", "--no-uninitialized-reads", f"/tmp/{name}.json") for name in ("whole", "none", "cut")}
    bed.note("; ".join(f"{name}: {done['out'].strip()}" for name, done in told.items()))
    for name, words in (("whole", "1 reads"), ("none", "was not read"), ("cut", "lines are missing")):
        check(told[name]["code"] == 1 and words in told[name]["out"], f"{name}: {told[name]}")
        check(json.loads(vm.read(f"/tmp/{name}.json"))["monitor"]["log"] == name, name)


@vm_test()
def test_separate_usr(bed):
    """/usr is a file system of its own that the initramfs mounts, and that has the monitor and the libraries."""
    image = root_image(bed)
    image.data("init", COPY + f"""busybox mv /new/usr /new/usr-of-root
busybox mkdir /new/usr
busybox mount -t tmpfs -o mode=755 none /new/usr
busybox mv /new/usr-of-root/* /new/usr
exec busybox switch_root /new {MONITOR}
""", 0o755)
    image.data("sbin/init", "#!/bin/busybox sh\nexec /sbin/agent /dev/ttyS1\n", 0o755)
    vm = bed.linux(image=image, memory_mb=320)
    check(vm.ask("ping")["pid"] == 1, "the real init is not PID 1")
    check(" /usr tmpfs " in vm.read("/proc/mounts"), "/usr is not mounted")
    check(finish(vm)["first_process"], "another recording")


@vm_test()
def test_kexec(bed):
    """A kernel that is started from another one is a boot of its own, with a recording of its own."""
    inner = monitor_image(bed)
    image = monitor_image(bed)
    image.file(bed.kernel("cloud-6.1") / "vmlinuz", "boot/vmlinuz", 0o644)
    image.data("boot/initrd", inner.bytes())
    image.file(pathlib.Path(bed.agent).parent / "kexec-probe", "usr/sbin/kexec-probe", 0o755)
    vm = bed.linux(image=image, init=MONITOR, memory_mb=512)
    command_line = vm.read("/proc/cmdline").strip() + " entropy.monitor=interval=2ms"
    before = vm.read("/proc/sys/kernel/random/boot_id").strip()
    vm.start("run", "--", "/usr/sbin/kexec-probe", "/boot/vmlinuz", "/boot/initrd", command_line)
    vm.wait_for_agent(60)
    check(vm.read("/proc/sys/kernel/random/boot_id").strip() != before, "this is still the first kernel")
    recording = finish(vm)
    check(recording["first_process"] and recording["samples"]["interval_usec"] == 2000, "another recording")
    check(recording["boot_id"] == vm.read("/proc/sys/kernel/random/boot_id").strip(), "a recording of the first boot")
