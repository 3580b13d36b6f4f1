# SPDX-License-Identifier: MIT
"""Workers that die or stop, a second rngd, the background, reloads, and the end within 100 ms."""

import os
import pathlib
import signal
import statistics
import subprocess
import time

from .devices import ALONE, assert_idle, feeder
from .harness import (
    NO_CPU,
    case,
    ended,
    exists,
    in_mount_namespace,
    open_files,
    proc_status,
    switches,
    wait_until,
)

RUNNING, UNAVAILABLE, CANTCREAT, CONFIG = 75, 69, 73, 78


@case("feeds at the start, credited, with no more than 8 bits a byte")
def start(box):
    rngd = box.start()
    found = rngd.wait_status(lambda s: s["last_feed"], "fed")
    assert found["wakes"]["start"] == 1, found
    assert found["kernel"]["ready"] is True, found
    hwrng = rngd.wait_source("hwrng", lambda s: s["credited_bits"] >= 256, "is credited")
    assert hwrng["credited_bits"] <= 8 * hwrng["bytes"], hwrng
    rngd.stop()


@case("SIGUSR1 feeds once for each signal")
def feed_now(box):
    rngd = box.start()
    for number in (1, 2, 3):
        rngd.feed_now("hwrng")
        assert rngd.status()["wakes"]["signal"] == number
    rngd.stop()


@case("a worker killed with SIGKILL comes back, no zombie stays")
def killed(box):
    rngd = box.start()
    for _ in range(3):
        # One that is asked would count as a failure, and be left alone for a second.
        rngd.wait_source("hwrng", lambda s: s["state"] == "idle", "is idle")
        worker = rngd.worker("hwrng")
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: not exists(worker), "the dead worker is reaped")
        rngd.feed_now("hwrng")
        assert rngd.worker("hwrng") != worker
    rngd.stop()


@case("a worker killed while it is asked: a failure, and then it is asked again")
def killed_while_asked(box):
    rngd = box.start("-r", box.fifo(), *NO_CPU, "-T", "1h")
    rngd.wait_source("file", lambda s: s["state"] == "asked", "is asked")
    worker = rngd.worker("file")
    os.kill(worker, signal.SIGKILL)
    found = rngd.wait_source("file", lambda s: s["failures"] == 1, "failed")
    assert found["state"] == "waiting" and "worker" in found["last_error"], found
    rngd.wait_source("file", lambda s: s["state"] == "asked", "is asked again")
    assert rngd.worker("file") != worker
    rngd.stop(0.2)


@case("a worker stopped with SIGSTOP is killed at the deadline and comes back")
def stopped(box):
    with feeder(box, os.urandom) as fifo:
        rngd = box.start("-r", fifo, *ALONE, "-T", "300ms")
        worker = rngd.worker("file")
        before = rngd.wait_source("file", lambda s: s["state"] == "idle" and s["batches"] > 0, "is idle")
        os.kill(worker, signal.SIGSTOP)
        start = time.monotonic()
        rngd.kill(signal.SIGUSR1)
        found = rngd.wait_source("file", lambda s: s["failures"] == 1, "failed")
        took = time.monotonic() - start
        assert 0.25 < took < 0.7, f"killed after {took:.2f} s"
        assert found["state"] == "waiting" and "no answer" in found["last_error"], found
        wait_until(lambda: not exists(worker), "the stopped worker is gone")
        rngd.wait_source("file", lambda s: s["batches"] > before["batches"], "feeds again after its back-off")
        assert 1.0 < time.monotonic() - start < 3, "one second of back-off"
        rngd.stop()


@case("a hardware RNG's worker that is late goes on, and what it gives counts; in the end it is killed")
def late(box):
    rngd = box.start("-T", "300ms", *NO_CPU)
    worker = rngd.worker("hwrng")
    before = rngd.wait_source("hwrng", lambda s: s["state"] == "idle" and s["batches"] > 0, "is idle")
    os.kill(worker, signal.SIGSTOP)
    rngd.kill(signal.SIGUSR1)
    found = rngd.wait_source("hwrng", lambda s: s["failures"] == 1, "failed")
    assert "goes on waiting" in found["last_error"], found
    os.kill(worker, signal.SIGCONT)
    rngd.wait_source("hwrng", lambda s: s["batches"] > before["batches"], "feeds without being asked again", 1)
    assert exists(worker) and rngd.worker("hwrng") == worker, "another worker"

    os.kill(worker, signal.SIGSTOP)
    rngd.kill(signal.SIGUSR1)
    # With back-offs of 1, 2 and 4 s.
    wait_until(lambda: not exists(worker), "the stopped worker is gone", 20)
    found = rngd.wait_source("hwrng", lambda s: True, "answers")
    assert "was killed" in found["last_error"], found
    rngd.stop()


@case("SIGTERM and SIGINT end it within 100 ms, whatever it is doing; no worker is left")
def stop(box):
    fifo = box.fifo()
    took = []
    for number in range(10):
        rngd = box.start("-r", fifo, "-T", "1h", wait=number % 2 == 0)
        if number % 2:
            wait_until(lambda r=rngd: blocks(r.pid, signal.SIGTERM), "it takes signals")
        workers = list(rngd.workers().values())
        if number == 4:
            os.kill(rngd.worker("file"), signal.SIGSTOP)
        start = time.monotonic()
        rngd.kill(signal.SIGINT if number == 2 else signal.SIGTERM)
        assert rngd.process.wait(5) == 0, rngd.log()
        took.append(time.monotonic() - start)
        assert not [w for w in workers if exists(w)], "a worker is left"
    assert statistics.median(took) < 0.1 and max(took) < 0.3, took


def blocks(pid, number):
    return int(proc_status(pid, "SigBlk")[0], 16) >> (number - 1) & 1


@case("workers end when rngd is killed")
def orphan(box):
    rngd = box.start("-r", box.fifo(), "-T", "1h")
    worker = rngd.worker("file")
    rngd.process.kill()
    rngd.process.wait()
    wait_until(lambda: ended(worker), "it ended")


@case("a second rngd says who runs and exits 75; the first goes on")
def second(box):
    rngd = box.start()
    box.run("-f").expect(RUNNING, f"pid {rngd.pid}")
    box.run("-p", box.path("pid")).expect(RUNNING, f"pid {rngd.pid}")
    rngd.feed_now("hwrng")
    rngd.stop()
    box.start().stop()


@case("--require-source exits 69 where there is none, and not where there is one")
def require_source(box):
    box.run("-f", "--require-source", "-x", "hwrng", *NO_CPU).expect(UNAVAILABLE)
    box.run("-f", "--require-source", "-r", box.path("none"), *NO_CPU).expect(UNAVAILABLE)
    rngd = box.start("--require-source")
    rngd.feed_now("hwrng")
    rngd.stop()


@case("background: the parent ends when the child is up; pid file, lock and end")
def background(box):
    pid_file = box.path("pid")
    box.run("-p", pid_file).expect(0)
    pid = int(pid_file.read_text())
    try:
        wait_until((box.runtime / "rngd.sock").exists, "its socket")
        box.run("--status").expect(0, f"pid {pid}")
        files = open_files(pid)
        assert all(files[fd] == "/dev/null" for fd in (0, 1, 2)), files
        assert proc_status(pid, "PPid") != [str(os.getpid())]
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        assert fields[3] == str(pid), "a session of its own"
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
        box.run("-p", pid_file).expect(RUNNING, f"pid {pid}")
        other = box.path("other")
        other.mkdir()
        box.run("-p", pid_file, environment={"RUNTIME_DIRECTORY": str(other)}).expect(
            RUNNING, f"pid {pid}"
        )
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: ended(pid), "it ended", 2)
    assert not pid_file.exists(), "its pid file is left"
    box.run("--status").expect(UNAVAILABLE)


@case("background: what is wrong is told by the parent, with the status of the child")
def background_fails(box):
    box.run("-p", box.path("pid"), "-r", "/dev/null").expect(CONFIG, "/dev/null")
    nothing = ["-x", "hwrng", *NO_CPU]
    box.run("-p", box.path("pid"), "--require-source", *nothing).expect(UNAVAILABLE)


@case("SIGHUP reads the configuration again; a broken one changes nothing")
def reload(box):
    box.write_config("[cpu]\nenabled = no\n")
    rngd = box.start()
    rngd.wait_source("cpu", lambda s: s["state"] == "disabled", "is disabled")

    box.write_config("[cpu]\nenabled = yes\n")
    rngd.kill(signal.SIGHUP)
    rngd.wait_source("cpu", lambda s: s["state"] == "idle", "is enabled")
    rngd.feed_now("cpu")

    no_cpu = "[cpu]\nenabled = no\n"
    for text in (f"{no_cpu}[teapot]\n", f"{no_cpu}[file]\npath = /dev/zero\n"):
        box.write_config(text)
        length = len(rngd.log())
        rngd.kill(signal.SIGHUP)
        wait_until(lambda n=length: "stays in force" in rngd.log()[n:], "it says so")
        assert "conf" in rngd.log() or "/dev/zero" in rngd.log(), rngd.log()
        rngd.feed_now("cpu")
        rngd.feed_now("hwrng")
    box.write_config(no_cpu)
    box.config.chmod(0o666)
    length = len(rngd.log())
    rngd.kill(signal.SIGHUP)
    wait_until(lambda: "everybody may write" in rngd.log()[length:], "it is refused")
    rngd.feed_now("cpu")
    box.config.unlink()
    rngd.kill(signal.SIGHUP)
    time.sleep(0.05)
    rngd.feed_now("cpu")
    rngd.stop()


@case("SIGHUP while a source is asked, and with a source taken away and another one given")
def reload_while_asked(box):
    fifo, seed = box.fifo(), box.path("seed")
    seed.write_bytes(os.urandom(256))
    box.write_config(f"[file]\npath = {fifo}\ntimeout = 1h\n")
    rngd = box.start()
    rngd.wait_source("file", lambda s: s["state"] == "asked", "is asked")
    box.write_config(f"[file]\npath = {seed}\n")
    rngd.kill(signal.SIGHUP)
    rngd.wait_source("file", lambda s: s["detail"] == str(seed), "has its new path")
    rngd.feed_now("file")
    rngd.feed_now("hwrng")
    for _ in range(20):
        rngd.kill(signal.SIGHUP)
    rngd.feed_now("hwrng")
    rngd.stop()


@case("SIGHUP while a source is asked does not lose what is wanted")
def reload_keeps_need(box):
    fifo = box.fifo()
    rngd = box.start("-r", fifo, *NO_CPU, "-T", "1h")
    rngd.wait_source("file", lambda s: s["state"] == "asked", "is asked")
    worker = rngd.worker("file")
    rngd.kill(signal.SIGHUP)
    wait_until(lambda: not exists(worker), "its worker was stopped")
    rngd.wait_source("file", lambda s: s["state"] == "asked", "is asked again")
    with open(fifo, "r+b", buffering=0) as writer:
        writer.write(os.urandom(64))
        rngd.wait_source("file", lambda s: s["batches"] == 1, "feeds")
    rngd.stop()


@case("SIGHUP with another file: it is read from its start, the same one is not read twice")
def reload_file(box):
    one, two = box.path("one"), box.path("two")
    one.write_bytes(os.urandom(64))
    two.write_bytes(os.urandom(64))
    quiet = ("-x", "hwrng", *NO_CPU)
    box.write_config(f"[file]\npath = {one}\n")
    rngd = box.start(*quiet)
    rngd.wait_source("file", lambda s: s["bytes"] == 64, "is read")
    rngd.kill(signal.SIGHUP)
    rngd.kill(signal.SIGUSR1)
    rngd.wait_source("file", lambda s: s["state"] == "absent", "is at its end")
    assert rngd.wait_source("file", lambda s: True, "answers")["bytes"] == 64
    box.write_config(f"[file]\npath = {two}\n")
    rngd.kill(signal.SIGHUP)
    rngd.wait_source("file", lambda s: s["detail"] == str(two), "has its new path")
    rngd.kill(signal.SIGUSR1)
    rngd.wait_source("file", lambda s: s["bytes"] == 128, "is read from its start")
    rngd.stop()


@case("nothing is left open after many feeds, reloads, clients and dead workers")
def no_leak(box):
    rngd = box.start()
    rngd.feed_now("hwrng")
    before = len(open_files(rngd.pid))
    memory = int(proc_status(rngd.pid, "VmRSS")[0])
    for number in range(30):
        rngd.feed_now("hwrng")
        if number % 3 == 0:
            worker = rngd.worker("hwrng")
            os.kill(worker, signal.SIGKILL)
            wait_until(lambda w=worker: not exists(w), "the dead worker is reaped")
            rngd.feed_now("hwrng")
        rngd.kill(signal.SIGHUP)
        box.run("--status").expect(0)
    rngd.feed_now("hwrng")
    assert len(open_files(rngd.pid)) == before, open_files(rngd.pid)
    grown = int(proc_status(rngd.pid, "VmRSS")[0]) - memory
    assert grown < 256, f"grown by {grown} KiB"
    rngd.stop()


@case("idle: next to no wakeups, next to no CPU")
def idle(box):
    rngd = box.start()
    rngd.feed_now("hwrng")
    time.sleep(0.3)
    pids = (rngd.pid, *rngd.workers().values())
    woken = []
    # Other programs write to the kernel's log or plug devices now and then: one of these times is quiet.
    while len(woken) < 6 and (not woken or woken[-1] > 3):
        before = {pid: switches(pid) for pid in pids}
        assert_idle(rngd, 5)
        woken.append(sum(switches(pid) - n for pid, n in before.items()))
    assert woken[-1] <= 3, f"context switches in 5 s: {woken}"
    rngd.stop()


@case("a full runtime directory: goes on and feeds, without what cannot be written")
def full_directory(box):
    rows = (
        f"mount -t tmpfs -o size=4k,mode=755 none {box.runtime}; "
        f"cat /dev/zero > {box.runtime}/x || :",
        f"mount -t tmpfs -o nr_inodes=1,mode=755 none {box.runtime}",
        f"mount -t tmpfs -o ro,mode=555 none {box.runtime}",
    )
    for script in rows:
        wrapper = in_mount_namespace(f"({script}) 2>/dev/null")
        rngd = box.start("--verbose", wrapper=wrapper, wait=False)
        wait_until(lambda r=rngd: "hwrng: 192 B, +512 bits" in r.log(), f"fed with {script}")
        time.sleep(0.1)
        assert rngd.alive(), rngd.log()
        rngd.kill(signal.SIGUSR1)
        wait_until(lambda r=rngd: r.log().count("hwrng: 192 B, +512 bits") >= 2, "fed again")
        rngd.stop()


@case("no runtime directory and no way to make one: goes on and feeds")
def no_directory(box):
    directory = {"RUNTIME_DIRECTORY": str(box.path("a/b/c"))}
    rngd = box.start("--verbose", environment=directory, wait=False)
    wait_until(lambda: "hwrng: 192 B, +512 bits" in rngd.log(), "fed")
    rngd.stop()


@case("no /proc and no /sys: goes on and feeds")
def no_proc(box):
    rows = {
        "no /proc": "mount -t tmpfs none /proc",
        "no /sys": "mount -t tmpfs none /sys",
        "neither": "mount -t tmpfs none /proc; mount -t tmpfs none /sys",
    }
    for name, script in rows.items():
        rngd = box.start("--verbose", wrapper=in_mount_namespace(script))
        hwrng = rngd.wait_source("hwrng", lambda s: s["credited_bits"] > 0, f"is fed: {name}")
        assert hwrng["state"] == "idle", (name, hwrng)
        rngd.feed_now("hwrng")
        rngd.stop()


@case("/proc and /sys full of rubbish: goes on")
def rubbish(box):
    for value in ("", "-1", "99999999999999999999", "x" * 5000):
        junk = box.path("junk")
        junk.write_text(value)
        binds = "; ".join(
            f"mount --bind {junk} {target}"
            for target in (
                "/proc/sys/kernel/random/poolsize",
                "/sys/class/misc/hw_random/rng_current",
                "/sys/class/misc/hw_random/rng_quality",
            )
            if os.path.exists(target)
        )
        rngd = box.start(wrapper=in_mount_namespace(binds))
        rngd.wait_status(lambda s: s["last_feed"], f"fed with {value[:30]!r}")
        rngd.stop()


@case("the kernel's log may not be read: says so, and feeds")
def no_kernel_log(box):
    # A node on a file system without devices, put over the real one.
    script = "mount -t tmpfs -o nodev none /mnt; mknod /mnt/kmsg c 1 11; mount --bind /mnt/kmsg /dev/kmsg"
    rngd = box.start(wrapper=in_mount_namespace(script))
    wait_until(lambda: "Cannot read the kernel's log" in rngd.log(), "it says so")
    rngd.feed_now("hwrng")
    rngd.stop()


@case("no devices beside /dev/random: stays up and says that there is no source")
def no_devices(box):
    script = "mount -t tmpfs none /mnt; touch /mnt/random /mnt/null; "
    script += "mount --bind /dev/random /mnt/random; mount --bind /dev/null /mnt/null; "
    script += "mount --move /mnt /dev 2>/dev/null || mount --rbind /mnt /dev"
    rngd = box.start(*NO_CPU, wrapper=in_mount_namespace(script))
    rngd.wait_source("hwrng", lambda s: s["state"] == "absent", "is absent")
    rngd.wait_status(lambda s: "no source" in s["status"], "STATUS says so")
    rngd.stop()


@case("standard input, output and error closed: works")
def closed_files(box):
    wrapper = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
    rngd = box.start(wrapper=wrapper)
    rngd.feed_now("hwrng")
    assert open_files(rngd.pid).get(2) in (None, "/dev/null"), open_files(rngd.pid)
    rngd.stop()


@case("few files and little memory allowed: an error or work, no crash")
def few_resources(box):
    limits = ("nofile=8", "nofile=12", "nofile=16", "nproc=1", "memlock=0", "stack=131072")
    for limit in (f"--{limit}" for limit in limits):
        command = ["prlimit", limit, *box.command(["-f", *ALONE, "-x", "hwrng"])]
        try:
            done = subprocess.run(
                command, env=box.environment, capture_output=True, timeout=0.5, check=False
            )
        except subprocess.TimeoutExpired:
            continue
        assert done.returncode in (0, 1, 69), (limit, done)
