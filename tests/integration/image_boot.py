# SPDX-License-Identifier: MIT
"""Seeds that a boot loader, a unit or a cloud's document hands to each boot of an image."""

import base64
import json
import os
import pathlib
import shutil
import struct
import subprocess

from image_lab import SEEDER, findings, items, need, run, snapshot, unshared, write

SEED = base64.b64encode(bytes(range(64))).decode()
CREDENTIAL = "systemd.set_credential=entropy.seed:thisismysupersecretseedforproductionvm0001"
BINARY = f"systemd.set_credential_binary=entropy.seed:{SEED}"
CONFIG_DRIVE = "var/lib/cloud/seed/config_drive/openstack/{}/meta_data.json"

# Each: where a command line of a kernel is written, and around what.
COMMAND_LINES = {
    "boot/loader/entries/6.1.conf": "title Linux\nlinux /vmlinuz\noptions root=/dev/vda {} quiet\n",
    "efi/loader/entries/6.1.conf": "options {}\n",
    "boot/efi/loader/entries/6.1.conf": "options {}",
    "boot/grub/grub.cfg": "menuentry 'Linux' {{\n\tlinux /vmlinuz root=/dev/vda {} quiet\n}}\n",
    "boot/grub2/grub.cfg": "linux /vmlinuz {}\n",
    "boot/grub2/grubenv": "# GRUB Environment Block\nkernelopts=root=/dev/vda {}\n######",
    "boot/efi/EFI/fedora/grub.cfg": "linux /vmlinuz {}\n",
    "etc/default/grub": 'GRUB_CMDLINE_LINUX="{}"\n',
    "etc/default/grub.d/50-cloud.cfg": "GRUB_CMDLINE_LINUX='{}'\n",
    "etc/grub.d/40_custom": "linux /vmlinuz {}\n",
    "etc/kernel/cmdline": "root=/dev/vda {}",
    "usr/lib/kernel/cmdline": "{}\n",
    "etc/kernel/uki.conf": "[UKI]\nCmdline=root=/dev/vda {}\n",
    "etc/cmdline.d/root.conf": "{}\n",
    "etc/dracut.conf.d/cmdline.conf": 'kernel_cmdline="{}"\n',
    "boot/extlinux/extlinux.conf": "append {}\n",
    "boot/firmware/cmdline.txt": "{}\n",
    "etc/zipl.conf": 'parameters="{}"\n',
}


def test_command_lines(tree):
    for name, form in COMMAND_LINES.items():
        for text, what in ((CREDENTIAL, "boot-credential"), (BINARY, "boot-credential"),
                           (CREDENTIAL.replace("_", "-"), "boot-credential"), ("systemd.random-seed=AAAA", "boot-seed")):
            path = write(tree, name, form.format(text))
            assert findings(tree, "--only=seeds") == {(what, f"/{name}")}, (name, text, items(tree, "--only=seeds"))
            assert run("--only=seeds", tree).returncode == 1
        for text in ("quiet", "systemd.set_credential=other.name:secret", "systemd.set_credential=entropy.seed:"):
            path.write_text(form.format(text))
            assert findings(tree, "--only=seeds") == set(), (name, text)
        path.unlink()


def test_secrets_are_not_printed(tree):
    for name, form in COMMAND_LINES.items():
        write(tree, name, form.format(f"{CREDENTIAL} {BINARY}"))
    write(tree, CONFIG_DRIVE.format("latest"), json.dumps({"random_seed": SEED}))
    for done in (run(tree), run("--json", "--verbose", tree), run("--dry-run", tree, verb="clean"), run(tree, verb="clean")):
        assert done.returncode == 1, done
        assert b"supersecret" not in done.stdout + done.stderr and SEED[:12].encode() not in done.stdout + done.stderr


def test_command_lines_are_left_to_the_administrator(tree):
    write(tree, "etc/kernel/cmdline", f"{CREDENTIAL}\n")
    before = snapshot(tree)
    done = run(tree, verb="clean")
    assert done.returncode == 1 and b"manual: /etc/kernel/cmdline (boot-credential)" in done.stdout, done
    assert snapshot(tree) == before


def uki(*sections):
    """A PE file with (name, content) sections, as much of one as a reader of sections looks at."""
    header_bytes, optional_bytes = 64, 112
    data_at = header_bytes + 24 + optional_bytes + 40 * len(sections)
    table = data = b""
    for name, content in sections:
        at = data_at + len(data)
        table += struct.pack("<8sIIII16x", name.encode(), len(content), 0x1000, len(content), at)
        data += content
    coff = struct.pack("<HHIIIHH", 0x8664, len(sections), 0, 0, 0, optional_bytes, 0x22)
    return b"MZ" + bytes(58) + struct.pack("<I", header_bytes) + b"PE\0\0" + coff + bytes(optional_bytes) + table + data


UKIS = (
    "boot/EFI/Linux/6.1.efi", "efi/EFI/Linux/6.1.efi", "boot/efi/EFI/Linux/6.1.efi", "efi/EFI/BOOT/BOOTX64.EFI",
    "efi/EFI/Linux/6.1.efi.extra.d/debug.addon.efi", "efi/loader/addons/debug.addon.efi",
    "usr/lib/modules/6.1/vmlinuz-virt.efi",
)


def test_unified_kernel_images(tree):
    osrel = (".osrel", b"ID=x\nsystemd.random_seed=AAAA\n")
    for name in UKIS:
        for text, what in ((CREDENTIAL, "boot-credential"), (f"# {BINARY}\0\0", "boot-credential"),
                           ("quiet systemd.random_seed=AAAA", "boot-seed")):
            path = write(tree, name, uki(osrel, (".cmdline", b"quiet"), (".cmdline", text.encode())))
            found = findings(tree, "--only=seeds")
            assert found == {(what, f"/{name}")}, (name, text, items(tree, "--only=seeds"))
        path.write_bytes(uki(osrel, (".cmdline", b"quiet")))
        assert findings(tree, "--only=seeds", states=("finding", "error")) == set(), name
        path.unlink()


def test_damaged_unified_kernel_images(tree):
    whole = uki((".osrel", b"ID=x\n"), (".cmdline", b"quiet " * 100))
    for length, state in ((0, None), (63, None), (70, "error"), (250, "error"), (len(whole) - 1, "error"), (len(whole), None)):
        path = write(tree, "efi/EFI/Linux/6.1.efi", whole[:length])
        found = {item["state"] for item in items(tree, "--only=seeds") if item["path"]}
        assert found == ({state} if state else set()), (length, items(tree, "--only=seeds"))
        assert run("--only=seeds", tree).returncode == (74 if state else 0)
    path.write_bytes(b"\x7fELF" + bytes(1000))
    os.truncate(path, 1 << 40)
    assert run("--only=seeds", tree).returncode == 0
    path.write_bytes(uki((".cmdline", b"quiet " * 400000)))
    assert run("--only=seeds", tree).returncode == 74


def test_a_pe_file_of_binutils(tree):
    """Addresses, sizes and alignment are a tool's, as where ukify or objcopy made the image."""
    need(shutil.which("objcopy"), "no objcopy (package binutils)")
    (tree / "efi/EFI/Linux").mkdir(parents=True)
    text = write(tree.parent, "cmdline", f"root=/dev/vda {CREDENTIAL}")
    image = tree / "efi/EFI/Linux/6.1.efi"
    for target in ("pei-x86-64", "pei-aarch64-little"):
        done = subprocess.run(
            ["objcopy", "-I", "binary", "-O", target, "--rename-section", ".data=.cmdline", text, image],
            capture_output=True, text=True, check=False,
        )
        if done.returncode == 0:
            break
    need(done.returncode == 0, done.stderr.strip())
    assert findings(tree, "--only=seeds") == {("boot-credential", "/efi/EFI/Linux/6.1.efi")}


def test_credentials(tree):
    for name in (
        "efi/EFI/Linux/6.1.efi.extra.d/entropy.seed.cred", "boot/efi/loader/credentials/entropy.seed.cred",
        "etc/credstore.encrypted/entropy.seed", "usr/lib/credstore/entropy.seed",
    ):
        path = write(tree, name)
        write(tree, str(pathlib.Path(name).with_name("other.cred")))
        assert findings(tree, "--only=seeds") == {("credential-seed", f"/{name}")}, items(tree, "--only=seeds")
        path.unlink()
    for name in ("etc/systemd/system/entropy-seeder.service.d/seed.conf", "usr/lib/systemd/system/entropy-seeder.service"):
        path = write(tree, name, "[Service]\nSetCredential = entropy.seed:secret\n")
        assert findings(tree, "--only=seeds") == {("credential-seed", f"/{name}")}, items(tree, "--only=seeds")
        path.unlink()
    assert findings(tree, "--only=seeds") == set()


DOCUMENTS = (
    # document, whether it holds a seed
    ({"uuid": "x", "random_seed": SEED}, True),
    ('{"random\\u005fseed": "SEED"}', True),
    ('{"\\u0072\\u0061\\u006e\\u0064\\u006f\\u006d\\u005f\\u0073\\u0065\\u0065\\u0064": "SEED"}', True),
    ('{"random\\u005fseed": "\\u0041SEED"}', True),  # no base64 of ours: cloud-init is less strict
    ('{"random\\u005fseed": "SEED"} garbage', True),
    ('{"random\\u005fseed": "SEED", "padding": "' + "x" * (2 << 20) + '"}', True),
    ({"uuid": "x"}, False),
    ({"uuid": "x", "meta": {"random_seed": SEED}}, False),
    ({"uuid": "x", "note": "random_seed"}, False),
    ("{broken", False),
)


def test_documents_are_read_as_the_seeder_reads_them(tree):
    for version in ("latest", "2018-08-27"):
        name = CONFIG_DRIVE.format(version)
        for document, holds in DOCUMENTS:
            text = document.replace("SEED", SEED) if isinstance(document, str) else json.dumps(document)
            path = write(tree, name, text)
            found = findings(tree, "--only=seeds", states=("finding", "error"))
            assert found == ({("cloud-seed-directory", f"/{name}")} if holds else set()), (text[:200], found)
        path.unlink()


def test_the_seeder_takes_what_is_found(tree):
    """The other side of it: the same documents, as entropy-seeder itself finds them on a machine."""
    name = CONFIG_DRIVE.format("latest")
    write(tree, name, json.dumps({"uuid": "x"}))
    script = 'mount --bind "$1/var/lib" /var/lib; exec "$2" --dry-run --source=config-drive'
    without = unshared(f"{script} || true", tree, SEEDER)
    write(tree, name, DOCUMENTS[1][0].replace("SEED", SEED))
    done = unshared(f"{script} || true", tree, SEEDER)
    assert "directory:latest" in done.stdout and "directory:latest" not in without.stdout, (without, done)


def test_keys_in_other_documents(tree):
    for name, text in (
        ("var/lib/cloud/seed/nocloud/user-data", '#cloud-config\n"random\\x5fseed": {data: abc}\n'),
        ("var/lib/cloud/seed/nocloud/meta-data", '{"random\\u005fseed": "x"}'),
        ("var/lib/cloud/seed/nocloud/vendor-data", "x" * 4090 + 'random_seed'),
        ("var/lib/cloud/seed/nocloud/vendor-data", "x" * 4080 + '"\\U00000072\\U00000061ndom\\u005fsee\\x64"'),
    ):
        path = write(tree, name, text)
        assert findings(tree, "--only=seeds") == {("cloud-seed-directory", f"/{name}")}, (name, text[-60:])
        path.unlink()
