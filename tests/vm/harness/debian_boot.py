# SPDX-License-Identifier: MIT
"""Boots a whole Debian guest that debian.py has made, and reads what it tells of itself."""

import json
import os
import pathlib
import re
import subprocess

from . import archive, debian, guest, qemu
from .bed import Skip, check


TICKS_PER_SEC = 100
# Where others come first, see runner.NICE, a boot may take longer.
PATIENCE = 2 if os.nice(0) else 1


class Report:
    """What the guest said of itself."""

    def __init__(self, text, console):
        self.parts = {}
        for line in text.replace("\r", "").splitlines():
            if line.startswith("== "):
                current = self.parts.setdefault(line[3:], [])
            elif self.parts:
                current.append(line)
        self.kmsg = self.parts.get("kmsg", [])
        self.cycles = [line for line in self.kmsg if "cycle" in line]
        self.reached_sec = int(self.first("reached") or 0) / 1e6
        nice, iowait = (int(self.first("ticks").split()[column]) / TICKS_PER_SEC for column in (2, 5))
        # How long the disk takes is this machine's doing; what runs at the lowest priority leaves the boot its time.
        self.boot_sec = self.reached_sec - nice - iowait
        ended, off = self.first("poweroff"), re.search(r"\[ *([\d.]+)\] reboot: Power down", console)
        self.shutdown_sec = float(off[1]) - float(ended.split()[0]) if ended and off else None
        self.failed = [line.split()[0] for line in self.parts.get("failed", []) if line.strip()]

    def probe(self, what, key="at"):
        """In seconds since the boot; None when it did not happen."""
        found = re.search(rf"boot-probe: {what} at=(\d+) usec=(\d+)", "\n".join(self.kmsg))
        return int(found[1 if key == "at" else 2]) / 1e6 if found else None

    def run_report(self, which):
        for line in self.parts.get("reports", []):
            name, _, text = line.partition(" ")
            if name.endswith(f"/{which}.json"):
                # Reserved before the run, and left empty where there was no space for it.
                return json.loads(text) if text.strip() else None
        return None

    def cpu_sec(self, unit):
        """What a unit has cost, the set-up of its sandbox included."""
        return next((int(line.split()[1]) / 1e9 for line in self.parts.get("cpu", []) if re.fullmatch(rf"{unit} \d+", line)), None)

    def stop_sec(self, unit):
        """From the signal to the end of all of its processes; needs the word stop=each."""
        for name, *stamps in map(str.split, self.parts.get("stop", [])):
            if name == unit and len(stamps) == 2 and all(map(int, stamps)):
                return (int(stamps[1]) - int(stamps[0])) / 1e6
        return None

    def first(self, part):
        return next(iter(self.parts.get(part, [])), "")


def with_archive(directory, path, image):
    """The initramfs, and these files in place of its own: of two archives, the later wins."""
    first = (directory / "initrd").read_bytes()
    # An archive that is not compressed must be aligned.
    path.write_bytes(first + b"\0" * (-len(first) % 512) + image.bytes())
    return path


def overlaid(directory, path, files):
    """An initramfs with other files in place of its own."""
    image = archive.Archive()
    image.entries.clear()
    for name, data in files.items():
        image.entries[name] = (0o100755, data, (0, 0))
    return with_archive(directory, path, image)


def laid(directory, path, files, own=None):
    """An initramfs that lays these files into the real root, as soon as it is mounted; own: files of itself."""
    image = archive.Archive()
    image.entries.clear()
    script = "mount -o remount,rw ${ROOT} ${rootmnt}\n"
    for name, text in files.items():
        image.data(f"laid/{name}", text)
        script += f"mkdir -p ${{rootmnt}}/{pathlib.PurePath(name).parent}; cat /laid/{name} >${{rootmnt}}/{name}\n"
    for name, text in (own or {}).items():
        image.data(name, text)
    image.data("scripts/local-bottom/ORDER", script + "mount -o remount,ro ${ROOT} ${rootmnt}\n", 0o755)
    return with_archive(directory, path, image)


def writable_disk(directory, path):
    """For more than one boot of the same machine."""
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", directory / "root.ext4", path], check=True, timeout=30)
    return path


def wait(process, timeout, told, ends):
    if ends:
        process.wait(timeout=timeout)
        return
    for _ in range(timeout):
        try:
            process.wait(timeout=1)
            return
        except subprocess.TimeoutExpired:
            if b"== end" in told.read_bytes():
                return
    raise subprocess.TimeoutExpired(process.args, timeout)


def boot(directory, work, append="", devices=(), cpu="qemu64", timeout=280, disk=None, initrd=None, precise=False, ends=True):
    """Boots until the guest has reported and switched itself off. precise: its clock counts instructions. ends: whether it
    can, or is taken down when it has reported."""
    work.mkdir(parents=True, exist_ok=True)
    console, told = work / "console.log", work / "told"
    drive = f"file={disk or directory / 'root.ext4'},format={'qcow2' if disk else 'raw'},if=virtio" + ("" if disk else ",snapshot=on")
    timeout *= PATIENCE
    if precise:
        append += f" {qemu.APPEND_COUNTED}"
    argv = [
        qemu.BINARY, "-accel", "tcg", "-cpu", cpu, "-M", "q35", "-m", "512", "-nodefaults", "-display", "none", "-no-reboot",
        "-kernel", directory / "vmlinuz", "-initrd", initrd or directory / "initrd",
        "-append", f"root=/dev/vda ro console=ttyS0 panic=-1 no_timer_check quiet {append}",
        "-serial", f"file:{console}", "-serial", f"file:{told}", "-drive", drive, *devices,
        *(qemu.COUNT_INSTRUCTIONS if precise else []),
    ]
    with open(work / "qemu.log", "wb") as log:
        process = guest.start_process([str(word) for word in argv], log)
        try:
            wait(process, timeout, told, ends)
        except subprocess.TimeoutExpired:
            raise guest.GuestError(f"no end within {timeout} s:\n{console.read_bytes().decode('latin-1')[-2000:]}") from None
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(timeout=10)
    text = told.read_bytes().decode("latin-1")
    if "== end" not in text:
        raise guest.GuestError(f"the guest did not report:\n{console.read_bytes().decode('latin-1')[-2000:]}\n{text[-1000:]}"
                               f"{(work / 'qemu.log').read_text()[-500:]}")
    return Report(text, console.read_bytes().decode("latin-1"))


class Guests:
    def __init__(self, bed):
        self.bed, self.n = bed, 0
        bed.only_ours()
        self.builder = debian.Builder({"cache": bed.cache, "rngd": bed.rngd})

    def directory(self, spec):
        try:
            return self.builder.get(spec)
        except (debian.Unbuildable, subprocess.SubprocessError) as e:
            raise Skip(str(e)) from e

    def boot(self, spec, what, *words, **options):
        directory = self.directory(spec)
        self.n += 1
        report = boot(directory, self.bed.directory / f"guest{self.n}", append=" ".join(words), **options)
        check(not report.cycles, f"{what}: systemd found ordering cycles: {report.cycles}")
        return report

    def note(self, what, report):
        def msec(value):
            return "-" if value is None else f"{value * 1000:.0f} ms"
        ready, bound = report.probe("ready"), report.probe("bound")
        after = None if None in (ready, bound) else max(0.0, ready - bound)
        self.bed.note(f"{what}: ready at {msec(ready)} ({msec(after)} after virtio_rng was bound), first getrandom() blocked "
                      f"{msec(report.probe('getrandom-initramfs', 'usec'))} in the initramfs, "
                      f"{msec(report.probe('getrandom-unit', 'usec'))} before sysinit.target")


def credited(report, source):
    """Bits that the seeder of the real root credited to a source; None when it was not asked."""
    run_report = report.run_report("seeder")
    check(run_report, f"no run report of the real root: {report.kmsg}")
    found = [line["credited_bits"] for line in run_report["sources"] if line["name"].split()[0] == source]
    return sum(found) if found else None


def check_no_failure_of_ours(report, what):
    ours = [unit for unit in report.failed if "entropy" in unit or "rngd" in unit]
    check(not ours, f"{what}: failed units {ours}\n" + "\n".join(report.parts["journal"]))
