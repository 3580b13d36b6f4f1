#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The units as systemd sees them.

    check-units.py BUILD-DIRECTORY UNIT-DIRECTORY

Installs into an empty root, adds the system's own units, and asks systemd-analyze: each of ours is
loaded without a word, no order has a cycle, and no unit is more exposed than its limit. That an
unknown setting, a cycle and an open unit are noticed is tried, too.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from tap import case, counts

BUILD, UNITS = sys.argv[1], sys.argv[2]

# `systemd-analyze security`, 0 (nothing is open) to 10, times ten; systemd 252. What is told may go down only.
LIMITS = {
    "rngd.service": 42,
    "entropy-seeder.service": 51,
    "entropy-seeder-metadata.service": 36,
    "entropy-seeder-save.service": 20,
    "entropy-monitor-finish.service": 25,
}
# In the initramfs: no sandbox, see there.
UNLIMITED = ["entropy-seeder-initramfs.service"]
# Where a system's own units are; ours hang on these targets.
SYSTEM = [pathlib.Path("/lib/systemd/system"), pathlib.Path("/usr/lib/systemd/system")]


def analyze(*words):
    return subprocess.run(
        ["systemd-analyze", *words], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "notice", "SYSTEMD_COLORS": "0"},
    )


def verify(root, units):
    """What systemd says of the units; of others' units only where they are part of a cycle with ours."""
    done = analyze("verify", f"--root={root}", "--man=no", "--recursive-errors=yes", *units)
    names = "|".join(map(re.escape, LIMITS)) + "|guest-entropy|rngd"
    lines = [line for line in done.stderr.splitlines() if re.search(names, line)]
    return "\n".join(lines) or (done.stderr if done.returncode else "")


def make_root(root):
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", root], check=True, timeout=60,
                   stdout=subprocess.DEVNULL)
    ours = root / UNITS.lstrip("/")
    directory = next((directory for directory in SYSTEM if (directory / "sysinit.target").exists()), None)
    if not directory:
        return ours
    for unit in directory.iterdir():
        target = ours / unit.name
        if not target.exists() and (unit.is_file() or unit.is_symlink()):
            shutil.copy(unit, target, follow_symlinks=unit.exists())
        elif unit.is_dir() and unit.name.endswith(".wants"):
            shutil.copytree(unit, target, symlinks=True, dirs_exist_ok=True)
    # enabled, as the preset does
    for name in [*LIMITS, *UNLIMITED]:
        wanted = re.search(r"^WantedBy=(\S+)", (ours / name).read_text(), re.M) if (ours / name).exists() else None
        if wanted:
            (ours / f"{wanted[1]}.wants").mkdir(exist_ok=True)
            (ours / f"{wanted[1]}.wants" / name).symlink_to(f"../{name}")
    # What else units start is not of interest, only that ours is there.
    for program in ("bin/kill", "bin/modprobe", "bin/sh", "bin/systemctl", "usr/bin/sh"):
        (root / program).parent.mkdir(parents=True, exist_ok=True)
        (root / program).write_text("#!/bin/false\n")
        (root / program).chmod(0o755)
    return ours


def try_verify(root, ours):
    units = [ours / name for name in [*LIMITS, *UNLIMITED] if (ours / name).exists()]
    case("systemd loads the units without a word", verify(root, [*units, ours / "guest-entropy-vmfork.target"]))

    broken = ours / "rngd.service"
    text = broken.read_text()
    broken.write_text(text.replace("[Service]\n", "[Service]\nPrivateDreams=yes\n"))
    case("an unknown setting is noticed", "PrivateDreams" not in verify(root, [broken]) and "it was not")
    broken.write_text(text.replace("[Unit]\n", "[Unit]\nAfter=multi-user.target\nBefore=sysinit.target\n"))
    case("a cycle is noticed", "cycle" not in verify(root, [ours / "multi-user.target"]) and "it was not")
    broken.write_text(text)
    case("a boot has no ordering cycle", verify(root, [ours / "multi-user.target"]))


def try_security(ours):
    for name, limit in LIMITS.items():
        if not (ours / name).exists():
            case(f"exposure of {name}", skipped="not built")
            continue
        done = analyze("security", "--offline=true", "--no-pager", f"--threshold={limit}", ours / name)
        told = [line for line in done.stdout.splitlines() if "Overall exposure" in line]
        print(f"# {name}: {told[0].split(': ')[1] if told else done.stderr} (limit {limit / 10})")
        open_ = [line for line in done.stdout.splitlines() if line.startswith("✗")]
        case(f"exposure of {name}", done.returncode and "\n".join([*open_, done.stderr]))
    sample = ours / "open.service"
    sample.write_text("[Service]\nExecStart=/bin/sh\n")
    case("an open unit is noticed", not analyze("security", "--offline=true", "--threshold=50", sample).returncode and "it was not")


def main():
    if not shutil.which("systemd-analyze"):
        case("systemd-analyze", skipped="no systemd-analyze on this machine")
        return 1 if counts["failed"] else 77
    with tempfile.TemporaryDirectory(prefix="check-units-") as directory:
        root = pathlib.Path(directory, "root")
        ours = make_root(root)
        try_verify(root, ours)
        try_security(ours)
    print(f"# counts passed={counts['passed']} failed={counts['failed']} skipped={counts['skipped']}")
    return 1 if counts["failed"] else 0


sys.exit(main())
