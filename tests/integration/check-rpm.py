#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""packaging/guest-entropy.spec builds with rpmbuild, and its packages have what they should, where Fedora has it.

    check-rpm.py INSTALLED

A Debian has no macros of Fedora's packages (systemd-rpm-macros, meson): those that the spec uses are here.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/vm"))

from harness import packages  # noqa: E402
from tap import case, counts  # noqa: E402

SPEC = packages.SOURCE / "packaging/guest-entropy.spec"
# The compiler's options are not what this is about: the quickest build. The directories are those of Fedora's systemd.pc.
MACROS = r"""
%_prefix /usr
%_bindir /usr/bin
%_sbindir /usr/sbin
%_libexecdir /usr/libexec
%_datadir /usr/share
%_docdir /usr/share/doc
%_mandir /usr/share/man
%_localstatedir /var
%_sysconfdir /etc
%_unitdir /usr/lib/systemd/system
%_presetdir /usr/lib/systemd/system-preset
%_sysusersdir /usr/lib/sysusers.d
%_tmpfilesdir /usr/lib/tmpfiles.d
%_udevrulesdir /usr/lib/udev/rules.d
%systemd_requires Requires(post): systemd
%debug_package %{nil}
%_build_id_links none
%meson meson setup _build --prefix=/usr --libexecdir=libexec --sysconfdir=/etc --localstatedir=/var --optimization=0 \\\
    -Dsystemdsystemunitdir=%{_unitdir} -Dsystemdsystempresetdir=%{_presetdir} -Dtmpfilesdir=%{_tmpfilesdir} \\\
    -Dsysusersdir=%{_sysusersdir} -Dudevrulesdir=%{_udevrulesdir}
%meson_build nice ninja -C _build -j2 --quiet
%meson_install DESTDIR=%{buildroot} meson install -C _build --no-rebuild --quiet
%systemd_post() if [ $1 -eq 1 ] && [ -x /usr/lib/systemd/systemd-update-helper ]; then \
    /usr/lib/systemd/systemd-update-helper install-system-units %{?*} || : \
fi \
%{nil}
%systemd_preun() if [ $1 -eq 0 ] && [ -x /usr/lib/systemd/systemd-update-helper ]; then \
    /usr/lib/systemd/systemd-update-helper remove-system-units %{?*} || : \
fi \
%{nil}
%systemd_postun() %{nil}
%systemd_postun_with_restart() if [ $1 -ge 1 ] && [ -x /usr/lib/systemd/systemd-update-helper ]; then \
    /usr/lib/systemd/systemd-update-helper mark-restart-system-units %{?*} || : \
fi \
%{nil}
"""
# A word of each file that belongs into another package than the first.
OTHERS = {
    "guest-entropy-image-tools": ("entropy-image", "seeder-image", "/hooks/90-", "/hooks/cloud-init", "/hooks/mkosi"),
    "guest-entropy-metadata": ("/entropy-metadata", "seeder-metadata"),
    "entropy-monitor": ("entropy-monitor",),
}
SCRIPTS = ("PREIN", "POSTIN", "PREUN", "POSTUN", "PRETRANS", "POSTTRANS")
ENABLED = {
    "guest-entropy": ("rngd.service", "entropy-seeder.service", "entropy-seeder-save.service"),
    "guest-entropy-image-tools": (),
    "guest-entropy-metadata": ("entropy-seeder-metadata",),
    "entropy-monitor": ("entropy-monitor-finish.service",),
}


def build(directory):
    (version,) = re.findall(r"^Version:\s+(\S+)$", SPEC.read_text(), re.M)
    for name in ("SOURCES", "RPMS"):
        (directory / name).mkdir()
    with tarfile.open(directory / f"SOURCES/guest-entropy-{version}.tar.gz", "w:gz", compresslevel=1) as tar:
        for name in packages.files():
            tar.add(packages.SOURCE / name, f"guest-entropy-{version}/{name}")
    (directory / "macros").write_text(MACROS)
    argv = ["rpmbuild", "-bb", "--nodeps", f"--load={directory / 'macros'}", "--define", f"_topdir {directory}", SPEC]
    env = {name: value for name, value in os.environ.items() if name not in packages.FLAGS}
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False, env=env)
    if done.returncode:
        return f"rpmbuild: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return None


def query(package, *words):
    done = subprocess.run(["rpm", "-qp", *words, package], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise OSError(f"rpm -qp: {done.stderr}")
    return done.stdout


def wanted(installed):
    """By package, what `meson install` makes, in Fedora's directories and without what is Debian's alone."""
    files = {name: set() for name in ENABLED}
    for line in installed.splitlines():
        if not line or line.startswith("#") or "initramfs-tools" in line:
            continue
        path = "/" + line.split(None, 1)[1].strip()
        package = next((name for name, words in OTHERS.items() if any(word in path for word in words)), "guest-entropy")
        files[package].add(re.sub(r"^/lib/", "/usr/lib/", path))
    return files


def listed(package):
    """Without directories and licences, and man pages without what compresses them."""
    out = query(package, "--queryformat", "[%{FILEMODES:perms} %{FILENAMES}\n]")
    paths = {line.split(None, 1)[1] for line in out.splitlines() if not line.startswith("d")}
    documents = ("/README.md", "/security.md")
    return {re.sub(r"(/man\d/.*)\.gz$", r"\1", path) for path in paths if "/licenses/" not in path and not path.endswith(documents)}


def scripts(package):
    return {tag: text for tag in SCRIPTS if (text := query(package, "--queryformat", f"%{{{tag}}}")) != "(none)"}


def try_swap(package):
    """rng-tools, which goes after this package came, disables a unit of the same name."""
    text = query(package, "--queryformat", "%{TRIGGERSCRIPTS}")
    told = query(package, "--triggers")
    done = subprocess.run(["sh", "-n"], input=text, capture_output=True, text=True, timeout=30, check=False)
    sound = "triggerpostun" in told and "-- rng-tools" in told and "rngd.service" in text and not done.returncode
    case("a swap for rng-tools leaves rngd.service enabled", not sound and f"{told}{done.stderr}")


def try_package(name, path, files):
    found = listed(path)
    complaints = [f"{file} is missing" for file in sorted(files - found)] + [f"{file} is too much" for file in sorted(found - files)]
    case(f"{name} has the files of its own, where Fedora has them", "\n".join(complaints))
    complaints = []
    texts = scripts(path)
    for tag, text in texts.items():
        done = subprocess.run(["sh", "-n"], input=text, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode or "%" in text:
            complaints.append(f"{tag}: {done.stderr}{text}")
    for unit in ENABLED[name]:
        complaints += [f"{tag} does not name {unit}" for tag in ("POSTIN", "PREUN") if unit not in texts.get(tag, "")]
    case(f"{name}: its scripts are sound and name its units", "\n".join(complaints))


def main():
    for tool in ("rpmbuild", "rpm", "git"):
        if not shutil.which(tool):
            case("RPM packages", skipped=f"no {tool} on this machine")
            return 1 if counts["failed"] else 77
    with tempfile.TemporaryDirectory(prefix="check-rpm-", dir="/var/tmp") as temp:
        directory = pathlib.Path(temp)
        complaint = build(directory)
        case("rpmbuild", complaint)
        if not complaint:
            files = wanted(pathlib.Path(sys.argv[1]).read_text())
            for name in ENABLED:
                (path,) = (p for p in directory.glob("RPMS/*/*.rpm") if re.match(re.escape(name) + r"-\d", p.name))
                try_package(name, path, files[name])
            first = next(directory.glob("RPMS/*/guest-entropy-[0-9]*.rpm"))
            try_swap(first)
            provided = query(first, "--provides")
            case("what replaces rng-tools says so", "rng-tools = " not in provided and provided)
    print(f"# counts passed={counts['passed']} failed={counts['failed']} skipped={counts['skipped']}")
    return 1 if counts["failed"] else 0


sys.exit(main())
