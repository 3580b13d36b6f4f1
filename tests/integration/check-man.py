#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check-man.py RNGD SEEDER MONITOR [METADATA]: manual pages, completions and example say what the programs say.

Each program is asked: its options by --help, its configuration keys by the error about an unknown
one. Each comparison is also made with one name taken away, and must notice.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ("hwrng", "cpu", "tpm", "egd", "metadata", "file", "exec", "jitter", "platform", "config-drive")
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


def help_options(*command):
    options = set()
    for line in run(*command, "--help").stdout.splitlines():
        if re.match(r" {2,6}-", line):
            options |= set(OPTION.findall(re.split(r"\s{2,}", line.strip())[0]))
    return options


def page_options(page):
    lines = [x for x in page.splitlines() if x.lstrip().startswith("*-")]
    return {x for line in lines for x in re.findall(r"\*(--?[\w?][\w-]*)\*", line)}


def bash_options(script):
    return set(OPTION.findall(re.search(r"local options='(.*?)'", script, re.S).group(1)))


def zsh_options(script):
    lines = [x.strip() for x in script.splitlines() if re.match(r"\s+'", x)]
    # Without what excludes what, and without the descriptions.
    bare = [re.sub(r"\([^)]*\)|\[.*", "", line) for line in lines]
    return set(OPTION.findall(" ".join(bare).replace("\\?", "?")))


# ---- configuration ----


def load(command, config):
    """(exit status, error lines) of a run that reads this configuration"""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "conf")
        path.write_text(config, encoding="utf-8")
        path.chmod(0o644)
        done = run(*command, "-c", str(path))
        return done.returncode, done.stderr


def program_keys(command, sections):
    keys = set()
    for name in sections:
        _, errors = load(command, f"[{name}]\nno-such-key = 1\n")
        found = re.search(r"expected one of: (.*)", errors)
        keys |= {f"[{name}] {key}" for key in found.group(1).split(", ")} if found else set()
    return keys


def page_keys(page):
    keys = {
        f"[{name}] {key}"
        for name in ("rngd", "seeder", "seed-file")
        for key in re.findall(r"^\*([\w-]+)\* =", section(page, f"[{name}]"), re.M)
    }
    rest = section(page, ", ".join(f"[{name}]" for name in SOURCES))
    for key, where in re.findall(r"^\*([\w-]+)\* = .*?(\((?:.*\[.*)\))?$", rest, re.M):
        names = re.findall(r"\[([\w-]+)\]", where) or SOURCES
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
    return set(re.findall(r'\bjson_put\w*\(\s*\w+,\s*"(\w+)"', source))


def page_fields(page):
    table = re.findall(r"^[|:]\S* +(.*)$", section(page, "STATUS"), re.M)
    first = table[0::2]
    fields = {x for cell in first for x in re.findall(r"\*([\w\\.]+)(?:\[\])?\*", cell)}
    fields |= set(re.findall(r"\*([\w\\]+)\*", table[-1])) - {"null"}
    fields = {x.replace("\\", "") for x in fields}
    return {part for x in fields for part in x.split(".")}


def pages():
    for name in ("rngd/rngd.8", "rngd/guest-entropy.conf.5", "seeder/entropy-seeder.8"):
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


def options_of(program, name, page, directory):
    options = help_options(program)
    compare(f"{name}(8) has the options of --help", options, page_options(section(page, "OPTIONS")))
    compare(f"bash completes those of {name}", options, bash_options(text(f"{directory}/completion/{name}.bash")))
    compare(f"zsh completes those of {name}", options, zsh_options(text(f"{directory}/completion/_{name}")))


def options_of_others(monitor, metadata):
    """The completion of entropy-monitor has a test of its own; entropy-metadata has none."""
    verbs = re.findall(r"^  ([a-z]+) ", run(monitor, "--help").stdout, re.M)
    options = set().union(*(help_options(monitor, verb) for verb in verbs))
    page = section(text("monitor/entropy-monitor.8.scd"), "VERBS")
    compare("entropy-monitor(8) has the options of its verbs", options, page_options(page))
    if metadata:
        page = section(text("seeder/metadata/entropy-metadata.8.scd"), "OPTIONS")
        compare("entropy-metadata(8) has the options of --help", help_options(metadata), page_options(page))


def exit_statuses(page, *files):
    """What the manual lists and what the program returns"""
    listed = {int(x) for x in re.findall(r"^\|\[?\s+\*?(\d+)\*?$", section(page, "EXIT STATUS"), re.M)}
    names = {
        "EXIT_SUCCESS": 0, "EXIT_FAILURE": 1, "EX_USAGE": 64, "EX_UNAVAILABLE": 69, "EX_CANTCREAT": 73,
        "EX_IOERR": 74, "EX_TEMPFAIL": 75, "EX_NOPERM": 77, "EX_CONFIG": 78,
    }
    found = set(re.findall(r"\bEX(?:IT)?_[A-Z]+\b", " ".join(map(text, files))))
    return {str(x) for x in listed}, {str(names.get(x, x)) for x in found}


def main(rngd, seeder, monitor, metadata=None):
    manual, manual_conf = text("rngd/rngd.8.scd"), text("rngd/guest-entropy.conf.5.scd")
    seeder_manual = text("seeder/entropy-seeder.8.scd")
    example = text("rngd/guest-entropy.conf.example")
    settings = "lib/config/setting.c"
    ask_rngd = (rngd, "--list", "-x", "exec", "-x", "file", "-x", "hwrng")
    ask_seeder = (seeder, "--dry-run", "--source=cpu")

    pages()
    options_of(rngd, "rngd", manual, "rngd")
    options_of(seeder, "entropy-seeder", seeder_manual, "seeder")
    options_of_others(monitor, metadata)
    compare("rngd(8) has the exit statuses", *exit_statuses(manual, settings, *map(str, sorted(ROOT.glob("rngd/**/*.c")))))
    compare("entropy-seeder(8) has the exit statuses", *exit_statuses(seeder_manual, settings, "seeder/main.c"))

    keys = program_keys(ask_rngd, ("rngd", *SOURCES)) | program_keys(ask_seeder, ("seeder", "seed-file", *SOURCES))
    compare("guest-entropy.conf(5) has the keys of the programs", keys, page_keys(manual_conf))
    compare("the example has them", keys, example_keys(example))
    for name, config in (
        ("is accepted", example),
        ("is accepted with every line in force", re.sub(r"^#(?=\w\S* = )", "", example, flags=re.M)),
    ):
        for command in (ask_rngd, ask_seeder):
            status, errors = load(command, config)
            program = pathlib.Path(command[0]).name
            report(f"the example {name} by {program}", [errors] if status in (1, 64, 78) else [])
    status, _ = load(ask_rngd, example + "[rngd]\nlog-level = x\n")
    report("an example with an error is not", [] if status == 78 else [f"exit status {status}"])
    status, _ = load(ask_seeder, example + "[seeder]\ndeadline = x\n")
    report("nor by the seeder", [] if status == 78 else [f"exit status {status}"])

    compare(
        "rngd(8) has the fields of the status document",
        document_fields(text("rngd/status-document.c")),
        page_fields(manual),
    )

    print("# counts " + " ".join(f"{key}={n}" for key, n in results.items()))
    return 1 if results["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
