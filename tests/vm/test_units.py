# SPDX-License-Identifier: MIT
"""The installed units in guests whose PID 1 is systemd: file systems that are late, absent, empty or full, a service that
fails, and stops of a machine that is busy."""

import json
import os
import pathlib
import re
import subprocess

import test_seeder as seeder
import test_sources as sources
import test_systemd as systemd
from harness import qemu
from harness.bed import Skip, check
from harness.entropy_server import random_stream
from harness.runner import vm_test

SYSTEM = pathlib.Path("/lib/systemd/system")
GENERATOR = pathlib.Path("/lib/systemd/system-generators/systemd-fstab-generator")
OURS = ("entropy-seeder.service", "entropy-seeder-save.service", "entropy-seeder-metadata.path", "entropy-seeder-metadata.service",
        "rngd.service")
THEIRS = ("basic.target", "local-fs-pre.target", "local-fs.target", "paths.target", "shutdown.target", "sysinit.target",
          "umount.target")
# All of it hangs on this one; the agent is there at once, whatever the others wait for.
DEFAULT_TARGET = """[Unit]
Wants=agent.service sysinit.target local-fs.target
"""
LIBEXEC = "/usr/libexec/guest-entropy"
# /dev/vda is the state of test_seeder.py, and empty. Without udev systemd hears of no device: mounted by hand.
MOUNT_VAR = """[Unit]
DefaultDependencies=no
Before=entropy-seeder.service
[Service]
Type=oneshot
ExecStart=/bin/mount -t ext4 /dev/vda /var
"""
# A file system that takes a second.
SLOW = """[Unit]
DefaultDependencies=no
Before=var.mount
[Service]
Type=oneshot
ExecStart=/bin/sleep 1
"""


def make_image(bed, files, enabled=("entropy-seeder.service",)):
    """The units as they are installed, of which some are enabled; files: what else is in /etc."""
    bed.only_ours()
    image = systemd.systemd_image(bed)
    image.program(pathlib.Path(bed.rngd).parents[1] / "seeder/entropy-seeder", seeder.SEEDER)
    image.program(GENERATOR, str(GENERATOR))
    for name in THEIRS:
        image.file(SYSTEM / name, f"{SYSTEM}/{name}", 0o644)
    for name in OURS:
        text = (systemd.SOURCE / f"units/{name}.in").read_text()
        for word, value in (("sbindir", "/usr/sbin"), ("bindir", "/usr/bin"), ("program_directory", LIBEXEC)):
            text = text.replace(f"@{word}@", value)
        image.data(f"etc/systemd/system/{name}", text)
        if name in enabled:
            wanted = re.search(r"^WantedBy=(\S+)", text, re.M)[1]
            image.link(f"etc/systemd/system/{wanted}.wants/{name}", f"../{name}")
    image.data("etc/systemd/system/default.target", DEFAULT_TARGET)
    image.data("etc/systemd/system/rngd.service.d/test.conf", "[Service]\nStandardError=append:/tmp/rngd.log\n")
    for name in ("touch", "mkdir"):
        image.link(f"bin/{name}", "busybox")
    for name, text in files.items():
        image.data(f"etc/{name}", text)
    return image


def boot(bed, files, *, enabled=("entropy-seeder.service",), devices=(), **options):
    return bed.linux(image=make_image(bed, files, enabled), init="/lib/systemd/systemd", memory_mb=256, devices=devices,
                     modules=(*sources.DRIVE, "virtio_rng"), **options)


def show(vm, unit, *names):
    return systemd.show(vm, unit, *names)


def report_of(vm):
    """What the seeder of the real root has left; it may still be at work."""
    done = vm.run(seeder.SEEDER, "--report=json")
    runs = json.loads(done["out"]) if done.get("code") == 0 and done["out"].strip() else []
    return next((run for run in runs if run["phase"] == "real-root"), None)


def wait_for_seeder(vm, timeout=30):
    def ended():
        state = show(vm, "entropy-seeder.service", "ActiveState", "Result")
        return state["ActiveState"] in ("inactive", "failed") and (report_of(vm) or {}).get("ended_usec") and state
    # Each question costs the guest half a second.
    state = vm.wait_until(ended, timeout, "the seeder ran and ended", 1)
    check(state["Result"] == "success", f"entropy-seeder.service: {state}")


# Where the state is


@vm_test()
def test_var_absent(bed):
    """A disk for /var that is not there and need not be: the seeder runs, and without a state."""
    vm = boot(bed, {"fstab": "/dev/vdz /var ext4 nofail,x-systemd.device-timeout=2s 0 0\n"},
              enabled=("entropy-seeder.service", "entropy-seeder-save.service"))
    wait_for_seeder(vm)
    check(show(vm, "var.mount", "ActiveState")["ActiveState"] == "inactive", "there is a /var after all")
    # What lies beneath /var knows nothing of the seeds that were used while the disk was there.
    check(show(vm, "entropy-seeder-save.service", "ActiveState")["ActiveState"] == "active", "nothing would save a seed")
    vm.run("/bin/systemctl", "stop", "entropy-seeder-save.service")
    check(show(vm, "entropy-seeder-save.service", "Result")["Result"] == "success", "the save fails its unit")
    check(vm.run("/bin/ls", "/var/lib")["code"] != 0, "a state was made beneath the mount")


@vm_test()
def test_var_late(bed):
    """A /var that takes its time is waited for."""
    vm = boot(bed, {"fstab": "tmpfs /var tmpfs defaults 0 0\n", "systemd/system/slow.service": SLOW,
                    "systemd/system/var.mount.d/slow.conf": "[Unit]\nWants=slow.service\n"})
    wait_for_seeder(vm)
    there = int(show(vm, "var.mount", "ActiveEnterTimestampMonotonic")["ActiveEnterTimestampMonotonic"])
    started = report_of(vm)["started_usec"]
    check(0 < there <= started, f"/var was there at {there}, and the seeder started at {started}")


@vm_test()
def test_var_empty(bed):
    """The first boot of a disk for /var that somebody has only formatted. It is in the table, and mounted: it is used."""
    state = seeder.make_state(bed)
    vm = boot(bed, {"systemd/system/mount-var.service": MOUNT_VAR, "fstab": "/dev/vda /var ext4 noauto 0 0\n",
                    "systemd/system/entropy-seeder.service.d/test.conf": "[Unit]\nRequires=mount-var.service\n"},
              enabled=(), devices=seeder.state_disk(state))
    for module in (*sources.DRIVE, "virtio_rng"):
        vm.load(module)
    check(vm.run("/bin/systemctl", "start", "entropy-seeder.service")["code"] == 0, "it did not start")
    wait_for_seeder(vm)
    made = vm.shell("stat -c '%n %a' /var/lib /var/lib/guest-entropy").split("\n")[:-1]
    check(made == ["/var/lib 755", "/var/lib/guest-entropy 700"], f"{made}")


# Who saves a seed at the end


def saved_by(vm, unit, result="success"):
    """What a stop of the unit saves, and how the unit ends."""
    vm.shell(f"rm -f {seeder.STATE}/seed*")
    check(vm.run("/bin/systemctl", "stop", unit, timeout=30)["code"] == 0, f"{unit} did not stop")
    state = show(vm, unit, "Result")["Result"]
    check(state == result, f"{unit} ended with {state}: {vm.read('/tmp/rngd.log', check=False)}")
    return list(seeder.saved(vm))


@vm_test()
def test_who_saves(bed):
    """rngd where it runs, and then no other unit; that unit where rngd does not."""
    server = bed.server(random_stream("save"), "egd")
    image = make_image(bed, {}, ("entropy-seeder.service", "entropy-seeder-save.service", "rngd.service"))
    image.directory(seeder.STATE)
    vm = bed.linux(image=image, init="/lib/systemd/systemd", memory_mb=256, devices=server.device(), modules=("virtio_pci", "virtio_rng"))
    for module in ("virtio_pci", "virtio_rng"):
        vm.load(module)
    wait_for_seeder(vm)
    vm.wait_until(lambda: show(vm, "rngd.service", "ActiveState")["ActiveState"] == "active", 20, "rngd is active", 1)
    state = show(vm, "entropy-seeder-save.service", "ActiveState", "ConditionResult")
    check(state == {"ActiveState": "inactive", "ConditionResult": "no"}, f"a second unit would save: {state}")
    check(saved_by(vm, "rngd.service") == ["seed.credit"], "rngd saved no seed")

    vm.run("/bin/systemctl", "start", "rngd.service", timeout=20)
    vm.shell("touch /run/guest-entropy/no-seed")
    check(saved_by(vm, "rngd.service") == [], "a seed in a machine that was cleaned")

    vm.shell(f"rm /run/guest-entropy/no-seed; mv {seeder.SEEDER} /tmp/seeder")
    for words, result in (("exit 73", "success"), ("exit 75", "success"), ("exec sleep 60", "timeout")):
        vm.run("/bin/systemctl", "start", "rngd.service", timeout=20)
        vm.shell(f"printf '#!/bin/sh\\n{words}\\n' >{seeder.SEEDER}; chmod 755 {seeder.SEEDER}")
        check(saved_by(vm, "rngd.service", result) == [], f"the seeder says {words}")
    vm.shell(f"mv /tmp/seeder {seeder.SEEDER}")

    # What took too long is a failure, which has started it.
    vm.run("/bin/systemctl", "stop", "entropy-seeder-save.service", timeout=20)
    vm.shell("printf '[rngd]\nno-such-key = 1\n' >/etc/guest-entropy.conf")
    vm.run("/bin/systemctl", "start", "rngd.service", timeout=20)
    check(show(vm, "rngd.service", "ActiveState")["ActiveState"] == "failed", "rngd took a configuration that is wrong")
    vm.wait_until(lambda: show(vm, "entropy-seeder-save.service", "ActiveState")["ActiveState"] == "active", 10, "nobody would save", 1)
    vm.shell("rm /etc/guest-entropy.conf")
    check(saved_by(vm, "entropy-seeder-save.service") == ["seed.credit"], "the unit saved no seed")


# Another systemd


def replace_systemd(image, directory):
    """In the image, with the libraries of its own release."""
    places = {"LD_LIBRARY_PATH": f"{directory}/lib/systemd:{directory}/usr/lib/x86_64-linux-gnu"}
    for program in ("lib/systemd/systemd", "bin/systemctl", str(GENERATOR)[1:]):
        image.file((directory / program).resolve(), program, 0o755)
        listed = subprocess.run(["ldd", directory / program], capture_output=True, text=True, timeout=30, check=False,
                                env={**os.environ, **places}).stdout
        for library in re.findall(r"(/\S+) \(0x", listed):
            image.file(pathlib.Path(library).resolve(), library.removeprefix(str(directory)), 0o755)


@vm_test()
def test_oldest_systemd(bed):
    """Debian 11's: the units start and stop, and do what they are there for."""
    directory = bed.cache / "systemd-247"
    if not directory.is_dir():
        raise Skip("systemd-247 is not in the kernel cache")
    server = bed.server(random_stream("old"), "egd")
    enabled = ("entropy-seeder.service", "entropy-seeder-save.service", "rngd.service")
    image = make_image(bed, {"fstab": "tmpfs /var tmpfs defaults 0 0\n"}, enabled)
    replace_systemd(image, directory)
    vm = bed.linux(image=image, init="/lib/systemd/systemd", memory_mb=256, devices=server.device(),
                   modules=("virtio_pci", "virtio_rng"), append="systemd.log_target=kmsg printk.devkmsg=on")
    for module in ("virtio_pci", "virtio_rng"):
        vm.load(module)
    check(vm.run("/bin/systemctl", "--version")["out"].startswith("systemd 247"), "it is another one")
    wait_for_seeder(vm)
    vm.wait_until(lambda: show(vm, "rngd.service", "ActiveState")["ActiveState"] == "active", 20, "rngd is active", 1)
    done = vm.run("/bin/systemctl", "stop", *enabled, timeout=40)
    states = {unit: show(vm, unit, "ActiveState", "Result") for unit in enabled}
    wrong = [unit for unit, state in states.items() if state != {"ActiveState": "inactive", "Result": "success"}]
    check(done.get("code") == 0 and not wrong, f"{states}")
    # RestrictAddressFamilies=none came with 249; PrivateNetwork= is beside it.
    unknown = [line for line in map(str, vm.kmsg()) if re.search(r"/(entropy|rngd)\S*:\d+: (Unknown|Failed)", line)]
    check(not [line for line in unknown if "address family, ignoring: none" not in line], f"{unknown}")


# A /run without room


@vm_test()
def test_run_full(bed):
    """No inode is left in /run: what cannot be told there is not told, and the daemon and the seeder run."""
    server = bed.server(random_stream("full run"), "egd")
    vm = boot(bed, {}, enabled=(), devices=server.device())
    for module in ("virtio_pci", "virtio_rng"):
        vm.load(module)
    # What systemd makes for a sandbox when a unit is started first: without it no unit that has one starts, of whomever.
    vm.shell("for u in rngd entropy-seeder; do mkdir -p /run/systemd/propagate/$u.service; done; "
             "mkdir -p /run/systemd/unit-root /run/systemd/incoming")
    used = int(vm.shell("stat -f -c '%c %d' /run | { read -r all free; echo $((all - free)); }"))
    vm.shell(f"mount -o remount,nr_inodes={used + 8} /run; for i in $(seq 20); do touch /run/x$i 2>/dev/null || break; done")
    check(vm.run("/bin/busybox", "mkdir", "/run/another")["code"] != 0, "there is room in /run")
    for unit in ("rngd.service", "entropy-seeder.service"):
        done = vm.run("/bin/systemctl", "start", unit, timeout=20)
        check(done.get("code") == 0, f"{unit}: {done}; {show(vm, unit, 'Result', 'ExecMainStatus')}")
    state = show(vm, "rngd.service", "ActiveState", "NRestarts")
    check(state == {"ActiveState": "active", "NRestarts": "0"}, f"rngd.service: {state}")
    vm.wait_until(lambda: vm.random()["ready"], 10, "they feed the kernel")
    check("going on without status" in vm.read("/tmp/rngd.log"), f"there was room: {vm.read('/tmp/rngd.log')}")


# A service that fails


@vm_test()
def test_metadata_fails(bed):
    """It is started once by what waits for the request, and neither of them fails for ever."""
    vm = boot(bed, {"guest-entropy.conf": "[metadata]\nenabled = maybe\n",
                    "systemd/system/entropy-seeder-metadata.service.d/test.conf":
                        "[Service]\nExecStartPre=+/bin/sh -c 'echo started >>/run/started'\n"}, enabled=())
    vm.shell(f"mkdir -p {LIBEXEC} /run/guest-entropy; touch {LIBEXEC}/entropy-metadata")
    check(vm.run("/bin/systemctl", "start", "entropy-seeder-metadata.path")["code"] == 0, "the path unit did not start")
    vm.shell("touch /run/guest-entropy/metadata-wanted")
    vm.wait_until(lambda: show(vm, "entropy-seeder-metadata.service", "ActiveState")["ActiveState"] == "failed", 60, "it fails", 4)
    vm.run("/bin/sleep", "2")
    starts = vm.read("/run/started").split()
    states = {unit: show(vm, f"entropy-seeder-metadata.{unit}", "ActiveState", "Result") for unit in ("path", "service")}
    check(len(starts) == 1, f"it was started {len(starts)} times: {states}")
    check(states["service"]["Result"] == "exit-code" and states["path"]["ActiveState"] != "failed", f"{states}")


# A busy machine


BUSY = """
for i in $(seq 20); do (while :; do :; done) & loops="$loops $!"; done
{seeder} run --real-root --quiet & pid=$!
sleep {after}
now() {{ read -r t _ </proc/uptime; t=$((${{t%.*}} * 100 + 1${{t#*.}} - 100)); }}
now; begin=$t; kill -TERM $pid; wait $pid; status=$?; now
kill -KILL $loops
echo $status $((t - begin)) $([ -e /run/guest-entropy/seeder.json ] && echo report)
exec 2>/dev/null
rm -rf /run/guest-entropy
"""
# Nobody reads what the save writes: it is under way for as long as it is let.
STUCK = """
rm -rf {state}/seed.new; mkfifo {state}/seed.new
{seeder} run --real-root --quiet & pid=$!
for i in $(seq 100); do [ ! -s /run/guest-entropy/seeder.json ] || break; sleep 0.1; done
sleep 0.5; kill -TERM $pid; sleep 0.5; kill -KILL $pid 2>/dev/null
wait $pid; echo $?
"""
STOP_SEC = 0.4
ENDED_BY_TERM = 128 + 15


@vm_test(timeout=300)
def test_stop_while_busy(bed):
    """One CPU, three loops that want it: the seeder ends when it is told to, whatever it does just then."""
    server = bed.server(random_stream("busy"), "egd")
    vm = seeder.guest(bed, seeder.make_state(bed), [*server.device(), *qemu.COUNT_INSTRUCTIONS],
                      modules=("virtio_rng",))
    vm.load("virtio_rng")
    took = {}
    for after in ("0.05", "0.1", "0.2", "0.4", "1"):
        status, hundredths, *_ = vm.shell(BUSY.format(seeder=seeder.SEEDER, after=after), timeout=60).split("\n")[-2].split()
        took[after] = (int(hundredths) / 100, int(status))
    bed.note(f"from SIGTERM to the end, and the status: {took}")
    check(not [when for when, (sec, _) in took.items() if sec > STOP_SEC], f"too late: {took}")
    check({status for _, status in took.values()} <= {seeder.READY, seeder.NOT_READY, ENDED_BY_TERM}, f"{took}")
    status = vm.shell(STUCK.format(seeder=seeder.SEEDER, state=seeder.STATE), timeout=60).split()[-1]
    check(status == str(ENDED_BY_TERM), f"told to end while it saved, it ended with {status}")
    check(report_of(vm)["ended_why"] == "ready, quick sources are in", f"{report_of(vm)}")
