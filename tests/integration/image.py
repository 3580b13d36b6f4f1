#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""entropy-seeder image on small trees, friendly and hostile ones.

    image.py ENTROPY-SEEDER

Everything happens in a temporary folder; what needs mounts gets a mount namespace of its own.
"""

import ctypes
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time

SEEDER = pathlib.Path(sys.argv[1]).resolve()
MARK = "user.random-seed-creditable"
TEMPLATE = "--only=seeds,identity"
RACE_SECONDS = 3
IS_ROOT = os.geteuid() == 0


class Skip(Exception):
    """This machine cannot try it; the message says why."""


def need(condition, why):
    if not condition:
        raise Skip(why)


def run(*arguments, verb="check", env=None, prefix=()):
    return subprocess.run(
        [*prefix, SEEDER, "image", verb, *arguments],
        capture_output=True,
        timeout=100,
        check=False,
        env=env,
    )


def items(tree, *options):
    done = run("--json", "--verbose", *options, tree)
    assert done.returncode in (0, 1, 74), done
    return json.loads(done.stdout)["items"]


def findings(tree, *options, states=("finding",)):
    found = items(tree, *(options or (TEMPLATE,)))
    return {(item["id"], item["path"]) for item in found if item["state"] in states}


def write(tree, name, content=b"0123456789abcdef" * 2, mode=0o600):
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


def set_mark(path):
    try:
        os.setxattr(path, MARK, b"1")
    except OSError as e:
        raise Skip(f"no user attributes here: {e}") from e


def snapshot(folder):
    """All that a cleaner could change: names, kinds, content, times."""
    seen = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = None
        if stat.S_ISREG(status.st_mode) and status.st_size < 1 << 20:
            content = path.read_bytes()
        seen[str(path.relative_to(folder))] = (status.st_mode, status.st_mtime_ns, content)
    return seen


def unshared(script, *arguments):
    """sh in a mount and PID namespace of its own, in which it is PID 1."""
    need(IS_ROOT, "not root")
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-euc", script, "sh", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    need("unshare failed" not in done.stderr, done.stderr.strip())
    return done


# Each: what is planted, and what it is called.
CONTAMINATION = {
    "var/lib/guest-entropy/seed": "own-state",
    "var/lib/guest-entropy/seed.credit": "own-state",
    "var/lib/guest-entropy/.seen.new": "own-state",
    "run/guest-entropy/seeder.json": "own-state",
    "var/lib/systemd/random-seed": "systemd-seed",
    "efi/loader/random-seed": "esp-seed",
    "boot/efi/loader/random-seed": "esp-seed",
    "boot/loader/random-seed": "esp-seed",
    "var/lib/seedrng/seed.credit": "seedrng-seed",
    "var/lib/seedrng/seed.no-credit": "seedrng-seed",
    "var/lib/urandom/random-seed": "urandom-seed",
    "var/lib/misc/random-seed": "openrc-seed",
    "var/lib/random-seed": "urandom-seed",
    "etc/random-seed": "urandom-seed",
    "etc/urandom.seed": "urandom-seed",
    "var/lib/systemd/credential.secret": "credential-secret",
    "etc/ssh/ssh_host_ed25519_key": "ssh-host-key",
    "etc/ssh/ssh_host_ed25519_key.pub": "ssh-host-key",
    "etc/dropbear/dropbear_rsa_host_key": "ssh-host-key",
}
SPECIAL = {
    "var/cache/pollinate/seeded": ("pollinate-flag", b""),
    "var/lib/cloud/instances/i-1/obj.pkl": ("cloud-init-seed", b"\x80\x04" + b"x" * 9000 + b"random_seed" + b"y"),
    "run/cloud-init/instance-data-sensitive.json": ("cloud-init-seed", b'{"ds": {"random_seed": "aa"}}'),
    "etc/machine-id": ("machine-id", b"0123456789abcdef0123456789abcdef\n"),
    "var/lib/dbus/machine-id": ("dbus-id", b"0123456789abcdef0123456789abcdef\n"),
}
INNOCENT = {
    "etc/hostname": b"template\n",
    "etc/ssh/sshd_config": b"",
    "var/lib/cloud/instances/i-1/cloud-config.txt": b"#cloud-config\n",
    "var/lib/systemd/random-seed.md": b"no seed",
    "usr/bin/true": b"",
}


def contaminate(tree):
    for name in CONTAMINATION:
        write(tree, name)
    for name, (_, content) in SPECIAL.items():
        write(tree, name, content)
    for name, content in INNOCENT.items():
        write(tree, name, content, 0o644)


def test_empty_tree_is_clean(tree):
    done = run(TEMPLATE, tree)
    assert done.returncode == 0, done
    done = run("--dry-run", tree, verb="clean")
    assert done.returncode == 0 and done.stdout == b"0 would be done, 0 failed, 0 findings left\n", done


def test_each_contamination_is_found_alone(tree):
    planted = {name: (what, b"0123456789abcdef" * 2) for name, what in CONTAMINATION.items()} | SPECIAL
    for name, (what, content) in planted.items():
        path = write(tree, name, content)
        found = findings(tree)
        assert {f for f in found if f[0] != "esp-seed-mode"} == {(what, f"/{name}")}, (name, found)
        assert run(TEMPLATE, tree).returncode == 1
        path.unlink()
    assert run(TEMPLATE, tree).returncode == 0


def test_clean_removes_all_and_nothing_else(tree):
    contaminate(tree)
    done = run(tree, verb="clean")
    assert done.returncode == 0, done
    left = {name for name, (mode, _, _) in snapshot(tree).items() if stat.S_ISREG(mode)}
    assert left == set(INNOCENT) | {"etc/machine-id"}, left
    assert (tree / "etc/machine-id").read_bytes() == b"uninitialized\n"
    assert stat.S_IMODE((tree / "etc/machine-id").stat().st_mode) == 0o444
    assert run(TEMPLATE, tree).returncode == 0
    again = run(tree, verb="clean")
    assert again.returncode == 0 and b"0 done" in again.stdout, again


def test_dry_run_changes_nothing(tree):
    contaminate(tree)
    before = snapshot(tree)
    done = run("--dry-run", tree, verb="clean")
    assert done.returncode == 1, done
    assert snapshot(tree) == before
    for name in (*CONTAMINATION, *SPECIAL):
        word = "reset" if name == "etc/machine-id" else "remove"
        assert f"would {word} /{name} (".encode() in done.stdout, (name, done.stdout)


def test_plan_comes_before_deed(tree):
    need(shutil.which("strace"), "no strace")
    write(tree, "var/lib/systemd/random-seed")
    trace = tree.parent / "trace"
    run(tree, verb="clean", prefix=("strace", "-f", "-o", trace, "-e", "trace=write,unlinkat"))
    lines = trace.read_text().splitlines()
    told = next(i for i, line in enumerate(lines) if "will remove" in line)
    done = next(i for i, line in enumerate(lines) if "unlinkat(" in line and "random-seed" in line)
    assert told < done, lines


def test_json_of_clean(tree):
    contaminate(tree)
    done = run("--json", tree, verb="clean")
    document = json.loads(done.stdout)
    assert document["verb"] == "clean" and document["dry_run"] is False and document["complete"] is True
    outcomes = {item["path"]: item["outcome"] for item in document["items"] if item["action"] != "none"}
    assert set(outcomes.values()) == {"done"}, outcomes
    assert b"will remove" in done.stderr


def test_groups(tree):
    contaminate(tree)
    assert {what for what, _ in findings(tree, "--only=identity")} == {
        "machine-id", "dbus-id", "ssh-host-key", "credential-secret",
    }
    assert run("--only=seeds", tree, verb="clean").returncode == 0
    assert (tree / "etc/machine-id").read_bytes() != b"uninitialized\n"
    assert (tree / "etc/ssh/ssh_host_ed25519_key").exists()
    assert not (tree / "var/lib/systemd/random-seed").exists()


def test_machine_id_forms(tree):
    for content, state in (
        (b"uninitialized\n", "ok"), (b"uninitialized", "ok"), (b"", "finding"), (b"\n", "finding"),
        (b"0" * 32 + b"\n", "finding"), (b"uninitialised\n", "finding"), (b"x" * 5000, "finding"),
    ):
        write(tree, "etc/machine-id", content)
        (item,) = [item for item in items(tree, "--only=identity") if item["id"] == "machine-id"]
        assert item["state"] == state, (content, item)
        assert (content.strip() != b"") or "first-boot" in item["detail"], item
        assert run(tree, verb="clean").returncode == 0
        assert (tree / "etc/machine-id").read_bytes().strip() == b"uninitialized"
    (tree / "etc/machine-id").unlink()
    assert run(TEMPLATE, tree).returncode == 0


def test_machine_id_temporary_is_no_trap(tree):
    """The name that is written to first was put there: a link out, a FIFO, a second name."""
    outside = write(tree.parent, "outside", b"precious")
    temporary = tree / "etc/.machine-id.guest-entropy"
    for plant in (temporary.symlink_to, temporary.hardlink_to, lambda _: os.mkfifo(temporary)):
        write(tree, "etc/machine-id", b"0" * 32)
        plant(outside)
        assert run(tree, verb="clean").returncode == 0
        assert (tree / "etc/machine-id").read_bytes() == b"uninitialized\n"
        assert outside.read_bytes() == b"precious" and not temporary.exists()


def test_dbus_link_is_fine(tree):
    (tree / "var/lib/dbus").mkdir(parents=True)
    (tree / "var/lib/dbus/machine-id").symlink_to("/etc/machine-id")
    write(tree, "etc/machine-id", b"uninitialized\n")
    assert run(TEMPLATE, tree).returncode == 0


def test_empty_seeds_are_no_seeds(tree):
    write(tree, "var/lib/systemd/random-seed", b"")
    assert run(TEMPLATE, tree).returncode == 0


def test_creditable_mark(tree):
    seed = write(tree, "var/lib/systemd/random-seed")
    set_mark(seed)
    other = tree / "var/lib/other-name"
    other.hardlink_to(seed)
    found = findings(tree)
    path = "/var/lib/systemd/random-seed"
    assert found == {("creditable-mark", path), ("systemd-seed", path)}, found
    assert b"2 hard links" in run(TEMPLATE, tree).stdout
    assert run(tree, verb="clean").returncode == 0
    assert not seed.exists() and MARK not in os.listxattr(other)
    assert other.read_bytes() == b"0123456789abcdef" * 2


def test_esp_mode(tree):
    seed = write(tree, "efi/loader/random-seed", mode=0o755)
    assert ("esp-seed-mode", "/efi/loader/random-seed") in findings(tree)
    seed.chmod(0o700)
    assert {what for what, _ in findings(tree)} == {"esp-seed"}
    notes = findings(tree, states=("note",))
    assert ("loader-system-token", None) in notes, notes


def test_left_to_the_administrator(tree):
    write(tree, "var/lib/cloud/seed/config_drive/openstack/latest/meta_data.json", b'{"random_seed":"aa"}')
    write(tree, "etc/credstore/entropy.seed")
    before = snapshot(tree)
    done = run(tree, verb="clean")
    assert done.returncode == 1 and done.stdout.count(b"leave to you") == 2, done
    assert snapshot(tree) == before


def escape_plants(tree, outside):
    relative = "../" * 20 + str(outside).lstrip("/")
    return {
        "absolute folder": ("var/lib/systemd", str(outside)),
        "relative folder": ("var/lib/systemd", relative),
        "magic folder": ("var/lib/systemd", f"/proc/self/root{outside}"),
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
        (tree / link).parent.mkdir(parents=True, exist_ok=True)
        (tree / link).symlink_to(target)
        done = run(TEMPLATE, tree)
        assert done.returncode in (0, 74), (name, done)  # nothing of the outside is seen
        done = run(tree, verb="clean")
        assert done.returncode in (0, 74), (name, done)
        assert snapshot(outside) == before, name


def test_magic_links_of_a_mounted_proc(tree):
    outside = make_outside(tree)
    for folder in ("proc", "var/lib"):
        (tree / folder).mkdir(parents=True)
    (tree / "var/lib/systemd").symlink_to(f"/proc/self/root{outside}")
    (tree / "etc").symlink_to(f"/proc/1/root{outside}")
    before = snapshot(outside)
    done = unshared(
        'mount -t proc proc "$1/proc"; "$2" image clean "$1" && exit 1; "$2" image check --only=seeds "$1"',
        tree, SEEDER,
    )
    assert done.returncode == 74, done
    assert snapshot(outside) == before


def test_links_within_the_tree(tree):
    """Absolute links mean the tree's own folders, as they do when it boots."""
    write(tree, "data/lib/systemd/random-seed")
    (tree / "var").symlink_to("/data")
    assert findings(tree) == {("systemd-seed", "/var/lib/systemd/random-seed")}
    assert run(tree, verb="clean").returncode == 0
    assert not (tree / "data/lib/systemd/random-seed").exists()

    seed = write(tree, "data/elsewhere")
    (tree / "data/lib/systemd/random-seed").symlink_to("/data/elsewhere")
    done = run(tree, verb="clean")
    assert done.returncode == 1 and b"leave to you: /var/lib/systemd/random-seed" in done.stdout, done
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


def test_race_of_a_folder(tree):
    """var/lib/systemd is a folder, then a link out of the tree, thousands of times a second."""
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


def test_fifos_devices_and_folders(tree):
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


def test_crowded_folder(tree):
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
    done = unshared('mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"; exec "$2" image clean "$1"', tree, SEEDER)
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
    done = unshared('mount --bind / "$1"; exec "$2" image clean --dry-run "$1"', tree, SEEDER)
    assert done.returncode == 77, done
    done = unshared('mount --rbind / "$1"; exec "$2" image clean --dry-run "$1"', tree, SEEDER)
    assert done.returncode == 77, done


def test_running_system_by_name(tree):
    for arguments in (("--running-system", "/"), ("--running-system", "--only=identity", "/")):
        assert run("--dry-run", *arguments, verb="clean").returncode == 64
    assert run("--dry-run", "--running-system", "--only=seeds", tree, verb="clean").returncode == 77
    assert run("--dry-run", "--running-system", "--only=seeds", "/", verb="clean").returncode in (0, 1, 74)


def test_borrowed_folders_are_refused(tree):
    """The running system's /var/lib is mounted into the tree. A private one stands in for it."""
    (tree / "var/lib").mkdir(parents=True)
    (tree / "etc").mkdir()
    write(tree, "etc/random-seed")
    done = unshared(
        'mount -t tmpfs none /var/lib; mkdir /var/lib/systemd; echo seed >/var/lib/systemd/random-seed\n'
        'mount --bind /var/lib "$1/var/lib"; status=0; "$2" image clean "$1" || status=$?\n'
        'test -s /var/lib/systemd/random-seed; exit $status',
        tree, SEEDER,
    )
    assert done.returncode == 74 and "belongs to the running system" in done.stderr, done
    assert not (tree / "etc/random-seed").exists()


def test_a_volatile_run_is_no_part(tree):
    write(tree, "run/guest-entropy/rngd.lock")
    write(tree, "etc/random-seed")
    done = unshared(
        'mount -t tmpfs none "$1/run"; mkdir "$1/run/guest-entropy"; : >"$1/run/guest-entropy/rngd.sock"\n'
        '"$2" image clean "$1"; test -e "$1/run/guest-entropy/rngd.sock"',
        tree, SEEDER,
    )
    assert done.returncode == 0, done
    assert findings(tree) == {("own-state", "/run/guest-entropy/rngd.lock")}


def test_a_hosts_root_in_a_container(tree):
    """Not our root, but that of the PID 1 whose /proc is mounted in it."""
    script = (
        'mount --rbind / "$1"; mkdir -p "$3/proc"; mount --rbind "$1/proc" "$1/proc"\n'
        'exec "$2" image clean --dry-run "$1"'
    )
    other = tree.parent / "other"
    done = unshared(script, tree, SEEDER, other)
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


CONFIG = "CONFIG_HW_RANDOM=y\nCONFIG_HW_RANDOM_VIRTIO={}\nCONFIG_VMGENID=y\nCONFIG_RANDOM_TRUST_CPU=y\n"


def equipment(tree, *wanted_states):
    found = items(tree, "--only=equipment")
    return {item["id"] for item in found if item["state"] in wanted_states}


def test_kernels(tree):
    config = write(tree, "boot/config-6.1", CONFIG.format("y") + "# CONFIG_RANDOM_TRUST_BOOTLOADER is not set\n")
    assert {"virtio-rng", "config-hw-random", "config-vmgenid", "config-trust-cpu"} <= equipment(tree, "ok")
    assert "config-trust-bootloader" in equipment(tree, "note")
    config.write_text(CONFIG.format("n"))
    assert "virtio-rng" in equipment(tree, "finding")
    config.write_text("# CONFIG_HW_RANDOM is not set\n")
    assert "config-hw-random" in equipment(tree, "finding")
    assert "config-vmgenid" in equipment(tree, "note")
    config.unlink()
    write(tree, "usr/lib/modules/6.1/modules.builtin", "kernel/drivers/char/hw_random/virtio-rng.ko\n")
    assert {"virtio-rng", "initramfs-virtio-rng"} <= equipment(tree, "ok")
    assert "kernel-config" in equipment(tree, "unknown")


def test_initramfs_that_cannot_be_read(tree):
    write(tree, "boot/config-6.1", CONFIG.format("m"))
    write(tree, "boot/initrd.img-6.1", os.urandom(4096))
    assert {"initramfs-virtio-rng", "initramfs-seeder"} <= equipment(tree, "unknown")


def test_services(tree):
    empty = equipment(tree, "finding")
    assert {"program-rngd", "program-seeder", "initramfs-hook", "unit"} <= empty, empty
    write(tree, "usr/sbin/rngd", b"\x7fELF/etc/guest-entropy.conf\0")
    write(tree, "usr/bin/entropy-seeder")
    write(tree, "usr/share/initramfs-tools/hooks/guest-entropy")
    write(tree, "usr/lib/systemd/systemd")
    wants = tree / "etc/systemd/system/sysinit.target.wants"
    wants.mkdir(parents=True)
    for unit in ("rngd.service", "entropy-seeder.service", "entropy-seeder-save.service"):
        assert "unit" in equipment(tree, "finding")
        write(tree, f"usr/lib/systemd/system/{unit}", "[Service]\nExecStart=/usr/sbin/rngd -f\n")
        (wants / unit).symlink_to(f"/usr/lib/systemd/system/{unit}")
    assert equipment(tree, "finding") == set()
    (tree / "etc/systemd/system/rngd.service").symlink_to("/dev/null")
    assert equipment(tree, "finding") == {"unit"}


def test_rivals(tree):
    write(tree, "usr/lib/systemd/system/haveged.service", "[Service]\n")
    assert "rival" in equipment(tree, "note") and "rival" not in equipment(tree, "finding")
    wants = tree / "etc/systemd/system/sysinit.target.wants"
    wants.mkdir(parents=True)
    (wants / "haveged.service").symlink_to("/lib/systemd/system/haveged.service")
    assert "rival" in equipment(tree, "finding")
    write(tree, "usr/sbin/rngd", b"\x7fELF rng-tools")
    assert "program-rngd" in equipment(tree, "finding")


def test_rngd_that_feeds_itself(tree):
    for name, bad, good in (
        ("etc/sysconfig/rngd", 'RNGD_ARGS="-r /dev/urandom"\n', 'RNGD_ARGS="-r /dev/hwrng -o /dev/random"\n'),
        ("etc/default/rng-tools-debian", "HRNGDEVICE=/dev/urandom\n", "#HRNGDEVICE=/dev/urandom\n"),
        ("etc/conf.d/rngd", "RNGD_OPTS=--rng-device=/dev/random\n", "RNGD_OPTS=-x nist\n"),
        ("etc/systemd/system/rngd.service.d/a.conf", "[Service]\nExecStart=/usr/sbin/rngd -fr \\\n /dev/urandom\n",
         "[Service]\n# rngd -r /dev/urandom\n"),
        ("etc/guest-entropy.conf", "[hwrng]\npath = /dev/urandom\n", "[hwrng]\npath = /dev/hwrng\n"),
    ):
        path = write(tree, name, bad)
        assert "rngd-feeds-itself" in equipment(tree, "finding"), name
        path.write_text(good)
        assert "rngd-feeds-itself" not in equipment(tree, "finding"), name
    write(tree, "etc/kernel/cmdline", "root=/dev/vda systemd.random_seed=AAAA\n")
    assert "boot-seed" in equipment(tree, "finding")


def test_usage(tree):
    for arguments in ((), ("check",), ("frob", tree), ("check", tree, tree), ("check", "--frob", tree),
                      ("check", "--dry-run", tree), ("clean", "--verbose", tree), ("check", "--only=", tree),
                      ("check", "--only=seeds,frob", tree), ("clean", "--only=equipment", tree)):
        done = subprocess.run([SEEDER, "image", *arguments], capture_output=True, check=False, timeout=20)
        assert done.returncode == 64 and done.stderr and not done.stdout, (arguments, done)
    assert run(tree / "absent").returncode == 66
    assert run(write(tree, "file")).returncode == 66
    done = subprocess.run([SEEDER, "image", "--help"], capture_output=True, check=True, timeout=20)
    assert b"usage:" in done.stdout


def test_full_output(tree):
    need(os.path.exists("/dev/full"), "no /dev/full")
    contaminate(tree)
    with open("/dev/full", "wb") as full:
        for arguments in (("check", tree), ("check", "--json", tree), ("clean", tree)):
            done = subprocess.run([SEEDER, "image", *arguments], stdout=full, stderr=subprocess.PIPE, check=False)
            assert done.returncode == 74, (arguments, done)
    assert (tree / "var/lib/systemd/random-seed").exists()  # no deed without having told


def main():
    n = {"ok": 0, "not ok": 0, "skip": 0}
    tests = [(name[5:].replace("_", " "), test) for name, test in globals().items() if name.startswith("test_")]
    for number, (name, test) in enumerate(tests, 1):
        with tempfile.TemporaryDirectory(prefix="image-") as folder:
            tree = pathlib.Path(folder, "tree")
            tree.mkdir()
            result, note = "ok", ""
            try:
                test(tree)
                n["ok"] += 1
            except Skip as e:
                result, note = ("not ok", "") if os.environ.get("MUST_WORK") == "1" else ("ok", f" # SKIP {e}")
                n["not ok" if result == "not ok" else "skip"] += 1
            except (AssertionError, OSError, ValueError, subprocess.SubprocessError) as e:
                result = "not ok"
                n["not ok"] += 1
                note = f"\n#   {type(e).__name__}: {str(e)[:2000]}"
                note += f"\n#   line {e.__traceback__.tb_next.tb_lineno}"
        print(f"{result} {number} - {name}{note}", flush=True)
    print(f"# counts passed={n['ok']} failed={n['not ok']} skipped={n['skip']}")
    return 1 if n["not ok"] else 0 if n["ok"] else 77


sys.exit(main())
