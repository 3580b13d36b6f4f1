# SPDX-License-Identifier: MIT
"""A guest as its tests see it: requests to the agent inside, and helpers made of them."""

import ctypes
import json
import pathlib
import select
import signal
import socket
import subprocess
import time
import urllib.parse


class GuestError(Exception):
    """The guest did not do what every test takes for granted (boot, answer, find a file)."""


def die_with_parent():
    """In a child: no emulator outlives the test that started it, however that ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Channel:
    """The line to the agent."""

    def __init__(self, sock):
        self.sock, self.buffer, self.next_id, self.answers = sock, b"", 0, {}
        self.sock.setblocking(False)

    def _receive(self, timeout):
        if not select.select([self.sock], [], [], timeout)[0]:
            return
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return
        if not data:
            raise GuestError("the guest is gone (its serial line closed)")
        self.buffer += data
        while b"\n" in self.buffer:
            line, self.buffer = self.buffer.split(b"\n", 1)
            ident, _, rest = line.strip(b"\r\0").partition(b" ")
            if rest.startswith(b"{"):
                try:
                    self.answers[ident.decode("latin-1")] = json.loads(rest)
                except ValueError:
                    raise GuestError(f"torn answer from the agent: {line[:200]!r}") from None

    def send(self, words):
        self.next_id += 1
        line = " ".join(urllib.parse.quote(str(word), safe="/:=-_.,") or "%00" for word in words)
        self.sock.setblocking(True)
        self.sock.sendall(f"{self.next_id} {line}\n".encode())
        self.sock.setblocking(False)
        return str(self.next_id)

    def receive(self, ident, timeout, now):
        end = now() + timeout
        while ident not in self.answers:
            left = end - now()
            if left <= 0:
                raise GuestError(f"no answer from the guest within {timeout:.0f} s")
            self._receive(min(left, 1.0))
        return self.answers.pop(ident)


def starved_sec(pid):
    """For how long the threads of a process have waited for a processor of this machine that others used."""
    total = 0
    for path in pathlib.Path("/proc", str(pid), "task").glob("*/schedstat"):
        try:
            total += int(path.read_text().split()[1])
        except (OSError, IndexError):
            pass  # it ended just now
    return total / 1e9


class Guest:
    """What QEMU and UML guests have in common. Subclasses set self.process, self.channel and self.console."""

    modules = None

    def now(self):
        """A clock for time-outs, which a busy machine does not make shorter."""
        return time.monotonic() - starved_sec(self.process.pid)

    def ask(self, *words, timeout=30.0, check=True):
        return self.finish(self.channel.send(words), timeout, check, words)

    def start(self, *words):
        """Like ask(), but the answer is fetched later with finish(): for what takes long inside the guest."""
        return self.channel.send(words)

    def finish(self, ident, timeout=30.0, check=True, words=()):
        answer = self.channel.receive(ident, timeout, self.now)
        if check and answer["r"] < 0:
            raise GuestError(f"guest: {' '.join(map(str, words[:3]))}: {answer.get('error')}")
        return answer

    def wait_for_agent(self, timeout):
        end = self.now() + timeout
        while "hello" not in self.channel.answers:
            if self.process.poll() is not None or self.now() > end:
                raise GuestError("the guest did not start:\n" + self.console_text()[-1500:])
            self.channel._receive(0.5)
        self.channel.answers.pop("hello")

    def console_text(self):
        try:
            return pathlib.Path(self.console).read_bytes().decode("latin-1")
        except OSError:
            return ""

    # Files and programs

    def read(self, path, check=True):
        answer = self.ask("read", path, check=check)
        return answer.get("data")

    def read_number(self, path):
        return int(self.read(path))

    def write(self, path, data, mode=None):
        self.ask("write", path, data, *([oct(mode)[2:]] if mode else []))

    def run(self, *argv, timeout=20.0, uid=None):
        options = [f"timeout={int(timeout * 1000)}"] + ([f"uid={uid}"] if uid else [])
        return self.ask("run", *options, "--", *argv, timeout=timeout + 10)

    def shell(self, script, timeout=20.0):
        done = self.run("/bin/busybox", "sh", "-c", script, timeout=timeout)
        if done.get("code") != 0:
            raise GuestError(f"guest: {script!r} failed: {done}")
        return done["out"]

    def kmsg(self):
        return self.ask("kmsg")["lines"]

    # Kernel

    def random(self):
        return self.ask("random")

    def boottime_usec(self):
        return self.ask("time")["boottime_usec"]

    def load(self, name, parameters=""):
        """Loads a module with what it needs; answers when the loading of the module itself began and ended."""
        answer = None
        for needed in self.modules.order(name):
            answer = self.ask("insmod", f"/lib/modules/{needed}.ko", *([parameters] if needed == name and parameters else []),
                              timeout=60, check=False)
            if answer["r"] not in (0, -17):  # -EEXIST
                raise GuestError(f"insmod {needed}: {answer.get('error')}")
        return answer

    def wait_until(self, condition, timeout, what, interval=0.1):
        """Asks until condition() is true; its value is returned."""
        end = self.now() + timeout
        while True:
            value = condition()
            if value:
                return value
            if self.now() > end:
                raise AssertionError(f"not within {timeout:.0f} s: {what}")
            time.sleep(interval)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait(timeout=10)
        self.channel.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def listen(path):
    """A unix socket for an emulator to connect to."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen(1)
    return server


def accept(server, process, timeout=20.0):
    server.settimeout(0.2)
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            return server.accept()[0]
        except TimeoutError:
            if process.poll() is not None:
                break
    raise GuestError(f"the emulator did not connect (exit status {process.poll()})")


def start_process(argv, log, **kwargs):
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                            preexec_fn=die_with_parent, **kwargs)
