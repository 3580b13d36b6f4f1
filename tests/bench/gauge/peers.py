# SPDX-License-Identifier: MIT
"""The programs that are compared: ours, and the peers of Debian's packages, unpacked and never installed."""

import gzip
import importlib.machinery
import importlib.util
import os
import pathlib
import re
import subprocess
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[2]

# name: (the program, packages that hold it and those of its libraries that a machine may miss)
PACKAGES = {
    "rng-tools-debian": ("usr/sbin/rngd", ("rng-tools-debian",)),
    "rng-tools5": ("usr/sbin/rngd", ("rng-tools5",)),
    "haveged": ("usr/sbin/haveged", ("haveged", "libhavege2")),
    "jitterentropy-rngd": ("usr/sbin/jitterentropy-rngd", ("jitterentropy-rngd",)),
}


def load_get_kernels():
    """The script that fills the kernel cache, as a module: its apt, its way to add a directory to the cache."""
    loader = importlib.machinery.SourceFileLoader("get_kernels", str(TESTS / "vm/get-kernels"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("get_kernels", loader))
    loader.exec_module(module)
    return module


class Program:
    """One program to measure: how it is called on this machine and, under the same name, in a guest."""

    def __init__(self, name, path, version, libraries=(), options=(), data=()):
        self.name, self.path, self.version = name, pathlib.Path(path), version
        self.libraries, self.options = [str(directory) for directory in libraries], list(options)
        self.data = list(data)

    def environment(self, runtime):
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            # Its lock, socket and pid files: not those of an rngd that serves this machine.
            "RUNTIME_DIRECTORY": str(runtime),
        }
        if self.libraries:
            environment["LD_LIBRARY_PATH"] = ":".join(self.libraries)
        return environment

    def argv(self, *options):
        return [str(self.path), *self.options, *options]

    def needed(self):
        """The shared libraries as ldd finds them: (name, file); the loader and the vDSO are not libraries."""
        environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(self.libraries)}
        done = subprocess.run(["ldd", self.path], capture_output=True, text=True, timeout=30, env=environment)
        found = re.findall(r"(\S+) => (\S+) \(0x", done.stdout)
        return [(name, pathlib.Path(os.path.realpath(file))) for name, file in found]

    def missing(self):
        done = subprocess.run(["ldd", self.path], capture_output=True, text=True, timeout=30,
                              env={**os.environ, "LD_LIBRARY_PATH": ":".join(self.libraries)})
        return re.findall(r"(\S+) => not found", done.stdout)


def make_peer(get_kernels):
    def make(work, out, *packages):
        apt = get_kernels.Apt("bookworm", work)
        for package in packages:
            apt.prepare(package)
            apt.unpack(package, out)
    return make


def package_version(directory, package):
    """From the first line of its changelog: dpkg knows nothing of an unpacked package."""
    for file in sorted((directory / "usr/share/doc" / package).glob("changelog*.gz")):
        first = gzip.open(file, "rt", errors="replace").readline()
        if m := re.search(r"\(([^)]+)\)", first):
            return m[1]
    return ""


def find(name, get_kernels, download):
    """A peer from the cache, downloaded before if it is not there; raises Missing."""
    program, packages = PACKAGES[name]
    cache = get_kernels.cache_dir()
    directory = cache / name
    if not (directory / program).exists():
        if not download:
            raise get_kernels.Missing("not in the cache, and told not to download")
        cache.mkdir(parents=True, exist_ok=True)
        get_kernels.ENTRIES.setdefault(name, (program, make_peer(get_kernels), packages))
        get_kernels.say = lambda text: None
        get_kernels.ensure(name, cache)
    version = package_version(directory, packages[0])
    peer = Program(name, directory / program, version, libraries=sorted(directory.glob("usr/lib/*-linux-*")))
    if missing := peer.missing():
        raise get_kernels.Missing("this machine has no " + ", ".join(missing))
    return peer


def find_all(download, say):
    get_kernels = load_get_kernels()
    found, missing = {}, {}
    for name in PACKAGES:
        try:
            found[name] = find(name, get_kernels, download)
        except (get_kernels.Missing, OSError, subprocess.SubprocessError) as e:
            missing[name] = str(e)
            say(f"{name}: not measured: {e}")
    return found, missing


def ours(path):
    done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10)
    version = re.search(r"\d+\.\d+\S*", done.stdout + done.stderr)
    return Program("guest-entropy", path, version[0] if version else "")


def rngtests(peers):
    """The rngtest programs that came with them."""
    return {name: peer.path.parents[1] / "bin/rngtest" for name, peer in peers.items()
            if (peer.path.parents[1] / "bin/rngtest").exists()}


def private_directory():
    """In /run, as in real life: writing a lock to a disk takes longer than the feed."""
    return tempfile.TemporaryDirectory(prefix="rngd-bench-", dir="/run" if os.access("/run", os.W_OK) else None)
