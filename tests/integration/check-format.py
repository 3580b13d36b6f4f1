#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""All C files are as clang-format 14 writes them with the tree's .clang-format."""

import re
import shutil
import subprocess
import sys

import style


def clang_format():
    """Another version lays out some code in another way, so it cannot judge."""
    for name in ("clang-format-14", "clang-format"):
        path = shutil.which(name)
        if path:
            told = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
            if re.search(r"version 14\.", told.stdout):
                return path
    style.skip("no clang-format 14")
    return None


TOOL = clang_format()


def formatted(root, files):
    paths = [str(root / name) for name in style.c_files(files)]
    if not paths:
        return ["no C files"]
    done = subprocess.run(
        [TOOL, "--dry-run", "-Werror", f"--style=file:{style.ROOT / '.clang-format'}", *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    return errors or ([done.stderr] if done.returncode else [])


sys.exit(
    style.main(
        [
            style.Rule(
                "clang-format changes nothing",
                formatted,
                bad=[{"a.c": "int f(void)\n{\n\treturn 1;\n}\n"}, {"a.h": "int  f( void );\n"}],
                good=[{"a.c": "int f(void) {\n        return 1;\n}\n"}],
            )
        ]
    )
)
