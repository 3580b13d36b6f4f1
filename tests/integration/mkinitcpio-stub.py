#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The install file for mkinitcpio, run with a stub of the functions that mkinitcpio(8) documents.

No release of Debian has mkinitcpio itself. The runtime hook is run by initramfs-scripts.py, in busybox's ash.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

import tap
from tap import counts

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "initramfs/mkinitcpio"
# Each says what it was told to do, and complains as mkinitcpio's would of what that could not do.
STUB = r"""
set -uo pipefail
error() { echo "error $*"; return 1; }
warning() { printf "warning $1\n" "${@:2}"; }
add_binary() {
    local path
    path=$(type -P "$1") || { error "binary not found: $1"; return; }
    [[ ${2:-$path} == /* ]] || error "no path in the image: $2"
    echo "binary ${2:-$path}"
}
add_file() { [[ $1 == /* && -f $1 ]] || error "file not found: $1"; echo "file ${2:-$1}"; }
add_symlink() { [[ $1 == /* && $# -eq 2 ]] || error "symlink: $*"; echo "symlink $1 $2"; }
add_module() { [[ $1 == *\? ]] || error "module not found: $1"; echo "module ${1%\?}"; }
add_runscript() { [[ -e $HOOKS/${BASH_SOURCE[1]##*/} ]] || error "no runtime script"; echo runscript; }
if [[ $KIND == systemd ]]; then
    add_systemd_unit() { echo "unit $1"; }
fi
. "$1" || error "cannot be read"
declare -F build >/dev/null && declare -F help >/dev/null || error "no build(), or no help()"
[[ -n $(help) ]] || error "help() says nothing"
build
echo "end $?"
"""
NEEDED = {"virtio_rng", "virtio_pci", "virtio_mmio", "qemu_fw_cfg", "isofs"}
VFAT = {"vfat", "nls_cp437", "nls_ascii"}
UNIT = "entropy-seeder-initramfs.service"
# With systemd, its first process loads the driver of an RNG.
AFTER_UDEV = ("file /etc/udev/rules.d/79-guest-entropy-initramfs.rules", "file /usr/lib/guest-entropy/bind-virtio-rng.sh")
WANTS = "/usr/lib/systemd/system/sysinit.target.wants/"


def case(name, complaint):
    tap.case(f"mkinitcpio, by a stub of its functions: {name}", complaint)


def run(kind, seeder=True, script=SOURCE / "install/guest-entropy", config=""):
    """What it asked for, and what it said on standard error."""
    with tempfile.TemporaryDirectory() as directory:
        binaries, image = pathlib.Path(directory, "bin"), pathlib.Path(directory, "image")
        binaries.mkdir()
        image.mkdir()
        # What goes into the image from this tree, not from where it is installed.
        installed = pathlib.Path(directory, "guest-entropy")
        text = script.read_text().replace("/usr/share/guest-entropy", str(SOURCE.parent))
        installed.write_text(text.replace("/etc/guest-entropy.conf", f"{directory}/conf"))
        if config:
            pathlib.Path(directory, "conf").write_text(config)
        if seeder:
            (binaries / "entropy-seeder").touch(mode=0o755)
            (binaries / "modprobe").touch(mode=0o755)
        if kind == "systemd":
            (image / "usr/lib/systemd").mkdir(parents=True)
            (image / "usr/lib/systemd/systemd").touch()
        env = {"PATH": f"{binaries}:/usr/bin:/bin", "BUILDROOT": str(image), "HOOKS": str(SOURCE / "hooks"), "KIND": kind}
        done = subprocess.run(["bash", "-c", STUB, "bash", installed], capture_output=True, text=True, timeout=30, check=False, env=env)
        return done.stdout.splitlines(), done.stderr


def complaints(asked, errors, wanted, unwanted=()):
    found = [f"not asked for: {line}" for line in wanted if line not in asked]
    found += [f"asked for: {line}" for line in asked if line.startswith(("error", *unwanted))]
    return "\n".join(found + errors.splitlines())


def main():
    base = ["binary /usr/bin/entropy-seeder", *(f"module {name}" for name in NEEDED), "end 0"]
    asked, errors = run("base")
    case("an image with busybox",
         complaints(asked, errors, [*base, *AFTER_UDEV, "runscript"], ("unit", "symlink", "warning")))
    asked, errors = run("systemd")
    case("an image with systemd",
         complaints(asked, errors, [*base, f"unit {UNIT}", f"symlink {WANTS}{UNIT} ../{UNIT}"], ("runscript", "file", "warning")))
    asked, errors = run("base", seeder=False)
    case("without a seeder it warns and the image is made",
         complaints(asked, errors, ["end 0"], ("binary", "module", "runscript")) or not asked[0].startswith("warning") and str(asked))
    vfat = [f"module {name}" for name in VFAT]
    for section in ("[config-drive]\ntrust = always\n", "[ config-drive ]\nenabled=yes\n"):
        case(f"a config drive on vfat, with {section!r}", complaints(*run("base", config=section), vfat))
    for section in ("", "[platform]\ntrust = always\n", "[config-drive]\ntrust = never\n"):
        case(f"none with {section!r}", complaints(*run("base", config=section), (), vfat))
    # The stub itself.
    text = (SOURCE / "install/guest-entropy").read_text()
    with tempfile.TemporaryDirectory() as directory:
        broken = pathlib.Path(directory, "guest-entropy")
        broken.write_text(re.sub(r"\$module\?", "$module", text).replace("add_runscript", "add_script"))
        asked, errors = run("base", script=broken)
        case("it notices a module that must be there, and a function that is not",
             ("error module not found: virtio_rng" not in asked or "add_script" not in errors) and f"{asked} {errors}")
    print(f"# counts passed={counts['passed']} failed={counts['failed']} skipped={counts['skipped']}")
    return 1 if counts["failed"] else 0


sys.exit(main())
