#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""entropy-image and its hooks on a real Debian 12 tree.

    image-debian.py ENTROPY-IMAGE ENTROPY-SEEDER

The tree (systemd, cloud kernel, initramfs-tools, cloud-init) is made once by mmdebstrap, with this
machine's own sources, and kept as a tar in KERNEL_CACHE. Each run unpacks it into a temporary
directory. The hooks run as their owners run them: cloud-init's by `cloud-init clean` in a chroot, the
one of diskimage-builder by run-parts in a chroot, mkosi's with $BUILDROOT.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

PROGRAM, SEEDER = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
SOURCE = pathlib.Path(__file__).resolve().parents[2]
HOOKS = SOURCE / "seeder/image/hooks"
MARK = "user.random-seed-creditable"
TEMPLATE = "--only=seeds,identity"

sys.dont_write_bytecode = True
sys.path.insert(0, str(SOURCE / "tests/vm"))

from harness import debian  # noqa: E402

results = {"passed": 0, "failed": 0, "skipped": 0}


class Skip(Exception):
    """This machine cannot try it; the message says why."""


def case(name, complaint=None, skipped=None):
    if skipped and os.environ.get("MUST_WORK") == "1":
        complaint = f"cannot run here: {skipped}"
    result = "failed" if complaint else "skipped" if skipped else "passed"
    results[result] += 1
    note = f" # SKIP {skipped}" if result == "skipped" else ""
    print(f"{'not ok' if complaint else 'ok'} {sum(results.values())} - {name}{note}")
    for line in str(complaint or "")[:4000].splitlines():
        print(f"#   {line}")
    sys.stdout.flush()


def run(*arguments, verb="check"):
    return subprocess.run([PROGRAM, verb, *arguments], capture_output=True, timeout=200, check=False)


def items(tree, *options):
    done = run("--json", *options, tree)
    if done.returncode not in (0, 1):
        raise AssertionError(done)
    return json.loads(done.stdout)["items"]


def ids(tree, state, *options):
    return {item["id"] for item in items(tree, *options) if item["state"] == state}


def in_chroot(tree, script, *arguments):
    """sh in the tree, below a PID 1 whose root is another, as in a builder."""
    outer = (
        'tree=$1; shift; mount --bind "$tree" "$tree"; mount -t proc proc "$tree/proc"\n'
        'mount -t tmpfs tmpfs "$tree/run"; chroot "$tree" sh -euc "$@" || exit $?; exit 0'
    )
    return subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-euc", outer, "sh", tree, script, "sh", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DIB_DEBUG_TRACE": "0"},
    )


PLANTS = {
    "guest-entropy-state": "var/lib/guest-entropy/seed",
    "systemd-seed": "var/lib/systemd/random-seed",
    "esp-seed": "boot/efi/loader/random-seed",
    "seedrng-seed": "var/lib/seedrng/seed.credit",
    "urandom-seed": "var/lib/urandom/random-seed",
    "openrc-seed": "var/lib/misc/random-seed",
    "pollinate-flag": "var/cache/pollinate/seeded",
    "cloud-init-seed": "var/lib/cloud/instances/i-7/obj.pkl",
    "credential-secret": "var/lib/systemd/credential.secret",
    "ssh-host-key": "etc/ssh/ssh_host_ed25519_key",
    "dbus-id": "var/lib/dbus/machine-id",
    "machine-id": "etc/machine-id",
}
SEED_IDS = {what for what in PLANTS if what not in ("credential-secret", "ssh-host-key", "dbus-id", "machine-id")}


def contaminate(tree):
    """As a machine that booted the tree would leave it."""
    for what, name in PLANTS.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(b"random_seed" + os.urandom(32))
        path.chmod(0o600)
        if what.endswith("-id"):
            path.write_text("0123456789abcdef0123456789abcdef\n")
    seed = tree / PLANTS["systemd-seed"]
    seed.chmod(0o600)
    os.setxattr(seed, MARK, b"1")


def names(tree):
    return {str(path.relative_to(tree)) for path in tree.rglob("*")}


def try_setup(tree):
    found = {item["id"]: item for item in items(tree, "--verbose", "--only=setup")}
    lister = shutil.which("lsinitramfs") or shutil.which("lsinitrd")
    wanted = {
        "virtio-rng": "ok",
        "config-hw-random": "ok",
        "config-vmgenid": "note",
        "initramfs-virtio-rng": "finding" if lister else "unknown",
        "initramfs-seeder": "finding" if lister else "unknown",
        "program-rngd": "finding",
        "unit": "finding",
    }
    wrong = {what: found.get(what) for what, state in wanted.items() if found.get(what, {}).get("state") != state}
    case("setup of plain Debian", wrong)
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", PROGRAM, "check", "--json", "--only=setup", tree],
        capture_output=True, timeout=200, check=False,
    )
    if done.returncode != 1:
        case("as root of a user namespace", skipped=done.stderr.decode().strip() or "no user namespaces")
    else:
        states = {item["id"]: item["state"] for item in json.loads(done.stdout)["items"]}
        wanted_state = wanted["initramfs-virtio-rng"]
        case("as root of a user namespace", states["initramfs-virtio-rng"] != wanted_state and states)
    if not lister:
        case("an initramfs with virtio_rng", skipped="neither lsinitramfs nor lsinitrd")
        return

    (tree / "etc/initramfs-tools/modules").write_text("virtio_rng\n")
    hook = tree / "etc/initramfs-tools/hooks/guest-entropy"
    hook.write_text(
        '#!/bin/sh\n[ "$1" != prereqs ] || exit 0\n. /usr/share/initramfs-tools/hook-functions\n'
        "copy_exec /usr/bin/entropy-seeder /usr/bin\n"
    )
    hook.chmod(0o755)
    done = in_chroot(tree, "update-initramfs -u")
    states = {item["id"]: item["state"] for item in items(tree, "--verbose", "--only=setup")}
    wrong = {
        what: states.get(what)
        for what in ("initramfs-virtio-rng", "initramfs-seeder", "initramfs-hook", "program-seeder")
        if states.get(what) != "ok"
    }
    case("an initramfs with virtio_rng and entropy-seeder", wrong and (wrong, done))


def try_dracut(tree):
    dracut, lsinitrd = shutil.which("dracut"), shutil.which("lsinitrd")
    if not dracut or not lsinitrd:
        case("an initramfs of dracut", skipped="no dracut (package dracut-core)")
        return
    (initramfs,) = (tree / "boot").glob("initrd.img-*")
    version = initramfs.name.removeprefix("initrd.img-")
    kept = initramfs.read_bytes()
    try:
        for modules, wanted in (("virtio_rng", "ok"), ("virtio_blk", "finding")):
            done = subprocess.run(
                [dracut, "--force", "--no-hostonly", "--no-early-microcode", "--modules", "base", "--drivers", modules,
                 "--kmoddir", tree / "lib/modules" / version, "--tmpdir", tree.parent, initramfs, version],
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            if done.returncode:
                case("an initramfs of dracut", skipped=f"dracut fails here: {done.stderr.strip()[-300:]}")
                return
            states = {item["id"]: item["state"] for item in items(tree, "--verbose", "--only=setup")}
            case(
                f"an initramfs of dracut with {modules}",
                None if states["initramfs-virtio-rng"] == wanted else (states, done),
            )
    finally:
        initramfs.write_bytes(kept)


def try_clean(tree):
    contaminate(tree)
    found = ids(tree, "finding", TEMPLATE)
    missing = (set(PLANTS) | {"systemd-seed-creditable"}) - found
    case("each contamination is found", missing)

    before = names(tree)
    done = run("--dry-run", tree, verb="clean")
    case("a dry run changes nothing", names(tree) != before or done.returncode != 1)

    done = run(tree, verb="clean")
    gone = before - names(tree)
    planted = set(PLANTS.values()) - {"etc/machine-id"}
    extra = {name for name in gone - planted if not name.startswith("etc/ssh/ssh_host_")}
    case("clean cleans", done.returncode and done)
    case("clean removes what was planted", planted - gone)
    case("clean removes nothing else", extra or names(tree) - before)
    case("a clean tree checks as clean", ids(tree, "finding", TEMPLATE))
    case("machine-id asks for a first boot", (tree / "etc/machine-id").read_text() != "uninitialized\n")


def try_cloud_init(tree):
    contaminate(tree)
    shutil.copy(HOOKS / "cloud-init-clean", tree / "etc/cloud/clean.d/90_guest-entropy")
    done = in_chroot(tree, "cloud-init clean")
    left = ids(tree, "finding", TEMPLATE)
    case("cloud-init clean runs its hook", done.returncode and done)
    case("cloud-init clean leaves no seed", left & SEED_IDS and (left, done))
    kept = {"machine-id", "ssh-host-key", "credential-secret"} - left
    case("cloud-init clean alone keeps the identity", kept and (kept, done))
    # cloud-init tells of a hook that fails.
    (tree / "usr/bin/entropy-image").rename(tree / "usr/bin/away")
    done = in_chroot(tree, "cloud-init clean")
    (tree / "usr/bin/away").rename(tree / "usr/bin/entropy-image")
    case("a hook without its program is noticed", done.returncode == 0 and done)
    (tree / "etc/cloud/clean.d/90_guest-entropy").unlink()


def try_cloud_init_running(tree):
    """The tree as the root of PID 1, with a systemctl that only takes note."""
    contaminate(tree)
    shutil.copy(HOOKS / "cloud-init-clean", tree / "root/hook")
    script = (
        'mount --bind "$1" "$1"; cd "$1"; mount -t tmpfs tmpfs run; mkdir -p run/systemd/system run/bin old\n'
        "printf '#!/bin/sh\\necho \"$@\" >>/root/called\\n' >run/bin/systemctl; chmod 755 run/bin/systemctl\n"
        "pivot_root . old; mount -t proc proc /proc; exec chroot . sh -euc '\n"
        "PATH=/run/bin:$PATH; status=0; /root/hook || status=$?\n"
        "cp -r /run/systemd/system /root/units; [ ! -e /run/guest-entropy/no-seed ] || touch /root/no-seed; exit $status'"
    )
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "sh", "-euc", script, "sh", tree],
        capture_output=True, text=True, timeout=60, check=False,
    )
    left = ids(tree, "finding", TEMPLATE)
    case("the hook on a running system cleans", (done.returncode or left & SEED_IDS) and (left, done))
    case("the running system keeps its identity", {"machine-id", "ssh-host-key"} - left)
    called = tree / "root/called"
    case("systemd is told", not called.exists() or called.read_text() != "daemon-reload\n")
    text = (tree / "root/units/systemd-random-seed.service.d/50-template.conf").read_text()
    case("systemd-random-seed saves nothing at shutdown", "ExecStop=\n" not in text or "ConditionPathExists=!" not in text)
    case("the seeder saves nothing at shutdown", not (tree / "root/no-seed").exists())
    shutil.rmtree(tree / "old", ignore_errors=True)


def try_dib(tree):
    contaminate(tree)
    directory = tree / "root/post-install.d"
    directory.mkdir(exist_ok=True)
    shutil.copy(HOOKS / "90-guest-entropy", directory)
    done = in_chroot(tree, "run-parts --exit-on-error --regex '^[0-9].*' /root/post-install.d")
    left = ids(tree, "finding", TEMPLATE)
    case("diskimage-builder's hook", (done.returncode or left) and (left, done))


def try_mkosi(tree):
    contaminate(tree)
    env = {"PATH": f"{PROGRAM.parent}:/usr/bin:/bin", "BUILDROOT": str(tree)}
    hook = [HOOKS / "mkosi.finalize", "final"]
    done = subprocess.run(hook, capture_output=True, text=True, timeout=60, check=False, env=env)
    left = ids(tree, "finding", TEMPLATE)
    case("mkosi's hook", (done.returncode or left) and (left, done))
    del env["BUILDROOT"]
    done = subprocess.run(hook, capture_output=True, text=True, timeout=60, check=False, env=env)
    case("mkosi's hook without a BUILDROOT", done.returncode == 0 and done)


def main():
    try:
        if os.geteuid() != 0:
            raise Skip("not root")
        tar = debian.make_tree(debian.cache_directory())
    except (Skip, debian.Unbuildable, OSError, subprocess.TimeoutExpired) as e:
        case("a Debian tree", skipped=str(e) or type(e).__name__)
        return 1 if results["failed"] else 77
    with debian.tree_directory("image-debian-") as directory:
        tree = pathlib.Path(directory, "tree")
        tree.mkdir()
        subprocess.run(["tar", "-C", tree, "--exclude=./dev/*", "-xf", tar], check=True, timeout=200)
        for program in (PROGRAM, SEEDER):
            shutil.copy(program, tree / "usr/bin")
        for attempt in (try_setup, try_dracut, try_clean, try_cloud_init, try_cloud_init_running, try_dib, try_mkosi):
            try:
                attempt(tree)
            except (AssertionError, OSError, ValueError, KeyError, subprocess.SubprocessError) as e:
                case(attempt.__name__, f"{type(e).__name__}: {e}")
    print(f"# counts passed={results['passed']} failed={results['failed']} skipped={results['skipped']}")
    return 1 if results["failed"] else 0


sys.exit(main())
