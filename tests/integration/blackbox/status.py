# SPDX-License-Identifier: MIT
"""The status socket, --status, and what systemd is told."""

import contextlib
import json
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import time

from .harness import NO_CPU, NOBODY, Skip, case, cpu_usec, in_mount_namespace, need, open_files, read_all, wait_until

UNAVAILABLE = 69

NUMBER, TEXT, BOOL = (int,), (str,), (bool,)
DOCUMENT = {
    "version": TEXT,
    "pid": NUMBER,
    "uptime_usec": NUMBER,
    "status": TEXT,
    "kernel": (dict,),
    "sources": (list,),
    "forks": NUMBER,
    "generation": NUMBER,
    "wakes": (dict,),
    "last_feed": (dict, type(None)),
}
KERNEL = {
    "model": TEXT,
    "pool_bits": NUMBER,
    "level_bits": NUMBER,
    "ready": BOOL,
    "ready_since_usec": (int, type(None)),
    "threshold_bits": (int, type(None)),
}
SOURCE = {
    "name": TEXT,
    "class": TEXT,
    "detail": TEXT,
    "state": TEXT,
    "batches": NUMBER,
    "bytes": NUMBER,
    "credited_bits": NUMBER,
    "failures": NUMBER,
    "health_failures": NUMBER,
    "last_error": (str, type(None)),
    "rate_bytes_per_sec": NUMBER,
}
WAKES = dict.fromkeys(
    ("start", "level", "fork", "plug", "resume", "clock", "timer", "signal"), NUMBER
)
FEED = {
    "source": TEXT,
    "bytes": NUMBER,
    "credited_bits": NUMBER,
    "at_usec": NUMBER,
    "reseeded": BOOL,
}


def check_shape(found, shape, where):
    missing = [key for key in shape if key not in found]
    assert not missing, f"{where} has no {missing}"
    for key, types in shape.items():
        assert type(found[key]) in types, f"{where}.{key} is {found[key]!r}"


@case("the document: every field, each of its kind")
def document(box):
    rngd = box.start()
    found = rngd.feed_now("hwrng") and rngd.status()
    check_shape(found, DOCUMENT, "document")
    check_shape(found["kernel"], KERNEL, "kernel")
    check_shape(found["wakes"], WAKES, "wakes")
    check_shape(found["last_feed"], FEED, "last_feed")
    names = [entry["name"] for entry in found["sources"]]
    assert {"hwrng", "cpu", "file", "exec"} <= set(names) and len(set(names)) == len(names), names
    for entry in found["sources"]:
        check_shape(entry, SOURCE, entry["name"])
        assert entry["state"] in ("idle", "asked", "waiting", "retired", "absent", "disabled")
    assert found["pid"] == rngd.pid
    assert found["kernel"]["model"] in ("counting", "latching")
    boottime = time.clock_gettime(time.CLOCK_BOOTTIME) * 1e6
    assert 0 <= boottime - found["last_feed"]["at_usec"] < 10e6, found["last_feed"]
    assert 0 < found["uptime_usec"] < 10e6
    assert rngd.status()["uptime_usec"] > found["uptime_usec"]
    rngd.stop()


@case("any user may read it; it is gone after the end")
def any_user(box):
    need("setpriv")
    rngd = box.start()
    rngd.feed_now("hwrng")
    nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    text = box.run("--status=json", wrapper=nobody).expect(0).stdout
    check_shape(json.loads(text), DOCUMENT, "document")
    table = box.run("--status", wrapper=nobody).expect(0).output
    assert re.search(r"^hwrng\s+idle\s+[1-9]", table, re.M), table
    assert f"pid {rngd.pid}" in table, table
    rngd.stop()
    assert not (box.runtime / "rngd.sock").exists()
    box.run("--status").expect(UNAVAILABLE, "rngd.sock")


@case("names with quotes, newlines and no UTF-8 still make a JSON document")
def odd_names(box):
    for name in (b'a"b', b"a\nb", b"a\\b\x1b[0m", b"a\xff\xfe"):
        path = os.fsencode(box.directory) + b"/" + name
        os.mkfifo(path)
        rngd = box.start("-r", os.fsdecode(path), *NO_CPU, "-T", "100ms")
        rngd.wait_source("file", lambda s: s["failures"] > 0, "failed")
        rngd.stop()


def connect(rngd):
    """Blocks while sixteen others wait to be accepted; the alarm of the case ends it."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(rngd.socket_path())
    return client


@case("twenty silent clients at once hold nothing up, and each gets its answer")
def silent_clients(box):
    rngd = box.start()
    rngd.feed_now("hwrng")
    clients = [connect(rngd) for _ in range(20)]
    rngd.feed_now("hwrng", 1)
    assert rngd.status()["last_feed"]
    for client in clients:
        check_shape(json.loads(read_all(client)), DOCUMENT, "document")
        client.close()
    rngd.stop()


@case("a hundred clients that connect and go, or are killed, do no harm")
def hasty_clients(box):
    rngd = box.start()
    rngd.feed_now("hwrng")
    before = len(open_files(rngd.pid))
    for number in range(100):
        client = connect(rngd)
        if number % 2:
            client.shutdown(socket.SHUT_RDWR)
        client.close()
    rngd.feed_now("hwrng", 1)
    wait_until(lambda: len(open_files(rngd.pid)) == before, "their connections are closed")
    rngd.stop()


@case("a client that writes rubbish, and one that is slow, get the document")
def odd_clients(box):
    rngd = box.start()
    writer, slow = connect(rngd), connect(rngd)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for _ in range(50):
            writer.send(os.urandom(4096))
    before = cpu_usec(rngd.pid)
    time.sleep(0.5)
    assert cpu_usec(rngd.pid) - before <= 10_000, "a client keeps it busy"
    for _ in range(20):
        late = connect(rngd)
        with contextlib.suppress(BrokenPipeError):
            late.send(b"GET / HTTP/1.0\r\n\r\n")
        text = b""
        # What it sent was not read, so the end is a reset; the document comes before that.
        with contextlib.suppress(ConnectionResetError):
            while part := late.recv(65536):
                text += part
        check_shape(json.loads(text), DOCUMENT, "document")
    text = b""
    while part := slow.recv(100):
        text += part
        time.sleep(0.001)
    check_shape(json.loads(text), DOCUMENT, "document")
    rngd.feed_now("hwrng", 1)
    rngd.stop()


@case("the socket is there, and answers, at every moment of a restart")
def restart(box):
    rngd = box.start()
    rngd.process.kill()
    rngd.process.wait()
    other = box.start()
    assert other.status()["pid"] == other.pid
    other.stop()


# ---- systemd ----


class Manager:
    """Listens as systemd does."""

    def __init__(self, box, name="notify"):
        self.path = str(box.path(name))
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        box.cleanups.append(self.socket.close)
        self.messages = []

    def environment(self, **more):
        return {"NOTIFY_SOCKET": self.path, **more}

    def receive(self, seconds):
        """All that comes within the time"""
        end = time.monotonic() + seconds
        while select.select([self.socket], [], [], max(end - time.monotonic(), 0))[0]:
            self.messages.append((time.monotonic(), self.socket.recv(65536).decode()))
        return self.messages

    def wait_for(self, word, seconds=5):
        wait_until(lambda: self.has(word), f"{word} is told", seconds)

    def has(self, word):
        self.receive(0.01)
        return any(word in text for _, text in self.messages)


@case("READY=1 once, a true STATUS, RELOADING, STOPPING=1")
def notify(box):
    manager = Manager(box)
    rngd = box.start(environment=manager.environment(), wait=False)
    manager.wait_for("READY=1")
    rngd.wait_status()
    rngd.feed_now("hwrng")
    manager.receive(0.1)
    last = [line for _, text in manager.messages for line in text.splitlines() if "STATUS=" in line]
    assert last[-1] == "STATUS=" + rngd.status()["status"], last
    assert sum("READY=1" in text for _, text in manager.messages) == 1, manager.messages

    manager.messages.clear()
    rngd.kill(signal.SIGHUP)
    manager.wait_for("RELOADING=1")
    manager.wait_for("READY=1")
    rngd.kill(signal.SIGTERM)
    manager.wait_for("STOPPING=1")
    assert rngd.process.wait(5) == 0


@case("READY=1 also where no source is, and STATUS says so")
def notify_no_source(box):
    manager = Manager(box)
    nothing = ("-x", "hwrng", *NO_CPU)
    box.start(*nothing, environment=manager.environment(), wait=False)
    manager.wait_for("READY=1")
    manager.wait_for("no source")


@case("READY=1 soon, although a source never answers: the kernel is ready")
def notify_slow(box):
    manager = Manager(box)
    arguments = ("-r", box.fifo(), *NO_CPU, "-T", "1h")
    box.start(*arguments, environment=manager.environment(), wait=False)
    manager.wait_for("READY=1", 1)


@case("the watchdog is fed in time, and not when its time is for another process")
def watchdog(box):
    manager = Manager(box)
    rngd = box.start(environment=manager.environment(WATCHDOG_USEC="600000"))
    start = time.monotonic()
    manager.receive(2.5)
    times = [start] + [at for at, text in manager.messages if "WATCHDOG=1" in text]
    gaps = [b - a for a, b in zip(times, times[1:])] + [time.monotonic() - times[-1]]
    assert len(times) > 4 and max(gaps) < 0.6, gaps
    rngd.stop()

    other = Manager(box, "other")
    rngd = box.start(environment=other.environment(WATCHDOG_USEC="200000", WATCHDOG_PID="1"))
    other.receive(0.5)
    assert not other.has("WATCHDOG=1"), other.messages
    rngd.stop()


SEEDER = """
echo "$*, pid $$, files" $(readlink /proc/$$/fd/* | grep -E '^(anon_inode|socket|/dev/random|/dev/kmsg|/run|{runtime})') >{told}
# A while after the fork, for which dash itself blocks signals.
(sleep 0.1; grep -E '^Sig(Blk|Ign):' /proc/$$/status) >>{told}
[ ! -e {runtime}/rngd.sock ] || echo "still serving" >>{told}
exit 73"""


def with_seeder(box, told):
    """A wrapper in which there is a seeder that only takes note, beside what there is."""
    box.path("bin").mkdir()
    box.script("bin/entropy-seeder", SEEDER.format(told=told, runtime=box.runtime))
    directory = re.search(rb"(/[\w./-]+)/entropy-seeder\0", pathlib.Path(box.rngd).read_bytes())[1].decode()
    wrapper = in_mount_namespace(f"mount -t overlay none -o lowerdir={box.path('bin')}:{directory} {directory}")
    if subprocess.run([*wrapper, "true"], capture_output=True, check=False).returncode:
        raise Skip("no overlays in mount namespaces")
    return wrapper


@case("a service of systemd ends as the seeder that saves a seed; another one, and one that cannot go on, just ends")
def end_as_seeder(box):
    told = box.path("told")
    wrapper = with_seeder(box, told)
    manager = Manager(box)
    rngd = box.start(environment=manager.environment(), wrapper=wrapper)
    rngd.kill(signal.SIGHUP)
    manager.wait_for("RELOADING=1")
    assert not told.exists(), "saved at a reload"
    rngd.kill(signal.SIGTERM)
    assert rngd.process.wait(5) == 73, rngd.log()
    words, *signals = told.read_text().splitlines()
    assert words == f"save, pid {rngd.pid}, files", words
    # SIGXFSZ and SIGPIPE are ignored.
    assert [line.split()[1].strip("0") for line in signals] == ["", "1001"], signals

    told.unlink()
    box.start(wrapper=wrapper).stop()
    done = box.run("-f", "--require-source", "-x", "hwrng", *NO_CPU, wrapper=wrapper, environment=manager.environment())
    assert done.status == 69 and not told.exists(), done.output


@case("a notify socket that is not there does no harm")
def notify_dead(box):
    for path in ("/no/such/socket", str(box.path("file"))):
        box.path("file").touch()
        rngd = box.start(environment={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "100000"})
        for _ in range(5):
            rngd.feed_now("hwrng")
        rngd.stop()


@case("a notify socket that nobody reads holds nothing up")
def notify_unread(box):
    manager = Manager(box)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(100000):  # until its queue is full
                sender.sendto(b"X=1", manager.path)
    rngd = box.start(environment=manager.environment(WATCHDOG_USEC="100000"))
    for _ in range(5):
        rngd.feed_now("hwrng")
    time.sleep(0.3)
    assert rngd.status()["kernel"]["ready"]
    rngd.stop()


@case("log lines are plain in a file, with <N> in the journal, and -q is quiet")
def log_lines(box):
    rngd = box.start("--verbose")
    rngd.feed_now("hwrng")
    lines = rngd.log().splitlines()
    assert lines and all(line.startswith("rngd: ") for line in lines), lines
    rngd.stop()

    path = box.path("journal")
    with open(path, "wb") as stream:
        found = os.fstat(stream.fileno())
        process = subprocess.Popen(
            box.command(["-f", "--verbose"]),
            stderr=stream,
            env=box.environment | {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"},
        )
    try:
        wait_until(lambda: "hwrng: " in path.read_text(), "it feeds")
    finally:
        process.terminate()
        process.wait()
    lines = path.read_text().splitlines()
    assert all(re.match(r"<[3-6]>\S", line) for line in lines), lines

    rngd = box.start("-q")
    rngd.feed_now("hwrng")
    rngd.stop()
    assert rngd.log() == "", rngd.log()
