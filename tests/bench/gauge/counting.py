# SPDX-License-Identifier: MIT
"""The kernel whose level falls as it is used (5.10, User Mode Linux), under a steady load."""

import pathlib
import re
import sys
import tempfile
import time

from .peers import TESTS
from .report import Table, number
from .tables import CannotMeasure

BURST_MSEC, RESEEDS = 100, 8
LOW_BITS = 896


def rows(bench):
    found = {"guest-entropy": bench.ours, **bench.peers}
    wanted = [
        ("guest-entropy", [], ["-f"]),
        ("rng-tools-debian", [], ["-f"]),
        ("rng-tools-debian", ["-W 3072"], ["-f", "-W", "3072"]),
        ("rng-tools5", [], ["-f"]),
        ("haveged", [], ["-F"]),
        ("jitterentropy-rngd", [], ["-v"]),
    ]
    chosen = [(", ".join([name, *more]), found[name], options) for name, more, options in wanted if name in found]
    return [*chosen, ("nobody", None, [])]


def add_program(image, program):
    """As archive.program(), but with the libraries that came with a peer."""
    image.file(program.path, f"opt/{program.name}", 0o755)
    for name, file in program.needed():
        image.file(file, f"lib/x86_64-linux-gnu/{name}", 0o755)
    loader = pathlib.Path("/lib64/ld-linux-x86-64.so.2")
    if loader.exists():
        image.file(loader.resolve(), str(loader), 0o755)


def tree_of(guest, pid):
    processes = guest.ask("tree", pid)["processes"]
    rss = sum(int(m[1]) for p in processes if (m := re.search(r"^VmRSS:\s*(\d+)", p.get("status", ""), re.M)))
    alive = any(p["state"] not in "XZ" for p in processes)
    return sum(p["cpu_nsec"] for p in processes), rss, alive


def under_load(bed, bench, program, options, seconds):
    image = bed.archive()
    if program:
        add_program(image, program)
    guest = bed.uml(image)
    # The kernel's own hwrng thread would help, and the same way whoever is measured.
    guest.write("/sys/module/rng_core/parameters/current_quality", "0")
    pid = None
    if program:
        pid = guest.ask("spawn", "log=/tmp/log", "--", f"/opt/{program.name}", *options)["pid"]
        # A first fill, as far as each of them fills.
        time.sleep(2 if bench.quick else 5)
    before = tree_of(guest, pid)[0] if pid else 0
    # An empty pool refuses to reseed, which is an error of that call and a result here.
    load = guest.ask("drain", seconds * 1000, BURST_MSEC, RESEEDS, timeout=seconds + 30, check=False)
    if pid:
        cpu, rss, alive = tree_of(guest, pid)
        load.update(cpu=(cpu - before) / 1e7 / seconds, rss=rss, alive=alive)
    return load


def counting(bench):
    sys.path.insert(0, str(TESTS / "vm"))
    from harness import bed as beds
    from harness import guest as guests

    if not bench.agent.exists():
        raise CannotMeasure("the agent of the VM tests is not built (it needs a static C library)")
    seconds = 2 if bench.quick else 20
    table = Table(f"Counting kernel (5.10, pool of 4096 bits): {RESEEDS} reseeds every {BURST_MSEC} ms for {seconds} s",
                  ["program", "mean level", "of ours", "lowest", f"below {LOW_BITS} for at most, ms", "CPU, %", "RSS, kB"])
    settings = {"cache": bench.kernels, "agent": str(bench.agent), "rngd": str(bench.ours.path), "ours": True}
    base = None
    for label, program, options in rows(bench):
        bench.say(f"  {label}")
        with tempfile.TemporaryDirectory(prefix="rngd-bench-vm-") as directory:
            bed = beds.Bed(settings, directory)
            try:
                load = under_load(bed, bench, program, options, seconds)
            except beds.Skip as e:
                raise CannotMeasure(str(e)) from None
            except guests.GuestError as e:
                table.row(label, f"failed: {str(e).splitlines()[0][:80]}", *["–"] * 5)
                continue
            finally:
                bed.close()
        base = base or load["mean"]
        table.row(label if load.get("alive", True) else f"{label} (ended)", load["mean"],
                  f"{number(load['mean'] / base, 2)}×", load["minimum"], number(load["longest_below_usec"] / 1e3),
                  number(load["cpu"], 2) if program else "–", load.get("rss", "–"))
        if program is bench.ours:
            bench.budgets.add("counting kernel under load: mean level", "≥ 3000 of 4096", load["mean"], load["mean"] >= 3000)
            bench.budgets.add(f"… below {LOW_BITS} bits never for more than", "5 ms",
                              f"{number(load['longest_below_usec'] / 1e3)} ms", load["longest_below_usec"] <= 5000)
    table.note("User Mode Linux, one at a time, its own hwrng thread switched off. CPU is that of all of the program's"
               " processes inside the guest. Its /dev/hwrng is the host's.")
    return table
