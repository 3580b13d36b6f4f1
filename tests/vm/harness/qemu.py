# SPDX-License-Identifier: MIT
"""QEMU guests: started with TCG (no KVM needed), driven over QMP."""

import json
import pathlib
import shutil
import time

from . import guest, vmlinux

BINARY = "qemu-system-x86_64"
# The guest's clock counts instructions, one a nanosecond, whatever else runs on this machine: for what must be quick.
COUNT_INSTRUCTIONS = ["-icount", "shift=0"]
# With it, a tenth of a second in which a kernel calibrates that timer takes the emulator four; there is another.
APPEND_COUNTED = "nolapic_timer"
# On a busy machine the kernel sees too few ticks while it tests the timer, and panics. Its tests of its own ciphers take a
# sixth of a boot.
APPEND_ALWAYS = "no_timer_check cryptomgr.notests"


class Qmp:
    def __init__(self, sock):
        self.sock, self.file, self.events = sock, sock.makefile("rwb"), []
        self.sock.settimeout(30)
        json.loads(self.file.readline())
        self("qmp_capabilities")

    def _message(self):
        line = self.file.readline()
        if not line:
            raise guest.GuestError("QEMU closed its QMP socket")
        return json.loads(line)

    def __call__(self, command, **arguments):
        self.file.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        self.file.flush()
        while True:
            message = self._message()
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise guest.GuestError(f"QMP {command}: {message['error']['desc']}")
            self.events.append(message)

    def wait_event(self, name, timeout=20.0):
        end = time.monotonic() + timeout
        while True:
            for event in self.events:
                if event["event"] == name:
                    self.events.remove(event)
                    return event
            if time.monotonic() > end:
                raise guest.GuestError(f"no QMP event {name} within {timeout:.0f} s")
            self("query-status")
            if not any(event["event"] == name for event in self.events):
                time.sleep(0.02)


class Qemu(guest.Guest):
    def __init__(self, directory, kernel, archive, modules, cpu="qemu64", memory_mb=160, append="", devices=(), incoming=None,
                 init="/init", suspends=False):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.modules = modules
        self.console = self.directory / "console.log"
        (self.directory / "initrd").write_bytes(archive.bytes())
        if "-icount" in devices:
            append += f" {APPEND_COUNTED}"
        # QEMU copies an unpacked kernel into the memory again when the guest wakes up; and it leaves 160 kB of that to the
        # firmware's tables, which are larger with a TPM's log.
        packed = suspends or any(word.startswith("tpm-") for word in devices)
        image = kernel / "vmlinuz" if packed else vmlinux.get(kernel)
        servers = {name: guest.listen(self.directory / name) for name in ("agent", "qmp")}
        argv = [
            BINARY, "-accel", "tcg", "-cpu", cpu, "-M", "q35", "-m", str(memory_mb), "-nodefaults", "-display", "none",
            "-no-reboot", "-kernel", str(image), "-initrd", str(self.directory / "initrd"),
            "-append", f"console=ttyS0 panic=-1 quiet {APPEND_ALWAYS} agent=/dev/ttyS1 rdinit={init} {append}".strip(),
            "-serial", f"file:{self.console}",
            "-chardev", f"socket,id=agent,path={self.directory / 'agent'}", "-serial", "chardev:agent",
            "-chardev", f"socket,id=qmp,path={self.directory / 'qmp'}", "-mon", "chardev=qmp,mode=control",
            *devices,
        ]
        if incoming:
            argv += ["-incoming", f"exec:cat {incoming}"]
        self.log = open(self.directory / "qemu.log", "wb")
        self.process = guest.start_process(argv, self.log)
        try:
            self.channel = guest.Channel(guest.accept(servers["agent"], self.process))
            self.qmp = Qmp(guest.accept(servers["qmp"], self.process))
        except guest.GuestError as e:
            self.process.kill()
            self.process.wait(timeout=10)
            raise guest.GuestError(f"{e}: {(self.directory / 'qemu.log').read_text()[-800:]}") from None
        finally:
            for server in servers.values():
                server.close()
        if not incoming:
            self.wait_for_agent(60)

    def snapshot(self, path):
        """Stops the guest, writes its whole state to a file and ends QEMU: what a template of clones is made of."""
        self.qmp("stop")
        self.qmp("migrate", uri=f"exec:cat > {path}")
        end = time.monotonic() + 60
        while (status := self.qmp("query-migrate").get("status")) != "completed":
            if status == "failed" or time.monotonic() > end:
                raise guest.GuestError(f"the snapshot failed ({status})")
            time.sleep(0.05)
        self.close()

    def close(self):
        super().close()
        self.log.close()


def is_there():
    return shutil.which(BINARY) is not None
