# SPDX-License-Identifier: MIT
"""The Debian packages of this tree, built once and kept beside the kernels under a digest of their sources."""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[3]
TOOLS = ("dpkg-buildpackage", "dh", "git")
# What no package is made from.
UNUSED = ("tests/", ".ci/", "dev", "packaging/guest-entropy.spec")
# What a developer or ./dev has exported for a build of their own.
FLAGS = ("CC", "CFLAGS", "CPPFLAGS", "LDFLAGS", "DEB_BUILD_PROFILES", "DESTDIR")


class Unbuildable(Exception):
    """This machine cannot make it; the message says why."""


class Broken(Unbuildable):
    """It could, and the build failed."""


def files():
    """What is committed and what is changed, without build directories."""
    argv = ["git", "-C", SOURCE, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise Unbuildable(f"git ls-files: {done.stderr.strip()}")
    return [name for name in sorted(done.stdout.split("\0")) if name and (SOURCE / name).is_file()]


def digest():
    value = hashlib.sha256()
    for name in files():
        if not name.startswith(UNUSED):
            path = SOURCE / name
            value.update(f"{name} {os.access(path, os.X_OK)} {path.stat().st_size}\n".encode() + path.read_bytes())
    return value.hexdigest()[:16]


def get(cache):
    """The directory of *.deb, *.changes and build.log."""
    for tool in TOOLS:
        if not shutil.which(tool):
            raise Unbuildable(f"no {tool} on this machine")
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / ".debs.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        directory = cache / f"debs-{digest()}"
        if not directory.exists():
            # Of those that are there, the two that were used last stay.
            for old in sorted(cache.glob("debs-*"), key=lambda path: path.stat().st_mtime)[:-2]:
                shutil.rmtree(old)
            build(cache, directory)
        os.utime(directory)
    return directory


def build(cache, directory):
    with tempfile.TemporaryDirectory(prefix=".debs.", dir=cache) as temp:
        tree, out = pathlib.Path(temp, "tree"), pathlib.Path(temp, "out")
        for name in files():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(SOURCE / name, tree / name)
        (tree / "debian").symlink_to("packaging/debian")
        env = {name: value for name, value in os.environ.items() if name not in FLAGS}
        env["DEB_BUILD_OPTIONS"] = "parallel=2 noddebs"
        done = subprocess.run(["nice", "dpkg-buildpackage", "-us", "-uc", "-b"], cwd=tree, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=600, check=False)
        if done.returncode:
            raise Broken(f"dpkg-buildpackage: {done.stdout[-3000:]}")
        out.mkdir()
        for path in pathlib.Path(temp).glob("*_*"):
            shutil.move(path, out)
        (out / "build.log").write_text(done.stdout)
        out.rename(directory)
