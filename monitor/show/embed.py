#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""embed.py PAGE STYLE OUTPUT: what plot writes around its numbers, as C string constants.

The style becomes two, since librsvg knows no CSS variables: each var() is replaced by the color that
:root gives it, and that of :root.dark where it has one.
"""

import pathlib
import re
import sys

ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "?": "\\?"}


def read(path):
    return pathlib.Path(path).read_text(encoding="utf-8")


def constant(name, text):
    lines = "\n".join('        "' + "".join(ESCAPES.get(c, c) for c in line) + '"' for line in text.splitlines(keepends=True))
    return f"extern const char {name}[];\nconst char {name}[] =\n{lines};\n"


def colors(css, selector):
    block = re.search(re.escape(selector) + r" \{(.*?)\}", css, re.DOTALL)
    return dict(re.findall(r"--([\w-]+): (#\w+)", block[1]))


page, style, output = sys.argv[1:]
css = re.sub(r"/\*.*?\*/\n?", "", read(style))
rules = re.sub(r":root[.\w]* \{.*?\}\n", "", css, flags=re.DOTALL).lstrip()
light = colors(css, ":root")
dark = {**light, **colors(css, ":root.dark")}
constants = {"plot_page": read(page)}
for name, palette in (("light", light), ("dark", dark)):
    constants[f"plot_style_{name}"] = re.sub(r"var\(--([\w-]+)\)", lambda match, palette=palette: palette[match[1]], rules)
pathlib.Path(output).write_text("".join(constant(*item) for item in constants.items()), encoding="utf-8")
