#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clang-tidy, with the tree's .clang-tidy, over what the build compiles outside tests/.

    check-tidy.py BUILD-DIRECTORY
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import style

BUILD = pathlib.Path(sys.argv[1])
FINDING = re.compile(r"^\S.*: (warning|error): .*$", re.M)


def tidy(paths, *options):
    """One process per file: clang-tidy knows no threads."""

    def one(path):
        done = subprocess.run(
            ["clang-tidy", "--quiet", f"--config-file={style.ROOT / '.clang-tidy'}", path, *options],
            capture_output=True,
            text=True,
            check=False,
        )
        found = [match.group(0) for match in FINDING.finditer(done.stdout)]
        return found or ([done.stderr.strip()] if done.returncode else [])

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [complaint for complaints in pool.map(one, paths) for complaint in complaints]


def tree_is_tidy(root, files):
    if root != style.ROOT:
        paths = [str(root / name) for name in files if name.endswith(".c")]
        return tidy(paths, "--", "-std=gnu17", "-D_GNU_SOURCE")

    commands = {}
    for command in json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8")):
        path = (pathlib.Path(command["directory"]) / command["file"]).resolve()
        # What is generated lies in the build directory, which may be anywhere.
        if path.is_relative_to(root):
            # Tests compile some files again, and each command would be looked at: the program's will do.
            if str(path) not in commands or not command["output"].startswith("tests/"):
                commands[str(path)] = command
    ours = sorted(
        path
        for path in commands
        if pathlib.Path(path).relative_to(root).parts[0] in ("lib", "rngd", "seeder", "monitor")
    )
    if not ours:
        return ["nothing of lib/ or rngd/ is compiled"]
    with tempfile.TemporaryDirectory() as directory:
        pathlib.Path(directory, "compile_commands.json").write_text(
            json.dumps([commands[path] for path in ours]), encoding="utf-8"
        )
        # The commands may be those of gcc, whose warning options clang does not all know.
        return tidy(ours, "-p", directory, "--extra-arg=-Wno-unknown-warning-option")


if not shutil.which("clang-tidy"):
    style.skip("no clang-tidy")

# Two of its processes run beside a test that may measure time.
os.nice(10)
sys.exit(
    style.main(
        [
            style.Rule(
                "clang-tidy",
                tree_is_tidy,
                bad=[
                    {"a.c": "#include <fcntl.h>\nint f(void) {\n  return open(\"/\", 0);\n}\n"},
                    {"a.c": "int BadName(void) {\n        return 1;\n}\n"},
                ],
                good=[{"a.c": "int f(void) {\n        return 1;\n}\n"}],
            )
        ]
    )
)
