# SPDX-License-Identifier: MIT
"""Trees that mean harm: links out of them, races, FIFOs, names that speak to a terminal, the running system itself."""

import ctypes
import os
import shutil
import stat
import subprocess
import threading
import time

from image_lab import HERE, IS_ROOT, MARK, PROGRAM, TEMPLATE, Skip, findings, make_tree, need, run, snapshot, unshared, write

RACE_SECONDS = 3


def escape_plants(tree, outside):
    relative = "../" * 20 + str(outside).lstrip("/")
    return {
        "absolute directory": ("var/lib/systemd", str(outside)),
        "relative directory": ("var/lib/systemd", relative),
        "magic directory": ("var/lib/systemd", f"/proc/self/root{outside}"),
        "magic cwd": ("var/lib/systemd", "/proc/self/cwd"),
        "absolute file": ("var/lib/systemd/random-seed", f"{outside}/random-seed"),
        "relative file": ("var/lib/systemd/random-seed", f"{relative}/random-seed"),
        "whole var": ("var", str(outside)),
        "etc": ("etc", str(outside)),
        "own state": ("var/lib/guest-entropy", str(outside)),
        "machine id": ("etc/machine-id", f"{outside}/machine-id"),
    }


def make_outside(tree):
    outside = tree.parent / "outside"
    for name in ("random-seed", "lib/systemd/random-seed", "ssh/ssh_host_rsa_key", "seed", "seed.credit"):
        write(outside, name, b"outside " * 4)
    write(outside, "machine-id", b"f" * 32 + b"\n")
    return outside


def test_links_out_of_the_tree(tree):
    outside = make_outside(tree)
    before = snapshot(outside)
    for name, (link, target) in escape_plants(tree, outside).items():
        shutil.rmtree(tree)
        make_tree(tree)
        (tree / link).parent.mkdir(parents=True, exist_ok=True)
        (tree / link).symlink_to(target)
        done = run(TEMPLATE, tree)
        assert done.returncode in (0, 74), (name, done)  # nothing of the outside is seen
        done = run(tree, verb="clean")
        assert done.returncode in (0, 74), (name, done)
        assert snapshot(outside) == before, name


def test_magic_links_of_a_mounted_proc(tree):
    outside = make_outside(tree)
    for directory in ("proc", "var/lib"):
        (tree / directory).mkdir(parents=True)
    (tree / "var/lib/systemd").symlink_to(f"/proc/self/root{outside}")
    (tree / "etc").symlink_to(f"/proc/1/root{outside}")
    before = snapshot(outside)
    done = unshared(
        'mount -t proc proc "$1/proc"; "$2" clean "$1" && exit 1; "$2" check --only=seeds "$1"',
        tree, PROGRAM,
    )
    assert done.returncode == 74, done
    assert snapshot(outside) == before


def test_links_within_the_tree(tree):
    """Absolute links mean the tree's own directories, as they do when it boots."""
    write(tree, "data/lib/systemd/random-seed")
    (tree / "var").symlink_to("/data")
    assert findings(tree) == {("systemd-seed", "/var/lib/systemd/random-seed")}
    assert run(tree, verb="clean").returncode == 0
    assert not (tree / "data/lib/systemd/random-seed").exists()

    seed = write(tree, "data/elsewhere")
    (tree / "data/lib/systemd/random-seed").symlink_to("/data/elsewhere")
    done = run(tree, verb="clean")
    assert done.returncode == 1 and b"manual: /var/lib/systemd/random-seed (systemd-seed): " in done.stdout, done
    assert seed.exists()


def exchange(a, b):
    """renameat2(RENAME_EXCHANGE)"""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(-100, os.fsencode(a), -100, os.fsencode(b), 2) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def race(a, b, attempt):
    """Swaps two names without pause while attempt() runs over and over; how often it ran."""
    stop = threading.Event()

    def swap():
        while not stop.is_set():
            exchange(a, b)

    try:
        exchange(a, b)
    except OSError as e:
        raise Skip(f"names cannot be exchanged here: {e}") from e
    thread = threading.Thread(target=swap)
    thread.start()
    n, end = 0, time.monotonic() + RACE_SECONDS
    try:
        while time.monotonic() < end:
            attempt()
            n += 1
    finally:
        stop.set()
        thread.join()
    assert n >= 10, n


def test_race_of_a_directory(tree):
    """var/lib/systemd is a directory, then a link out of the tree, thousands of times a second."""
    outside = make_outside(tree)
    before = snapshot(outside)
    (tree / "var/lib/systemd").mkdir(parents=True)
    (tree / "var/lib/other").symlink_to(outside)

    def attempt():
        for place in ("systemd", "other"):
            try:
                fd = os.open(tree / "var/lib" / place, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY)
            except NotADirectoryError:
                continue
            try:
                os.close(os.open("random-seed", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=fd))
            finally:
                os.close(fd)
        assert run("--only=seeds", tree, verb="clean").returncode in (0, 1, 74)
        assert snapshot(outside) == before

    race(tree / "var/lib/systemd", tree / "var/lib/other", attempt)


def test_race_of_a_file(tree):
    outside = make_outside(tree)
    before = snapshot(outside)
    (tree / "var/lib/systemd").mkdir(parents=True)
    names = (tree / "var/lib/systemd/random-seed", tree / "var/lib/systemd/spare")
    names[1].symlink_to(outside / "random-seed")
    write(tree, "var/lib/systemd/random-seed")

    def attempt():
        assert run("--only=seeds", "--dry-run", tree, verb="clean").returncode in (0, 1, 74)
        assert run("--json", "--only=seeds", tree).returncode in (0, 1, 74)
        assert snapshot(outside) == before

    race(*names, attempt)


def test_fifos_devices_and_directories(tree):
    (tree / "var/lib/systemd").mkdir(parents=True)
    (tree / "var/lib/seedrng/seed.credit").mkdir(parents=True)
    (tree / "etc").mkdir()
    os.mkfifo(tree / "var/lib/systemd/random-seed")
    os.mkfifo(tree / "var/lib/random-seed")
    os.mkfifo(tree / "etc/machine-id")
    os.mkfifo(tree / "etc/rc.local")
    if IS_ROOT:
        os.mknod(tree / "etc/random-seed", stat.S_IFCHR | 0o600, os.makedev(1, 8))
    start = time.monotonic()
    assert run(tree).returncode == 1
    done = run(tree, verb="clean")
    assert time.monotonic() - start < 20, "it waited for a FIFO"
    assert done.returncode == 1, done
    assert not (tree / "var/lib/systemd/random-seed").exists()
    assert not (tree / "etc/random-seed").exists()
    assert (tree / "var/lib/seedrng/seed.credit").is_dir()


def test_huge_files(tree):
    for name in ("var/lib/systemd/random-seed", "etc/machine-id", "var/lib/cloud/instances/i/obj.pkl",
                 "etc/sysconfig/rngd", "boot/config-6.1"):
        write(tree, name)
        os.truncate(tree / name, 1 << 40)
    start = time.monotonic()
    done = run(tree)
    assert time.monotonic() - start < 20 and done.returncode == 1, done
    assert b"cloud-init-seed" in done.stdout and b"too large" in done.stdout, done
    done = run(tree, verb="clean")
    assert done.returncode == 74, done  # obj.pkl was not looked through, and that is said
    assert b"obj.pkl cannot be looked at" in done.stderr, done


def test_hostile_names(tree):
    names = [b"ssh_host_\x1b[31m\n_key", b"ssh_host_\xff\xc2\x9b\\_key", "ssh_host_\u202e_key".encode()]
    (tree / "etc/ssh").mkdir(parents=True)
    for name in names:
        (tree / "etc/ssh" / os.fsdecode(name)).write_bytes(b"k")
    for done in (run(TEMPLATE, tree), run("--json", tree), run("--dry-run", tree, verb="clean")):
        out = done.stdout + done.stderr
        assert all(0x20 <= byte < 0x7F or byte == 0x0A for byte in out), out
        assert b"\\x1b[31m\\x0a_key" in out.replace(b"\\\\", b"\\"), out
    assert {what for what, _ in findings(tree)} == {"ssh-host-key"}
    assert run(tree, verb="clean").returncode == 0
    assert list((tree / "etc/ssh").iterdir()) == []


def test_crowded_directory(tree):
    (tree / "etc/ssh").mkdir(parents=True)
    for i in range(5000):
        (tree / f"etc/ssh/{i}").touch()
    done = run(TEMPLATE, tree)
    assert done.returncode == 74 and b"too many names" in done.stdout, done


def test_immutable(tree):
    need(IS_ROOT and shutil.which("chattr"), "not root, or no chattr")
    kept = write(tree, "var/lib/systemd/random-seed")
    write(tree, "var/lib/random-seed")
    done = subprocess.run(["chattr", "+i", kept], capture_output=True, text=True, check=False)
    need(done.returncode == 0, done.stderr.strip())
    try:
        done = run(tree, verb="clean")
    finally:
        subprocess.run(["chattr", "-i", kept], check=True)
    assert done.returncode == 74 and done.stderr.count(b"immutable") == 1, done
    assert kept.exists() and not (tree / "var/lib/random-seed").exists()


def test_read_only(tree):
    write(tree, "var/lib/systemd/random-seed")
    done = unshared('mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"; exec "$2" clean "$1"', tree, PROGRAM)
    assert done.returncode == 74 and len(done.stderr.splitlines()) == 1 and "read-only" in done.stderr, done
    assert (tree / "var/lib/systemd/random-seed").exists()


def test_running_system_is_refused(tree):
    need(IS_ROOT, "not root")
    roots = ["/", "//", "/proc/self/root", "/usr/..", "../" * 20]
    if os.access("/proc/1/root/.", os.F_OK):
        roots.append("/proc/1/root")
    for root in roots:
        # A dry run is refused, too; so this would do no harm if it were not.
        done = run("--dry-run", root, verb="clean")
        assert done.returncode == 77 and b"running system" in done.stderr, (root, done)
    done = unshared('mount --bind / "$1"; exec "$2" clean --dry-run "$1"', tree, PROGRAM)
    assert done.returncode == 77, done
    done = unshared('mount --rbind / "$1"; exec "$2" clean --dry-run "$1"', tree, PROGRAM)
    assert done.returncode == 77, done


def test_running_system_by_name(tree):
    for arguments in (("--running-system", "/"), ("--running-system", "--only=identity", "/")):
        assert run("--dry-run", *arguments, verb="clean").returncode == 64
    assert run("--dry-run", "--running-system", "--only=seeds", tree, verb="clean").returncode == 77
    assert run("--dry-run", "--running-system", "--only=seeds", "/", verb="clean").returncode in (0, 1, 74)


def test_borrowed_directories_are_refused(tree):
    """The running system's /var/lib is mounted into the tree. A private one stands in for it."""
    (tree / "var/lib").mkdir(parents=True)
    (tree / "etc").mkdir()
    write(tree, "etc/random-seed")
    done = unshared(
        'mount -t tmpfs none /var/lib; mkdir /var/lib/systemd; echo seed >/var/lib/systemd/random-seed\n'
        'mount --bind /var/lib "$1/var/lib"; status=0; "$2" clean "$1" || status=$?\n'
        'test -s /var/lib/systemd/random-seed; exit $status',
        tree, PROGRAM,
    )
    assert done.returncode == 74 and "belongs to the running system" in done.stderr, done
    assert not (tree / "etc/random-seed").exists()


# What the running system has at $elsewhere, and mounts into the tree: a script, the place in the tree.
BORROWED = {
    "a filesystem": ('mount -t tmpfs none "$elsewhere"; plant; mount --bind "$elsewhere" "$tree/efi"', "efi"),
    "a disk": ('mkfs.ext4 -q "$disk"; mount -o loop "$disk" "$elsewhere"; plant; mount "$(loop)" "$tree/efi"', "efi"),
    "a part of it": ('mount -t tmpfs none "$elsewhere"; plant; mount --bind "$elsewhere/loader" "$tree/efi/loader"', "efi"),
    "a directory": ('plant; mount --bind "$elsewhere/loader" "$tree/boot/loader"', "boot"),
    "a file": ('plant; : >"$tree/efi/loader/random-seed"\n'
               'mount --bind "$elsewhere/loader/random-seed" "$tree/efi/loader/random-seed"', "efi"),
}
BORROW = """
tree=$1 program=$2 elsewhere=$3 disk=$4
plant() { mkdir -p "$elsewhere/loader"; echo seed >"$elsewhere/loader/random-seed"; }
loop() { findmnt --noheadings --output SOURCE "$elsewhere"; }
"""


def borrow(tree, script):
    """The script in a mount and PID namespace; its answer, and what is left of the running system's seed."""
    for directory in (tree / "efi/loader", tree / "boot/loader", tree.parent / "elsewhere"):
        directory.mkdir(parents=True, exist_ok=True)
    disk = tree.parent / "disk"
    with open(disk, "wb") as stream:
        stream.truncate(4 << 20)
    script = f'{BORROW}\n{script}\necho "left: $(cat "$elsewhere/loader/random-seed" 2>&1)" >&2; exit $status'
    return unshared(script, tree, PROGRAM, tree.parent / "elsewhere", disk)


def test_what_is_mounted_elsewhere_is_refused(tree):
    for name, (script, place) in BORROWED.items():
        if "loop" in script:
            need(shutil.which("mkfs.ext4") and os.path.exists("/dev/loop-control"), "no loop device, or no mkfs.ext4")
        for option in ("--dry-run", ""):
            done = borrow(tree, f'{script}\nstatus=0; "$program" clean {option} --only=seeds "$tree" || status=$?')
            assert done.returncode == 74 and "left: seed" in done.stderr, (name, done)
            assert f"not touch /{place}/loader/random-seed" in done.stdout, (name, done)
            where = "/" if name in ("a directory", "a file") else str(tree.parent / "elsewhere")
            told = f"/{place}/loader/random-seed stays: belongs to the running system, which has this filesystem mounted at"
            assert told in done.stderr and f" {where}" in done.stderr, (name, done)
        shutil.rmtree(tree / "boot", ignore_errors=True)


def test_what_is_mounted_elsewhere_by_another_namespace(tree):
    """The tree is put together in a namespace of its own, as image builders do it."""
    clean = 'status=0; unshare --mount sh -euc "$inner" sh "$@" || status=$?'
    inner = """inner='tree=$1; {}; exec "$2" clean --only=seeds "$1"'\n"""
    mounted = 'mount -t tmpfs none "$elsewhere"; plant\n'
    done = borrow(tree, mounted + inner.format('mount --bind "$3" "$tree/efi"') + clean)
    assert done.returncode == 74 and "left: seed" in done.stderr, done
    # Mounted twice, but for this tree only.
    private = 'mount -t tmpfs none "$3"; mkdir "$3/loader"; echo x >"$3/loader/random-seed"; mount --bind "$3" "$1/efi"'
    done = borrow(tree, inner.format(private) + clean)
    assert done.returncode == 0 and "1 done, 0 failed, 0 findings left" in done.stdout, done


def test_what_is_mounted_in_the_tree_alone_is_cleaned(tree):
    script = """
    mount -t tmpfs none "$tree/efi"; mkdir "$tree/efi/loader" "$tree/boot/efi"; echo x >"$tree/efi/loader/random-seed"
    mount --bind "$tree/efi" "$tree/boot/efi"; mkdir other; mount --rbind "$tree" other
    status=0; "$program" clean --only=seeds "$tree" || status=$?; ls "$tree/efi/loader"
    """
    done = borrow(tree, f'cd "$4-directory" 2>/dev/null || {{ mkdir "$4-directory"; cd "$4-directory"; }}\n{script}')
    assert done.returncode == 0 and "2 done, 0 failed, 0 findings left" in done.stdout, done


def test_an_esp_that_is_mounted_when_looked_at(tree):
    """As systemd has it: at the time of the call the host's ESP is mounted in the tree alone."""
    need(shutil.which("mkfs.ext4") and os.path.exists("/dev/loop-control"), "no loop device, or no mkfs.ext4")
    with open("/proc/filesystems", encoding="ascii") as stream:
        need("autofs" in stream.read(), "no autofs")
    disk = tree.parent / "disk"
    with open(disk, "wb") as stream:
        stream.truncate(4 << 20)
    (tree / "efi").mkdir()
    done = unshared(
        'mkfs.ext4 -q "$3"; mount -o loop "$3" "$1/efi"; mkdir "$1/efi/loader"; echo x >"$1/efi/loader/random-seed"\n'
        'mount -t tmpfs none /boot; mkdir /boot/efi; python3 "$4" /boot/efi "$1/efi" >/boot/told &\n'
        'for i in $(seq 200); do test -s /boot/told && break; sleep 0.05; done; grep -q ready /boot/told || exit 99\n'
        'status=0; "$2" clean --only=seeds "$1" || status=$?; kill $!; cat "$1/efi/loader/random-seed"; exit $status',
        tree, PROGRAM, disk, HERE / "automount.py",
    )
    need(done.returncode != 99, f"autofs cannot be mounted here: {done.stderr}")
    assert done.returncode == 74 and "mounted at /boot/efi" in done.stderr and done.stdout.endswith("x\n"), done


def test_the_mark_of_a_file_that_is_shared_by_hard_links(tree):
    """cp -al of the running system: the mark is in the file that both have."""
    mark = f'python3 -c "import os, sys; os.setxattr(sys.argv[1], {MARK!r}, b\'1\')"'
    has_mark = f'python3 -c "import os, sys; sys.exit({MARK!r} not in os.listxattr(sys.argv[1]))"'
    done = unshared(
        'mount -t tmpfs none /var/lib; mkdir -p /var/lib/systemd /var/lib/tree/usr/lib /var/lib/tree/var/lib/systemd\n'
        'cd /var/lib; echo ID=x >tree/usr/lib/os-release; echo seed >systemd/random-seed\n'
        f'ln systemd/random-seed tree/var/lib/systemd/; {mark} systemd/random-seed || exit 99\n'
        f'"$1" clean tree; test ! -e tree/var/lib/systemd/random-seed; {has_mark} systemd/random-seed',
        PROGRAM,
    )
    need(done.returncode != 99, f"no attributes here: {done.stderr}")
    assert done.returncode == 0, done


def test_a_volatile_run_is_no_part(tree):
    write(tree, "run/guest-entropy/rngd.lock")
    write(tree, "etc/random-seed")
    done = unshared(
        'mount -t tmpfs none "$1/run"; mkdir "$1/run/guest-entropy"; : >"$1/run/guest-entropy/rngd.sock"\n'
        '"$2" clean "$1"; test -e "$1/run/guest-entropy/rngd.sock"',
        tree, PROGRAM,
    )
    assert done.returncode == 0, done
    assert findings(tree) == {("guest-entropy-state", "/run/guest-entropy/rngd.lock")}


def test_a_hosts_root_in_a_container(tree):
    """Not our root, but that of the PID 1 whose /proc is mounted in it."""
    script = (
        'mount --rbind / "$1"; mkdir -p "$3/proc"; mount --rbind "$1/proc" "$1/proc"\n'
        'exec "$2" clean --dry-run "$1"'
    )
    other = tree.parent / "other"
    done = unshared(script, tree, PROGRAM, other)
    assert done.returncode == 77, done


def test_nothing_in_the_tree_is_run(tree):
    marker = tree.parent / "was-run"
    for tool in ("usr/bin/lsinitramfs", "usr/bin/lsinitrd", "usr/bin/zstd", "usr/bin/cpio", "usr/bin/sh"):
        write(tree, tool, f"#!/bin/sh\ntouch {marker}\n", 0o755)
    write(tree, "boot/config-6.1", "CONFIG_HW_RANDOM_VIRTIO=m\n")
    write(tree, "boot/initrd.img-6.1")
    env = dict(os.environ, PATH=f"{tree}/usr/bin", TMPDIR=str(tree), BASH_ENV=str(tree / "usr/bin/sh"))
    assert run(tree, env=env).returncode == 1
    assert not marker.exists()
