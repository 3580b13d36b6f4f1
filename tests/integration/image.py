#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""entropy-image on small trees, friendly and hostile ones.

    image.py ENTROPY-IMAGE ENTROPY-SEEDER

The hostile ones are in image_hostile.py, what boot loaders and clouds hand on in image_boot.py.
Everything happens in a temporary directory; what needs mounts gets a mount namespace of its own.
"""

import json
import os
import re
import shutil
import stat
import subprocess
import sys

import image_boot
import image_hostile
import image_lab
from image_lab import MARK, PROGRAM, SEEDER, TEMPLATE, findings, items, need, run, set_mark, snapshot, unshared, write

# Each: what is planted, and what it is called.
CONTAMINATION = {
    "var/lib/guest-entropy/seed": "guest-entropy-state",
    "var/lib/guest-entropy/seed.credit": "guest-entropy-state",
    "var/lib/guest-entropy/.seen.new": "guest-entropy-state",
    "run/guest-entropy/seeder.json": "guest-entropy-state",
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
    "usr/lib/os-release": b"ID=test\n",
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
        assert {f for f in found if f[0] != "esp-seed-permissions"} == {(what, f"/{name}")}, (name, found)
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
    assert found == {("systemd-seed-creditable", path), ("systemd-seed", path)}, found
    assert b"2 hard links" in run(TEMPLATE, tree).stdout
    assert run(tree, verb="clean").returncode == 0
    assert not seed.exists() and MARK not in os.listxattr(other)
    assert other.read_bytes() == b"0123456789abcdef" * 2


def test_esp_mode(tree):
    seed = write(tree, "efi/loader/random-seed", mode=0o755)
    assert ("esp-seed-permissions", "/efi/loader/random-seed") in findings(tree)
    seed.chmod(0o700)
    assert {what for what, _ in findings(tree)} == {"esp-seed"}
    notes = findings(tree, states=("note",))
    assert ("loader-system-token", None) in notes, notes


def test_left_to_the_administrator(tree):
    write(tree, "var/lib/cloud/seed/config_drive/openstack/latest/meta_data.json", b'{"random_seed":"aa"}')
    write(tree, "etc/credstore/entropy.seed")
    before = snapshot(tree)
    done = run(tree, verb="clean")
    assert done.returncode == 1 and done.stdout.count(b"manual: ") == 2, done
    assert snapshot(tree) == before


CONFIG = "CONFIG_HW_RANDOM=y\nCONFIG_HW_RANDOM_VIRTIO={}\nCONFIG_VMGENID=y\nCONFIG_RANDOM_TRUST_CPU=y\n"


def setup(tree, *wanted_states):
    found = items(tree, "--only=setup")
    return {item["id"] for item in found if item["state"] in wanted_states}


def test_kernels(tree):
    config = write(tree, "boot/config-6.1", CONFIG.format("y") + "# CONFIG_RANDOM_TRUST_BOOTLOADER is not set\n")
    assert {"virtio-rng", "config-hw-random", "config-vmgenid", "config-trust-cpu"} <= setup(tree, "ok")
    assert "config-trust-bootloader" in setup(tree, "note")
    config.write_text(CONFIG.format("n"))
    assert "virtio-rng" in setup(tree, "finding")
    config.write_text("# CONFIG_HW_RANDOM is not set\n")
    assert "config-hw-random" in setup(tree, "finding")
    assert "config-vmgenid" in setup(tree, "note")
    config.unlink()
    write(tree, "usr/lib/modules/6.1/modules.builtin", "kernel/drivers/char/hw_random/virtio-rng.ko\n")
    assert {"virtio-rng", "initramfs-virtio-rng"} <= setup(tree, "ok")
    assert "kernel-config" in setup(tree, "unknown")


def test_initramfs_that_cannot_be_read(tree):
    write(tree, "boot/config-6.1", CONFIG.format("m"))
    write(tree, "boot/initrd.img-6.1", os.urandom(4096))
    assert {"initramfs-virtio-rng", "initramfs-seeder"} <= setup(tree, "unknown")


def test_services(tree):
    empty = setup(tree, "finding")
    assert {"program-rngd", "program-seeder", "initramfs-hook", "unit"} <= empty, empty
    write(tree, "usr/sbin/rngd", b"\x7fELF/etc/guest-entropy.conf\0")
    write(tree, "usr/bin/entropy-seeder")
    write(tree, "usr/share/initramfs-tools/hooks/guest-entropy")
    write(tree, "usr/lib/systemd/systemd")
    wants = tree / "etc/systemd/system/sysinit.target.wants"
    wants.mkdir(parents=True)
    for unit in ("rngd.service", "entropy-seeder.service", "entropy-seeder-save.service"):
        assert "unit" in setup(tree, "finding")
        write(tree, f"usr/lib/systemd/system/{unit}", "[Service]\nExecStart=/usr/sbin/rngd -f\n")
        (wants / unit).symlink_to(f"/usr/lib/systemd/system/{unit}")
    assert setup(tree, "finding") == set()
    (tree / "etc/systemd/system/rngd.service").symlink_to("/dev/null")
    assert setup(tree, "finding") == {"unit"}


def test_conflicting_daemons(tree):
    write(tree, "usr/lib/systemd/system/haveged.service", "[Service]\n")
    assert "conflicting-daemon" in setup(tree, "note") and "conflicting-daemon" not in setup(tree, "finding")
    wants = tree / "etc/systemd/system/sysinit.target.wants"
    wants.mkdir(parents=True)
    (wants / "haveged.service").symlink_to("/lib/systemd/system/haveged.service")
    assert "conflicting-daemon" in setup(tree, "finding")
    write(tree, "usr/sbin/rngd", b"\x7fELF rng-tools")
    assert "program-rngd" in setup(tree, "finding")


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
        assert "rngd-feeds-itself" in setup(tree, "finding"), name
        path.write_text(good)
        assert "rngd-feeds-itself" not in setup(tree, "finding"), name


def test_usage(tree):
    for arguments in ((), ("check",), ("frob", tree), ("check", tree, tree), ("check", "--frob", tree),
                      ("check", "--dry-run", tree), ("clean", "--verbose", tree), ("check", "--only=", tree),
                      ("check", "--only=seeds,frob", tree), ("clean", "--only=setup", tree)):
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, check=False, timeout=20)
        assert done.returncode == 64 and done.stderr and not done.stdout, (arguments, done)
    assert run(tree / "absent").returncode == 66
    assert run(write(tree, "file")).returncode == 66
    done = subprocess.run([PROGRAM, "--help"], capture_output=True, check=True, timeout=20)
    assert b"Usage:" in done.stdout


def test_help_of_each_verb(tree):
    """Wherever it stands, and whatever POSIXLY_CORRECT does to getopt."""
    contaminate(tree)
    before = snapshot(tree)
    for verb in ("check", "clean"):
        for arguments in ((verb, "--help"), (verb, "-h"), (verb, "--help", tree), (verb, tree, "--help"), ("--help", verb, tree),
                          (verb, "--only=seeds", "-h", tree), (verb, "--he", tree), (verb, "--json", tree, "-h")):
            for variables in ({}, {"POSIXLY_CORRECT": "1"}):
                done = subprocess.run([PROGRAM, *arguments], capture_output=True, check=False, timeout=20,
                                      env=os.environ | variables)
                assert done.returncode == 0 and done.stdout.startswith(b"Usage:") and not done.stderr, (arguments, done)
                assert snapshot(tree) == before, arguments
    done = subprocess.run([PROGRAM, "clean", "--", "--help"], capture_output=True, check=False, timeout=20)
    assert done.returncode == 66 and b"--help" in done.stderr, done


def test_rules_are_documented(tree):
    """The manual page lists each rule with its group, its severity and what clean does, and no other."""
    done = subprocess.run([PROGRAM, "--list"], capture_output=True, check=True, timeout=20, text=True)
    rules = {tuple(line.split()[:4]) for line in done.stdout.splitlines()[1:]}
    page = (image_lab.HERE.parents[1] / "seeder/image/entropy-seeder-image.8.scd").read_text()
    section = page.partition("\n# RULES\n")[2].partition("\n# ")[0]
    listed = set()
    for part in section.split("\n## ")[1:]:
        group = part.split("\n", 1)[0]
        listed |= {(name, group, *words) for name, *words in re.findall(r"^\*([\w-]+)\* \((\w+), (\w+)\)", part, re.M)}
    assert rules and rules == listed, rules ^ listed


def test_the_seeder_executes_it(tree):
    """Where it is installed; else the package is named. This run is one of another /usr/bin."""
    for name, installs in (("with", True), ("without", False)):
        directory = tree / name
        directory.mkdir()
        if installs:
            shutil.copy(PROGRAM, directory / "entropy-image")
        for arguments, status in (
            (("--version",), 0), (("check", "--only=seeds", tree), 0), (("frob", tree), 64), (("check", "/absent"), 66),
        ):
            script = 'mount --bind "$1" /usr/bin; program=$2; shift 2; exec "$program" image "$@"'
            done = unshared(script, directory, SEEDER, *arguments)
            assert done.returncode == (status if installs else 69), (name, arguments, done)
            assert installs or (done.stderr.count("\n") == 1 and "guest-entropy-image-tools" in done.stderr), done
            assert not installs or arguments != ("--version",) or done.stdout.startswith("entropy-image (guest-entropy) "), done


def no_os_empty(tree):
    return "it is empty"


def no_os_new_filesystem(tree):
    (tree / "lost+found").mkdir()
    return "it is empty"


def no_os_only_usr(tree):
    write(tree, "usr/bin/true")
    return "it has /usr, but no os-release"


def no_os_usr_is_not_mounted(tree):
    (tree / "usr").mkdir()
    (tree / "etc").mkdir()
    (tree / "etc/os-release").symlink_to("../usr/lib/os-release")
    return "it has /usr, but no os-release"


def no_os_link_out_of_the_tree(tree):
    (tree / "usr").mkdir()
    (tree / "etc").mkdir()
    (tree / "etc/os-release").symlink_to("/" + "../" * 20 + str(write(tree.parent, "os-release")))
    return "it has /usr, but no os-release"


def no_os_only_os_release(tree):
    write(tree, "etc/os-release")
    return "it has no /usr"


def no_os_one_level_up(tree):
    image_lab.make_tree(tree / "root\nfs")
    return "there is one in it, in the directory root\\x0afs"


def no_os_esp(tree):
    write(tree, "EFI/BOOT/BOOTX64.EFI")
    write(tree, "loader/random-seed")
    return "it looks like an EFI system partition"


def no_os_usr(tree):
    write(tree, "lib/os-release")
    return "it looks like the /usr of one"


def no_os_ostree(tree):
    (tree / "ostree/repo").mkdir(parents=True)
    return "the top of an OSTree system"


def test_what_is_no_operating_system(tree):
    for name, make in ((name, make) for name, make in globals().items() if name.startswith("no_os_")):
        shutil.rmtree(tree)
        tree.mkdir()
        told = make(tree)
        seed = write(tree, "var/lib/systemd/random-seed") if name not in ("no_os_empty", "no_os_new_filesystem") else None
        before = snapshot(tree)
        for verb, options in (("check", ()), ("check", ("--json",)), ("clean", ()), ("clean", ("--dry-run",))):
            done = run(*options, tree, verb=verb)
            assert done.returncode == 66 and not done.stdout, (name, done)
            assert len(done.stderr.splitlines()) == 1 and told.encode() in done.stderr, (name, done)
            assert snapshot(tree) == before, name
        if seed:
            image_lab.make_tree(tree)
            assert run(tree, verb="clean").returncode == 0 and not seed.exists(), name


def test_what_is_an_operating_system(tree):
    """os-release in /etc alone, as a link within the tree, /usr as a link."""
    shutil.rmtree(tree)
    write(tree, "store/1/os-release")
    (tree / "store/usr").mkdir()
    (tree / "usr").symlink_to("/store/usr")
    (tree / "etc").mkdir()
    (tree / "etc/os-release").symlink_to("/store/1/os-release")
    assert run(TEMPLATE, tree).returncode == 0


def test_full_output(tree):
    need(os.path.exists("/dev/full"), "no /dev/full")
    contaminate(tree)
    with open("/dev/full", "wb") as full:
        for arguments in (("check", tree), ("check", "--json", tree), ("clean", tree)):
            done = subprocess.run([PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, check=False)
            assert done.returncode == 74, (arguments, done)
    assert (tree / "var/lib/systemd/random-seed").exists()  # no deed without having told


def tests_of(names):
    return {name[5:].replace("_", " "): test for name, test in names.items() if name.startswith("test_")}


sys.exit(image_lab.main({**tests_of(globals()), **tests_of(vars(image_boot)), **tests_of(vars(image_hostile))}))
