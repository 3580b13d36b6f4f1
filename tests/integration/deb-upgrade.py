#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Our package over Debian's rng-tools-debian and rng-tools5, in a plain Debian 12: what is enabled, what became of
the options, what a purge of either leaves.

    deb-upgrade.py
"""

import os
import pathlib
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/vm"))

from harness import debian, packages  # noqa: E402
from tap import case, counts  # noqa: E402

OLD = "etc/default/rng-tools-debian"
NEW = "etc/default/rngd"
STATE = "/var/lib/systemd/deb-systemd-helper-enabled/rngd.service.dsh-also"
# Content of the old file: what becomes of it, and a word of what the installation says about it.
OPTIONS = {
    'HRNGDEVICE=/dev/hwrng\nRNGDOPTIONS="--hrng=viakernel -W 90% -t 5 -S 60"':
        ("--hrng=viakernel --fill-watermark=90% --feed-interval=5", ""),
    "HRNGDEVICE=/dev/ttyACM0": ("--rng-device=/dev/ttyACM0", "DeviceAllow=/dev/ttyACM0"),
    "HRNGSELECT=virtio_rng.0\n#RNGDOPTIONS=-V": (None, "rng_current"),
    # refused
    "HRNGDEVICE=/dev/urandom": (None, "what rngd feeds"),
    'RNGDOPTIONS="--nosuch"': (None, "nosuch"),
    'RNGDOPTIONS="-V"': (None, "'V'"),
    'RNGDOPTIONS="-W 5000"': (None, "5000"),
    "RNGDOPTIONS='$(touch /made)'": (None, "line 1"),
    'RNGDOPTIONS="$(touch /made)"': (None, "line 1"),
    "touch /made": (None, "line 1"),
    'RNGDOPTIONS="-W 90%\n-t 5"': (None, "line 1"),
    "RNGDOPTIONS='-W 90%\\\n'": (None, "line 1"),
    "if": (None, "line 1"),
    # What would keep a shell, or whoever waits for one, for ever.
    "RNGDOPTIONS=-S60\n(while :; do sleep 1; done) &": (None, "line 2"),
    "trap '' TERM\nwhile :; do sleep 1; done": (None, "line 1"),
    "#RNGDOPTIONS=-V": (None, None),
    # written as shells allow it
    "\n  RNGDOPTIONS='-W 90%'  # of the pool\n\tHRNGDEVICE=\nOTHER=\"a b\"\r\nRNGDOPTIONS=-t5": ("--feed-interval=5", ""),
    "RNGDOPTIONS=": (None, None),
}
# Of an installation, on a busy machine.
INSTALL_SEC = 120


class Tree:
    def __init__(self, directory, tar, debs, peers):
        self.root = directory / "tree"
        self.root.mkdir()
        subprocess.run(["tar", "-C", self.root, "--exclude=./dev/*", "-xf", tar], check=True, timeout=200)
        # The initramfs is not what this is about.
        debian.write(self.root / "etc/initramfs-tools/update-initramfs.conf", "update_initramfs=no\n")
        for source in (debs, peers):
            for path in source.glob("*.deb"):
                shutil.copy(path, self.root / "root")
        self.before = self.names()

    def names(self):
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*")}

    def run(self, script):
        return debian.in_chroot(self.root, f"({script}) 2>&1", timeout=INSTALL_SEC)

    def install(self, name):
        return self.run(f"dpkg -i /root/{name}_*.deb")

    def purge(self, *names):
        return self.run(f"dpkg --purge {' '.join(names)}")

    def status(self, name):
        return self.run(f"dpkg-query -W -f='${{db:Status-Status}}' {name} || :")

    def left(self):
        return sorted(self.names() - self.before - {"var/log/dpkg.log"})

    def starts(self):
        """The units that a boot starts and that have to do with rngd, as systemd and its generator see it."""
        told = self.run("d=/run/generated; mkdir -p $d/1 $d/2 $d/3; /lib/systemd/system-generators/systemd-sysv-generator $d/1 $d/2 $d/3\n"
                        "find $d/3 /etc/systemd/system -path '*.wants/*'")
        return {"/".join(line.split("/")[-2:]) for line in told.split() if "rng" in line}


def enabled(tree, complaints):
    if tree.starts() != {"sysinit.target.wants/rngd.service"}:
        complaints.append(f"a boot starts {tree.starts()}")
    if "guest-entropy" not in tree.run("rngd --version"):
        complaints.append("rngd is not ours")


def try_peer(tree, peer):
    """Installed, enabled, replaced, purged."""
    complaints = []
    tree.install(peer)
    if not tree.starts():
        complaints.append(f"{peer} is not enabled, this test tests nothing")
    tree.install("guest-entropy")
    if tree.status(peer) not in ("config-files", "not-installed"):
        complaints.append(f"{peer} is {tree.status(peer)}")
    enabled(tree, complaints)
    case(f"over {peer}: rngd.service is what is enabled", "\n".join(complaints))

    complaints = []
    tree.purge(peer)
    enabled(tree, complaints)
    tree.run(f"test -e {STATE}")
    case(f"over {peer}: and is so when {peer} is purged", "\n".join(complaints))

    tree.run("systemctl disable rngd.service")
    tree.install("guest-entropy")
    case(f"over {peer}: an upgrade enables nothing that was disabled", tree.starts())
    tree.purge("guest-entropy")
    case(f"over {peer}: a purge of both leaves nothing", tree.left())


def try_options(tree):
    tree.install("rng-tools-debian")
    for text, (taken, word) in OPTIONS.items():
        (tree.root / OLD).write_text(text + "\n")
        told = tree.install("guest-entropy")
        complaints = []
        found = (tree.root / NEW).read_text() if (tree.root / NEW).exists() else None
        if (found is not None) != (taken is not None) or (taken and f'\nRNGDOPTIONS="{taken}"\n' not in found):
            complaints.append(f"{NEW} has {found}")
        said = "\n".join(line for line in told.splitlines() if "guest-entropy: " in line or line.startswith("  "))
        if word is None and said or word and word not in said:
            complaints.append(f"it said {said}")
        if taken:
            # As rngd.service has it from there.
            tree.run(f". /{NEW}; rngd --foreground $RNGDOPTIONS --version")
        if (tree.root / "made").exists():
            complaints.append("it ran what was in the options")
        case(f"options: {text!r} {'becomes ' + taken if taken else 'is not taken over'}", "\n".join(complaints))
        tree.purge("guest-entropy")
        if (tree.root / NEW).exists():
            case("a purge leaves no options", "it did")
    (tree.root / NEW).write_text("RNGDOPTIONS=-q\n")
    (tree.root / OLD).write_text("RNGDOPTIONS=-S60\n")
    tree.install("guest-entropy")
    tree.purge("guest-entropy", "rng-tools-debian")
    case("options of the administrator's own stay", (tree.root / NEW).read_text() != "RNGDOPTIONS=-q\n" and "they did not")


STATE_DIRECTORY = "/var/lib/guest-entropy"
# What is mounted there when the package is purged, and what is left of the seed on it.
MOUNTS = {
    "a mount": ("mount -t tmpfs tmpfs {0}; touch {0}/seed {0}/seen", "is a mount", ""),
    "a read-only mount": ("mount -t tmpfs tmpfs {0}; touch {0}/seed; mount -o remount,ro {0}", "seed", "seed"),
}


def try_purge(tree):
    for what, (prepare, word, left) in MOUNTS.items():
        tree.install("guest-entropy")
        told = tree.run(f"mkdir -p {STATE_DIRECTORY}; {prepare.format(STATE_DIRECTORY)}; dpkg --purge guest-entropy && echo status=0; "
                        f"echo left=$(ls -A {STATE_DIRECTORY})")
        complaints = [line for line in ("status=0", f"left={left}") if line not in told.splitlines()]
        if "no packages" not in tree.status("guest-entropy"):
            complaints.append(f"it is {tree.status('guest-entropy')}")
        if not any(line.startswith("guest-entropy: ") and STATE_DIRECTORY in line and word in line for line in told.splitlines()):
            complaints.append("nothing is said of the mount")
        case(f"a purge where the state is on {what}", complaints and f"{complaints}: {told}")
        tree.run(f"rm -rf {STATE_DIRECTORY}")


def main():
    if os.geteuid() != 0:
        case("packages over others", skipped="not root")
        return 1 if counts["failed"] else 77
    cache = debian.cache_directory()
    try:
        tar, debs = debian.make_tree(cache), packages.get(cache)
        peers = debian.download(cache, "bookworm", ("rng-tools-debian", "rng-tools5"))
    except debian.Unbuildable as e:
        case("packages over others", skipped=str(e))
        return 1 if counts["failed"] else 77
    with debian.tree_directory("deb-upgrade-") as directory:
        tree = Tree(pathlib.Path(directory), tar, debs, peers)
        for attempt, argument in ((try_peer, ["rng-tools-debian"]), (try_peer, ["rng-tools5"]), (try_options, []), (try_purge, [])):
            try:
                attempt(tree, *argument)
            except (debian.Unbuildable, OSError, subprocess.SubprocessError) as e:
                case(f"{attempt.__name__} {argument}", f"{type(e).__name__}: {e}")
    print(f"# counts passed={counts['passed']} failed={counts['failed']} skipped={counts['skipped']}")
    return 1 if counts["failed"] else 0


sys.exit(main())
