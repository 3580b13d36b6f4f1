# SPDX-License-Identifier: MIT
"""What other users of this machine, and the programs that rngd runs, must not be able to do."""

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import select
import signal
import socket
import subprocess
import termios
import threading
import time

from .harness import (
    NO_CPU,
    NOBODY,
    Skip,
    case,
    cpu_usec,
    ended,
    need,
    open_files,
    proc_status,
    read_all,
    source,
    wait_until,
)

PYTHON = "/usr/bin/python3"
ALREADY_RUNNING = 75
LOCK_WAITER = """
import fcntl, sys
with open(sys.argv[1], "rb") as file:
    print("opened", flush=True)
    fcntl.lockf(file, fcntl.LOCK_SH)
    print("locked", flush=True)
    sys.stdin.read()
"""
# A program cannot tell who reads its terminal; it tries each way to one.
PUSH_KEYS = f"""#!{PYTHON}
import fcntl, os, sys, termios
for name in (0, 1, 2, "/dev/tty"):
    try:
        fd = name if isinstance(name, int) else os.open(name, os.O_RDWR)
        for key in b"touch stolen\\n":
            fcntl.ioctl(fd, termios.TIOCSTI, bytes([key]))
    except OSError:
        pass
sys.stdout.buffer.write(os.urandom(64))
"""
# ptrace(2) guards a process's memory as well as its registers.
READ_MEMORY = """
import os, signal, sys
pid = int(sys.argv[1])
done = []
for number in (0, signal.SIGSTOP, signal.SIGCONT):
    try:
        os.kill(pid, number)
        done.append(f"signal {number}")
    except OSError:
        pass
try:
    with open(f"/proc/{pid}/maps") as maps:
        start = int(next(line for line in maps if "rw-p" in line).split("-")[0], 16)
    fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    if os.pread(fd, 1, start):
        done.append("its memory")
except (OSError, StopIteration):
    pass
print(done)
"""


def as_nobody():
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def stranger(box, text, *arguments):
    """Runs as nobody, as the programs of others may; its standard output is read by lines"""
    if not os.access(PYTHON, os.X_OK):
        raise Skip(f"no {PYTHON}, which any user could run")
    process = subprocess.Popen(
        [PYTHON, "-c", text, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=as_nobody,
        text=True,
        cwd="/",
    )
    box.cleanups.append(lambda: (process.kill(), process.communicate()))
    return process


def mode(path):
    return path.stat().st_mode & 0o7777


# ---- the lock ----


@case("rngd.lock and the pid file are root's alone; what an older rngd left is mended")
def lock_modes(box):
    lock, pid_file = box.runtime / "rngd.lock", box.path("pid")
    for before in (None, 0o644, 0o666):
        for path in (lock, pid_file):
            path.unlink(missing_ok=True)
            if before:
                path.touch()
                path.chmod(before)
        box.run("-p", pid_file).expect(0)
        pid = int(pid_file.read_text())
        try:
            assert (mode(lock), mode(pid_file)) == (0o600, 0o600), (before, oct(mode(lock)), oct(mode(pid_file)))
            assert int(lock.read_text()) == pid
        finally:
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: ended(pid), "it ends")


@case("a stranger who waits for the lock does not keep rngd from starting again")
def lock_stranger(box):
    lock = box.runtime / "rngd.lock"
    # As an older rngd made it, and one that the stranger owns.
    for owner in (0, NOBODY):
        lock.unlink(missing_ok=True)
        lock.touch()
        lock.chmod(0o644)
        os.chown(lock, owner, owner)
        with open(lock, "r+b") as mine:
            fcntl.lockf(mine, fcntl.LOCK_EX)
            waiter = stranger(box, LOCK_WAITER, lock)
            assert waiter.stdout.readline() == "opened\n"
            time.sleep(0.1)
        assert waiter.stdout.readline() == "locked\n", "the stranger has the lock now"
        rngd = box.start()
        assert mode(lock) == 0o600 and lock.stat().st_uid == 0
        box.run("-f").expect(ALREADY_RUNNING, str(rngd.pid))
        waiter = stranger(box, LOCK_WAITER, lock)
        rngd.stop()
        assert waiter.stdout.readline() == "", "a stranger could open the new one"
        box.start().stop()


@case("a lock that an older rngd holds is still a lock")
def lock_older(box):
    lock = box.runtime / "rngd.lock"
    lock.touch()
    lock.chmod(0o644)
    with open(lock, "r+b") as mine:
        fcntl.lockf(mine, fcntl.LOCK_EX)
        mine.write(b"%d\n" % os.getpid())
        mine.flush()
        box.run("-f").expect(ALREADY_RUNNING, str(os.getpid()))


@case("a lock file that is none is refused or replaced, never written to")
def lock_strange(box):
    lock, precious = box.runtime / "rngd.lock", box.path("precious")
    precious.write_text("content")
    precious.chmod(0o600)
    os.link(precious, lock)
    box.start().stop()
    assert precious.read_text() == "content", "written through a hard link"
    lock.unlink(missing_ok=True)
    lock.symlink_to(precious)
    box.start().stop()
    assert precious.read_text() == "content", "written through a symbolic link"
    lock.unlink()
    os.mkfifo(lock)
    box.start().stop()


# ---- the terminal ----


@contextlib.contextmanager
def terminal():
    """A pseudo terminal: what is typed, and what a shell on it would read"""
    keyboard, screen = pty.openpty()
    try:
        yield keyboard, screen
    finally:
        os.close(keyboard)
        os.close(screen)


def on_terminal(screen):
    """For the first process: a session of its own, whose terminal this is"""
    os.setsid()
    fcntl.ioctl(screen, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(screen, fd)


@case("a program cannot type on the terminal that rngd was started from, nor find it")
def terminal_input(box):
    sysctl = pathlib.Path("/proc/sys/dev/tty/legacy_tiocsti")
    if not os.access(PYTHON, os.X_OK) or (sysctl.exists() and sysctl.read_text().strip() == "0"):
        raise Skip("no TIOCSTI here")
    program = box.path("program")
    program.write_text(PUSH_KEYS)
    program.chmod(0o755)
    box.write_config(f"[exec]\ncommand = {program}\n")
    with terminal() as (keyboard, screen):
        process = subprocess.Popen(
            box.command(["-f", "-x", "hwrng", *NO_CPU]),
            env=box.environment,
            preexec_fn=lambda: on_terminal(screen),
        )
        try:
            wait_until(lambda: has_fed(box, "exec"), "exec feeds")
            typed = select.select([screen], [], [], 0)[0]
            assert not typed, f"the shell would read {os.read(screen, 100)!r}"
        finally:
            process.kill()
            process.wait()


def has_fed(box, name):
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(box.runtime / "rngd.sock"))
        except OSError:
            return False
        return source(json.loads(read_all(client)), name)["batches"] > 0


@case("what a program writes to standard error is told by rngd, in short and without tricks")
def standard_error(box):
    program = box.script(
        "program",
        "printf 'a \\033]0;title\\007 b\\n<0>fake\\n' >&2\n"
        "i=0; while [ $i -lt 100 ]; do echo line $i >&2; i=$((i+1)); done\n"
        "head -c 300 /dev/zero | tr '\\0' x >&2\n"
        "readlink /proc/$$/fd/2 >&2\n"
        "head -c 64 /dev/urandom",
    )
    box.write_config(f"[exec]\ncommand = {program}\n")
    rngd = box.start("-x", "hwrng", *NO_CPU)
    rngd.wait_source("exec", lambda s: s["batches"] > 0, "feeds")
    text = wait_until(lambda: "line 1" in rngd.log() and rngd.log(), "its words are told")
    assert not {"\x1b", "\x07"} & set(text) and "\n<0>" not in text, text[:500]
    told = [line for line in text.splitlines() if "exec:" in line]
    assert any("a ?]0;title? b" in line for line in told), told
    assert len(told) <= 12 and max(map(len, told)) < 250, told
    rngd.stop()


@case("a worker's standard error is a pipe of its own, and it is in no session of rngd's")
def worker_session(box):
    rngd = box.start(*NO_CPU)
    rngd.feed_now("hwrng")
    worker = rngd.worker("hwrng")
    files = open_files(worker)
    assert files[2].startswith("pipe:"), files
    assert not {files[0], files[1]} & {open_files(rngd.pid)[fd] for fd in (1, 2)}, files
    assert os.getsid(worker) == worker != os.getsid(rngd.pid)
    rngd.stop()


@case("a program that floods its standard error neither hangs nor costs rngd CPU")
def flooded_error(box):
    program = box.script("program", "(yes & sleep 1; kill $!) >&2\nhead -c 64 /dev/urandom")
    box.write_config(f"[exec]\ncommand = {program}\n")
    rngd = box.start("-x", "hwrng", *NO_CPU)
    rngd.wait_source("exec", lambda s: s["batches"] > 0, "feeds", 8)
    before, used = len(rngd.log()), cpu_usec(rngd.pid)
    assert used < 100_000, f"{used} us of CPU"
    assert before < 10_000, rngd.log()[:500]
    rngd.stop()


# ---- other users' processes ----


@case("nobody's processes cannot stop a worker, nor look into a program")
def other_nobody(box):
    program = box.script("program", "exec sleep 3004")
    box.write_config(f"[exec]\ncommand = {program}\ncredit = 1024\n")
    rngd = box.start(*NO_CPU)
    rngd.feed_now("hwrng")
    uids = {}
    for name in ("hwrng", "exec"):
        worker = rngd.worker(name)
        wait_until(lambda w=worker: proc_status(w, "NoNewPrivs") == ["1"], "it gave up its privileges")
        uids[name] = proc_status(worker, "Uid")[0]
        told = stranger(box, READ_MEMORY, worker).communicate(timeout=10)[0]
        assert told == "[]\n", f"rng-{name}: {told}"
    child = wait_until(lambda: children(rngd.worker("exec")), "its program runs")[0]
    wait_until(lambda: b"sleep" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes(), "its program runs")
    told = stranger(box, READ_MEMORY, child).communicate(timeout=10)[0]
    assert told == "[]\n", f"the program: {told}"
    assert str(NOBODY) not in uids.values() and len(set(uids.values())) == 2, uids
    rngd.stop()


def children(pid):
    return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


# ---- limits and capabilities ----


@case("few files allowed: a worker lowers its limits and never raises one")
def few_files(box):
    need("prlimit")
    rngd = box.start(*NO_CPU, wrapper=["prlimit", "--nofile=20:20", "--"])
    found = rngd.wait_source("hwrng", lambda s: s["batches"] + s["failures"] > 0, "answers")
    assert found["batches"] > 0, found
    limits = pathlib.Path(f"/proc/{rngd.worker('hwrng')}/limits").read_text()
    line = next(line for line in limits.splitlines() if line.startswith("Max open files"))
    assert line.split()[3:5] == ["20", "20"], line
    rngd.stop()


@case("a capability that is missing is named")
def missing_capability(box):
    need("setpriv")
    for name in ("setpcap", "setuid", "setgid", "kill"):
        rngd = box.start(*NO_CPU, wrapper=["setpriv", f"--bounding-set=-{name}"])
        found = rngd.wait_source("hwrng", lambda s: s["batches"] + s["failures"] > 0, "answers")
        assert found["batches"] == 0 and f"CAP_{name.upper()}" in found["last_error"], found
        assert f"CAP_{name.upper()}" in rngd.log(), rngd.log()
        rngd.stop()


@case("namespaces that are not there: each is said once, and what is there is used")
def missing_namespaces(box):
    need("strace")
    trace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=unshare"]
    rngd = box.start(*NO_CPU, wrapper=[*trace, "-e", "inject=unshare:error=ENOSPC:when=1"], wait=False)
    path = box.runtime / "rngd.sock"
    wait_until(path.exists, "its socket")
    rngd.socket_path = lambda: str(path)
    pid = int((box.runtime / "rngd.lock").read_text())
    rngd.wait_source("hwrng", lambda s: s["batches"] > 0, "feeds")
    for _ in range(2):
        # Another worker each time.
        os.kill(pid, signal.SIGHUP)
        batches = next(s for s in rngd.status()["sources"] if s["name"] == "hwrng")["batches"]
        os.kill(pid, signal.SIGUSR1)
        rngd.wait_source("hwrng", lambda s, b=batches: s["batches"] > b, "feeds again")
    said = [line for line in rngd.log().splitlines() if "namespace" in line]
    assert len(said) == 1 and "IPC" in said[0], said
    worker = next(p for p in children(pid) if pathlib.Path(f"/proc/{p}/comm").read_text() == "rng-hwrng\n")
    same = {n: os.readlink(f"/proc/{worker}/ns/{n}") == os.readlink(f"/proc/{pid}/ns/{n}") for n in ("ipc", "mnt", "net")}
    assert same == {"ipc": True, "mnt": False, "net": False}, same
    os.kill(pid, signal.SIGTERM)
    rngd.process.wait(5)


# ---- the status socket ----


@case("a flood of connections to the status socket costs next to nothing")
def flooded_socket(box):
    rngd = box.start(*NO_CPU)
    rngd.feed_now("hwrng")
    path, end = rngd.socket_path(), time.monotonic() + 3
    answered = [0] * 4

    def flood(number):
        while time.monotonic() < end:
            with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
                client.settimeout(0.1)
                client.connect(path)
                answered[number] += 1

    threads = [threading.Thread(target=flood, args=(n,)) for n in range(len(answered))]
    before = cpu_usec(rngd.pid)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    used = cpu_usec(rngd.pid) - before
    assert used <= 100_000, f"{used} us of CPU in 3 s for {sum(answered)} connections"
    # And then it is there again.
    rngd.wait_status(seconds=3)
    rngd.feed_now("hwrng")
    rngd.stop()
