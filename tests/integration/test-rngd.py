#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The built rngd as a black box on this very machine: test-rngd.py PROGRAM [--part=K/N] [WORD...]

Needs root in the initial user namespace: rngd feeds this machine's kernel. With WORD only the cases
whose text has it, or whose module is called so, are run; with --part every Nth, from the Kth on.
"""

import fcntl
import os
import signal
import struct
import sys
import time
import traceback

import blackbox.harness
from blackbox.harness import CASES, Box, Skip

RNDADDTOENTCNT = 0x40045201
SKIPPED = 77
CASE_SEC = 120


def module(a_case):
    return a_case[1].__module__.rpartition(".")[2]


def may_feed():
    try:
        with open("/dev/random", "rb", buffering=0) as device:
            fcntl.ioctl(device, RNDADDTOENTCNT, struct.pack("i", 0))
        return True
    except OSError:
        return False


def where(error):
    frames = traceback.extract_tb(error.__traceback__)
    mine = [f for f in frames if not f.filename.endswith("harness.py")] or frames
    return f"{os.path.basename(mine[-1].filename)}:{mine[-1].lineno}"


def run(function, rngd):
    """What went wrong, or None"""
    box = Box(rngd)
    signal.alarm(CASE_SEC)
    try:
        function(box)
    except Skip:
        raise
    except Exception as error:
        kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
        logs = "".join(f"\n--- log of {r.pid}\n{r.log()[-2000:]}" for r in box.running)
        return f"{where(error)}: {kind}{error}{logs}"
    finally:
        signal.alarm(0)
        box.close()
    return None


def too_long(*_):
    raise TimeoutError(f"the case takes more than {CASE_SEC} s")


def chosen(words):
    part = next((w[7:] for w in words if w.startswith("--part=")), "1/1")
    first, step = map(int, part.split("/"))
    words = [w for w in words if not w.startswith("--part=")]
    cases = [c for c in CASES if not words or any(w in c[0] or w == module(c) for w in words)]
    return cases[first - 1 :: step]


def main(rngd, words):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    must_work = os.environ.get("MUST_WORK") == "1"
    signal.signal(signal.SIGALRM, too_long)
    reason = None if may_feed() else "only root may feed this kernel"

    for number, (text, function) in enumerate(chosen(words), 1):
        start, problem, skip = time.monotonic(), None, reason
        if not skip:
            try:
                problem = run(function, rngd)
            except Skip as error:
                skip = str(error)
        if skip and must_work:
            problem, skip = f"cannot run here: {skip}", None
        counts["failed" if problem else "skipped" if skip else "passed"] += 1
        print(
            f"{'not ok' if problem else 'ok'} {number} - {text}"
            + (f" # SKIP {skip}" if skip else f" ({time.monotonic() - start:.1f} s)")
        )
        for line in (problem or "").splitlines():
            print(f"#   {line}")
        sys.stdout.flush()

    print("# counts " + " ".join(f"{name}={n}" for name, n in counts.items()))
    if counts["failed"] or not sum(counts.values()):
        return 1
    return 0 if counts["passed"] else SKIPPED


if __name__ == "__main__":
    blackbox.harness.load_cases()
    sys.exit(main(os.path.abspath(sys.argv[1]), sys.argv[2:]))
