# SPDX-License-Identifier: MIT
"""The exec source, what stays in memory, and what rngd does when the kernel refuses."""

import os
import pathlib
import re
import signal
import sys
import threading
import time

from .devices import ALONE, assert_idle
from .harness import (
    NO_CPU,
    Skip,
    case,
    ended,
    in_mount_namespace,
    need,
    source,
    tracee,
    wait_until,
    worker_ids,
)

QUIET = ("-x", "hwrng", *NO_CPU, "-T", "500ms")


def start_exec(box, text, *lines):
    script = box.script("source", text)
    box.write_config("\n".join([f"[exec]\ncommand = {script} word", *lines]) + "\n")
    return box.start(*QUIET)


@case("exec: a program's bytes are fed; credited only if the configuration says so")
def exec_good(box):
    for lines, credited in (((), False), (("credit = 1024",), True), (("credit = 256",), True)):
        rngd = start_exec(box, "head -c 64 /dev/urandom", *lines)
        found = rngd.wait_source("exec", lambda s: s["batches"] > 0, "feeds")
        assert (found["credited_bits"] > 0) == credited, found
        limit = 2 if "credit = 256" in lines else 8
        assert found["credited_bits"] <= limit * found["bytes"], found
        rngd.stop()


@case("exec: runs as a user of its own, without privileges, in a clean environment")
def exec_privileges(box):
    uid, gid = worker_ids("_rng-exec")
    checks = (
        f'[ "$(id -u) $(id -g) $(id -G)" = "{uid} {gid} {gid}" ]',
        '[ "$(grep -c "Cap.*:.0000000000000000$" /proc/self/status)" = 5 ]',
        'grep -q "NoNewPrivs:.1" /proc/self/status',
        '[ "$(env | grep -Ec "^(RUNTIME_DIRECTORY|HOME|LC_ALL|NOTIFY_SOCKET)=")" = 0 ]',
        '[ "$(ls /proc/self/fd | wc -w)" -le 4 ]',
        '[ "$1" = word ] && [ $# = 1 ]',
    )
    for check in checks:
        rngd = start_exec(box, f"{check} || exit 3\nhead -c 64 /dev/urandom")
        rngd.wait_source("exec", lambda s: s["batches"] > 0 or s["failures"] > 0, "answers")
        assert source(rngd.status(), "exec")["batches"] == 1, check
        rngd.stop()


@case("exec: one that hangs is ended in time, with its children")
def exec_hangs(box):
    rngd = start_exec(box, "sleep 3001 & sleep 3002")
    found = rngd.wait_source("exec", lambda s: s["failures"] > 0, "fails")
    # Whose deadline is seen first: the worker's, or the parent's a little later on a busy machine.
    assert re.search("in time|no answer within", found["last_error"]), found
    assert found["state"] == "waiting", found
    assert_idle(rngd, 0.3)
    rngd.stop(0.2)
    wait_until(lambda: not running("sleep", "3001"), "its background child is gone")
    assert not running("sleep", "3002")


@case("exec: one that fails, one that is not there, one that is killed: a reason, no credit")
def exec_fails(box):
    rows = {
        "head -c 40 /dev/urandom; exit 1": "its program failed",
        "kill -9 $$": "its program failed",
        "exit 0": "wrote nothing",
        "exec /no/such/program": "no such program",
    }
    for text, word in rows.items():
        rngd = start_exec(box, text, "credit = 1024")
        found = rngd.wait_source("exec", lambda s: s["failures"] > 0, f"fails: {text}")
        assert found["credited_bits"] == 0 and word in found["last_error"], (text, found)
        rngd.stop()
    for path in (box.path("missing"), box.directory, box.fifo()):
        box.write_config(f"[exec]\ncommand = {path}\ncredit = 1024\n")
        rngd = box.start(*QUIET)
        found = rngd.wait_source("exec", lambda s: s["last_error"], "says it")
        assert found["credited_bits"] == 0 and "no such program" in found["last_error"], found
        rngd.stop()


@case("exec: children that it leaves behind do not pile up and do not hold it up")
def exec_leaves_children(box):
    rngd = start_exec(box, "sleep 3003 & sleep 3003 >/dev/null 2>&1 & head -c 64 /dev/urandom")
    for _ in range(3):
        rngd.feed_now("exec")
    assert len(running("sleep", "3003")) <= 4, running("sleep", "3003")
    rngd.stop(0.2)
    wait_until(lambda: not running("sleep", "3003"), "its children are gone")


@case("exec: bad bytes are refused, and too many do no harm")
def exec_bad(box):
    rngd = start_exec(box, "head -c 64 /dev/zero", "credit = 1024")
    found = rngd.wait_source("exec", lambda s: s["health_failures"] > 0, "is refused")
    assert found["credited_bits"] == 0, found
    rngd.stop()
    rngd = start_exec(box, "exec cat /dev/urandom", "credit = 1024")
    rngd.feed_now("exec")
    rngd.stop(0.2)
    assert not running("cat", "/dev/urandom")


def running(*words):
    """Processes of programs' user with this command line"""
    users = {0, worker_ids("_rng-exec")[0]}
    line = "\0".join(words).encode() + b"\0"
    found = []
    for directory in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            mine = directory.stat().st_uid in users and (directory / "cmdline").read_bytes() == line
        except OSError:
            continue
        if mine and not ended(int(directory.name)):
            found.append(int(directory.name))
    return found


# ---- what stays behind ----


def memory_has(pid, needles):
    """Which of the needles are in the process's memory"""
    found = set()
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps:
        ranges = [line.split()[:2] for line in maps if "[v" not in line]
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for span, rights in ranges:
            if not rights.startswith("rw"):
                continue
            first, last = (int(part, 16) for part in span.split("-"))
            try:
                memory.seek(first)
                data = memory.read(last - first)
            except OSError:
                continue
            found |= {needle for needle in needles if needle in data}
    return found


@case("no byte of a batch stays in the memory of rngd or its workers, or in log, status, argv")
def nothing_stays(box):
    for options in (("-e", "8"), ("-e", "4"), ()):
        fifo = box.fifo(f"fifo{len(options)}{options[-1:]}")
        secret = os.urandom(64)
        needles = {secret[i : i + 8] for i in range(0, 64, 4)}
        with open(fifo, "r+b", buffering=0) as writer:
            # In memory while it is asked: the search finds what is there.
            rngd = box.start("-d", "-r", fifo, *NO_CPU, "-T", "1h", *options)
            rngd.wait_source("file", lambda s: s["state"] == "asked", "is asked")
            worker = rngd.worker("file")
            writer.write(secret)
            rngd.wait_source("file", lambda s: s["batches"] == 1, "feeds")
        for pid in (rngd.pid, worker):
            assert not memory_has(pid, needles), f"bytes stay in {pid} ({options})"
        told = rngd.log() + str(rngd.status())
        for needle in needles:
            assert needle.hex() not in told.lower().replace(" ", "")
        command = pathlib.Path(f"/proc/{rngd.pid}/cmdline").read_bytes()
        assert not [needle for needle in needles if needle in command]
        rngd.stop()


@case("the search for bytes in memory finds bytes that are there, and none that are not")
def search_works(box):
    needle = os.urandom(24)
    assert memory_has(os.getpid(), {needle})
    with open("/dev/urandom", "rb", buffering=0) as device:
        absent = int.from_bytes(device.read(24), "big")
    assert not memory_has(box.start().pid, {absent.to_bytes(24, "big")})


# ---- the kernel refuses ----


@case("RNDADDENTROPY answers EPERM, EFAULT, EINVAL: told, nothing credited, no busy loop")
def kernel_refuses(box):
    first = first_feed(box)
    for error, text in (
        ("EPERM", "Operation not permitted"),
        ("EFAULT", "Bad address"),
        ("EINVAL", "Invalid argument"),
    ):
        tracer = ["strace", "-qq", "-o", "/dev/null", "-e", "trace=ioctl"]
        rngd = box.start(
            *NO_CPU,
            wrapper=[*tracer, "-e", f"inject=ioctl:error={error}:when={first}+"],
            wait=False,
        )
        path = box.runtime / "rngd.sock"
        wait_until(path.exists, "its socket")
        pid = wait_until(lambda r=rngd: tracee(r.pid), "the traced rngd")
        status = traced_status(rngd, path, lambda s: s["sources"][0]["failures"] > 0)
        found = status["sources"][0]
        assert found["credited_bits"] == 0 and text in found["last_error"], found
        assert found["state"] == "waiting", found
        assert status["last_feed"] is None, status
        time.sleep(0.5)
        failures = traced_status(rngd, path, lambda s: True)["sources"][0]["failures"]
        assert failures <= 2, f"asked {failures} times in half a second"
        os.kill(pid, signal.SIGTERM)
        assert rngd.process.wait(5) == 0, rngd.log()


def first_feed(box):
    """Which of rngd's ioctls the first RNDADDENTROPY is"""
    need("strace")
    trace = box.path("trace")
    wrapper = ["strace", "-qq", "-o", str(trace), "-e", "trace=ioctl"]
    rngd = box.start(*NO_CPU, wrapper=wrapper, wait=False)
    wait_until(lambda: trace.exists() and "RNDADDENTROPY" in trace.read_text(), "it feeds")
    os.kill(tracee(rngd.pid), signal.SIGTERM)
    rngd.process.wait(5)
    lines = [line for line in trace.read_text().splitlines() if line.startswith("ioctl(")]
    return 1 + next(i for i, line in enumerate(lines) if "RNDADDENTROPY" in line)


def traced_status(rngd, path, condition):
    rngd.socket_path = lambda: str(path)
    return rngd.wait_status(condition, "the status")


# ---- who competes ----


@case("twenty signals at once: one feed after the other, nothing lost, nothing doubled")
def signal_storm(box):
    rngd = box.start("-e", "8", "-r", box.path("none"))
    threads = [threading.Thread(target=rngd.kill, args=(signal.SIGUSR1,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rngd.wait_status(lambda s: 1 <= s["wakes"]["signal"] <= 20, "took the signals")
    found = rngd.status()
    for entry in found["sources"]:
        assert entry["credited_bits"] <= 8 * entry["bytes"], entry
    rngd.stop()


@case("a source that never answers does not keep the others from feeding")
def others_feed(box):
    box.write_config(f"[file]\npath = {box.fifo()}\n")
    rngd = box.start("-T", "1h")
    rngd.wait_source("file", lambda s: s["state"] == "asked", "is asked")
    rngd.wait_source("hwrng", lambda s: s["batches"] > 0, "feeds")
    for _ in range(3):
        rngd.feed_now("hwrng")
    assert rngd.wait_status()["last_feed"], "fed"
    rngd.stop(0.2)


@case("credit: 0 mixes in without credit; the kernel's level is what the kernel says")
def credit_zero(box):
    box.write_config("[hwrng]\ncredit = 0\n[cpu]\ncredit = 0\n")
    rngd = box.start()
    found = rngd.wait_source("hwrng", lambda s: s["batches"] > 0, "feeds")
    assert found["credited_bits"] == 0, found
    level = int(pathlib.Path("/proc/sys/kernel/random/entropy_avail").read_text())
    assert abs(rngd.status()["kernel"]["level_bits"] - level) <= 64
    rngd.stop()
    rngd = box.start(*ALONE)
    found = rngd.wait_source("hwrng", lambda s: s["batches"] > 0, "feeds")
    assert found["credited_bits"] == 0, found
    rngd.stop()


# A filter for one ioctl: load the call's number, compare; load its second argument, compare.
REFUSE_IOCTL = """
import ctypes, os, struct, sys
def bpf(code, k, true=0, false=0): return struct.pack("HBBI", code, true, false, k)
rules = [bpf(0x20, 0), bpf(0x15, int(sys.argv[1]), 0, 3), bpf(0x20, 24), bpf(0x15, int(sys.argv[2], 16), 0, 1),
         bpf(6, 0x00050005), bpf(6, 0x7fff0000)]
text = ctypes.create_string_buffer(b"".join(rules))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(rules), ctypes.addressof(text)))
if ctypes.CDLL(None, use_errno=True).prctl(22, 2, program, 0, 0):
    sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")
os.execvp(sys.argv[3], sys.argv[3:])
"""
IOCTL_NUMBER = {"x86_64": 16, "aarch64": 29}
RNDRESEEDCRNG = "5207"


@case("a changed generation ID in fw_cfg is a fork; what the log says of it is what was done")
def fork_by_fw_cfg(box):
    number = IOCTL_NUMBER.get(os.uname().machine)
    if not number:
        raise Skip("the number of ioctl() on this machine")
    guid = box.path("guid")
    raw = "/sys/firmware/qemu_fw_cfg/by_name/etc/vmgenid_guid/raw"
    mounted = in_mount_namespace(
        f"mount -t tmpfs none /sys; mkdir -p {os.path.dirname(raw)}; touch {raw}; mount --bind {guid} {raw}"
    )
    refusing = [*mounted, sys.executable, "-c", REFUSE_IOCTL, str(number), RNDRESEEDCRNG]
    for wrapper, words in ((mounted, "and the kernel reseeded"), (refusing, "refused to reseed")):
        guid.write_bytes(bytes(40) + b"0123456789abcdef" + bytes(40))
        rngd = box.start("--fork-check=200ms", "-x", "jitter", wrapper=wrapper)
        before = rngd.wait_status(lambda s: s["last_feed"], "a first feed")["generation"]
        with open(guid, "r+b", buffering=0) as file:
            file.seek(40)
            file.write(b"fedcba9876543210")
        found = rngd.wait_status(lambda s: s["forks"] == 1 and s["generation"] > before, "a fork")
        assert found["generation"] == before + 1, found
        wait_until(lambda r=rngd: "VM fork: " in r.log(), "it is told")
        assert words in rngd.log(), rngd.log()
        rngd.stop()
