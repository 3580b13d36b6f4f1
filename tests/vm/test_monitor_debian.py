# SPDX-License-Identifier: MIT
"""entropy-monitor before the init of whole Debian guests, those of test_boot.py: chosen by the kernel's command line alone.

The guest is asked over systemd's debug shell, since a report that is a unit of its own would hold up the end of the boot
that is recorded. Its clock counts instructions, so that two boots can be compared.
"""

import base64
import gzip
import json
import re
import select
import subprocess
import time

from harness import debian_boot, guest, qemu
from harness.bed import check
from harness.debian_boot import Guests
from harness.runner import vm_test

import test_boot
import test_boot_trixie

MONITOR = "usr/bin/entropy-monitor"
RECORDING = "/run/guest-entropy/boot.json"
SHELL = "systemd.debug_shell=ttyS1 systemd.mask=boot-report.service"
LIMIT_SEC = 900
BOOT_SEC = 280 * debian_boot.PATIENCE
READY_USEC = 2000
# Whoever waits for this machine's disk waits in its time: two boots of one guest may differ by 5 %.
LONGER = 1.1
QUICK = "systemd.unit=quick.target systemd.wants=entropy-monitor-finish.service"


class Shell:
    """A guest that boots, and root's shell on its second serial line."""

    def __init__(self, bed, directory, append, initrd=None, precise=True, waits=True):
        work = bed.directory / f"guest{len(list(bed.directory.glob('guest*'))) + 1}"
        work.mkdir()
        server = guest.listen(work / "shell")
        if precise:
            append += f" {qemu.APPEND_COUNTED}"
        argv = [
            qemu.BINARY, "-accel", "tcg", "-cpu", "qemu64", "-M", "q35", "-m", "512", "-nodefaults", "-display", "none", "-no-reboot",
            "-kernel", directory / "vmlinuz", "-initrd", initrd or directory / "initrd",
            "-append", f"root=/dev/vda ro console=ttyS0 panic=-1 no_timer_check quiet {SHELL} {append}",
            "-serial", f"file:{work / 'console.log'}", "-chardev", f"socket,id=shell,path={work / 'shell'}", "-serial", "chardev:shell",
            "-drive", f"file={directory / 'root.ext4'},format=raw,if=virtio,snapshot=on", "-device", "virtio-rng-pci",
            *(qemu.COUNT_INSTRUCTIONS if precise else []),
        ]
        with open(work / "qemu.log", "wb") as log:
            self.process = guest.start_process([str(word) for word in argv], log)
        self.console, self.seen, self.n = work / "console.log", b"", 0
        bed.closers.append(self)
        self.sock = guest.accept(server, self.process)
        server.close()
        if waits:
            self.wait(rb"# ", BOOT_SEC)
            self.quiet()

    def quiet(self):
        self("stty -echo 2>/dev/null; PS1=")

    def wait(self, pattern, timeout):
        end = time.monotonic() + timeout
        while not (found := re.search(pattern, self.seen, re.S)):
            if time.monotonic() > end or self.process.poll() is not None:
                console = self.console.read_bytes().decode("latin-1")
                raise guest.GuestError(f"no answer within {timeout} s: {self.seen[-1000:]!r}\n{console[-2000:]}")
            if select.select([self.sock], [], [], 1)[0]:
                self.seen += self.sock.recv(65536)
        return found

    def __call__(self, command, timeout=60):
        self.n += 1
        self.seen = b""
        # What the terminal echoes has the quotes.
        self.sock.sendall(f"echo '<'{self.n}; {command}; echo '>'{self.n}\n".encode())
        return self.wait(rb"<%d\r?\n(.*)>%d\r?\n" % (self.n, self.n), timeout)[1].decode("latin-1").replace("\r", "")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=10)


def with_monitor(bed, directory):
    """The initramfs with the guest's own program, whose libraries the seeder has brought into it."""
    program = bed.directory / "entropy-monitor"
    subprocess.run(["debugfs", "-R", f"dump /{MONITOR} {program}", directory / "root.ext4"], check=True, capture_output=True, timeout=60)
    check(program.stat().st_size > 0, "the guest has no entropy-monitor")
    return debian_boot.overlaid(directory, bed.directory / "initrd", {MONITOR: program.read_bytes()})


def property_usec(shell, name):
    return int(shell(f"systemctl show --property={name}").strip().rpartition("=")[2])


def wait_for_end(shell):
    """Of the boot, by systemd's own account."""
    state = shell("systemctl is-system-running --wait", BOOT_SEC).strip()
    failed = shell("systemctl --failed --plain --no-legend").split()
    check(state == "running" and not failed, f"{state}, failed units: {failed}")
    check(shell("cat /proc/1/comm").strip() == "systemd", "systemd is not PID 1")
    return property_usec(shell, "FinishTimestampMonotonic")


def recording_of(shell):
    shell(f"until [ -e {RECORDING} ]; do sleep 0.2; done", 60)
    return json.loads(gzip.decompress(base64.b64decode(shell(f"gzip -c {RECORDING} | base64 -w0"))))


def check_recording(bed, what, shell, finished_usec):
    recording = recording_of(shell)
    events = {event["kind"]: event for event in reversed(recording["events"])}
    check(recording["end"] == "boot" and recording["first_process"], f"{what}: {recording['end']}")
    check(recording["monitor"]["lost"] == {"events": 0, "blocked": 0, "starts": 0}, f"{what}: lost {recording['monitor']['lost']}")
    check(recording["monitor"]["page_faults"] == 0, f"{what}: {recording['monitor']['page_faults']} page faults")
    end = events["boot-finished"]
    check(end["text"] == "systemd" and abs(end["at_usec"] - finished_usec) <= 1, f"{what}: finished at {finished_usec}, recorded: {end}")
    check(sum(recording["starts"]["execs"]) > 30, f"{what}: {sum(recording['starts']['execs'])} starts")
    bed.note(f"{what}: ready at {recording['rng']['ready_usec']} us by poll(), {events['log-ready']['at_usec']} us by the kernel's log;"
             f" {sum(recording['starts']['execs'])} starts, {len(recording['events'])} events")
    return recording, events


def try_initramfs(bed, spec):
    """rdinit=: from the initramfs through the switch of the root to the end of the boot."""
    directory = Guests(bed).directory(spec)
    shell = Shell(bed, directory, f"rdinit=/{MONITOR} {QUICK}", with_monitor(bed, directory))
    finished = wait_for_end(shell)
    recording, events = check_recording(bed, spec.name, shell, finished)
    check("switch-root" in events, f"events: {[event['kind'] for event in recording['events']]}")
    ready, logged, switched = recording["rng"]["ready_usec"], events["log-ready"]["at_usec"], events["switch-root"]["at_usec"]
    check(ready and abs(ready - logged) <= READY_USEC, f"ready at {ready}, by the kernel's log at {logged}")
    check(ready < switched, f"ready at {ready}, the root was switched at {switched}")


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_init(bed):
    """init=: the boot takes no longer than without, which the same guest shows beside it."""
    directory = Guests(bed).directory(test_boot.OURS)
    recorded = Shell(bed, directory, f"init=/{MONITOR}")
    plain = Shell(bed, directory, "")
    finished = {"recorded": wait_for_end(recorded), "plain": wait_for_end(plain)}
    check(plain(f"ls {RECORDING} 2>/dev/null; systemctl is-active entropy-monitor-finish").strip() == "inactive", "recorded without init=")
    recording, _ = check_recording(bed, "init=", recorded, finished["recorded"])
    check(recording["rng"]["ready_at_start"], "the seeder of the initramfs had not made the kernel ready")
    bed.note(f"systemd was finished after {finished} us")
    check(finished["recorded"] <= finished["plain"] * LONGER, f"the boot took longer: {finished}")


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_initramfs_tools(bed):
    try_initramfs(bed, test_boot.OURS)


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_dracut(bed):
    try_initramfs(bed, test_boot.DRACUT)


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_break(bed):
    """break= and panic= of the initramfs, as without the monitor: its shell, or a restart where panic= says something."""
    directory = Guests(bed).directory(test_boot.OURS)
    for append, text in ((" panic=", "(initramfs)"), ("", "Rebooting automatically due to panic= boot argument")):
        files = with_monitor(bed, directory)
        guest_ = Shell(bed, directory, f"rdinit=/{MONITOR} break=premount{append}", files, precise=False, waits=False)
        end = time.monotonic() + BOOT_SEC
        told = ""
        while text not in told:
            check(time.monotonic() < end, f"break=premount{append}: {told[-1000:]}")
            time.sleep(0.5)
            told = guest_.console.read_text("latin-1") if guest_.console.exists() else ""
        guest_.close()


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_soft_reboot(bed):
    """A new userspace on the same kernel is no boot: the recording stays, nothing fails, and systemd is PID 1 again."""
    directory = Guests(bed).directory(test_boot_trixie.TOOLS)
    shell = Shell(bed, directory, f"init=/{MONITOR}", precise=False)
    wait_for_end(shell)
    recording = recording_of(shell)
    shell.seen = b""
    shell.sock.sendall(b"systemctl soft-reboot\n")
    shell.wait(rb"# ", BOOT_SEC)
    shell.quiet()
    wait_for_end(shell)
    check(shell("systemctl show --property=SoftRebootsCount").strip() == "SoftRebootsCount=1", "systemd was not started again")
    check(recording_of(shell) == recording, "another recording")
    # The unit that ends recordings is started again, and finds none.
    left = shell("for i in $(seq 100); do grep -qsx entropy-monitor /proc/[0-9]*/comm || break; sleep 0.2; done;"
                 " grep -lsx entropy-monitor /proc/[0-9]*/comm; systemctl --failed --plain --no-legend", 120)
    check(not left.strip(), f"a sampler runs, or a unit failed: {left}")
