#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""embed.py FILE NAME OUTPUT: the file's text as a C string constant."""

import pathlib
import sys

source, name, output = sys.argv[1:]
lines = pathlib.Path(source).read_text(encoding="utf-8").splitlines(keepends=True)
escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "?": "\\?"}
quoted = ['        "' + "".join(escapes.get(c, c) for c in line) + '"' for line in lines]
pathlib.Path(output).write_text(
    f"extern const char {name}[];\nconst char {name}[] =\n" + "\n".join(quoted) + ";\n",
    encoding="utf-8",
)
