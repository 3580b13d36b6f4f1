# SPDX-License-Identifier: MIT
"""Builds initramfs images: a cpio in newc form, programs with their libraries, kernel modules with theirs."""

import functools
import os
import pathlib
import re
import stat
import subprocess


@functools.cache
def libraries(program):
    """The files a dynamically linked program needs, as ldd tells; none for a static one."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=30)
    return tuple(re.findall(r"(/\S+) \(0x", done.stdout))


def libraries_missing(program):
    done = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=30)
    return re.findall(r"(\S+) => not found", done.stdout)


class Archive:
    def __init__(self):
        self.entries = {}
        for directory in ("bin", "dev", "etc", "lib", "proc", "root", "run", "sys", "tmp", "usr", "var"):
            self.directory(directory)
        # The kernel opens it for init before anything is mounted.
        self.entries["dev/console"] = (stat.S_IFCHR | 0o600, b"", (5, 1))

    def _parents(self, path):
        for parent in reversed(pathlib.PurePath(path).parents):
            if str(parent) != ".":
                self.entries.setdefault(str(parent), (stat.S_IFDIR | 0o755, b"", (0, 0)))

    def directory(self, path):
        path = path.strip("/")
        self._parents(path)
        self.entries.setdefault(path, (stat.S_IFDIR | 0o755, b"", (0, 0)))

    def data(self, path, data, mode=0o644):
        path = path.strip("/")
        self._parents(path)
        self.entries[path] = (stat.S_IFREG | mode, data if isinstance(data, bytes) else data.encode(), (0, 0))

    def link(self, path, target):
        path = path.strip("/")
        self._parents(path)
        self.entries[path] = (stat.S_IFLNK | 0o777, target.encode(), (0, 0))

    def file(self, source, path, mode=None):
        source = pathlib.Path(source)
        self.data(path, source.read_bytes(), mode or stat.S_IMODE(source.stat().st_mode))

    def program(self, source, path):
        """A program and its shared libraries, these at the very paths that ldd shows."""
        self.file(os.path.realpath(source), path, 0o755)
        for library in libraries(str(source)):
            self.file(os.path.realpath(library), library, 0o755)

    def tree(self, source, path=""):
        for file in sorted(pathlib.Path(source).rglob("*")):
            inner = str(pathlib.PurePath(path, file.relative_to(source)))
            if file.is_symlink():
                self.link(inner, os.readlink(file))
            elif file.is_file():
                self.file(file, inner)
            else:
                self.directory(inner)

    def bytes(self):
        out = []
        entries = [*self.entries.items(), ("TRAILER!!!", (0, b"", (0, 0)))]
        for inode, (name, (mode, data, (major, minor))) in enumerate(entries, 1):
            fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name) + 1, 0)
            head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
            out += [head, b"\0" * (-len(head) % 4), data, b"\0" * (-len(data) % 4)]
        return b"".join(out)


class Modules:
    """The modules of an unpacked kernel package."""

    def __init__(self, kernel):
        self.version = (kernel / "version").read_text().strip()
        self.directory = kernel / "lib/modules" / self.version
        self.needs, self.paths = {}, {}
        for line in (self.directory / "modules.dep").read_text().splitlines():
            path, _, needed = line.partition(":")
            name = self.name_of(path)
            self.paths[name] = path
            self.needs[name] = [self.name_of(p) for p in needed.split()]

    @staticmethod
    def name_of(path):
        return pathlib.PurePath(path).name.split(".ko")[0].replace("-", "_")

    def order(self, name):
        """The module and what it needs, in the order to load them; empty when it is built in or not there."""
        if name not in self.paths:
            return []
        # modules.dep lists the direct need first and the deepest last.
        return [*reversed(self.needs[name]), name]

    def add_to(self, archive, names):
        for name in {needed for wanted in names for needed in self.order(wanted)}:
            archive.file(self.directory / self.paths[name], f"lib/modules/{name}.ko", 0o644)
