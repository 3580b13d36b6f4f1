# SPDX-License-Identifier: MIT
"""A running program as /proc shows it: all of its processes and threads, their switches, CPU time and memory."""

import array
import contextlib
import ctypes
import os
import pathlib
import re
import select
import signal
import subprocess
import time

PAGE = os.sysconf("SC_PAGE_SIZE")
MEMORY_FIELDS = ("Rss", "Pss", "Pss_Anon")
# Every other program of the machine maps these as well.
C_LIBRARY = re.compile(r"/(libc|ld-linux\S*|libpthread)\.so")


def undisturbed():
    """Before exec: ahead of the machine's other work, all programs alike, since they are what is compared."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        os.nice(-10)


@contextlib.contextmanager
def watching():
    """The same for this program while it takes a time: it must see the end when it comes."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(2))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def parents():
    """pid: parent, of all processes."""
    found = {}
    for directory in pathlib.Path("/proc").iterdir():
        if directory.name.isdigit():
            try:
                found[int(directory.name)] = int((directory / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                pass
    return found


def tree(pid):
    """The process and all that came from it."""
    parent, found = parents(), {pid}
    while more := {child for child, p in parent.items() if p in found and child not in found}:
        found |= more
    return sorted(p for p in found if p in parent)


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "XZ"
    except OSError:
        return False


class KernelLog:
    """Counts the kernel's log lines from now on: each wakes whoever reads that log."""

    def __init__(self):
        try:
            self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.lseek(self.fd, 0, os.SEEK_END)
        except OSError:
            self.fd = -1

    def count(self):
        n = 0
        while self.fd >= 0:
            try:
                os.read(self.fd, 8192)
            except BlockingIOError:
                break
            except BrokenPipeError:
                pass
            n += 1
        return n

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)


class Running:
    """A program in the foreground, with a directory of its own for what it leaves behind."""

    def __init__(self, program, runtime, *options):
        self.program = program
        self.directory = pathlib.Path(runtime, f"{program.name}.{time.monotonic_ns()}")
        self.directory.mkdir(parents=True)
        self.log = open(self.directory / "log", "wb")
        self.process = subprocess.Popen(program.argv(*options), stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=subprocess.STDOUT, cwd=self.directory, preexec_fn=undisturbed,
                                        env=program.environment(self.directory))
        self.pid = self.process.pid

    def tree(self):
        return tree(self.pid)

    def ended(self):
        """The reason why it does not run any more, or None."""
        if self.process.poll() is None:
            return None
        self.log.flush()
        lines = (self.directory / "log").read_text(errors="replace").strip().splitlines()
        return f"ended with status {self.process.returncode}" + (f": {lines[-1][:100]}" if lines else "")

    def switches(self):
        """(voluntary, involuntary) context switches of all threads."""
        voluntary = involuntary = 0
        for pid in self.tree():
            for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
                try:
                    numbers = dict(re.findall(r"^(\w+_ctxt_switches):\s*(\d+)", status.read_text(), re.M))
                except OSError:
                    continue
                voluntary += int(numbers["voluntary_ctxt_switches"])
                involuntary += int(numbers["nonvoluntary_ctxt_switches"])
        return voluntary, involuntary

    def n_threads(self):
        return sum(len(list(pathlib.Path(f"/proc/{pid}/task").glob("*"))) for pid in self.tree())

    def memory(self):
        """kB of all its processes. 'alone': as Pss would be if no other program used its libraries."""
        total = dict.fromkeys(MEMORY_FIELDS, 0)
        for pid in self.tree():
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            for name, value in re.findall(r"^(\w+):\s+(\d+) kB", text, re.M):
                if name in total:
                    total[name] += int(value)
        frames = set().union(*map(page_frames, self.tree()))
        total["alone"] = len(frames) * PAGE // 1024 + sum(map(c_library_pss, self.tree())) if frames else None
        return total

    def libraries(self):
        """The shared libraries that its processes map."""
        return {file for pid in self.tree() for file in mapped_libraries(pid)}

    def stop(self):
        """SIGTERM to all processes gone, in seconds; what is left after 5 s is killed and the answer is None."""
        fds = {}
        for pid in self.tree():
            try:
                fds[os.pidfd_open(pid)] = pid
            except ProcessLookupError:
                pass
        poll = select.poll()
        for fd in fds:
            poll.register(fd, select.POLLIN)
        left = set(fds)
        with watching():
            start = time.monotonic()
            self.process.send_signal(signal.SIGTERM)
            while left and time.monotonic() - start < 5:
                for fd, _ in poll.poll(100):
                    poll.unregister(fd)
                    left.discard(fd)
            seconds = time.monotonic() - start
        for fd in left:
            signal.pidfd_send_signal(fd, signal.SIGKILL)
        for fd in fds:
            os.close(fd)
        self.close()
        return None if left else seconds

    def close(self):
        if self.process.poll() is None:
            for pid in reversed(self.tree()):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.process.wait(timeout=10)
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def page_frames(pid):
    """Numbers of the physical pages that a process maps but for the C library; empty if the kernel does not tell."""
    frames = set()
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pagemap:
        for line in maps:
            if "[v" in line or C_LIBRARY.search(line):
                continue
            start, end = (int(x, 16) for x in line.split(None, 1)[0].split("-"))
            pagemap.seek(start // PAGE * 8)
            entries = array.array("Q")
            entries.frombytes(pagemap.read((end - start) // PAGE * 8))
            frames.update(entry & (1 << 55) - 1 for entry in entries if entry >> 63)
    frames.discard(0)
    return frames


def c_library_pss(pid):
    """kB of the C library, each page divided by the number of processes that map it."""
    total, inside = 0, False
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            inside = C_LIBRARY.search(line)
        elif inside and (m := re.match(r"Pss:\s+(\d+)", line)):
            total += int(m[1])
    return total


def mapped_libraries(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return set()
    return set(re.findall(r"\s(/\S+\.so[.\d]*)$", text, re.M))


def others_mapping(files, not_pids):
    """file: names of the other programs that map it just now."""
    found = {}
    for pid in parents():
        if pid in not_pids:
            continue
        for file in mapped_libraries(pid) & files:
            try:
                name = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
            except OSError:
                continue
            found.setdefault(file, set()).add(name)
    return found
