# SPDX-License-Identifier: MIT
"""What is no source is refused whatever its path; what gives rubbish holds nothing up."""

import contextlib
import os
import signal
import socket
import stat
import threading
import time

from .harness import NO_CPU, Skip, case, cpu_usec, in_mount_namespace, make_node, wait_until

CONFIG = 78
CPU_LIMIT = 0.01

# Only the file source, asked without long waits.
ALONE = (*NO_CPU, "-T", "200ms")


def refused(box, path, *words, wrapper=()):
    """By -r and by [file] path"""
    box.run("-f", "-r", path, wrapper=wrapper, seconds=2).expect(CONFIG, str(path), *words)
    box.write_config(f"[file]\npath = {path}\n")
    box.run("-f", wrapper=wrapper, seconds=2).expect(CONFIG, str(path), *words)
    box.write_config("")


@case("a directory, a socket, a block device: refused by -r and by path =")
def not_a_device(box):
    refused(box, box.directory, "directory")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(box.path("socket")))
        refused(box, box.path("socket"), "socket")
    refused(box, make_node(box.path("block"), stat.S_IFBLK, 7, 250), "block device")


@case("/dev/null, /dev/zero, /dev/full, /dev/mem: refused")
def memory_device(box):
    for name in ("null", "zero", "full", "mem"):
        if os.path.exists(f"/dev/{name}"):
            refused(box, f"/dev/{name}")
    refused(box, make_node(box.path("null"), stat.S_IFCHR, 1, 3), "memory device")


@case("the kernel's own output is refused by its number: symlink, other node, bind mount")
def kernel_rng(box):
    link, chain = box.path("link"), box.path("chain")
    link.symlink_to("/dev/urandom")
    chain.symlink_to(link)
    for path in ("/dev/random", "/dev/urandom", link, chain):
        refused(box, path, "kernel's own RNG")
    for name, minor in (("node8", 8), ("node9", 9)):
        refused(box, make_node(box.path(name), stat.S_IFCHR, 1, minor), "kernel's own RNG")

    target = box.path("innocent")
    target.write_bytes(b"")
    bind = in_mount_namespace(f"mount --bind /dev/urandom {target}")
    refused(box, target, "kernel's own RNG", wrapper=bind)


@case("files of /proc and /sys are refused")
def proc_file(box):
    refused(box, "/proc/sys/kernel/random/uuid", "/proc or /sys")
    refused(box, "/sys/kernel/uevent_seqnum", "/proc or /sys")


@case("[hwrng] path that is no hardware RNG: 78")
def no_hwrng(box):
    fifo = box.fifo()
    for path in (fifo, "/dev/null", "/dev/tty"):
        box.write_config(f"[hwrng]\npath = {path}\n")
        box.run("-f", seconds=2).expect(CONFIG, str(path))


@case("[tpm] path that is no TPM: 78, and nothing is written to it")
def no_tpm(box):
    plain = box.path("plain")
    plain.write_bytes(b"")
    for path in (box.fifo(), "/dev/null", "/dev/urandom", plain, box.directory):
        box.write_config(f"[tpm]\npath = {path}\n")
        box.run("-f", seconds=2).expect(CONFIG, str(path), "[tpm] path")
    assert plain.read_bytes() == b""


@case("a second node of the hardware RNG works")
def own_node(box):
    node = make_node(box.path("rng"), stat.S_IFCHR, 10, 183)
    rngd = box.start("-r", node, *NO_CPU)
    rngd.wait_source("hwrng", lambda s: s["credited_bits"] > 0, "is credited")


@case("another rng_current or rng_quality, of which no event tells: seen before anything is credited")
def other_current(box):
    directory = "/sys/class/misc/hw_random"
    current, quality = box.path("current"), box.path("quality")
    current.write_text("virtio_rng.0\n")
    quality.write_text("1024\n")
    if not os.path.exists(f"{directory}/rng_quality"):
        raise Skip("this kernel tells no quality")
    wrapper = in_mount_namespace(
        f"mount --bind {current} {directory}/rng_current; mount --bind {quality} {directory}/rng_quality"
    )
    rngd = box.start("-x", "cpu", "-x", "jitter", wrapper=wrapper)
    found = rngd.wait_source("hwrng", lambda s: s["batches"] == 1, "feeds")
    assert found["class"] == "live-host" and found["credited_bits"] == 512, found
    # A Raspberry Pi's, since its driver names it so.
    current.write_text("3f104000.rng\n")
    quality.write_text("512\n")
    found = rngd.feed_now("hwrng")
    assert (found["detail"], found["class"]) == ("3f104000.rng", "local-hardware"), found
    credited = found["credited_bits"]
    assert credited <= 512 + 4 * (found["bytes"] - 64), found
    quality.write_text("0\n")
    found = rngd.feed_now("hwrng")
    assert found["credited_bits"] == credited, f"credited with a quality of 0: {found}"
    current.write_text("none\n")
    rngd.kill(signal.SIGUSR1)
    rngd.wait_source("hwrng", lambda s: s["state"] == "absent", "is absent")
    current.write_text("virtio_rng.0\n")
    rngd.feed_now("hwrng")
    rngd.stop()


@case("a confidential guest: no chip is credited, since the host can emulate any; the CPU's instruction is")
def confidential(box):
    directory = "/sys/class/misc/hw_random"
    current = box.path("current")
    if not os.path.isdir("/sys/firmware") or not os.path.exists(f"{directory}/rng_current"):
        raise Skip("no /sys/firmware or no hardware RNG")
    # Where s390 says it; other architectures do not have the file.
    firmware = "mount -t tmpfs none /sys/firmware; mkdir /sys/firmware/uv; echo 1 >/sys/firmware/uv/prot_virt_guest"
    for name in ("amd", "intel", "geode", "3f104000.rng", "virtio_rng.0"):
        current.write_text(name + "\n")
        rngd = box.start(
            "-x", "jitter", wrapper=in_mount_namespace(f"{firmware}; mount --bind {current} {directory}/rng_current")
        )
        found = rngd.wait_source("hwrng", lambda s: s["batches"] == 1, "feeds")
        assert (found["detail"], found["credited_bits"]) == (name, 0), found
        rngd.wait_source("cpu", lambda s: s["credited_bits"] > 0 or s["state"] == "absent", "is credited")
        rngd.stop()


@case("a missing device: stays up, says so, the others feed")
def missing(box):
    rngd = box.start("-r", box.path("none"))
    rngd.wait_source("hwrng", lambda s: s["state"] == "absent", "is absent")
    rngd.wait_source("cpu", lambda s: s["batches"] > 0 or s["state"] == "absent", "feeds")
    rngd.stop()


@case("a missing device alone: stays up, no wakeups, STATUS says that there is no source")
def missing_alone(box):
    rngd = box.start("-r", box.path("none"), *NO_CPU)
    rngd.wait_status(lambda s: "no source" in s["status"], "STATUS says no source")
    assert_idle(rngd, 2)
    rngd.stop()


def assert_idle(rngd, seconds):
    """It, with its workers, takes nearly no CPU."""
    before = {}
    for pid in (rngd.pid, *rngd.workers().values()):
        with contextlib.suppress(FileNotFoundError):  # a worker that just ended
            before[pid] = cpu_usec(pid)
    time.sleep(seconds)
    took = sum(cpu_usec(p) - u for p, u in before.items() if os.path.exists(f"/proc/{p}"))
    assert took <= max(seconds * 1e6 * CPU_LIMIT, 10_000), f"{took} us of CPU in {seconds} s"


@case("a FIFO that nobody feeds: no hang, the state says why, back-off, no CPU")
def starving_fifo(box):
    rngd = box.start("-r", box.fifo(), *ALONE)
    found = rngd.wait_source("file", lambda s: s["failures"] >= 2, "failed twice", 10)
    assert "nobody writes" in found["last_error"], found
    assert found["batches"] == 0 and found["credited_bits"] == 0, found
    assert_idle(rngd, 3)
    # 1 s, 2 s, 4 s...: it is not asked all the time.
    failures = rngd.wait_source("file", lambda s: True, "answers")["failures"]
    assert failures <= 4, f"{failures} failures in six seconds"
    rngd.wait_status(lambda s: "nobody writes" in s["status"], "STATUS says why")
    assert rngd.stop() < 0.2


@case("a FIFO that was removed and made again is opened again; a node of the kernel's RNG in its place is not")
def other_fifo(box):
    path = box.fifo()
    rngd = box.start("-r", path, *ALONE, "-R", "1s")
    rngd.wait_source("file", lambda s: s["failures"] > 0, "starves")
    path.unlink()
    path.symlink_to("/dev/urandom")
    rngd.wait_source("file", lambda s: s["state"] == "absent" and "kernel's own RNG" in s["detail"], "refuses it", 8)
    path.unlink()
    os.mkfifo(path)
    with open(path, "r+b", buffering=0) as writer:
        rngd.wait_source("file", lambda s: s["state"] == "asked", "asks it", 20)
        time.sleep(0.2)  # what waited in it was dropped by then
        writer.write(os.urandom(64))
        rngd.wait_source("file", lambda s: s["batches"] == 1, "feeds", 20)
    rngd.stop()


@case("a FIFO with good bytes is credited as -e says where somebody vouches for its writer, and not without both")
def good_fifo(box):
    with feeder(box, os.urandom) as fifo:
        rngd = box.start("-r", fifo, *ALONE, "-e", "8")
        found = rngd.wait_source("file", lambda s: s["batches"] > 0, "feeds")
        assert found["credited_bits"] == 0 and "copied" in found["last_verdict"], found
        rngd.stop()
    box.write_config("[file]\ntrust = never\n")
    with feeder(box, os.urandom) as fifo:
        rngd = box.start("-r", fifo, *ALONE, "-e", "8")
        found = rngd.wait_source("file", lambda s: s["batches"] > 0, "feeds")
        assert found["credited_bits"] == 0 and found["last_verdict"] == "trust=never", found
        rngd.stop()
    box.write_config("[file]\ntrust = always\n")
    for options, credited in ((("-e", "8"), True), (("-e", "4"), True), ((), False)):
        with feeder(box, os.urandom) as fifo:
            rngd = box.start("-r", fifo, *ALONE, *options)
            found = rngd.wait_source("file", lambda s: s["batches"] > 0, "feeds")
            assert (found["credited_bits"] > 0) == credited, found
            limit = {"8": 8, "4": 4}.get(options[-1] if options else "", 0)
            assert found["credited_bits"] <= limit * found["bytes"], found
            assert found["health_failures"] == 0, found
            rngd.stop()


@case("a FIFO with bad bytes: nothing is credited, the state says why, no CPU")
def bad_fifo(box):
    counter = iter(range(1 << 62))
    makers = {
        "zeroes": lambda n: bytes(n),
        "a pattern": lambda n: (b"0123456789abcdef" * (n // 16 + 1))[:n],
        "a counter": lambda n: b"".join(next(counter).to_bytes(8, "big") for _ in range(n // 8)),
        "text": lambda n: (b"all work and no play makes a dull rng\n" * n)[:n],
    }
    for name, maker in makers.items():
        with feeder(box, maker) as fifo:
            rngd = box.start("-r", fifo, *ALONE, "-e", "8")
            found = rngd.wait_source("file", lambda s: s["health_failures"] > 0, f"refuses {name}")
            assert found["credited_bits"] == 0, (name, found)
            assert "health" in found["last_error"], (name, found)
            assert found["state"] in ("waiting", "retired"), (name, found)
            assert_idle(rngd, 1)
            found = rngd.wait_source("file", lambda s: True, "answers")
            assert found["credited_bits"] == 0, (name, found)
            rngd.stop()


@case("a retired source stays so, whatever it gives, until SIGHUP")
def retired(box):
    box.write_config("[file]\ntrust = always\n")
    feeding = feeder(box, bytes)
    with feeding as fifo, open(fifo, "rb", buffering=0) as drain:
        rngd = box.start("-r", fifo, *ALONE, "-H", "1")
        rngd.wait_source("file", lambda s: s["state"] == "retired", "is retired")
        feeding.maker = os.urandom
        os.set_blocking(drain.fileno(), False)
        while (drain.read(65536) or b"\0").strip(b"\0") == b"":
            time.sleep(0.01)
        rngd.kill(signal.SIGUSR1)
        time.sleep(0.3)
        rngd.wait_source("file", lambda s: s["state"] == "retired" and s["batches"] == 0, "is retired still")
        rngd.kill(signal.SIGHUP)
        wait_until(lambda: "was read again" in rngd.log(), "it read it")
        rngd.kill(signal.SIGUSR1)
        rngd.wait_source("file", lambda s: s["credited_bits"] >= 256, "is credited")
        rngd.stop()


def half_read(rngd, writer):
    """Twenty bytes, again if they came before the first request: what waited for that one is dropped"""
    writer.write(os.urandom(20))
    with contextlib.suppress(AssertionError):
        return rngd.wait_source("file", lambda s: s["bytes"] == 20, "read twenty bytes", 3)


@case("a FIFO that gives one byte at a time, and one that stops half way")
def slow_fifo(box):
    box.write_config("[file]\ntrust = always\n")
    with feeder(box, os.urandom, step=1, pause=0.001) as fifo:
        rngd = box.start("-r", fifo, *NO_CPU, "-T", "2s", "-e", "8")
        rngd.wait_source("file", lambda s: s["credited_bits"] > 0, "is credited")
        rngd.stop()
    fifo = box.fifo("half")
    rngd = box.start("-r", fifo, *ALONE, "-e", "8")
    with open(fifo, "r+b", buffering=0) as writer:
        found = wait_until(lambda: half_read(rngd, writer), "read twenty bytes", 30)
    # Too few to be judged: mixed in, not credited.
    assert found["credited_bits"] == 0, found
    rngd.stop()


@case("a regular file is a replay: mixed in, never credited, read once")
def regular_file(box):
    path = box.path("seed")
    path.write_bytes(os.urandom(96))
    rngd = box.start("-r", path, *ALONE, "-e", "8")
    rngd.wait_source("file", lambda s: s["batches"] > 0, "feeds")
    for _ in range(4):
        rngd.kill(10)
        time.sleep(0.05)
    found = rngd.wait_source("file", lambda s: s["state"] == "absent", "is at its end")
    assert found["credited_bits"] == 0 and found["bytes"] <= 96, found
    assert_idle(rngd, 1)
    rngd.stop()


@case("an empty file: no bytes, no credit, no CPU")
def empty_file(box):
    path = box.path("empty")
    path.write_bytes(b"")
    rngd = box.start("-r", path, *ALONE, "-e", "8")
    found = rngd.wait_source("file", lambda s: s["failures"] > 0, "fails")
    assert found["bytes"] == 0 and found["batches"] == 0, found
    assert_idle(rngd, 1)
    rngd.stop()


@case("a terminal as a device does not hang")
def terminal(box):
    try:
        master, slave = os.openpty()
    except OSError as error:
        raise Skip(f"no terminals: {error}") from None
    try:
        rngd = box.start("-r", os.ttyname(slave), *ALONE)
        rngd.wait_source("file", lambda s: s["failures"] > 0, "fails")
        rngd.stop()
    finally:
        os.close(master)
        os.close(slave)


class feeder:
    """Writes into a FIFO of its own for as long as somebody reads"""

    def __init__(self, box, maker, step=512, pause=0.0):
        self.path = box.fifo(f"fifo.{time.monotonic_ns()}")
        self.maker, self.step, self.pause = maker, step, pause
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.write, daemon=True)

    def __enter__(self):
        # Both ends, so that it blocks in no open(); never blocking, so that it can be ended.
        self.fd = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        self.thread.start()
        return self.path

    def write(self):
        while not self.ended.is_set():
            try:
                os.write(self.fd, self.maker(self.step))
            except BlockingIOError:
                time.sleep(0.005)
            time.sleep(self.pause)

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        os.close(self.fd)
