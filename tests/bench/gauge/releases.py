# SPDX-License-Identifier: MIT
"""What the libraries of a release cost: the same rngd with those of Debian 12 and of Debian 13."""

import statistics
import time

from . import peers, processes, tables
from .report import Table, ratio, spread

RELEASES = {"Debian 12": "bookworm", "Debian 13": "trixie"}
PACKAGES = ("libc6", "libsystemd0", "libjson-c5", "libcap2", "libgcrypt20", "libgpg-error0", "liblzma5", "libzstd1", "liblz4-1",
            "rng-tools5")
PEER = "usr/sbin/rngd"


class Released(peers.Program):
    """A program that a release's own loader starts, with that release's libraries."""

    def __init__(self, name, path, directory):
        super().__init__(name, path, "")
        (self.loader,) = directory.glob("lib64/ld-linux*.so.*")
        self.search = ":".join(str(found) for found in sorted(directory.glob("usr/lib/*-linux-*")))

    def argv(self, *options):
        return [str(self.loader), "--library-path", self.search, *super().argv(*options)]


def unpacked(bench, suite):
    """The directory of those packages, downloaded before if it is not in the cache."""
    get_kernels = peers.load_get_kernels()
    name, cache = f"libraries-{suite}", get_kernels.cache_dir()
    if not (cache / name / PEER).exists() and bench.offline:
        raise tables.CannotMeasure(f"{name} is not in the cache, and told not to download")

    def make(work, out):
        apt = get_kernels.Apt(suite, work)
        apt.prepare(PACKAGES[0])
        # As installed systems have it, so that each library is in one place.
        for directory in ("lib", "lib64"):
            (out / "usr" / directory).mkdir(parents=True)
            (out / directory).symlink_to(f"usr/{directory}")
        for package in PACKAGES:
            apt.unpack(package, out)

    get_kernels.ENTRIES[name] = (PEER, make, ())
    get_kernels.say = lambda text: None
    try:
        get_kernels.ensure(name, cache)
    except get_kernels.Missing as e:
        raise tables.CannotMeasure(str(e)) from e
    return cache / name


def memory(bench, variant):
    """(Pss_Anon, Pss if alone without the C library), the middle ones of three runs."""
    found = []
    for _ in range(1 if bench.quick else 3):
        with processes.Running(variant.program, bench.directory, *variant.options) as r:
            time.sleep(1)
            if reason := r.ended():
                raise tables.CannotMeasure(f"{variant.label}: {reason}")
            numbers = r.memory()
            library = sum(map(processes.c_library_pss, r.tree()))
            found.append((numbers["Pss_Anon"], (numbers["alone"] or numbers["Pss"]) - library))
            r.stop()
    return [statistics.median(column) for column in zip(*found)]


def releases(bench):
    chosen = []
    for release, suite in RELEASES.items():
        directory = unpacked(bench, suite)
        ours = Released("guest-entropy", bench.ours.path, directory)
        ours.options = bench.ours.options
        peer = Released("rng-tools5", directory / PEER, directory)
        chosen += [tables.Variant(f"{release}: guest-entropy, hwrng only", ours, ["-f", "-x", "cpu"], f"{release}, hwrng"),
                   tables.Variant(f"{release}: guest-entropy, default sources", ours, ["-f"], release),
                   tables.Variant(f"{release}: rng-tools5, default sources", peer, ["-f"], release)]
    feeds, _ = tables.collect_feeds(bench, chosen)
    table = Table("The libraries of two releases", ["release, program", "first feed, ms", "× ours", "Pss_Anon, kB", "Pss if alone, kB"])
    base = {}
    for variant in chosen:
        anon, alone = memory(bench, variant)
        if isinstance(feeds[variant.label], str):
            table.row(variant.label, feeds[variant.label], "–", anon, alone)
            continue
        msec = [feed["usec"] / 1e3 for feed in feeds[variant.label]]
        base.setdefault(variant.group, msec)
        table.row(variant.label, spread(msec), ratio(msec, base[variant.group]), anon, alone)
    table.note("The same programs of ours, each started by the loader of the release with its libraries, unpacked and not installed;"
               " rng-tools5 is the release's own. Pss if alone counts every library but the C library.")
    return table
