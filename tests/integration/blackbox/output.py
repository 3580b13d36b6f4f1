# SPDX-License-Identifier: MIT
"""-o, -l and -t: bytes for somebody else, and what there is."""

import os
import re
import signal
import stat
import subprocess
import time

from .devices import feeder
from .harness import NO_CPU, case, make_node, wait_until

UNAVAILABLE, CANTCREAT, IOERR, USAGE, CONFIG = 69, 73, 74, 64, 78


def start_output(box, *arguments, **options):
    return subprocess.Popen(
        box.command(arguments),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=box.environment,
        **options,
    )


def looks_random(data):
    counts = [data.count(value) for value in range(256)]
    return max(counts) < len(data) / 256 * 3 and min(counts) > 0


@case("-o FILE writes tested bytes until SIGTERM; the file is for its owner")
def to_file(box):
    path = box.path("out")
    process = start_output(box, "-o", path)
    try:
        wait_until(lambda: path.exists() and path.stat().st_size > 16384, "bytes")
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0
    assert looks_random(path.read_bytes())
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


@case("-o - and -o /dev/stdout write to a pipe; a reader that goes ends it with 0")
def to_pipe(box):
    for name in ("-", "/dev/stdout"):
        process = start_output(box, "-o", name, stdout=subprocess.PIPE)
        data = process.stdout.read(8192)
        process.stdout.close()
        assert process.wait(5) == 0, name
        assert len(data) == 8192 and looks_random(data), name


@case("-o into a full disk: 74; where nothing can be made: 73")
def to_nowhere(box):
    box.run("-o", "/dev/full").expect(IOERR, "/dev/full")
    box.run("-o", box.path("no/directory/out")).expect(CANTCREAT, "no/directory/out")
    box.run("-o", box.directory).expect(CANTCREAT)


@case("what cannot be printed is an error: a full disk, a closed standard output; not a reader that has enough")
def unprinted(box):
    full = ["sh", "-c", 'exec "$@" >/dev/full', "sh"]
    closed = ["sh", "-c", 'exec "$@" >&-', "sh"]
    rngd = box.start()
    for action in (["-l", "-x", "jitter"], ["--help"], ["--status"], ["--status=json"]):
        box.run(*action, wrapper=full).expect(IOERR, "No space left")
        box.run(*action, wrapper=closed).expect(IOERR, "Bad file descriptor")
    rngd.stop()
    box.run("-o", "-", wrapper=closed).expect(IOERR, "Bad file descriptor")
    process = start_output(box, "-l", *NO_CPU, stdout=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(5) == 0


@case("-o waits for a slow source as long as -T says")
def slow_output(box):
    path = box.path("out")
    with feeder(box, os.urandom, step=64, pause=2.5) as fifo:
        process = start_output(box, "-r", fifo, *NO_CPU, "-T", "10s", "-o", str(path))
        try:
            wait_until(lambda: path.exists() and path.stat().st_size >= 128, "a second batch", 8)
        finally:
            process.terminate()
        assert process.wait(5) == 0


@case("-o never writes bytes that failed their tests")
def tested_only(box):
    path = box.path("out")
    with feeder(box, bytes) as fifo:
        box.run("-r", fifo, *NO_CPU, "-o", path).expect(UNAVAILABLE)
    assert path.read_bytes() == b""
    with feeder(box, os.urandom) as fifo:
        process = start_output(box, "-r", fifo, *NO_CPU, "-o", str(path))
        try:
            wait_until(lambda: path.stat().st_size > 4096, "bytes of the FIFO")
        finally:
            process.terminate()
        assert process.wait(5) == 0


@case("-o works while another rngd runs, and without any permission to feed")
def beside(box):
    rngd = box.start()
    nobody = ["setpriv", "--bounding-set=-sys_admin"]
    path = box.path("out")
    process = subprocess.Popen(
        [*nobody, *box.command(["-o", path])], env=box.environment, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: path.exists() and path.stat().st_size > 0, "bytes")
    finally:
        process.terminate()
        process.wait()
    rngd.feed_now("hwrng")
    rngd.stop()


@case("-l lists every source and exits 0 if one works, else 69")
def list_sources(box):
    found = box.run("-l").expect(0, "hwrng", "cpu", "file", "exec")
    assert re.search(r"^hwrng\s.*works", found.output, re.M), found.output
    box.run("-l", "-x", "hwrng", *NO_CPU).expect(UNAVAILABLE, "disabled")
    box.run("-l", "-r", box.path("none"), *NO_CPU).expect(UNAVAILABLE, "No such file")
    lines = found.output.splitlines()
    column = lines[0].index("WHAT")
    assert all(line[column - 1] == " " and line[:column].split() for line in lines), found.output


@case("-l tells a starving FIFO, bad bytes and a dead program, without hanging")
def list_bad(box):
    start = time.monotonic()
    box.run("-l", "-r", box.fifo(), *NO_CPU).expect(UNAVAILABLE, "nobody writes")
    assert time.monotonic() - start < 5
    with feeder(box, bytes) as fifo:
        box.run("-l", "-r", fifo, *NO_CPU).expect(UNAVAILABLE, "repetition")
    with feeder(box, os.urandom) as fifo:
        box.run("-l", "-r", fifo, *NO_CPU).expect(0, "works")
    box.write_config(f"[exec]\ncommand = {box.script('bad', 'exit 1')}\n")
    box.run("-l", "-x", "hwrng", *NO_CPU).expect(UNAVAILABLE)


@case("-l, -t and -o refuse the kernel's own output as the daemon does")
def refuse_kernel(box):
    node = make_node(box.path("node"), stat.S_IFCHR, 1, 9)
    for action in (["-l"], ["-t"], ["-o", "-"]):
        done = box.run(*action, "-r", node, *NO_CPU)
        assert done.status in (CONFIG, UNAVAILABLE), (action, done.status)
        assert "kernel's own RNG" in done.output, (action, done.output)


@case("-t measures each source and feeds nothing")
def rates(box):
    found = box.run("-t", seconds=15).expect(0)
    for name in ("hwrng", "cpu"):
        rate = re.search(rf"^{name}\s+(\d+) B/s", found.output, re.M)
        assert rate and int(rate[1]) > 0, found.output
    assert not (box.runtime / "rngd.sock").exists()


@case("-l, -t and -o leave no process behind when they are ended")
def interrupted(box):
    fifo = box.fifo()
    for action in (["-l"], ["-t"], ["-o", "-"]):
        process = start_output(
            box, *action, "-r", fifo, *NO_CPU, stdout=subprocess.DEVNULL, start_new_session=True
        )
        children = f"/proc/{process.pid}/task/{process.pid}/children"
        worker = wait_until(lambda: open(children, encoding="ascii").read().split(), "a worker")[0]
        process.send_signal(signal.SIGTERM)
        process.wait(5)
        wait_until(lambda w=worker: not os.path.exists(f"/proc/{w}"), "the worker is gone", 2)
