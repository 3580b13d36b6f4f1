#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""packaging/guest-entropy.spec names each installed file once, and rpmspec understands it.

    check-spec.py SPEC INSTALLED
"""

import fnmatch
import pathlib
import re
import shutil
import subprocess
import sys

from tap import case, counts

SPEC, INSTALLED = map(pathlib.Path, sys.argv[1:3])
# As on Fedora; INSTALLED speaks of Debian's directories.
MACROS = {
    "name": "guest-entropy", "_bindir": "usr/bin", "_sbindir": "usr/sbin", "_datadir": "usr/share", "_docdir": "usr/share/doc",
    "_mandir": "usr/share/man", "_prefix": "usr", "_libexecdir": "usr/libexec", "_tmpfilesdir": "usr/lib/tmpfiles.d",
    "_sysusersdir": "usr/lib/sysusers.d",
    "_presetdir": "lib/systemd/system-preset", "_udevrulesdir": "lib/udev/rules.d", "_unitdir": "lib/systemd/system",
}


def patterns(text):
    """What the %files sections list, without what the package does not ship as a file."""
    for section in re.findall(r"^%files.*\n((?:(?!^%[a-z]+( |$)(?<!%license )(?<!%doc )).*\n)*)", text, re.M):
        yield from re.findall(r"^(%\{\S+)$", section[0], re.M)


def complaints(text, installed):
    listed = [re.sub(r"%\{(\w+)\}", lambda m: MACROS[m[1]], line) for line in patterns(text)]
    found = []
    for path in installed:
        hits = [p for p in listed if fnmatch.fnmatch(path, p) or path.startswith(p + "/")]
        if len(hits) != 1 and "initramfs-tools" not in path:
            found.append(f"{path}: listed {len(hits)} times")
    found += [f"{p}: not installed" for p in listed
              if not any(fnmatch.fnmatch(path, p) or path.startswith(p + "/") for path in installed)]
    return "\n".join(found)


spec = SPEC.read_text()
paths = [line.split(None, 1)[1].strip() for line in INSTALLED.read_text().splitlines() if line and not line.startswith("#")]
case("each file is in one package", complaints(spec, paths))
case("a stray file is noticed", not complaints(spec, [*paths, "usr/bin/stray"]) and "it was not")
if shutil.which("rpmspec"):
    done = subprocess.run(["rpmspec", "--parse", SPEC], capture_output=True, text=True, timeout=60, check=False)
    case("rpmspec understands it", done.returncode and done.stderr)
else:
    case("rpmspec understands it", skipped="no rpmspec (package rpm)")
print(f"# counts passed={counts['passed']} failed={counts['failed']} skipped={counts['skipped']}")
sys.exit(1 if counts["failed"] else 0)
