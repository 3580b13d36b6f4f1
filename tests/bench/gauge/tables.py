# SPDX-License-Identifier: MIT
"""What is measured on this very machine: first feed, wakeups, memory, health tests, size, stopping."""

import json
import pathlib
import re
import shutil
import statistics
import subprocess
import time

from . import processes
from .report import Table, number, ratio, spread

THRESHOLD = pathlib.Path("/proc/sys/kernel/random/write_wakeup_threshold")
# The host's limiter on a virtio-rng gives about 1 kB every 100 ms on some clouds: every run begins with it full.
HWRNG_REFILL_SECONDS = 0.15


class CannotMeasure(Exception):
    """The message says why this table is missing."""


class Variant:
    """A program with the options of one row, in the foreground."""

    def __init__(self, label, program, options, group):
        self.label, self.program, self.options, self.group = label, program, options, group


def variants(bench):
    """Rows of the tables: ours with the hardware RNG alone and with all it finds, then the peers."""
    rows = [
        ("guest-entropy", "hwrng only", ["-f", "-x", "cpu"], "hwrng"),
        ("guest-entropy", "default sources", ["-f"], "default"),
        ("rng-tools-debian", "hwrng, its default", ["-f"], "hwrng"),
        ("rng-tools5", "hwrng only", ["-f", "--no-drng=1", "--no-tpm=1"], "hwrng"),
        ("rng-tools5", "default sources", ["-f"], "default"),
        # Without -v it goes to the background, after its first feed.
        ("jitterentropy-rngd", "CPU jitter", ["-v"], "default"),
        ("haveged", "HAVEGE", ["-F"], "default"),
    ]
    found = {"guest-entropy": bench.ours, **bench.peers}
    return [Variant(f"{name}, {sources}", found[name], options, group)
            for name, sources, options, group in rows if name in found]


def one_each(bench):
    """Every program once, with its default sources."""
    seen, chosen = set(), []
    for variant in variants(bench):
        if variant.program.name not in seen and variant.label != "guest-entropy, hwrng only":
            if variant.program.name != "rng-tools5" or "default" in variant.label:
                seen.add(variant.program.name)
                chosen.append(variant)
    return chosen


# ---- 1 ----

def feed_once(bench, variant, seconds):
    """What first-feed says: a dictionary; 'fed' is false when there was none in that time."""
    directory = bench.directory / f"feed.{time.monotonic_ns()}"
    directory.mkdir()
    threshold = THRESHOLD.read_text() if THRESHOLD.exists() else None
    try:
        done = subprocess.run([bench.first_feed, str(seconds), *variant.program.argv(*variant.options)],
                              capture_output=True, text=True, timeout=seconds + 30, cwd=directory,
                              env=variant.program.environment(directory), preexec_fn=processes.undisturbed)
    finally:
        # What is killed cannot put it back.
        if threshold and THRESHOLD.read_text() != threshold:
            THRESHOLD.write_text(threshold)
        shutil.rmtree(directory, ignore_errors=True)
    if done.returncode == 77:
        raise CannotMeasure("only root may watch for RNDADDENTROPY (or this kernel is older than 5.6)")
    if done.returncode:
        raise CannotMeasure(done.stderr.strip() or f"first-feed ended with {done.returncode}")
    return json.loads(done.stdout)


def hwrng_read_msec():
    """What 64 bytes of /dev/hwrng take by themselves."""
    try:
        with open("/dev/hwrng", "rb", buffering=0) as device:
            start = time.perf_counter()
            return (time.perf_counter() - start) * 1e3 if len(device.read(64)) == 64 else None
    except OSError:
        return None


def collect_feeds(bench, chosen):
    results, hwrng = {v.label: [] for v in chosen}, []
    for run in range(bench.runs + 1):
        for variant in chosen:
            if isinstance(results[variant.label], str):
                continue
            time.sleep(HWRNG_REFILL_SECONDS)
            result = feed_once(bench, variant, bench.never_seconds)
            if not result["fed"]:
                # Each further run would only wait as long again.
                why = "ended without a feed" if result["ended"] else f"never ({bench.never_seconds} s)"
                results[variant.label] = why
                bench.say(f"  {variant.label}: {why}")
            elif run > 0 or bench.runs == 1:
                # The first round only fills the page cache.
                results[variant.label].append(result)
        time.sleep(HWRNG_REFILL_SECONDS)
        if (read := hwrng_read_msec()) is not None:
            hwrng.append(read)
        if bench.runs == 1:
            break
    return results, hwrng


def first_feed(bench):
    chosen = variants(bench)
    results, hwrng = collect_feeds(bench, chosen)
    table = Table("Exec to the first RNDADDENTROPY",
                  ["program, sources", "time, ms", "× ours", "CPU, ms", "× ours", "bytes", "bits credited"])
    base = {}
    for variant in chosen:
        found = results[variant.label]
        if isinstance(found, str):
            table.row(variant.label, found, *["–"] * 5)
            continue
        msec, cpu = ([r[key] / 1e3 for r in found] for key in ("usec", "cpu_usec"))
        base.setdefault(variant.group, (msec, cpu))
        table.row(variant.label, spread(msec), ratio(msec, base[variant.group][0]), spread(cpu),
                  ratio(cpu, base[variant.group][1]), found[0]["bytes"], found[0]["bits"])
    table.note(f"Median (range) of interleaved runs ({bench.runs} of each) on this machine's kernel, page cache warm,"
               " all at the same real-time priority, from just before `execve()` to the ioctl's entry; CPU time is"
               " that of all its processes. Ratios are against ours with the same kind of sources."
               + (f" 64 bytes of /dev/hwrng alone took {spread(hwrng, 2)} ms." if hwrng else " No /dev/hwrng here."))

    ours = results["guest-entropy, hwrng only"]
    if ours and not isinstance(ours, str):
        judge_first_feed(bench, ours, results)
    return table


def judge_first_feed(bench, ours, results):
    msec, cpu = ([r[key] / 1e3 for r in ours] for key in ("usec", "cpu_usec"))
    bench.budgets.add("exec to first RNDADDENTROPY, hwrng", "≤ 3 ms", f"{spread(msec)} ms", statistics.median(msec) <= 3)
    bench.budgets.add("CPU until then", "≤ 5 ms", f"{spread(cpu)} ms", statistics.median(cpu) <= 5)
    for what, group, times_best in (("hwrng", "hwrng", 1), ("default sources", "default", 1.2)):
        times = {v.label: statistics.median(r["usec"] for r in results[v.label]) / 1e3
                 for v in variants(bench) if v.group == group and not isinstance(results[v.label], str)}
        mine = times.pop(next((label for label in times if label.startswith("guest-entropy")), ""), None)
        if mine and times:
            best = min(times, key=times.get)
            limit = times_best * times[best]
            bench.budgets.add(f"first feed, {what}", f"≤ {number(limit)} ms: {times_best} × {best}", f"{number(mine)} ms", mine <= limit)


# ---- 2 ----

def wakeups(bench):
    seconds, settle = (5, 2) if bench.quick else (60, 5)
    table = Table(f"Wakeups while idle, {seconds} s",
                  ["program", "processes (threads)", "voluntary", "involuntary", "per minute"])
    running = [(v, processes.Running(v.program, bench.directory, *v.options)) for v in one_each(bench)]
    try:
        time.sleep(settle)
        log = processes.KernelLog()
        before = [r.switches() for _, r in running]
        time.sleep(seconds)
        n_lines = log.count()
        log.close()
        for (variant, r), (voluntary, involuntary) in zip(running, before):
            if reason := r.ended():
                table.row(variant.label, reason, "–", "–", "–")
                continue
            after = r.switches()
            voluntary, involuntary = after[0] - voluntary, after[1] - involuntary
            table.row(variant.label, f"{len(r.tree())} ({r.n_threads()})", voluntary, involuntary,
                      number((voluntary + involuntary) * 60 / seconds))
            if variant.program is bench.ours:
                judge_wakeups(bench, seconds, voluntary + involuntary, n_lines)
    finally:
        for _, r in running:
            r.stop()
    table.note(f"Context switches of all processes and threads, {settle} s after the start, all programs at the same"
               f" time. This kernel: {bench.kernel_model}. Its log got {n_lines} lines meanwhile; ours waits for"
               " those, since a VM fork is told there.")
    return table


def judge_wakeups(bench, seconds, n, n_lines):
    what = f"wakeups while idle and ready, {seconds} s"
    if n and n_lines:
        # Somebody else made the kernel talk: this says nothing about a machine where nothing happens.
        bench.budgets.table.row(what, "0", f"{n}, with {n_lines} lines of kernel log", "not idle, run again")
    else:
        bench.budgets.add(what, "0", str(n), n == 0)


# ---- 3 ----

def measure_memory(bench, variant):
    """(numbers, libraries that others map too) of one program running alone, or the reason why not."""
    with processes.Running(variant.program, bench.directory, *variant.options) as r:
        time.sleep(1 if bench.quick else 2)
        if reason := r.ended():
            return reason, None
        numbers, libraries = r.memory(), r.libraries()
        shared = processes.others_mapping(libraries, set(r.tree()))
        numbers["processes"] = len(r.tree())
        r.stop()
    return numbers, {pathlib.Path(file).name: names for file, names in shared.items()}


def median_memory(bench, variant):
    """The middle one of three runs of ours: which pages of a library are mapped depends on what the page cache holds."""
    n_runs = 3 if variant.program is bench.ours and not bench.quick else 1
    runs = [measure_memory(bench, variant) for _ in range(n_runs)]
    failed = [run for run in runs if run[1] is None]
    return failed[0] if failed else sorted(runs, key=lambda run: run[0]["alone"] or run[0]["Pss"])[n_runs // 2]


def memory(bench):
    table = Table("Memory with workers, kB",
                  ["program", "processes", "Pss_Anon", "× ours", "Pss", "Pss if alone", "× ours", "Rss"])
    base, others, ours = None, {}, []
    for variant in one_each(bench):
        m, shared = median_memory(bench, variant)
        if shared is None:
            table.row(variant.label, m, *["–"] * 6)
            continue
        base = base or m
        table.row(variant.label, m["processes"], m["Pss_Anon"], ratio([m["Pss_Anon"]], [base["Pss_Anon"]]), m["Pss"],
                  m["alone"] or "–", ratio([m["alone"] or 0], [base["alone"] or 0]), m["Rss"])
        if variant.program is bench.ours:
            others = shared
            ours.append(m)
    if ours:
        anon, alone = max(m["Pss_Anon"] for m in ours), max(m["alone"] or 0 for m in ours)
        bench.budgets.add("Pss_Anon with workers, the larger", "≤ 320 kB", f"{anon} kB", anon <= 320)
        if alone:
            bench.budgets.add("Pss with workers, nothing shares the libraries, the larger", "≤ 1600 kB", f"{alone} kB",
                              alone <= 1600)
    table.note("Sums over the program's processes, one program at a time, 2 s after its start; ours the median of three"
               " runs. Pss divides a page by the number of processes that map it, so it falls with every other program"
               " that uses the same library, on this machine: "
               + ("; ".join(f"{file} ({', '.join(sorted(names)[:3])}{', …' if len(names) > 3 else ''})"
                            for file, names in sorted(others.items())) or "none")
               + ". *Pss if alone* counts whole every page that the program maps, once for all of its processes, as"
               " if no other program used its libraries; of the C library, which every machine has in use, its Pss.")
    return table


# ---- 5 ----

def health_speed(bench):
    """(batch bytes: MB/s of each run) of ours, and {name: MB/s of each run} of the rngtests on the same bytes."""
    rngtests = bench.rngtests()
    data = bench.directory / "data"
    data.write_bytes(subprocess.run([bench.bench_health, "--data"], capture_output=True, timeout=60, check=True).stdout)
    n_bytes = data.stat().st_size
    ours, theirs = {}, {name: [] for name in rngtests}
    for _ in range(min(bench.runs, 3)):
        out = subprocess.run([bench.bench_health], capture_output=True, text=True, timeout=120, check=True,
                             preexec_fn=processes.undisturbed).stdout
        for size, speed in re.findall(r"^(\d+) ([\d.]+)$", out, re.M):
            ours.setdefault(int(size), []).append(float(speed))
        for name, program in rngtests.items():
            with open(data, "rb") as file:
                start = time.perf_counter()
                subprocess.run([program], stdin=file, capture_output=True, timeout=120,
                               preexec_fn=processes.undisturbed)
                theirs[name].append(n_bytes / 1e6 / (time.perf_counter() - start))
    return ours, theirs, n_bytes


def health(bench):
    if not bench.bench_health.exists():
        raise CannotMeasure("bench-health is not built")
    ours, theirs, n_bytes = health_speed(bench)
    table = Table("Health tests, MB/s", ["tests", "MB/s", "ours ×"])
    best = ours[max(ours)]
    for size, speeds in sorted(ours.items()):
        table.row(f"guest-entropy: repetition count, adaptive proportion, predictor; batches of {size} B",
                  spread(speeds), "1" if speeds is best else "–")
    for name, speeds in theirs.items():
        table.row(f"rngtest of {name}: FIPS 140-2, blocks of 2500 B", spread(speeds), ratio(best, speeds))
    table.note(f"The same {n_bytes} bytes of a fixed generator for all. rngtest is timed as a whole program that reads"
               " a file; ours is a loop around health_test().")
    return table


# ---- 6 ----

def stripped_bytes(bench, path):
    copy = bench.directory / "stripped"
    try:
        done = subprocess.run(["strip", "-o", copy, path], capture_output=True, timeout=30)
    except FileNotFoundError:
        raise CannotMeasure("no strip (binutils)") from None
    return copy.stat().st_size if done.returncode == 0 else path.stat().st_size


def size(bench):
    table = Table("Size of the stripped program, bytes", ["program", "program", "× ours", "shared libraries, kB each"])
    base = None
    for variant in one_each(bench):
        own = stripped_bytes(bench, variant.program.path)
        base = base or own
        needed = [(name.split(".so")[0], file.stat().st_size // 1024) for name, file in variant.program.needed()]
        table.row(f"{variant.program.name} {variant.program.version}", f"{own}", ratio([own], [base]),
                  ", ".join(f"{name} {kb}" for name, kb in sorted(needed, key=lambda n: -n[1])) + f"; in all {sum(kb for _, kb in needed)}")
    table.note("All libraries that the dynamic linker loads, those that a library needs among them. libsystemd and"
               " its libgcrypt, libcap, liblzma, libzstd and liblz4 are in every initramfs and image with systemd.")
    return table


# ---- 7 ----

def stop(bench):
    table = Table("SIGTERM until all its processes are gone, ms", ["program", "time, ms", "× ours"])
    results = {}
    chosen = one_each(bench)
    for _ in range(bench.runs):
        for variant in chosen:
            time.sleep(HWRNG_REFILL_SECONDS)
            r = processes.Running(variant.program, bench.directory, *variant.options)
            time.sleep(0.3)
            if r.ended():
                r.close()
                continue
            seconds = r.stop()
            if seconds is not None:
                results.setdefault(variant.label, []).append(seconds * 1e3)
    for variant in chosen:
        found = results.get(variant.label, [])
        table.row(variant.label, spread(found) if found else "not within 5 s", ratio(found, results.get(chosen[0].label)))
    if ours := results.get(chosen[0].label):
        bench.budgets.add("stop after SIGTERM", "≤ 1 ms", f"{spread(ours)} ms", statistics.median(ours) <= 1)
    table.note(f"Median (range) of interleaved runs ({bench.runs} of each), 0.3 s after the start. Ours waits 80 ms at"
               " most for its workers; on a busy machine the kernel may take longer than that to take down the mount"
               " namespace of one.")
    return table
