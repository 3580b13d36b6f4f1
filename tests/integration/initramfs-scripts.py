#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The scripts that an initramfs runs, in a root of dash and busybox with a seeder and a /sys of
the test's own.

Whatever the seeder does, and whatever is missing, a script succeeds and costs no time; none of the
seeder's processes is left when the real root takes over.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/vm"))

from harness import archive  # noqa: E402
from tap import case, counts  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "initramfs"
# The two scripts as their builder calls them: it runs the first, sources the next, calls the functions of the last.
KINDS = {
    "initramfs-tools": ("initramfs-tools/scripts/init-top/guest-entropy", "initramfs-tools/scripts/init-bottom/guest-entropy",
                        "sh -e /start", "sh -e /stop"),
    "dracut": ("dracut/50guest-entropy/guest-entropy-start.sh", "dracut/50guest-entropy/guest-entropy-stop.sh",
               "sh -c '. /start; true'", "sh -c '. /stop; true'"),
    "dracut, metadata": ("dracut/50guest-entropy/guest-entropy-metadata.sh", "dracut/50guest-entropy/guest-entropy-stop.sh",
                         "sh -c '. /start; true'", "sh -c '. /stop; true'"),
    "mkinitcpio": ("mkinitcpio/hooks/guest-entropy", "mkinitcpio/hooks/guest-entropy",
                   "sh -ec '. /start; run_earlyhook'", "sh -ec '. /stop; run_cleanuphook'"),
}
# What they do after udev, which is no seeder's matter.
RNG_KINDS = {
    "initramfs-tools, after udev": ("initramfs-tools/scripts/init-top/guest-entropy-rng", *KINDS["initramfs-tools"][1:]),
    "dracut, after udev": ("dracut/50guest-entropy/guest-entropy-rng.sh", *KINDS["dracut"][1:]),
    "mkinitcpio, after udev": ("mkinitcpio/hooks/guest-entropy", KINDS["mkinitcpio"][1], "sh -ec '. /start; run_hook'",
                               KINDS["mkinitcpio"][3]),
}
ALL_KINDS = {**KINDS, **RNG_KINDS}
BINDER = "bind-virtio-rng.sh"
# Two RNGs and a disk that came while nothing was probed; what has a driver stays as it is.
VIRTIO = {"virtio0": "virtio:d00000004v00001AF4", "virtio1": "virtio:d00000002v00001AF4", "virtio2": "virtio:d00000004v00001AF4",
          "virtio3": "virtio:d00000001v00001AF4"}
BOUND = ("virtio3",)
SEEDERS = {
    "ends at SIGTERM": "trap 'echo told >/told; exit 0' TERM; while :; do sleep 0.01; done",
    "does not end at SIGTERM": "trap '' TERM; while :; do sleep 0.01; done",
    "ended before": "exit 69",
    "cannot be loaded": None,
}
START_SEC, STOP_SEC = 0.15, 0.35  # of a busy machine; the bound in the scripts is 50 ms


def make_root(root, kind, seeder):
    for directory in ("bin", "usr/bin", "run", "proc", "dev"):
        (root / directory).mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), root / "bin/busybox")
    for name in ("sleep", "mkdir", "rm", "kill", "true"):
        (root / "bin" / name).symlink_to("busybox")
    # Not busybox' own, which may prefer its own modprobe, too.
    for path in map(pathlib.Path, ("/bin/dash", *archive.libraries("/bin/dash"))):
        (root / path.relative_to("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / path.relative_to("/"))
    (root / "bin/sh").symlink_to("dash")
    (root / "bin/modprobe").write_text("#!/bin/sh\nsleep 1\n")
    (root / "bin/modprobe").chmod(0o755)
    (root / "dev/null").touch()
    for name, path in zip(("start", "stop"), ALL_KINDS[kind]):
        shutil.copy(SOURCE / path, root / name)
    if seeder is not None:
        (root / "usr/bin/entropy-seeder").write_text(f"#!/bin/sh\n{seeder}\n" if seeder else "\x7fELF")
        (root / "usr/bin/entropy-seeder").chmod(0o755)


def run(root, kind):
    """start, a while, stop; what they did and how long they took."""
    start, stop = ALL_KINDS[kind][2:]
    inside = (
        # Hundredths of a second, without the point; busybox's date knows no more than seconds.
        'now() { read -r t _ </proc/uptime; t=${t%.*}${t#*.}; }\n'
        f"now; a=$t; {start}; r1=$?; now; b=$t; sleep 0.2\n"
        f"now; c=$t; {stop}; r2=$?; now; d=$t\n"
        # One that was killed is gone a little later.
        'sleep 0.05; left=; for f in /proc/[0-9]*/comm; do read -r n <"$f" && [ "$n" != entropy-seeder ] || left="$left $f"; done\n'
        'echo "$r1 $r2 $((b - a)) $((d - c)) left=$left"\n'
    )
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "sh", "-euc",
         'mount -t proc proc "$1/proc"; mount --bind /dev "$1/dev"; exec chroot "$1" /bin/sh -c "$2"', "sh", root, inside],
        capture_output=True, text=True, timeout=30, check=False, env={"PATH": "/bin:/usr/bin:/sbin:/usr/sbin"},
    )
    words = done.stdout.split()
    if len(words) < 4:
        raise AssertionError(f"{done}")
    return int(words[0]), int(words[1]), int(words[2]) / 100, int(words[3]) / 100, words[4:], done.stderr


def try_one(kind, name, seeder, prepare=None):
    # The quickest of three: what a busy machine takes is no fault of the script, also if a seeder
    # that was told to end is given no time for it.
    times, told = [], not (seeder and "told" in seeder)
    for _ in range(3):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory, "root")
            make_root(root, kind, seeder)
            if prepare:
                prepare(root)
            status1, status2, start_sec, stop_sec, left, errors = run(root, kind)
            told = told or (root / "told").exists()
        if status1 or status2 or left != ["left="] or errors:
            case(f"{kind}: {name}", f"exit {status1}, {status2}, {left}, {errors}")
            return
        times.append((start_sec, stop_sec))
        if told and start_sec < START_SEC and stop_sec < STOP_SEC:
            break
        time.sleep(0.2)
    if not told:
        case(f"{kind}: {name}", "three times not told to end")
        return
    best = [min(column) for column in zip(*times)]
    case(f"{kind}: {name}", (best[0] >= START_SEC or best[1] >= STOP_SEC) and f"took {times} s")


def make_virtio(root, devices):
    bus = root / "sys/bus/virtio"
    bus.mkdir(parents=True)
    (bus / "drivers_autoprobe").write_text("1\n")
    # In the place of the kernel's: each line that is written is kept.
    os.mkfifo(bus / "drivers_probe")
    for name, alias in devices.items():
        (bus / "devices" / name).mkdir(parents=True)
        (bus / "devices" / name / "modalias").write_text(alias + "\n")
        if name in BOUND:
            (bus / "devices" / name / "driver").mkdir()
    return bus


def try_rng(kind, name, modprobe, wanted, devices=None, reader=True, seeder='echo "$*" >>/bound'):
    """The quickest of three, as above. modprobe sees what is probed meanwhile; reader: whether a probe comes back.

    wanted: calls of modprobe, what the script probes, what it has the seeder bind, whether devices are probed afterwards."""
    times, complaint = [], None
    for _ in range(3):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory, "root")
            make_root(root, kind, seeder)
            (root / "run/guest-entropy").mkdir()
            (root / "usr/lib/guest-entropy").mkdir(parents=True)
            shutil.copy(SOURCE / BINDER, root / "usr/lib/guest-entropy" / BINDER)
            bus = make_virtio(root, VIRTIO if devices is None else devices)
            (root / "bin/modprobe").write_text(
                f'#!/bin/sh\nread -r probed </sys/bus/virtio/drivers_autoprobe\necho "$probed $*" >>/modprobed\n{modprobe}\n')
            fd = os.open(bus / "drivers_probe", os.O_RDWR | os.O_NONBLOCK) if reader else -1
            try:
                status, _, start_sec, _, _, errors = run(root, kind)
                probed = sorted(os.read(fd, 4096).decode().split()) if reader and wanted[1] else []
            finally:
                if fd >= 0:
                    os.close(fd)
            asked, bound = ((root / name).read_text().splitlines() if (root / name).exists() else [] for name in ("modprobed", "bound"))
            autoprobe = (bus / "drivers_autoprobe").read_text().strip()
        found = (asked, probed, bound, autoprobe)
        complaint = (status or errors or found != wanted) and f"exit {status}, {found} and not {wanted}, {errors}"
        times.append(start_sec)
        if complaint or start_sec < START_SEC:
            break
    case(f"{kind}: {name}", complaint or min(times) >= START_SEC and f"took {times} s")


def try_rngs(kind):
    asked, others, rngs = ["0 -qb virtio_rng"], ["virtio1"], ["bind-virtio-rng virtio0 virtio2"]
    every = ["virtio0", "virtio1", "virtio2"]
    try_rng(kind, "the seeder binds the RNGs, when the driver is there", "exit 0", (asked, others, rngs, "1"))
    try_rng(kind, "a seeder that waits for ever", "exit 0", (asked, others, rngs, "1"), seeder='echo "$*" >>/bound; sleep 2')
    try_rng(kind, "a seeder that binds none", "exit 0", (asked, others, rngs, "1"), seeder='echo "$*" >>/bound; exit 1')
    try_rng(kind, "a seeder that cannot be loaded", "exit 0", (asked, every, [], "1"), seeder="exit 127")
    try_rng(kind, "no seeder, and a probe that does not come back", "exit 0", (asked, [], [], "1"), reader=False, seeder=None)
    try_rng(kind, "a modprobe that fails", "exit 1", (asked, others, rngs, "1"))
    try_rng(kind, "a modprobe that does not come back", "sleep 2", (asked, [], [], "0"))
    try_rng(kind, "no RNG, nothing done", "exit 0", ([], [], [], "1"), {"virtio1": VIRTIO["virtio1"]})


def in_the_way(root):
    (root / "run/guest-entropy").touch()


def main():
    probe = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, timeout=30, check=False)
    busybox = shutil.which("busybox")
    if os.geteuid() != 0 or probe.returncode or not busybox:
        case("scripts of an initramfs", skipped="not root, no namespaces or no busybox")
        return 1 if counts["failed"] else 77
    for kind in KINDS:
        for name, seeder in SEEDERS.items():
            try_one(kind, f"a seeder that {name}", "" if seeder is None else seeder)
        try_one(kind, "no seeder", None)
        try_one(kind, "no place for the number of the process", "exit 0", in_the_way)
    for kind in RNG_KINDS:
        try_rngs(kind)
    print(f"# counts passed={counts['passed']} failed={counts['failed']} skipped={counts['skipped']}")
    return 1 if counts["failed"] else 0


sys.exit(main())
