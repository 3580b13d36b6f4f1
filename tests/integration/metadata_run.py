# SPDX-License-Identifier: MIT
"""What test-metadata.py and its modules share: runs of entropy-metadata, and how each case is told."""

import atexit
import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

OK, USAGE, FORMAT, NOT_THERE, UNREACHABLE, BUSY, PROTOCOL, CERTIFICATE, CA_FILE = 0, 64, 65, 66, 69, 75, 76, 77, 78
SEED_ABSENT, SEED_TYPE, SEED_ENCODING, SEED_LENGTH, TOO_LONG = 80, 81, 82, 83, 84
MEMORY_MAX_KIB = 24 * 1024
OPENSTACK = "/openstack/latest/meta_data.json"


class UnderTest:
    """The program, and a directory for what it is given."""

    directory = program = sanitized = None

    def prepare(self, program):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="test-metadata-"))
        self.directory.chmod(0o755)
        atexit.register(shutil.rmtree, self.directory, True)
        # Where nobody can run it, too: a build directory may be in a closed home.
        self.program = shutil.copy(program, self.directory / "entropy-metadata")
        self.sanitized = b"__asan_init" in pathlib.Path(self.program).read_bytes()


under_test = UnderTest()
counts = {"passed": 0, "failed": 0, "skipped": 0}


class Skip(Exception):
    pass


def skip_with(reason):
    raise Skip(reason)


def case(name, function, *args):
    try:
        function(*args)
        outcome, lines = "passed", []
    except Skip as e:
        outcome = "failed" if os.environ.get("MUST_WORK") == "1" else "skipped"
        lines = [f"cannot run here: {e}"]
    except (AssertionError, OSError, subprocess.SubprocessError) as e:
        outcome, lines = "failed", f"{type(e).__name__}: {e}".splitlines()
    counts[outcome] += 1
    skip = f" # SKIP {lines[0]}" if outcome == "skipped" else ""
    print(f"{'not ok' if outcome == 'failed' else 'ok'} {sum(counts.values())} - {name}{skip}")
    for line in lines if outcome == "failed" else []:
        print(f"#   {line}")
    sys.stdout.flush()


def as_nobody():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)


class Run:
    """One run of the program, to its end; memory is the largest that was seen of it."""

    def __init__(self, *options, env=None, limit=15, watch=None):
        began = time.monotonic()
        self.process = subprocess.Popen(
            [under_test.program, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={"PATH": "/usr/bin:/bin", **(env or {})}, preexec_fn=as_nobody)
        self.memory_kib = 0
        done = threading.Event()
        sampler = threading.Thread(target=self._sample, args=(done,))
        sampler.start()
        try:
            if watch:
                watch(self.process.pid)
            self.out, err = self.process.communicate(timeout=limit)
        finally:
            self.process.kill()
            self.process.wait()
            done.set()
            sampler.join()
        self.seconds = time.monotonic() - began
        self.err, self.status = err.decode(), self.process.returncode

    def _sample(self, done):
        path = pathlib.Path(f"/proc/{self.process.pid}/status")
        while not done.is_set():
            try:
                text = path.read_text()
            except OSError:
                return
            # Before exec it is a copy of this test, with its memory.
            name, peak = re.search(r"Name:\t(.*)", text), re.search(r"VmHWM:\s*(\d+)", text)
            if name and peak and name.group(1) == "entropy-metadat":
                self.memory_kib = max(self.memory_kib, int(peak.group(1)))
            done.wait(0.003)

    def __str__(self):
        return f"status {self.status}, {len(self.out)} bytes, {self.seconds:.2f} s: {self.err.strip()}"


def check_run(run, status, seconds=4.0):
    assert run.status == status, f"expected status {status}: {run}"
    assert run.seconds <= seconds, f"expected at most {seconds} s: {run}"
    if status == OK:
        assert not run.err, f"words: {run}"
    else:
        assert not run.out, f"bytes without success: {run}"
        assert run.err.startswith("entropy-metadata: ") and run.err.count("\n") == 1, f"not one line: {run.err!r}"
        assert run.err.isprintable() or re.fullmatch(r"[ -~]*\n", run.err), f"not printable: {run.err!r}"
    if not under_test.sanitized:
        assert run.memory_kib <= MEMORY_MAX_KIB, f"{run.memory_kib} KiB of memory"


memory_seen = []


def get(server, path, *options, **kwargs):
    server.forget()
    host = kwargs.pop("host", "127.0.0.1")
    scheme = "https" if server.context else "http"
    run = Run(f"--url={scheme}://{host}:{server.port}{path}", *options, **kwargs)
    memory_seen.append(run.memory_kib)
    return run
