# SPDX-License-Identifier: MIT
"""User Mode Linux guests: the one kernel of the counting model that is still to be had."""

import pathlib
import socket

from . import guest


class Uml(guest.Guest):
    def __init__(self, folder, kernel, archive, memory_mb=128, append=""):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.console = self.folder / "console.log"
        (self.folder / "initrd").write_bytes(archive.bytes())
        ours, theirs = socket.socketpair()
        self.log = open(self.console, "wb")
        argv = [
            str(kernel / "linux.uml"), f"mem={memory_mb}M", f"initrd={self.folder / 'initrd'}", f"uml_dir={self.folder}/",
            "con=null", "con0=null,fd:1", f"con1=fd:{theirs.fileno()},fd:{theirs.fileno()}",
            "quiet", "panic=-1", "agent=/dev/tty1", "rdinit=/init", *append.split(),
        ]
        self.process = guest.start_process(argv, self.log, pass_fds=[theirs.fileno()], cwd=self.folder,
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
        super().close()
        self.log.close()
