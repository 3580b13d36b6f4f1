# SPDX-License-Identifier: MIT
"""Every system call of rngd and its workers, seen by strace."""

import os
import re
import signal
import subprocess
import time

from .devices import feeder
from .harness import NO_CPU, Skip, case, need, tracee, wait_until

# Nothing may start the kernel's jitter loop, and nothing may write its output back to us.
FORBIDDEN = (
    (r"\b(read|readv|pread64|preadv2?|io_\w+|splice|sendfile)\(\d+<(/dev/u?random)\b", "a read"),
    (r"\bopen(at)?\([^)]*\"/dev/urandom\"", "an open of /dev/urandom"),
    (
        r"\bgetrandom(\(| resumed>)(?!.*(GRND_NONBLOCK|GRND_INSECURE|unfinished))",
        "a getrandom() that may block",
    ),
    (r"/proc/sys/kernel/random/uuid", "the kernel's output by another way"),
)


def tracer(box, *options):
    need("strace")
    if not os.path.exists("/proc/self/stat"):
        raise Skip("no /proc")
    path = box.path(f"trace.{time.monotonic_ns()}")
    return path, ["strace", "-f", "-y", "-qq", "-s", "8", "-o", str(path), *options]


def check_trace(path, expected):
    lines = path.read_text(errors="replace").splitlines()
    for pattern, what in FORBIDDEN:
        bad = [line for line in lines if re.search(pattern, line)]
        assert not bad, f"{what}: {bad[:3]}"
    text = "\n".join(lines)
    for pattern in expected:
        assert re.search(pattern, text), f"the trace does not show {pattern}"


def traced_rngd(box, *arguments):
    path, wrapper = tracer(box)
    rngd = box.start(*arguments, wrapper=wrapper, wait=False)
    socket_path = box.runtime / "rngd.sock"
    wait_until(socket_path.exists, "its socket", 20)
    rngd.socket_path = lambda: str(socket_path)
    pid = tracee(rngd.pid)
    return rngd, pid, path


@case("no read of /dev/random or urandom, no blocking getrandom(), from start to end")
def whole_life(box):
    fifo = box.fifo()
    box.write_config(f"[file]\npath = {fifo}\ncredit = 512\ntrust = always\n")
    with open(fifo, "r+b", buffering=0) as writer:
        rngd, pid, path = traced_rngd(box, "-T", "2s")
        for _ in range(50):
            writer.write(os.urandom(64))
            time.sleep(0.1)
        rngd.wait_source("file", lambda s: s["credited_bits"] > 0, "feeds", 20)
        for number in (signal.SIGUSR1, signal.SIGHUP, signal.SIGUSR1):
            os.kill(pid, number)
            time.sleep(0.2)
            rngd.wait_status()
        os.kill(pid, signal.SIGTERM)
        assert rngd.process.wait(10) == 0, rngd.log()
    reseed = r"RNDRESEEDCRNG|_IOC\(.*0x52, 0x7"
    check_trace(path, (r"ioctl\(\d+</dev/random>, RNDADDENTROPY", reseed, r"sendto\("))


@case("the same of --status, -l, -t, -o and of a command line that is refused")
def other_actions(box):
    rngd = box.start()
    for arguments in (["--status"], ["--status=json"], ["-l"], ["--help"], ["-f", "--nonsense"]):
        path, wrapper = tracer(box)
        box.run(*arguments, wrapper=wrapper, seconds=30)
        check_trace(path, [r"execve\("])
    rngd.stop()
    path, wrapper = tracer(box)
    out = box.path("out")
    with feeder(box, os.urandom) as fifo:
        process = box.start("-r", fifo, *NO_CPU, "-o", out, wrapper=wrapper, wait=False)
        wait_until(lambda: out.exists() and out.stat().st_size > 0, "bytes", 20)
        os.kill(tracee(process.pid), signal.SIGTERM)
        process.process.wait(10)
    check_trace(path, [r"execve\("])


@case("the checks of a trace find what they look for")
def checks_work(box):
    rows = (
        ("cat /dev/urandom", "head -c 1 /dev/urandom"),
        ("head -c 1 /dev/random", "head -c 1 /dev/random"),
    )
    for name, command in rows:
        path, wrapper = tracer(box)
        os.spawnvp(os.P_WAIT, wrapper[0], [*wrapper, "sh", "-c", f"{command} >/dev/null"])
        try:
            check_trace(path, [])
        except AssertionError:
            continue
        raise AssertionError(f"{name} was not seen")
    path = box.path("made")
    path.write_text('1 getrandom("\\x12", 1, 0) = 1\n')
    try:
        check_trace(path, [])
    except AssertionError:
        return
    raise AssertionError("a blocking getrandom() was not seen")


# ---- the n-th call fails ----

# What it may end with: a system error, no source, another one runs, no permission, configuration.
# 127: the dynamic loader could not load a library.
ALLOWED = (0, 1, 69, 73, 75, 77, 78, 127)

CALLS = {
    "openat": "EMFILE",
    "ioctl": "EIO",
    "read": "EIO",
    "socketpair": "EMFILE",
    "clone,clone3,fork,vfork": "EAGAIN",
    "epoll_create1": "EMFILE",
    "epoll_ctl": "ENOSPC",
    "epoll_wait,epoll_pwait,epoll_pwait2": "EINTR",
    "signalfd4": "EMFILE",
    "timerfd_create": "EMFILE",
    "timerfd_settime": "EINVAL",
    "socket": "EAFNOSUPPORT",
    "bind": "EADDRINUSE",
    "listen": "EOPNOTSUPP",
    "accept4": "EMFILE",
    "sendto,sendmsg": "ENOBUFS",
    "recvmsg": "EINVAL",
    "fcntl": "EINVAL",
    "fsync": "EIO",
    "rename,renameat,renameat2": "EROFS",
    "ftruncate": "EIO",
    "write": "ENOSPC",
    "mprotect": "ENOMEM",
    "madvise": "EINVAL",
    "mlock": "EPERM",
    "poll,ppoll": "EINTR",
    "getrandom": "ENOSYS",
    "kill": "EPERM",
    "wait4": "ECHILD",
    "rt_sigprocmask": "EINVAL",
    "prctl": "EINVAL",
}


ALWAYS_CALLED = (
    *("openat", "socketpair", "clone,clone3,fork,vfork", "epoll_create1", "epoll_ctl", "signalfd4"),
    *("epoll_wait,epoll_pwait,epoll_pwait2", "timerfd_create", "socket", "bind", "listen", "ioctl"),
)


@case("the n-th call of each kind fails: no crash, no hang, a documented exit status")
def nth_call_fails(box):
    need("strace")
    problems, failed = [], set()
    for calls, error in CALLS.items():
        for n in range(1, 25):
            problem, hit = fail_once(box, calls, error, n)
            if problem:
                problems.append(f"{calls} {error} at {n}: {problem}")
            if not hit:
                break
            failed.add(calls)
    assert failed >= set(ALWAYS_CALLED), f"never called: {set(ALWAYS_CALLED) - failed}"
    assert not problems, "\n".join(problems)


def fail_once(box, calls, error, n):
    trace = box.path("trace")
    wrapper = [
        *("strace", "-qq", "-o", str(trace), "-e", f"trace={calls}"),
        *("-e", f"inject={calls}:error={error}:when={n}"),
    ]
    rngd = box.start(wrapper=wrapper, wait=False)
    lock, socket_path = box.runtime / "rngd.lock", box.runtime / "rngd.sock"
    problem = None
    try:
        end = time.monotonic() + 3
        while time.monotonic() < end and rngd.alive() and not socket_path.exists():
            time.sleep(0.005)
        time.sleep(0.02)
        if rngd.alive():
            problem = end_traced(rngd)
        status = rngd.process.returncode
        if status not in ALLOWED:
            problem = f"ended with {status}: {rngd.log()[-300:]}"
    finally:
        rngd.end()
        box.running.remove(rngd)
        for path in (lock, socket_path):
            path.unlink(missing_ok=True)
    return problem, "INJECTED" in trace.read_text(errors="replace")


def end_traced(rngd):
    child = tracee(rngd.pid)
    if not child:
        return None
    os.kill(child, signal.SIGTERM)
    try:
        rngd.process.wait(3)
    except subprocess.TimeoutExpired as problem:
        os.kill(child, signal.SIGKILL)
        rngd.process.wait(3)
        return f"does not end: {problem}: {rngd.log()[-300:]}"
    return None
