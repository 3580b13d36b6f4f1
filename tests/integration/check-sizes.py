#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sizes of functions and files. The aims are smaller; these are the hard stops."""

import json
import shutil
import subprocess
import sys

import style

FUNCTION_LINES = 100
FILE_LINES = 600
HEADER_LINES = 120
PYTHON_COLUMNS = 140
PARAMETERS = 6


def functions(root, files):
    """(file, line, name, lines, parameters) of each function, as far as ctags sees them"""
    paths = [str(root / name) for name in style.c_files(files)]
    done = subprocess.run(
        ["ctags", "--output-format=json", "--c-kinds=f", "--language-force=C"]
        + ["--fields=+neS", "-o", "-", *paths],
        capture_output=True,
        text=True,
        check=True,
    )
    for line in done.stdout.splitlines():
        tag = json.loads(line)
        if tag.get("end"):
            lines = tag["end"] - tag["line"] + 1
            yield tag["path"], tag["line"], tag["name"], lines, parameters(tag["signature"])


def parameters(signature):
    depth, commas = 0, 0
    for character in signature:
        depth += {"(": 1, ")": -1}.get(character, 0)
        commas += character == "," and depth == 1
    return 0 if signature in ("()", "(void)") else commas + 1


def function_sizes(root, files):
    found = list(functions(root, files))
    if not found:
        return ["ctags sees no function"]
    return [
        f"{path}:{line}: {name}() has {lines} lines"
        for path, line, name, lines, _ in found
        if lines > FUNCTION_LINES
    ]


def parameter_counts(root, files):
    return [
        f"{path}:{line}: {name}() has {n} parameters"
        for path, line, name, _, n in functions(root, files)
        # Those of libsystemd, in a test's stand-in for it, are as they are.
        if n > PARAMETERS and not name.startswith("sd_")
    ]


def file_sizes(root, files):
    complaints = []
    for name in [*style.c_files(files), *style.python_files(root, files)]:
        lines = len((root / name).read_text(encoding="utf-8").splitlines())
        if lines > FILE_LINES:
            complaints.append(f"{name} has {lines} lines")
        elif name.endswith(".h") and lines > HEADER_LINES:
            print(f"# warning: {name} has {lines} lines, a header should have at most 120")
    return complaints


def python_columns(root, files):
    return [
        f"{name}:{number}: {len(line)} columns"
        for name in style.python_files(root, files)
        for number, line in enumerate((root / name).read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > PYTHON_COLUMNS
    ]


def function_of(lines):
    return "int f(void) {\n" + "        g();\n" * (lines - 2) + "}\n"


def function_with(n):
    return "int f(" + ", ".join(f"int a{i}" for i in range(n)) + ") {\n        return 1;\n}\n"


if not shutil.which("ctags"):
    style.skip("no universal-ctags")

sys.exit(
    style.main(
        [
            style.Rule(
                f"functions have at most {FUNCTION_LINES} lines",
                function_sizes,
                bad=[{"a.c": function_of(FUNCTION_LINES + 1)}],
                good=[{"a.c": function_of(FUNCTION_LINES)}],
            ),
            style.Rule(
                f"functions have at most {PARAMETERS} parameters",
                parameter_counts,
                bad=[{"a.c": function_with(PARAMETERS + 1)}],
                good=[
                    {"a.c": function_with(PARAMETERS)},
                    {"a.c": "int f(int (*g)(int, int, int, int, int, int, int)) {\n}\n"},
                ],
            ),
            style.Rule(
                f"files have at most {FILE_LINES} lines",
                file_sizes,
                bad=[
                    {"a.h": "int x;\n" * (FILE_LINES + 1)},
                    {"tests/a/b.py": "x = 1\n" * (FILE_LINES + 1)},
                    {"run": "#!/usr/bin/env python3\n" + "x = 1\n" * FILE_LINES},
                ],
                good=[
                    {"a.h": "int x;\n" * FILE_LINES},
                    {"a.py": "x = 1\n" * FILE_LINES, "page.html": "x\n" * (FILE_LINES + 1)},
                ],
            ),
            style.Rule(
                f"lines of Python have at most {PYTHON_COLUMNS} columns",
                python_columns,
                bad=[{"a.py": "x" * (PYTHON_COLUMNS + 1) + "\n"}],
                good=[{"a.py": "×" * PYTHON_COLUMNS + "\n"}],
            ),
        ]
    )
)
