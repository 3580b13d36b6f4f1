# SPDX-License-Identifier: MIT
"""User Mode Linux guests: the one kernel of the counting model that is still to be had."""

import os
import pathlib
import signal
import socket

from . import guest


# movw $1024,0x38(%rdi): where the driver of the host's /dev/random tells its quality
QUALITY_1024, QUALITY_0 = bytes.fromhex("66c747380004"), bytes.fromhex("66c747380000")


def without_hwrng_thread(binary, out):
    """A copy of the kernel whose hwrng claims no quality, so that the kernel's own thread never starts.

    Writing 0 to rng_core's current_quality later is not enough: the thread, ten seconds after the boot, then reads
    and credits nothing for as long as the level is under the threshold, without ever giving up the only CPU. The
    whole guest stands still, whoever feeds it.
    """
    code = pathlib.Path(binary).read_bytes()
    if code.count(QUALITY_1024) != 1:
        raise guest.GuestError("this UML kernel is not the one whose hwrng thread can be switched off")
    out.write_bytes(code.replace(QUALITY_1024, QUALITY_0))
    out.chmod(0o755)
    return out


class Uml(guest.Guest):
    def __init__(self, directory, kernel, archive, memory_mb=128, append=""):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        binary = without_hwrng_thread(kernel / "linux.uml", self.directory / "linux.uml")
        self.console = self.directory / "console.log"
        (self.directory / "initrd").write_bytes(archive.bytes())
        ours, theirs = socket.socketpair()
        self.log = open(self.console, "wb")
        argv = [
            str(binary), f"mem={memory_mb}M", f"initrd={self.directory / 'initrd'}", f"uml_dir={self.directory}/",
            "con=null", "con0=null,fd:1", f"con1=fd:{theirs.fileno()},fd:{theirs.fileno()}",
            "quiet", "panic=-1", "agent=/dev/tty1", "rdinit=/init", *append.split(),
        ]
        self.process = guest.start_process(argv, self.log, pass_fds=[theirs.fileno()], cwd=self.directory,
                                           start_new_session=True)
        theirs.close()
        self.channel = guest.Channel(ours)
        self.wait_for_agent(60)

    def close(self):
        # Asked to power off, it takes its helper processes and its memory file with it.
        if self.process.poll() is None:
            try:
                self.channel.send(["poweroff"])
                self.process.wait(timeout=5)
            except (OSError, guest.subprocess.TimeoutExpired):
                pass
        # One that hangs does not; they are in a process group of its own.
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        super().close()
        self.log.close()
