#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check-man.py RNGD: manual pages, completions and example say what rngd itself says.

The program is asked: its options by --help, its configuration keys by the error about an unknown
one. Each comparison is also made with one name taken away, and must notice.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2] / "rngd"
SECTIONS = ("rngd", "hwrng", "cpu", "tpm", "egd", "metadata", "file", "exec", "jitter")
OPTION = re.compile(r"(?<![\w-])--?[A-Za-z?][\w-]*")

results = {"passed": 0, "failed": 0, "skipped": 0}


def report(name, complaints):
    good = not complaints
    results["passed" if good else "failed"] += 1
    print(f"{'ok' if good else 'not ok'} {sum(results.values())} - {name}")
    for line in complaints:
        print(f"#   {line}")


def skip(name, reason):
    if os.environ.get("MUST_WORK") == "1":
        report(name, [f"cannot run here: {reason}"])
        return
    results["skipped"] += 1
    print(f"ok {sum(results.values())} - {name} # SKIP {reason}")


def differences(wanted, found):
    return [f"missing: {name}" for name in sorted(wanted - found)] + [
        f"unknown: {name}" for name in sorted(found - wanted)
    ]


def compare(name, wanted, found):
    """The same names, and a comparison that would notice one less or one more."""
    report(name, differences(wanted, found))
    report(
        f"{name}: a difference is noticed",
        []
        if wanted and all(differences(wanted, wanted ^ {x}) for x in (min(wanted), "--not-there"))
        else ["nothing noticed"],
    )


def run(*command, **kwargs):
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, **kwargs
    )


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def section(page, title):
    found = re.search(rf"^# {re.escape(title)}$(.*?)(?=^# |\Z)", page, re.M | re.S)
    return found.group(1) if found else ""


# ---- options ----


def help_options(rngd):
    options = set()
    for line in run(rngd, "--help").stdout.splitlines():
        if re.match(r" {2,6}-", line):
            options |= set(OPTION.findall(re.split(r"\s{2,}", line.strip())[0]))
    return options


def page_options(page):
    lines = [x for x in section(page, "OPTIONS").splitlines() if x.startswith("*-")]
    return {x for line in lines for x in re.findall(r"\*(--?[\w?][\w-]*)\*", line)}


def bash_options(script):
    return set(OPTION.findall(re.search(r"local options='(.*?)'", script, re.S).group(1)))


def zsh_options(script):
    lines = [x.strip() for x in script.splitlines() if re.match(r"\s+'", x)]
    # Without what excludes what, and without the descriptions.
    bare = [re.sub(r"\([^)]*\)|\[.*", "", line) for line in lines]
    return set(OPTION.findall(" ".join(bare).replace("\\?", "?")))


# ---- configuration ----


def load(rngd, config):
    """(exit status, error lines) of a run that reads this configuration"""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "conf")
        path.write_text(config, encoding="utf-8")
        path.chmod(0o644)
        done = run(rngd, "-c", str(path), "--list", "-x", "exec", "-x", "file", "-x", "hwrng")
        return done.returncode, done.stderr


def program_keys(rngd):
    keys = set()
    for name in SECTIONS:
        _, errors = load(rngd, f"[{name}]\nno-such-key = 1\n")
        found = re.search(r"expected one of: (.*)", errors)
        keys |= {f"[{name}] {key}" for key in found.group(1).split(", ")} if found else set()
    return keys


def page_keys(page):
    keys = {f"[rngd] {key}" for key in re.findall(r"^\*([\w-]+)\* =", section(page, "[rngd]"), re.M)}
    rest = section(page, "[hwrng], [cpu], [tpm], [egd], [metadata], [file], [exec], [jitter]")
    for key, where in re.findall(r"^\*([\w-]+)\* = .*?(\((?:.*\[.*)\))?$", rest, re.M):
        names = re.findall(r"\[(\w+)\]", where) or SECTIONS[1:]
        keys |= {f"[{name}] {key}" for name in names}
    return keys


def example_keys(example):
    keys, name = set(), None
    for line in example.splitlines():
        if line.startswith("["):
            name = line
        elif re.match(r"#[\w-]+ = ", line):
            keys.add(f"{name} {line[1:].split(' = ')[0]}")
    return keys


# ---- the status document ----


def document_fields(source):
    return set(re.findall(r'\bput\w*\(\s*\w+,\s*"(\w+)"', source))


def page_fields(page):
    table = re.findall(r"^[|:]\S* +(.*)$", section(page, "STATUS"), re.M)
    first = table[0::2]
    fields = {x for cell in first for x in re.findall(r"\*([\w\\.]+)(?:\[\])?\*", cell)}
    fields |= set(re.findall(r"\*([\w\\]+)\*", table[-1])) - {"null"}
    fields = {x.replace("\\", "") for x in fields}
    return {part for x in fields for part in x.split(".")}


def pages():
    for name in ("rngd.8", "guest-entropy.conf.5"):
        if not shutil.which("scdoc"):
            skip(f"{name} renders", "no scdoc")
            continue
        done = run("scdoc", input=text(name + ".scd"))
        report(f"{name} renders", done.stderr.splitlines())
        if not shutil.which("groff"):
            skip(f"{name} has no warnings", "no groff")
            continue
        checked = run("groff", "-man", "-ww", "-Tutf8", "-z", "-", input=done.stdout)
        report(f"{name} has no warnings", checked.stderr.splitlines())


def main(rngd):
    options = help_options(rngd)
    manual, manual_conf = text("rngd.8.scd"), text("guest-entropy.conf.5.scd")
    example = text("guest-entropy.conf.example")

    pages()
    compare("rngd(8) has the options of --help", options, page_options(manual))
    compare("bash completes them", options, bash_options(text("completion/rngd.bash")))
    compare("zsh completes them", options, zsh_options(text("completion/_rngd")))

    keys = program_keys(rngd)
    compare("guest-entropy.conf(5) has the keys of rngd", keys, page_keys(manual_conf))
    compare("the example has them", keys, example_keys(example))
    for name, config in (
        ("is accepted", example),
        ("is accepted with every line in force", re.sub(r"^#(?=\w\S* = )", "", example, flags=re.M)),
    ):
        status, errors = load(rngd, config)
        report(f"the example {name}", [errors] if status in (1, 64, 78) else [])
    status, _ = load(rngd, example + "[rngd]\nlog-level = x\n")
    report("an example with an error is not", [] if status == 78 else [f"exit status {status}"])

    compare(
        "rngd(8) has the fields of the status document",
        document_fields(text("status-document.c")),
        page_fields(manual),
    )

    print("# counts " + " ".join(f"{key}={n}" for key, n in results.items()))
    return 1 if results["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
