# SPDX-License-Identifier: MIT
import argparse
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time
import traceback

from . import boot, counting, metadata, peers, releases, seeder, tables
from .report import Budgets

TABLES = {
    "first-feed": tables.first_feed,
    "wakeups": tables.wakeups,
    "memory": tables.memory,
    "counting": counting.counting,
    "health": tables.health,
    "size": tables.size,
    "stop": tables.stop,
    "metadata": metadata.metadata,
    "seeder": seeder.seeder,
    "boot": boot.boot,
    "releases": releases.releases,
}
POOL = pathlib.Path("/proc/sys/kernel/random/poolsize")


class Bench:
    """What every table needs."""

    def __init__(self, options, directory):
        self.directory, self.quick, self.offline = pathlib.Path(directory), options.quick, options.offline
        self.runs = 1 if options.quick else options.runs
        self.never_seconds = 2 if options.quick else 5
        self.build = build = pathlib.Path(options.build).resolve()
        self.first_feed = build / "tests/bench/first-feed"
        self.bench_health = build / "tests/bench/bench-health"
        self.agent = build / "tests/vm/agent"
        self.kernels = str(peers.load_get_kernels().cache_dir())
        self.ours = peers.ours(pathlib.Path(options.rngd or build / "rngd/rngd").resolve())
        # The configuration of this machine is not what is measured.
        config = self.directory / "empty.conf"
        config.write_text("")
        config.chmod(0o644)
        self.ours.options = ["--config", str(config)]
        self.peers, self.missing = peers.find_all(not options.offline, self.say)
        self.budgets = Budgets()
        self.kernel_model = {"256": "latching, it never asks for bits again once it is ready",
                             "4096": "counting"}.get(POOL.read_text().strip() if POOL.exists() else "", "unknown model")

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def rngtests(self):
        return peers.rngtests(self.peers)


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def hardware_rng():
    try:
        return pathlib.Path("/sys/class/misc/hw_random/rng_current").read_text().strip() or "none"
    except OSError:
        return "none"


def load_warning():
    """Another busy program makes every time longer: the reader should know."""
    busy, cpus = os.getloadavg()[0], os.cpu_count() or 1
    if busy <= cpus / 2:
        return ""
    return f"\n**This machine was busy before (load {busy:.1f} on {cpus} CPUs): some times are longer than they need be.**\n"


def heading(bench):
    programs = [bench.ours, *bench.peers.values()]
    listed = ", ".join(f"{p.name} {p.version}".strip() for p in programs)
    missing = "".join(f"\nNot measured: {name} ({reason}).\n" for name, reason in bench.missing.items())
    return (f"# rngd and its peers, side by side\n\n"
            f"Linux {platform.release()}, {os.cpu_count()} × {processor()}; RNG model: {bench.kernel_model};"
            f" hardware RNG: {hardware_rng()}. Compared: {listed}.\n{load_warning()}{missing}")


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench", description="Measures rngd beside its peers; Markdown on standard output.")
    parser.add_argument("--build", default=os.environ.get("BUILD", "build-bench"), help="build directory")
    parser.add_argument("--rngd", default=os.environ.get("RNGD"), help="our rngd, if not that of the build directory")
    parser.add_argument("--runs", type=int, default=9, help="interleaved runs of what is short (9)")
    parser.add_argument("--quick", action="store_true", help="one short run of each: shows that it works, measures little")
    parser.add_argument("--offline", action="store_true", help="only the peers that are in the cache already")
    parser.add_argument("--tables", default=",".join(TABLES), help="which, separated by commas (%(default)s)")
    options = parser.parse_args()
    options.tables = [name for name in options.tables.split(",") if name]
    if unknown := [name for name in options.tables if name not in TABLES]:
        parser.error(f"no table {unknown[0]}")
    if options.runs < 1:
        parser.error("--runs: at least 1")
    return options


def measure(name, bench):
    """Markdown, and whether it worked; what cannot be measured here is no failure."""
    bench.say(f"{name} ...")
    start = time.monotonic()
    try:
        table = TABLES[name](bench)
    except tables.CannotMeasure as e:
        bench.say(f"{name}: not measured: {e}")
        return f"## {name}\n\nNot measured: {e}.\n", True
    except (OSError, ValueError, KeyError, subprocess.SubprocessError):
        bench.say(traceback.format_exc())
        return f"## {name}\n\nNot measured: the benchmark itself failed, see its messages.\n", False
    bench.say(f"{name}: {time.monotonic() - start:.0f} s")
    return table.markdown(), True


def main():
    options = parse_arguments()
    # Its programs and guests end with it, whoever ends it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if os.geteuid() != 0:
        print("bench: only root may feed the kernel and look into other processes", file=sys.stderr)
        return 77
    with peers.private_directory() as directory:
        os.chmod(directory, 0o755)
        try:
            bench = Bench(options, directory)
        except OSError as e:
            print(f"bench: {e}: build first, or say --build or --rngd", file=sys.stderr)
            return 1
        print(heading(bench), flush=True)
        failed = 0
        for name in options.tables:
            text, worked = measure(name, bench)
            failed += not worked
            print(text, flush=True)
        if bench.budgets.table.rows:
            print(bench.budgets.table.markdown(), flush=True)
    return 1 if failed else 0
