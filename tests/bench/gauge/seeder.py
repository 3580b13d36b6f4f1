# SPDX-License-Identifier: MIT
"""entropy-seeder from exec to its first credited bytes, and what a run costs that finds nothing. Each run has its own
/var/lib and /run, so every seed is a new one. /var/lib is a directory of a real disk: a seed whose use would be forgotten is
not credited, and so is one that nobody vouches for, hence the configuration."""

import base64
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

from . import processes
from .report import Table, number, ratio, spread
from .tables import CannotMeasure, stripped_bytes

SYSTEMD = pathlib.Path("/lib/systemd/systemd-random-seed")
VOUCHED_FOR = "[platform]\ntrust = always\n[config-drive]\ntrust = always\n"
# A namespace of its own, and the places that a seed is found in.
SETUP = """
set -e
mount --bind "$STATE" /var/lib
mkdir -p /run/guest-entropy
mount -t tmpfs none /run/guest-entropy
mkdir -p /var/lib/cloud/seed /var/lib/systemd
[ ! -e "$SEEDS/openstack" ] || cp -r "$SEEDS" /var/lib/cloud/seed/config_drive
[ ! -e "$SEEDS/random-seed" ] || cp "$SEEDS/random-seed" /var/lib/systemd/random-seed
unset SEEDS STATE
exec "$@"
"""


def make_seeds(bench):
    directories = {name: bench.directory / name for name in ("credential", "drive", "systemd", "nothing")}
    for directory in directories.values():
        directory.mkdir()
    (directories["credential"] / "entropy.seed").write_bytes(os.urandom(64))
    for n in range(10):
        version = directories["drive"] / "openstack" / f"version-{n}"
        version.mkdir(parents=True)
        text = base64.b64encode(os.urandom(512)).decode()
        (version / "meta_data.json").write_text(json.dumps({"uuid": "1", "random_seed": text}))
    (directories["systemd"] / "random-seed").write_bytes(os.urandom(512))
    config = bench.directory / "vouched-for.conf"
    config.write_text(VOUCHED_FOR)
    config.chmod(0o644)
    return directories


def inside(directory, state, argv, **environment):
    return (["unshare", "-m", "sh", "-c", SETUP, "sh", *map(str, argv)],
            {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SEEDS": str(directory), "STATE": str(state), **environment})


def feed_once(bench, directory, argv, environment):
    with tempfile.TemporaryDirectory(prefix="seeder-bench-", dir="/var/tmp") as state:
        command, env = inside(directory, state, [bench.first_feed, "5", *argv], **environment)
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False,
                              preexec_fn=processes.undisturbed)
    if done.returncode:
        raise CannotMeasure(f"{done.stderr.strip()[:200]} (status {done.returncode})")
    return json.loads(done.stdout)


def empty_run(bench, seeder):
    """CPU milliseconds of a whole run of this program and its workers; it finds nothing to ask."""
    with tempfile.TemporaryDirectory(prefix="seeder-bench-", dir="/var/tmp") as state:
        return empty_run_in(bench, seeder, state)


def empty_run_in(bench, seeder, state):
    command, env = inside(bench.directory / "nothing", state, [seeder, "--real-root", "--source=config-drive", "--source=platform",
                                                    "--source=tpm", "--deadline=1s"])
    def cpu(argv):
        process = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 69):
            raise CannotMeasure(f"a run without a source ended with status {process.returncode}")
        return (used.ru_utime + used.ru_stime) * 1e3

    start = len(command) - command[::-1].index("sh")
    return max(0.0, cpu(command) - cpu([*command[:start], "true"]))


def rows(bench, seeder, directories):
    ours = [seeder, "--real-root", "--config", bench.directory / "vouched-for.conf"]
    found = [
        ("credential, 64 B", directories["credential"], [*ours, "--source=platform"],
         {"CREDENTIALS_DIRECTORY": str(directories["credential"])}),
        ("config drive, ten seeds of 512 B", directories["drive"], [*ours, "--source=config-drive"], {}),
        ("hwrng", directories["nothing"], [*ours, "--source=hwrng"], {}),
        ("all that is here", directories["nothing"], ours, {}),
    ]
    found = [(f"entropy-seeder, {name}", *rest) for name, *rest in found]
    if SYSTEMD.exists():
        found.append(("systemd-random-seed, 512 B, credit forced", directories["systemd"], [SYSTEMD, "load"],
                      {"SYSTEMD_RANDOM_SEED_CREDIT": "force"}))
    return found


def seeder(bench):
    program = bench.build / "seeder/entropy-seeder"
    if not program.exists():
        raise CannotMeasure("entropy-seeder was not built")
    chosen = rows(bench, program, make_seeds(bench))
    results = {name: [] for name, *_ in chosen}
    for run in range(bench.runs + (bench.runs > 1)):
        for name, directory, argv, environment in chosen:
            result = feed_once(bench, directory, argv, environment)
            if result["fed"] and (run > 0 or bench.runs == 1):
                results[name].append(result)

    table = Table("The seeder: exec to its first bytes in the kernel",
                  ["program, source", "time, ms", "× credential", "CPU, ms", "bytes", "bits credited"])
    base = None
    for name, *_ in chosen:
        found = results[name]
        if not found:
            table.row(name, "fed nothing", *["–"] * 4)
            continue
        msec, cpu = ([r[key] / 1e3 for r in found] for key in ("usec", "cpu_usec"))
        base = base or msec
        table.row(name, spread(msec), ratio(msec, base), spread(cpu), found[0]["bytes"], found[0]["bits"])
    judge(bench, results, [name for name, *_ in chosen])
    nothing = [empty_run(bench, program) for _ in range(bench.runs)]
    bench.budgets.add("a whole run of the seeder without a source, CPU", "≤ 5 ms", f"{spread(nothing)} ms",
                      statistics.median(nothing) <= 5)
    table.note(f"Median (range) of interleaved runs ({bench.runs} of each), as for rngd. A static seed is credited after its use"
               " is on the disk, so its time includes a sync. The config drive is the directory of a copied one, which an image may"
               " have brought along: it is never credited. With a disk, a mount is added. A run that finds no source takes"
               f" {spread(nothing)} ms of CPU. Size: {number(stripped_bytes(bench, program) / 1e3)} kB stripped. Not here to be"
               " compared: cloud-init's cc_seed_random writes its seed to /dev/urandom and credits nothing, so it makes no kernel"
               " ready; Debian's busybox has no seedrng.")
    return table


def judge(bench, results, names):
    for name, limit in zip(names, (5, 15)):
        msec = [r["usec"] / 1e3 for r in results[name]]
        if msec:
            bench.budgets.add(f"{name}: exec to its bytes in the kernel", f"≤ {limit} ms", f"{spread(msec)} ms",
                              statistics.median(msec) <= limit)
