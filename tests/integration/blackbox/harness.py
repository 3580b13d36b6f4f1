# SPDX-License-Identifier: MIT
"""Runs the built rngd on this machine, each time with directories of its own, and looks at it.

A case is a function under @case(text); it gets a Box, fails by raising and skips by raising Skip.
What a Box started ends with it.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time

NOBODY = 65534
# As whom workers run where the package's users do not exist.
FIXED_IDS = {"_rng-reader": 65521, "_rng-exec": 65522}
START_SEC = 5
# Switches off the sources that need no device and no configuration.
NO_CPU = ("-x", "cpu", "-x", "jitter", "-x", "tpm")
PR_SET_PDEATHSIG = 1
CASES = []
_libc = ctypes.CDLL(None, use_errno=True)


class Skip(Exception):
    pass


def case(text):
    def add(function):
        CASES.append((text, function))
        return function

    return add


def worker_ids(name):
    """uid and gid of one of the two users"""
    try:
        entry = pwd.getpwnam(name)
        return entry.pw_uid, entry.pw_gid
    except KeyError:
        return FIXED_IDS[name], FIXED_IDS[name]


def die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def need(program):
    if not shutil.which(program):
        raise Skip(f"there is no {program}")


def wait_until(condition, what, seconds=START_SEC):
    """What condition() returned when it was true at last"""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"after {seconds} s still not: {what}"
        time.sleep(0.01)


# A mount namespace for one process: what SCRIPT mounts is seen by nobody else.
def in_mount_namespace(script):
    need("unshare")
    return [
        *("unshare", "--mount", "--propagation", "private"),
        *("sh", "-c", f'set -e; {script}; exec "$@"', "sh"),
    ]


class Finished:
    def __init__(self, process, output):
        self.status, self.output = process.returncode, output
        self.stdout, self.stderr = getattr(process, "told", (b"", b""))

    def expect(self, status, *words):
        assert self.status == status, f"exit status {self.status}, not {status}: {self.output}"
        for word in words:
            assert word in self.output, f"{word!r} is not in: {self.output}"
        return self


class Rngd:
    """A running rngd in the foreground"""

    def __init__(self, box, arguments, wrapper, environment):
        self.box = box
        self.log_path = box.path(f"log.{len(box.running)}")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [*wrapper, *box.command(["-f", *arguments])],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=box.environment | environment,
                preexec_fn=die_with_parent,
            )
        self.pid = self.process.pid
        box.running.append(self)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def alive(self):
        return self.process.poll() is None

    def socket_path(self):
        # Through its root, for the case that it has a mount namespace of its own.
        return f"/proc/{self.pid}/root{self.box.runtime}/rngd.sock"

    def status(self):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self.socket_path())
            client.settimeout(START_SEC)
            return json.loads(read_all(client))

    def try_status(self):
        assert self.alive(), f"rngd ended with {self.process.returncode}: {self.log()}"
        try:
            return self.status()
        except (OSError, ValueError):
            return None

    def wait_status(self, condition=lambda status: True, what="its socket", seconds=START_SEC):
        """The first status for which condition() is true"""
        last = None

        def look():
            nonlocal last
            last = self.try_status() or last
            return last is not None and condition(last)

        try:
            wait_until(look, what, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{json.dumps(last)}\n{self.log()}") from None
        return last

    def wait_source(self, name, condition, what, seconds=START_SEC):
        found = self.wait_status(lambda s: condition(source(s, name)), f"{name} {what}", seconds)
        return source(found, name)

    def workers(self):
        with contextlib.suppress(FileNotFoundError):
            text = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
            return {worker_name(int(pid)): int(pid) for pid in text.split()}
        return {}

    def worker(self, name):
        return wait_until(lambda: self.workers().get(f"rng-{name}"), f"a worker rng-{name}")

    def kill(self, number):
        os.kill(self.pid, number)

    def feed_now(self, name, seconds=START_SEC):
        """SIGUSR1, and the status when the source's next batch has come"""
        before = source(self.status(), name)["batches"]
        self.kill(signal.SIGUSR1)
        return self.wait_source(name, lambda s: s["batches"] > before, "feeds again", seconds)

    def stop(self, limit_sec=2.0):
        """SIGTERM; how long it took"""
        start = time.monotonic()
        self.kill(signal.SIGTERM)
        status = self.process.wait(10)
        took = time.monotonic() - start
        assert status == 0, f"exit status {status} after SIGTERM: {self.log()}"
        assert took < limit_sec, f"stopping took {took:.3f} s"
        return took

    def end(self):
        if self.alive():
            self.process.kill()
        self.process.wait()


class Box:
    def __init__(self, rngd):
        self.rngd = rngd
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="test-rngd."))
        self.directory.chmod(0o755)
        self.runtime = self.path("run")
        self.runtime.mkdir(mode=0o755)
        self.config = self.path("conf")
        self.write_config("")
        self.running, self.cleanups = [], []
        unset = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM", "container")
        self.environment = {k: v for k, v in os.environ.items() if k not in unset}
        self.environment |= {"RUNTIME_DIRECTORY": str(self.runtime), "LC_ALL": "C.UTF-8"}

    def path(self, name):
        return self.directory / name

    def write_config(self, text):
        self.config.write_text(text)
        self.config.chmod(0o644)
        return self.config

    def script(self, name, text):
        path = self.path(name)
        path.write_text("#!/bin/sh\n" + text + "\n")
        path.chmod(0o755)
        return path

    def fifo(self, name="fifo"):
        os.mkfifo(self.path(name), 0o600)
        return self.path(name)

    def command(self, arguments):
        given = any(a in ("-c", "--config") for a in arguments)
        return [self.rngd, *([] if given else ["-c", str(self.config)]), *map(str, arguments)]

    def start(self, *arguments, wrapper=(), environment=None, wait=True):
        rngd = Rngd(self, list(arguments), list(wrapper), environment or {})
        if wait:
            rngd.wait_status()
        return rngd

    def run(self, *arguments, wrapper=(), environment=None, seconds=10, **options):
        """To its end, which must come within the time"""
        process = subprocess.Popen(
            [*wrapper, *self.command(arguments)],
            stdin=subprocess.DEVNULL,
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE,
            env=self.environment | (environment or {}),
            preexec_fn=die_with_parent,
            **options,
        )
        try:
            told = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{arguments}: no end in {seconds} s") from None
        process.told = tuple(part or b"" for part in told)
        return Finished(process, b"".join(process.told).decode(errors="replace"))

    def close(self):
        for rngd in self.running:
            rngd.end()
        for cleanup in reversed(self.cleanups):
            cleanup()
        shutil.rmtree(self.directory, ignore_errors=True)


def read_all(client):
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


def source(status, name):
    return next(s for s in status["sources"] if s["name"] == name)


def worker_name(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def exists(pid):
    return os.path.exists(f"/proc/{pid}")


def ended(pid):
    """Whether or not its new parent has reaped it"""
    try:
        return proc_status(pid, "State")[0] == "Z"
    except OSError:
        return True


def tracee(strace):
    """The process that strace started: a signal to strace itself does not reach it."""
    text = pathlib.Path(f"/proc/{strace}/task/{strace}/children").read_text().split()
    return int(text[0]) if text else None


def cpu_usec(pid):
    """User and system time of a process"""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1_000_000 // os.sysconf("SC_CLK_TCK")


def switches(pid):
    """How often it was woken, nearly"""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if "ctxt_switches" in line)


def proc_status(pid, key):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return line.partition(":")[2].split()
    raise AssertionError(f"no {key} in /proc/{pid}/status")


def open_files(pid):
    """fd -> what it is"""
    files = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            files[int(fd)] = os.readlink(f"/proc/{pid}/fd/{fd}")
    return files


def make_node(path, kind, major, minor):
    try:
        os.mknod(path, kind | 0o644, os.makedev(major, minor))
        if kind == stat.S_IFCHR:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    except PermissionError as error:
        raise Skip(f"no device nodes in {path.parent}: {error}") from None
    except OSError:
        pass  # a device whose driver is not there: only its numbers matter
    return path


def load_cases():
    """Each module's cases, in a fixed order: the quick ones first."""
    # Late, since these modules import this one.
    from . import devices, feeding, life, options, output, privileges, status, strangers, trace  # noqa: F401
