#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The init script of OpenRC, run by OpenRC itself in a root of busybox: with what Alpine's and Gentoo's conf.d/rngd say.

rngd there is a stub that keeps its arguments; the real one is asked whether it takes them, and what is left of its sources.

    openrc.py RNGD
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/vm"))

from harness import archive, debian  # noqa: E402
from tap import case, counts  # noqa: E402

RNGD = pathlib.Path(sys.argv[1])
SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "units/openrc"
PACKAGES = ("openrc", "librc1", "libeinfo1")
# conf.d/rngd: the words that rngd must get, beside --foreground.
CONFS = {
    "": [],
    'RNGD_OPTS="-v"': ["-v"],
    'command_args="--no-drng=1 --no-tpm=1"': ["--no-drng=1", "--no-tpm=1"],
    "NO_DRNG=1\nSTEP=64\nWATERMARK=2048\nDEVICE=/dev/hwrng":
        ["--no-drng=1", "--rng-device=/dev/hwrng", "--random-step=64", "--fill-watermark=2048"],
    'INCLUDE_ENTROPY_SOURCES="hwrng jitter"\nEXCLUDE_ENTROPY_SOURCES="nist tpm rdrand"\nHWRNG_DEVICE="/dev/hwrng"':
        ["--include=hwrng", "--include=jitter", "--exclude=nist", "--exclude=tpm", "--exclude=rdrand", "--rng-device=/dev/hwrng"],
    'RDRAND_OPTIONS="use_aes:1"\nDARN_OPTIONS=use_aes:1\nNIST_OPTIONS=use_aes:1\nJITTER_OPTIONS="thread_count:4 buffer_size:16535"\n'
    'PKCS11_OPTIONS="chunk_size:1"\nRANDOM_DEVICE=/dev/random\nEXTRA_ARGS="-v"':
        ["--option=rdrand:use_aes:1", "--option=darn:use_aes:1", "--option=nist:use_aes:1", "--option=jitter:thread_count:4",
         "--option=jitter:buffer_size:16535", "--option=pkcs11:chunk_size:1", "--random-device=/dev/random", "-v"],
    # It is started by a supervisor, whatever it was asked.
    'command_args="--background"': ["--background"],
}
# Of these, each takes the CPU's instruction away from rngd.
OFF = {"--no-drng=1", "--exclude=rdrand"}
STUB = '#!/bin/sh\nprintf "%s\\n" "$@" >/told\nexec sleep 60\n'
# dev: what the script needs, and a boot has. entropy: who needs what the script provides.
SERVICES = {
    "dev": "depend() { keyword -x; }\nstart() { :; }",
    "consumer": "depend() { need entropy; }\nstart() { touch /consumed; }",
}


def make_root(root, debs):
    for directory in ("bin", "sbin", "etc/conf.d", "etc/init.d", "usr/sbin", "usr/bin", "run/openrc", "proc", "dev", "tmp"):
        (root / directory).mkdir(parents=True)
    for deb in debs.glob("*.deb"):
        subprocess.run(["dpkg", "-x", deb, root], check=True, timeout=60)
    shutil.rmtree(root / "etc/init.d")
    (root / "etc/init.d").mkdir()
    # Debian's have the loader find them; in the root they are where the programs look.
    inside = {"LD_LIBRARY_PATH": str(root / "lib/x86_64-linux-gnu")}
    for program in [*root.glob("sbin/*"), *root.glob("bin/*"), *root.glob("lib/rc/*bin/*")]:
        if program.is_symlink() or program.read_bytes()[:4] != b"\x7fELF":
            continue
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=30, check=False, env={**os.environ, **inside})
        for word in listed.stdout.split():
            if word.startswith("/") and not word.startswith(str(root)) and not (root / word[1:]).exists():
                (root / word[1:]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(word, root / word[1:])
    shutil.copy(shutil.which("busybox"), root / "bin/busybox")
    for name in "sh sleep touch cat ls rm mkdir grep sed kill printf stty env test true uname mv".split():
        if not (root / "bin" / name).exists():
            (root / "bin" / name).symlink_to("busybox")
    for name, text in SERVICES.items():
        (root / "etc/init.d" / name).write_text(f"#!/sbin/openrc-run\n{text}\n")
        (root / "etc/init.d" / name).chmod(0o755)
    shutil.copy(SCRIPTS / "rngd", root / "etc/init.d/rngd")
    (root / "usr/sbin/rngd").write_text(STUB)
    (root / "usr/sbin/rngd").chmod(0o755)
    (root / "run/openrc/softlevel").write_text("default\n")


def start(root, service):
    """What was said; /told has the arguments of rngd. All of it ends with its PID namespace."""
    inside = (f"rc-update -u 2>&1; /etc/init.d/{service} start 2>&1; echo status=$?; i=0; "
              "while [ ! -s /told ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done")
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc",
         'mount -t proc proc "$1/proc"; mount --bind /dev "$1/dev"; exec chroot "$1" /bin/sh -c "$2"', "sh", root, inside],
        capture_output=True, text=True, timeout=60, check=False, env={"PATH": "/bin:/usr/bin:/sbin:/usr/sbin"},
    )
    return done.stdout + done.stderr


def try_conf(root, text, words):
    for name in ("told", "consumed"):
        (root / name).unlink(missing_ok=True)
    shutil.rmtree(root / "run")
    (root / "run/openrc").mkdir(parents=True)
    (root / "run/openrc/softlevel").write_text("default\n")
    (root / "etc/conf.d/rngd").write_text(text + "\n")
    said = start(root, "consumer")
    told = (root / "told").read_text().splitlines() if (root / "told").exists() else None
    complaints = []
    if told != [*words, "--foreground"]:
        complaints.append(f"rngd was told {told}: {said}")
    if not (root / "consumed").exists():
        complaints.append(f"it provides no entropy: {said}")
    if told:
        listed = subprocess.run([RNGD, *told, "--version"], capture_output=True, text=True, timeout=30, check=False)
        if listed.returncode:
            complaints.append(f"rngd does not take that: {listed.stderr}")
        listed = subprocess.run([RNGD, *told, "--list"], capture_output=True, text=True, timeout=30, check=False).stdout
        off = [line.split()[0] for line in listed.splitlines() if line.endswith(" disabled")]
        if OFF & set(told) and "cpu" not in off:
            complaints.append(f"the instruction is not switched off: {listed}")
    case(f"conf.d/rngd: {text!r}", "\n".join(complaints))


def main():
    busybox = shutil.which("busybox")
    if os.geteuid() != 0 or not busybox or archive.libraries(busybox):
        case("OpenRC", skipped="not root, or no static busybox")
        return 1 if counts["failed"] else 77
    try:
        debs = debian.download(debian.cache_directory(), "bookworm", PACKAGES)
    except debian.Unbuildable as e:
        case("OpenRC", skipped=str(e))
        return 1 if counts["failed"] else 77
    with tempfile.TemporaryDirectory(prefix="openrc-") as directory:
        root = pathlib.Path(directory, "root")
        make_root(root, debs)
        for text, words in CONFS.items():
            try_conf(root, text, words)
    print(f"# counts passed={counts['passed']} failed={counts['failed']} skipped={counts['skipped']}")
    return 1 if counts["failed"] else 0


sys.exit(main())
