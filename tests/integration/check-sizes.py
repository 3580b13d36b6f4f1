#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sizes of files. The aims are smaller; these are the hard stops. Functions are measured by clang-tidy."""

import sys

import style

FILE_LINES = 600
HEADER_LINES = 120
PYTHON_COLUMNS = 140


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


sys.exit(
    style.main(
        [
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
