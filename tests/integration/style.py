# SPDX-License-Identifier: MIT
"""What the check-*.py share: rules over the tree's files, each shown to refuse a bad sample.

A rule is a name and a function that takes a root directory and paths in it and gives complaints. Its
samples are small trees it must complain about; without one, a rule that sees nothing would look
like a rule that holds. Results are TAP on standard output.
"""

import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from typing import Callable

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPDX = "SPDX-License-Identifier: MIT"


@dataclasses.dataclass
class Rule:
    name: str
    check: Callable
    bad: list  # trees, {path: text}, of which each must get a complaint
    good: list = dataclasses.field(default_factory=list)  # trees that must get none


def skip(reason):
    """Leave: this machine lacks the tool. MUST_WORK=1 makes it a failure."""
    must_work = os.environ.get("MUST_WORK") == "1"
    print(f"{'not ok' if must_work else 'ok'} 1 - all # SKIP {reason}")
    sys.exit(1 if must_work else 77)


def tree_files():
    """The tracked files; in a tarball, all that is not a build directory."""
    git = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", ROOT, "ls-files", "-z"],
        capture_output=True,
        text=True,
        check=False,
    )
    if git.returncode == 0:
        names = git.stdout.split("\0")
    else:
        names = [str(path.relative_to(ROOT)) for path in sorted(ROOT.rglob("*"))]
        names = [name for name in names if not name.startswith((".git/", "build"))]
    return [name for name in names if name and (ROOT / name).is_file()]


def sample_complaints(rule, tree):
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for name, text in tree.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        return rule.check(root, list(tree))


def main(rules):
    n = n_failed = 0

    def case(name, problems):
        nonlocal n, n_failed
        n += 1
        n_failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {n} - {name}")
        for problem in problems:
            print(f"#   {problem}")
        sys.stdout.flush()

    files = tree_files()
    for rule in rules:
        case(rule.name, rule.check(ROOT, files))
        for i, tree in enumerate(rule.bad, 1):
            complaints = sample_complaints(rule, tree)
            case(f"{rule.name}: bad sample {i}", [] if complaints else ["accepted"])
        for i, tree in enumerate(rule.good, 1):
            case(f"{rule.name}: good sample {i}", sample_complaints(rule, tree))

    print(f"# counts passed={n - n_failed} failed={n_failed} skipped=0")
    return 1 if n_failed else 0


def c_files(files):
    return [name for name in files if name.endswith((".c", ".h"))]


def python_files(root, files):
    """By name, and the programs without an ending by their first line; what was captured is no code of ours."""
    found = [name for name in files if name.endswith(".py")]
    for name in files:
        if "." not in name.rsplit("/", 1)[-1] and not name.startswith(("tests/data/", "tests/fuzz/corpus/")):
            with open(root / name, "rb") as file:
                if re.match(rb"#!.*\bpython3?$", file.readline(200).rstrip()):
                    found.append(name)
    return found
