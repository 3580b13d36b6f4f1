# SPDX-License-Identifier: MIT
"""Whole Debian guests: a disk with systemd and the cloud kernel, as shipped and with our packages.

Each kind of guest is built once and kept beside the kernels, under a digest of all that went in. The
tree itself is made by mmdebstrap; tests/integration/image-debian.py uses it, too.
"""

import fcntl
import hashlib
import importlib.machinery
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from . import packages, qemu
from .packages import Unbuildable

sys.dont_write_bytecode = True

# What is in the tree of a release, from libjson-c5 on what our packages depend on; and which of ours are installed.
SUITES = {
    "bookworm": (
        "systemd,systemd-sysv,initramfs-tools,linux-image-cloud-amd64,zstd,dbus,cloud-init,openssh-server,"
        "libjson-c5,libudev1,libcurl4",
        ("guest-entropy", "guest-entropy-metadata", "entropy-monitor"),
    ),
    "trixie": (
        "systemd,systemd-sysv,udev,initramfs-tools,dracut-core,linux-image-cloud-amd64,zstd,iproute2,"
        "libjson-c5,libudev1",
        ("guest-entropy", "entropy-monitor"),
    ),
}
PROBE_UNIT = """[Unit]
DefaultDependencies=no
Before=sysinit.target
ConditionKernelCommandLine=probe=unit
[Service]
Type=oneshot
ExecStart=/usr/sbin/boot-probe block unit
"""
REPORT_UNIT = """[Unit]
DefaultDependencies=no
After=sysinit.target multi-user.target
Conflicts=shutdown.target
[Service]
Type=oneshot
ExecStart=/usr/sbin/boot-report
"""
# As far as our units go, for tests that are done then: systemd.unit=quick.target.
QUICK_TARGET = """[Unit]
Requires=sysinit.target
Wants=boot-report.service
"""
# What a guest tells of itself, on its second serial line. It waits until the quick and the slow are over.
REPORT = r"""#!/bin/sh
exec >/dev/ttyS1
echo "== ticks"; head -n 1 /proc/stat
echo "== reached"; systemctl show -P ActiveEnterTimestampMonotonic multi-user.target
for _ in $(seq 300); do
    case $(systemctl is-active entropy-seeder.service) in active|activating) sleep 0.1 ;; *) break ;; esac
done
echo "== stuck"; for f in $(grep -ls hwrng_register /proc/[0-9]*/stack); do cat "${f%stack}comm"; done
echo "== failed"; systemctl --failed --plain --no-legend
echo "== keys"; systemctl show -P ExecMainExitTimestampMonotonic ssh-host-keys.service
echo "== kmsg"; dmesg | grep -E 'boot-probe:|entropy-seeder|random:|ordering cycle|Run /init|systemd\[1\]: systemd [0-9]'
echo "== reports"; for f in /run/guest-entropy/*.json; do [ ! -e "$f" ] || { echo "$f $(tr -d '\n' <"$f")"; }; done
echo "== rngd"; systemctl is-active rngd.service; systemctl show -p StatusText rngd.service; rngd --status=json 2>/dev/null
echo "== journal"; journalctl -b --no-pager -o short-monotonic -u 'entropy-*' -u rngd 2>/dev/null | tail -40
echo "== state"; ls -A /var/lib/guest-entropy 2>/dev/null
echo "== cpu"; for unit in rngd entropy-seeder; do echo "$unit $(systemctl show -P CPUUsageNSec $unit.service)"; done
echo "== stop"
if grep -q stop=each /proc/cmdline; then
    for unit in rngd systemd-random-seed; do
        systemctl stop $unit.service
        echo "$unit" $(systemctl show -P ActiveExitTimestampMonotonic -P InactiveEnterTimestampMonotonic $unit.service)
    done
fi
echo "== saver"; systemctl is-active entropy-seeder-save.service
case $(cat /proc/cmdline) in *no-seed*) touch /run/guest-entropy/no-seed ;; esac
case $(cat /proc/cmdline) in *forget=seeds*) rm -f /var/lib/guest-entropy/seed* ;; esac
echo "== poweroff"; cat /proc/uptime
echo "== end"
systemctl --no-block poweroff
"""
INITRAMFS_HOOK = """#!/bin/sh
[ "$1" != prereqs ] || exit 0
. /usr/share/initramfs-tools/hook-functions
copy_exec /usr/sbin/boot-probe /usr/sbin
"""
INITRAMFS_TOP = """#!/bin/sh
[ "$1" != prereqs ] || exit 0
/usr/sbin/boot-probe watch </dev/null >/dev/null 2>&1 &
"""
# After load_modules: where a script that opens an encrypted root would ask.
INITRAMFS_PREMOUNT = """#!/bin/sh
[ "$1" != prereqs ] || exit 0
case $(cat /proc/cmdline) in
    *probe=initramfs*) /usr/sbin/boot-probe block initramfs ;;
esac
exit 0
"""


# dracut: the same two, as a module of their own.
DRACUT_MODULE = r"""#!/bin/bash
check() { return 0; }
depends() { return 0; }
install() {
    inst_multiple grep /usr/sbin/boot-probe
    inst_hook pre-mount 01 "$moddir/block.sh"
    if dracut_module_included systemd; then
        inst_simple "$moddir/boot-probe-watch.service" "$systemdsystemunitdir/boot-probe-watch.service"
        $SYSTEMCTL -q --root "$initdir" add-wants sysinit.target boot-probe-watch.service
    else
        inst_hook pre-udev 01 "$moddir/watch.sh"
    fi
}
"""
DRACUT_FILES = {
    "module-setup.sh": DRACUT_MODULE,
    "watch.sh": "/usr/sbin/boot-probe watch </dev/null >/dev/null 2>&1 &\n",
    "block.sh": "! grep -q probe=initramfs /proc/cmdline || /usr/sbin/boot-probe block initramfs\n",
    "boot-probe-watch.service": """[Unit]
DefaultDependencies=no
Before=sysinit.target systemd-udevd.service
[Service]
Type=exec
KillMode=none
ExecStart=/usr/sbin/boot-probe watch
""",
}
# Of its own it takes level 15, and four times longer.
DRACUT_QUICKLY = "--compress 'zstd -3 -q -T0'"
DRACUT_OPTIONS = {
    "dracut": "",
    "dracut-plain": "--omit 'systemd systemd-initrd dracut-systemd'",
}


MEMORY = "/dev/shm"
TREE_BYTES = 500 << 20


def cache_directory():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("KERNEL_CACHE") or pathlib.Path(base, "guest-entropy", "kernels"))


def load_get_kernels():
    """Its way to this machine's package sources."""
    loader = importlib.machinery.SourceFileLoader("get_kernels", str(pathlib.Path(__file__).resolve().parents[1] / "get-kernels"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("get_kernels", loader))
    loader.exec_module(module)
    return module


def tree_directory(prefix):
    """A temporary directory for a tree: in memory where there is plenty, as some disks take ten times longer for its many files."""
    place = "/var/tmp"
    try:
        room = os.statvfs(MEMORY)
        free = int(re.search(r"MemAvailable: *(\d+) kB", pathlib.Path("/proc/meminfo").read_text())[1]) << 10
        with tempfile.NamedTemporaryFile(dir=MEMORY) as file:
            # Not every kernel has them in memory.
            os.setxattr(file.name, "user.test", b"1")
        if min(room.f_bavail * room.f_frsize, free) > 5 * TREE_BYTES and not room.f_flag & os.ST_NOEXEC:
            place = MEMORY
    except OSError:
        pass
    return tempfile.TemporaryDirectory(prefix=prefix, dir=place)


def tree_tar(cache, suite="bookworm"):
    return cache / f"image-{suite}-{hashlib.sha256(SUITES[suite][0].encode()).hexdigest()[:8]}/tree.tar"


def make_tree(cache, suite="bookworm"):
    """A plain Debian as a tar, made once by mmdebstrap."""
    tar = tree_tar(cache, suite)
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / f".image-{suite}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tar.exists():
            build_tree(cache, tar, suite)
    return tar


def build_tree(cache, tar, suite):
    if not shutil.which("mmdebstrap"):
        raise Unbuildable("no mmdebstrap, and no tree in the cache")
    get_kernels = load_get_kernels()
    with tempfile.TemporaryDirectory(prefix=".image.", dir=cache) as temp:
        try:
            sources = get_kernels.Apt(suite, temp).sources()
        except get_kernels.Missing as e:
            raise Unbuildable(str(e)) from e
        listed = pathlib.Path(temp, f"{suite}.sources")
        listed.write_text(sources)
        out = pathlib.Path(temp, "out")
        out.mkdir()
        options = [f"--dpkgopt=path-exclude=/usr/share/{what}/*" for what in ("doc", "man", "locale")]
        done = subprocess.run(
            ["mmdebstrap", "--variant=minbase", f"--include={SUITES[suite][0]}", *options, suite, out / "tree.tar", listed],
            capture_output=True, text=True, timeout=700, check=False,
        )
        if done.returncode:
            raise Unbuildable("mmdebstrap: " + " / ".join(done.stderr.splitlines()[-3:]))
        out.rename(tar.parent)


def download(cache, suite, names):
    """The directory of packages of Debian's own, as files, and of nothing else."""
    get_kernels = load_get_kernels()
    directory = cache / f"packages-{suite}-{'-'.join(names)}"
    with open(cache / f".packages-{suite}.lock", "w") as lock, tempfile.TemporaryDirectory(prefix=".packages.", dir=cache) as work:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.exists():
            out = pathlib.Path(work, "out")
            out.mkdir()
            try:
                apt = get_kernels.Apt(suite, work)
                apt.prepare(names[0])
                for name in names:
                    shutil.move(apt.download(name), out)
            except get_kernels.Missing as e:
                raise Unbuildable(str(e)) from e
            out.rename(directory)
    return directory


def in_chroot(tree, script, timeout=300):
    outer = (
        'tree=$1; shift; mount --bind "$tree" "$tree"; mount -t proc proc "$tree/proc"; mount -t sysfs sysfs "$tree/sys"\n'
        'mount -t tmpfs tmpfs "$tree/run"; mount --bind /dev "$tree/dev"; chroot "$tree" sh -euc "$1" || exit $?; exit 0'
    )
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-euc", outer, "sh", tree, script],
        capture_output=True, text=True, timeout=timeout, check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
    )
    if done.returncode:
        raise Unbuildable(f"in the tree: {script}: {done.stderr[-800:]}{done.stdout[-800:]}")
    return done.stdout


def write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def install_packages(tree, debs, names=SUITES["bookworm"][1]):
    """What they depend on must be there. The tree's unit manager does not run: what is enabled is so by their scripts."""
    directory = tree / "root/debs"
    directory.mkdir()
    for name in names:
        (deb,) = debs.glob(f"{name}_*.deb")
        shutil.copy(deb, directory)
    told = in_chroot(tree, "dpkg -i /root/debs/*.deb 2>&1")
    shutil.rmtree(directory)
    return told


class Spec:
    """One kind of guest. ours: whether our packages are in it; script: run in the tree before they are installed and the
    initramfs is made; disk: whether more than the initramfs is wanted; newer: packages of Debian's own, of another
    release, instead of the tree's: (release, names)."""

    def __init__(self, name, ours, script="", builder="initramfs-tools", options="", disk=True, suite="bookworm", newer=()):
        self.name, self.ours, self.script, self.builder, self.options, self.disk = name, ours, script, builder, options, disk
        self.suite, self.newer = suite, newer


class Builder:
    """small: dracut compresses as by itself, for who looks at sizes."""

    def __init__(self, settings, small=False):
        self.small = small
        self.cache = pathlib.Path(settings["cache"])
        self.build = pathlib.Path(settings["rngd"]).resolve().parents[1]
        self.probe = self.build / "tests/vm/boot-probe"

    def digest(self, spec, tar, debs):
        value = hashlib.sha256()
        stat = tar.stat()
        value.update(repr((stat.st_size, int(stat.st_mtime), vars(spec), self.small, debs and debs.name)).encode())
        for path in (pathlib.Path(__file__), self.probe):
            value.update(path.read_bytes())
        return value.hexdigest()[:16]

    def get(self, spec):
        """The directory of such a guest: vmlinuz, initrd, root.ext4."""
        if os.geteuid() != 0:
            raise Unbuildable("not root")
        for program in ("mke2fs", "unshare", qemu.BINARY):
            if not shutil.which(program):
                raise Unbuildable(f"no {program} on this machine")
        tar = make_tree(self.cache, spec.suite)
        debs = packages.get(self.cache) if spec.ours else None
        directory = self.cache / f"guest-{spec.name}{'-small' if self.small else ''}"
        directory.mkdir(exist_ok=True)
        with open(directory / "lock", "w") as lock, tree_directory("guest-") as work:
            fcntl.flock(lock, fcntl.LOCK_EX)
            digest = self.digest(spec, tar, debs)
            mark = directory / "digest"
            if not mark.exists() or mark.read_text() != digest:
                mark.unlink(missing_ok=True)
                self.make(spec, tar, debs, pathlib.Path(work, "tree"), directory)
                mark.write_text(digest)
        return directory

    def make(self, spec, tar, debs, tree, directory):
        tree.mkdir()
        subprocess.run(["tar", "-C", tree, "--exclude=./dev/*", "-xf", tar], check=True, timeout=200)
        write(tree / "etc/fstab", "/dev/vda / ext4 defaults 0 0\n")
        write(tree / "etc/hostname", "guest\n")
        # It looks for a cloud, with time-outs of its own.
        if (tree / "etc/cloud").exists():
            write(tree / "etc/cloud/cloud-init.disabled", "")
        for what, text in (("boot-probe", PROBE_UNIT), ("boot-report", REPORT_UNIT)):
            write(tree / f"etc/systemd/system/{what}.service", text)
            target = "sysinit" if what == "boot-probe" else "multi-user"
            wants = tree / f"etc/systemd/system/{target}.target.wants"
            wants.mkdir(exist_ok=True)
            (wants / f"{what}.service").symlink_to(f"../{what}.service")
        write(tree / "etc/systemd/system/quick.target", QUICK_TARGET)
        shutil.copy(self.probe, tree / "usr/sbin/boot-probe")
        write(tree / "usr/sbin/boot-report", REPORT, 0o755)
        write(tree / "etc/initramfs-tools/hooks/boot-probe", INITRAMFS_HOOK, 0o755)
        write(tree / "etc/initramfs-tools/scripts/init-top/a-boot-probe", INITRAMFS_TOP, 0o755)
        write(tree / "etc/initramfs-tools/scripts/init-premount/boot-probe", INITRAMFS_PREMOUNT, 0o755)
        if spec.newer:
            install_packages(tree, download(self.cache, *spec.newer), spec.newer[1])
        if spec.script:
            in_chroot(tree, spec.script)
        (version,) = (path.name for path in (tree / "lib/modules").iterdir())
        self.make_initramfs(spec, debs, tree, version)
        shutil.copy(tree / f"boot/vmlinuz-{version}", directory / "vmlinuz")
        shutil.copy(tree / f"boot/initrd.img-{version}", directory / "initrd")
        (directory / "root.ext4").unlink(missing_ok=True)
        if not spec.disk:
            return
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-E", "lazy_itable_init=1", "-d", tree,
                        directory / "root.ext4", "2G"], check=True, timeout=200, capture_output=True)

    def make_initramfs(self, spec, debs, tree, version):
        """As on any Debian, our package's trigger makes it; on a system with dracut, dracut does."""
        dracut = spec.builder.startswith("dracut")
        if dracut:
            write(tree / "etc/initramfs-tools/update-initramfs.conf", "update_initramfs=no\n")
        if debs:
            install_packages(tree, debs, SUITES[spec.suite][1])
        if dracut:
            self.make_dracut(spec, tree, version)
        elif not debs:
            in_chroot(tree, f"update-initramfs -u -k {version} 2>&1")

    def make_dracut(self, spec, tree, version):
        if not (tree / "usr/bin/dracut").exists():
            self.copy_dracut(tree)
        for name, text in DRACUT_FILES.items():
            write(tree / "usr/lib/dracut/modules.d/51boot-probe" / name, text, 0o755)
        compress = "--zstd" if self.small else DRACUT_QUICKLY
        in_chroot(tree, f"dracut -q --force --no-hostonly {compress} {DRACUT_OPTIONS[spec.builder]} {spec.options} "
                        f"/boot/initrd.img-{version} {version} 2>&1")

    def copy_dracut(self, tree):
        """This machine's, which has the tree's release."""
        if not shutil.which("dracut"):
            raise Unbuildable("no dracut on this machine (package dracut-core)")
        listed = subprocess.run(["dpkg", "-L", "dracut-core"], capture_output=True, text=True, timeout=30, check=False).stdout
        for path in map(pathlib.Path, listed.splitlines()):
            target = tree / str(path).lstrip("/")
            if path.is_symlink() and not target.is_symlink():
                target.symlink_to(os.readlink(path))
            elif path.is_dir():
                target.mkdir(exist_ok=True)
            elif path.is_file() and not str(path).startswith("/usr/share/"):
                shutil.copy(path, target)
