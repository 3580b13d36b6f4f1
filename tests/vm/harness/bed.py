# SPDX-License-Identifier: MIT
"""What a test is given: kernels from the cache, guests with the daemon inside, and a place for its notes."""

import json
import os
import pathlib
import shutil

from . import archive, entropy_server, guest, qemu, uml

REPORT_KEYS = ("call", "bits", "n_bytes", "rval")
VIRTIO_RNG = ("virtio_pci", "virtio_rng")


class Skip(Exception):
    """The test cannot say anything here; the message says why."""


def check(condition, message):
    if not condition:
        raise AssertionError(message)


class Daemon:
    """One rngd in one guest."""

    def __init__(self, guest_, pid, started, trace):
        self.guest, self.pid, self.started_usec, self.trace = guest_, pid, started, trace

    def status(self, timeout=5.0):
        """The document of rngd.sock; waits until the socket is there."""
        def connect():
            answer = self.guest.ask("sock", "/run/guest-entropy/rngd.sock", check=False)
            return answer if answer["r"] == 0 and answer["data"] else None
        answer = self.guest.wait_until(connect, timeout, "rngd.sock answers\n" + self.log()[-1500:], 0.05)
        return json.loads(answer["data"])

    def source(self, name):
        """What the status says about one source; {} when it does not list it."""
        return next((s for s in self.status()["sources"] if s["name"] == name), {})

    def wait_status(self, condition, timeout, what):
        def probe():
            self.last = self.status()
            return condition(self.last) and self.last
        try:
            return self.guest.wait_until(probe, timeout, what)
        except AssertionError as e:
            raise AssertionError(f"{e}\nlast status: {json.dumps(self.last)}\nlog:\n{self.log()[-2000:]}") from None

    def log(self):
        return self.guest.read("/tmp/rngd.log", check=False) or ""

    def calls(self):
        """What was really handed to the kernel: the feeding ioctls that the tracer saw, oldest first."""
        lines = self.guest.read(self.trace, check=False) or ""
        return [{**c, "bytes": bytes.fromhex(c["bytes"])} for c in map(json.loads, lines.splitlines())]

    def feeds(self, since_usec=0):
        # An RNDADDENTROPY of nothing only asks whether it would be allowed.
        return [c for c in self.calls() if c["call"] == "add" and c["n_bytes"] > 0 and c["rval"] == 0
                and c["boottime_usec"] >= since_usec]

    def credited(self, since_usec=0):
        return [c for c in self.feeds(since_usec) if c["bits"] > 0]

    def reseeds(self, since_usec=0):
        return [c for c in self.calls() if c["call"] == "reseed" and c["rval"] == 0 and c["boottime_usec"] >= since_usec]

    def tree(self):
        return self.guest.ask("tree", self.pid)["processes"]

    def alive(self):
        return any(p["state"] not in "XZ" for p in self.tree())

    def switches(self):
        return sum(p["voluntary"] + p["involuntary"] for p in self.tree())

    def cpu_usec(self):
        return sum(p["cpu_nsec"] for p in self.tree()) // 1000

    def signal(self, number):
        return self.guest.ask("kill", self.pid, number)["boottime_usec"]

    def stop(self, number=15, timeout=5.0):
        return self.guest.ask("stop", self.pid, number, int(timeout * 1000), timeout=timeout + 10)

    def wait(self, timeout):
        return self.guest.ask("wait", self.pid, int(timeout * 1000), timeout=timeout + 10)


class Bed:
    def __init__(self, settings, directory):
        self.cache = pathlib.Path(settings["cache"])
        self.agent, self.rngd, self.ours = settings["agent"], settings["rngd"], settings["ours"]
        self.directory = pathlib.Path(directory)
        self.notes, self.closers, self.n_guests = [], [], 0

    def note(self, text):
        self.notes.append(text)

    def kernel(self, name):
        directory = self.cache / name
        if not directory.is_dir():
            raise Skip(f"{name} is not in the kernel cache")
        if "uml" not in name and not qemu.is_there():
            raise Skip(f"no {qemu.BINARY} on this machine")
        return directory

    def only_ours(self):
        if not self.ours:
            raise Skip("asks for what only guest-entropy's rngd has")

    # Images

    def archive(self, rngd=None, agent_is_init=True):
        a = archive.Archive()
        busybox = shutil.which("busybox")
        if not busybox or archive.libraries(busybox):
            raise Skip("no static busybox on this machine (package busybox-static)")
        a.file(busybox, "bin/busybox", 0o755)
        for name in ("sh", "cat", "dd", "ls", "mount", "date", "ps", "seq", "sleep"):
            a.link(f"bin/{name}", "busybox")
        a.file(self.agent, "init" if agent_is_init else "sbin/agent", 0o755)
        a.program(rngd or self.rngd, "usr/sbin/rngd")
        a.data("etc/passwd", "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/:/bin/false\n"
               "messagebus:x:100:100::/:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n")
        a.data("etc/group", "root:x:0:\ndaemon:x:1:\nmessagebus:x:100:\nnogroup:x:65534:\n")
        a.data("etc/nsswitch.conf", "passwd: files\ngroup: files\n")
        return a

    def _keep(self, closer):
        self.closers.append(closer)
        return closer

    def _directory(self):
        self.n_guests += 1
        return self.directory / f"guest{self.n_guests}"

    def linux(self, kernel="cloud-6.1", modules=VIRTIO_RNG, image=None, load=(), **options):
        """A QEMU guest; modules go into the image, load ones are loaded at once."""
        directory = self.kernel(kernel)
        image = image or self.archive()
        mods = archive.Modules(directory)
        mods.add_to(image, {*modules, *load})
        vm = self._keep(qemu.Qemu(self._directory(), directory, image, mods, **options))
        if not options.get("incoming"):
            for name in load:
                vm.load(name)
        return vm

    def uml(self, image=None, **options):
        return self._keep(uml.Uml(self._directory(), self.kernel("uml-5.10.46"), image or self.archive(), **options))

    def server(self, read=None, name="egd"):
        read = read or entropy_server.random_stream(f"{self.directory}:{name}")
        return self._keep(entropy_server.EntropyServer(self.directory / name, read))

    # The daemon

    def start(self, vm, *args, config=None, trace=False, notify=False, watchdog_usec=None, wait=True, foreground=True):
        """Starts rngd -f in the guest; its messages go to /tmp/rngd.log."""
        words = ["log=/tmp/rngd.log"]
        if trace:
            words.append("trace=/tmp/feeds")
        if notify:
            words.append("notify=/run/notify")
        if watchdog_usec:
            words.append(f"watchdog={watchdog_usec}")
        if config is not None:
            vm.write("/etc/guest-entropy.conf", config, 0o644)
        argv = ["/usr/sbin/rngd", *(["-f"] if foreground else []), *(["--verbose"] if self.ours else []), *args]
        answer = vm.ask("spawn", *words, "--", *argv)
        daemon = Daemon(vm, answer["pid"], answer["boottime_usec"], "/tmp/feeds")
        if wait and self.ours:
            daemon.status()
        return daemon

    def close(self):
        for closer in reversed(self.closers):
            try:
                closer.close()
            except (OSError, guest.GuestError, guest.subprocess.TimeoutExpired):
                pass

    def console_tails(self):
        out = []
        for log in sorted(self.directory.glob("guest*/console.log")):
            text = log.read_bytes().decode("latin-1").strip()
            if text:
                out.append(f"--- {log.parent.name} console\n{text[-1500:]}")
        return "\n".join(out)


def quote_call(call):
    """One traced ioctl for a message."""
    return " ".join(f"{key}={call[key]}" for key in REPORT_KEYS) + f" {os.fsdecode(call['bytes'][:8].hex())}"
