# SPDX-License-Identifier: MIT
"""Finds the tests, runs each in a process of its own, some at once, and prints what came out. With --all, tests of whole
guests beside those take what the others leave of this machine.

A test is a function test_*(bed) in tests/vm/test_*.py. It fails by raising, skips by raising Skip.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

from . import bed as bed_module
from . import guest

HERE = pathlib.Path(__file__).resolve().parent.parent
TIMEOUT_SEC = 150
# A small guest waits for half of its time, which whole ones use where there are any.
JOBS = 3
JOBS_BESIDE_WHOLE = WHOLE_JOBS = 2
# For whole guests: half of what a small one gets of a core that both want.
NICE = 3


def vm_test(alone=False, whole=False, slow=False, timeout=TIMEOUT_SEC):
    """alone: measures time or levels so finely that no other guest may run beside it. whole: boots whole systems, which keeps
    a core busy for minutes and cares for no clock but the guest's (small guests, which must be quick, mostly wait). slow: boots
    dozens of times. The last two are tests of --all."""
    def mark(function):
        function.alone, function.whole, function.timeout = alone, whole, timeout
        function.only_in_all = whole or slow
        return function
    return mark


def discover():
    tests = {}
    for file in sorted(HERE.glob("test_*.py")):
        spec = importlib.util.spec_from_file_location(file.stem, file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, value in vars(module).items():
            if name.startswith("test_") and callable(value) and value.__module__ == file.stem:
                tests[f"{file.stem.removeprefix('test_')}.{name.removeprefix('test_')}"] = value
    return tests


def run_one(name, settings, directory):
    """In the child: one test, its outcome as JSON on the last line of stdout."""
    outcome = {"result": "passed", "message": "", "notes": []}
    # Told to end, as any other failure: the guests are closed on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end: it took too long, or the whole run was ended"))
    bed = bed_module.Bed(settings, directory)
    try:
        discover()[name](bed)
    except bed_module.Skip as e:
        outcome.update(result="skipped", message=str(e))
    except BaseException as e:  # a KeyboardInterrupt, too, must not leave a guest behind
        where = traceback.extract_tb(e.__traceback__)
        at = next((f for f in reversed(where) if "test_" in pathlib.Path(f.filename).name), where[-1])
        kind = "" if isinstance(e, AssertionError) else f"{type(e).__name__}: "
        detail = "" if isinstance(e, (AssertionError, guest.GuestError)) else "\n" + traceback.format_exc()
        outcome.update(result="failed",
                       message=f"{pathlib.Path(at.filename).name}:{at.lineno}: {kind}{e}{detail}\n{bed.console_tails()}")
    finally:
        outcome["notes"] = bed.notes
        bed.close()
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        outcome["cpu_sec"] = used.ru_utime + used.ru_stime
    print(json.dumps(outcome), flush=True)
    return 0


class Running:
    def __init__(self, name, function, settings, humble):
        """humble: beside others"""
        self.name, self.limit, self.start, self.humble = name, function.timeout, time.monotonic(), humble
        self.directory = tempfile.mkdtemp(prefix="vm-")
        argv = [sys.executable, str(HERE / "run"), "--one", name, "--settings", json.dumps(settings), "--directory", self.directory]
        self.out = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.out, stderr=subprocess.STDOUT,
                                        preexec_fn=self.prepare)

    def prepare(self):
        """In the child."""
        guest.die_with_parent()
        if self.humble:
            os.nice(NICE)

    def poll(self):
        late = time.monotonic() - self.start > self.limit
        if self.process.poll() is None and not late:
            return None
        if late:
            self.end()
        self.out.seek(0)
        text = self.out.read()
        try:
            outcome = json.loads(text.splitlines()[-1])
        except (ValueError, IndexError):
            reason = f"took longer than {self.limit} s" if late else f"ended with status {self.process.returncode}"
            outcome = {"result": "failed", "message": f"{reason}\n{text[-3000:]}", "notes": []}
        outcome["seconds"] = time.monotonic() - self.start
        return outcome

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            # Its emulators end with it, see die_with_parent().
            self.process.kill()
            self.process.wait(timeout=30)


def report(number, name, outcome, options):
    """TAP lines, so that what is skipped can be listed with its reason."""
    verdict = "not ok" if outcome["result"] == "failed" else "ok"
    line = f"{verdict} {number} - {name} ({outcome['seconds']:.1f} s, {outcome.get('cpu_sec', 0):.1f} s of CPU)"
    if outcome["result"] == "skipped":
        line += f" # SKIP {outcome['message']}"
    print(line, flush=True)
    text = outcome["message"] if outcome["result"] == "failed" else ""
    for part in [*outcome["notes"], *text[:None if options.verbose else 4000].splitlines()]:
        print(f"#   {part}", flush=True)


def run_all(tests, options, settings):
    """Those that must be alone go first, while the machine is quiet; then those that may take long.

    What fails is run once more, alone, when the others are done: a guest without KVM loses time while its host is
    busy, but a fault of ours fails twice. The first failure is told with the second result.
    """
    waiting = sorted(tests, key=lambda name: (not tests[name].alone, -tests[name].timeout))
    running, failures, counts = [], {}, {"passed": 0, "failed": 0, "skipped": 0}
    n_small = options.jobs or (JOBS_BESIDE_WHOLE if any(test.whole for test in tests.values()) else JOBS)

    def alone(name):
        return tests[name].alone or name in failures

    def has_room(whole):
        return sum(job.humble == whole for job in running) < (WHOLE_JOBS if whole else n_small)

    def next_one():
        if any(alone(job.name) for job in running):
            return None
        if waiting and alone(waiting[0]):
            return None if running else waiting[0]
        return next((name for name in waiting if not alone(name) and has_room(tests[name].whole)), None)

    try:
        while waiting or running:
            while name := next_one():
                waiting.remove(name)
                running.append(Running(name, tests[name], settings, tests[name].whole and not alone(name)))
            for job in list(running):
                if outcome := job.poll():
                    running.remove(job)
                    if outcome["result"] == "failed" and options.again and job.name not in failures:
                        failures[job.name] = outcome["message"]
                        waiting.append(job.name)
                        print(f"# {job.name} failed and is run once more", flush=True)
                    else:
                        if job.name in failures:
                            outcome["notes"] += ["failed at first:", *failures[job.name][:1500].splitlines()]
                        counts[outcome["result"]] += 1
                        report(sum(counts.values()), job.name, outcome, options)
                    if options.keep and outcome["result"] == "failed":
                        print(f"#   files kept in {job.directory}", flush=True)
                    else:
                        shutil.rmtree(job.directory, ignore_errors=True)
            time.sleep(0.02)
    finally:
        for job in running:
            job.end()
            shutil.rmtree(job.directory, ignore_errors=True)
    return counts


def parse_arguments():
    parser = argparse.ArgumentParser(description="Runs the VM tests: real kernels, booted without KVM.")
    parser.add_argument("--build", default=os.environ.get("BUILD", "build"), help="build directory (with rngd/rngd and tests/vm/agent)")
    parser.add_argument("--rngd", default=os.environ.get("RNGD"),
                        help="another rngd to test, such as Debian's: tests of what only ours has are skipped")
    parser.add_argument("-k", dest="pattern", default="",
                        help="only the tests whose name matches this expression, those of --all included")
    parser.add_argument("--all", action="store_true", default=os.environ.get("TEST_ALL") == "1",
                        help="also the tests that boot whole systems, or dozens of times (or TEST_ALL=1)")
    parser.add_argument("-j", dest="jobs", type=int,
                        help=f"small guests at once ({JOBS}; beside whole systems {JOBS_BESIDE_WHOLE})")
    parser.add_argument("-v", dest="verbose", action="store_true", help="whole messages of failed tests")
    parser.add_argument("--keep", action="store_true", help="keep the files of failed tests")
    parser.add_argument("--once", dest="again", action="store_false", help="do not run again what failed")
    parser.add_argument("--list", action="store_true", help="names only")
    for hidden in ("--one", "--settings", "--directory"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    return parser.parse_args()


def make_settings(options):
    build = pathlib.Path(options.build).resolve()
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    ours = build / "rngd/rngd"
    chosen = pathlib.Path(options.rngd).resolve() if options.rngd else ours
    return {
        "agent": str(build / "tests/vm/agent"),
        "rngd": str(chosen),
        "ours": chosen == ours or b"guest-entropy" in chosen.read_bytes(),
        "cache": os.environ.get("KERNEL_CACHE") or str(pathlib.Path(base, "guest-entropy", "kernels")),
    }


def main():
    options = parse_arguments()
    if options.one:
        return run_one(options.one, json.loads(options.settings), options.directory)
    every = options.all or bool(options.pattern)
    tests = {name: test for name, test in discover().items() if re.search(options.pattern, name) and (every or not test.only_in_all)}
    if options.list:
        print("\n".join(tests))
        return 0
    try:
        settings = make_settings(options)
    except OSError as e:
        print(f"vm: cannot read the rngd to test: {e}")
        return 1
    for key in ("agent", "rngd"):
        if not os.access(settings[key], os.X_OK):
            print(f"vm: {settings[key]} is not there: build first, or say --build or --rngd")
            return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(f"1..{len(tests)}", flush=True)
    counts = run_all(tests, options, settings)
    print("# counts " + " ".join(f"{key}={n}" for key, n in counts.items()), flush=True)
    return 1 if counts["failed"] else 0
