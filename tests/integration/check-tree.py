#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What every file keeps to: licence line, white space, no notes to self, no private place."""

import re
import sys

import style

NEEDS_SPDX = (".c", ".h", ".py", ".sh", "meson.build", "meson_options.txt")
# Spelled in pieces, so that this file has none of them.
NOTES = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
PRIVATE = re.compile(
    r"(/wo" + r"rk/|/ho" + r"me/[a-z]|/Us" + r"ers/"
    r"|https?://[^/\s\"']*\b(registry|mirrors?|proxy|artifactory|nexus|internal|corp|lan)\b"
    r"|\b10\.\d+\.\d+\.\d+\b|\b192\.168\.\d+\.\d+\b)"
)


def text_of(root, name):
    """Corpora, captured trees and images are data: None."""
    if name.startswith(("tests/data/", "tests/fuzz/corpus/")):
        return None
    data = (root / name).read_bytes()
    return None if b"\0" in data else data.decode("utf-8", errors="replace")


def matching(pattern):
    def check(root, files):
        return [
            f"{name}:{number}: {line.strip()}"
            for name in files
            for number, line in enumerate((text_of(root, name) or "").split("\n"), 1)
            if pattern.search(line)
        ]

    return check


def spdx(root, files):
    complaints = []
    for name in files:
        text = text_of(root, name)
        if text is None:
            continue
        lines = text.splitlines()[:2] or [""]
        script = lines[0].startswith("#!")
        if not script and not name.endswith(NEEDS_SPDX):
            continue
        if style.SPDX not in (lines[-1] if script else lines[0]):
            complaints.append(f"{name}: no {style.SPDX} in its first line")
    return complaints


def final_newline(root, files):
    return [
        f"{name}: no newline at its end, or more than one"
        for name in files
        if (text := text_of(root, name)) and (not text.endswith("\n") or text.endswith("\n\n"))
    ]


sys.exit(
    style.main(
        [
            style.Rule(
                "licence lines",
                spdx,
                bad=[{"a.c": "int x;\n"}, {"run": "#!/bin/sh\necho\n"}, {"meson.build": "\n"}],
                good=[{"a.py": f"#!/usr/bin/python3\n# {style.SPDX}\n", "README.md": "x\n"}],
            ),
            style.Rule(
                "no notes to self",
                matching(NOTES),
                bad=[{"a.c": "/* FIX" + "ME */\n"}, {"b.md": "TO" + "DO: write\n"}],
                good=[{"a.c": 'mkstemp("/tmp/a.XX' + 'XXXX");\n'}],
            ),
            style.Rule(
                "no private place",
                matching(PRIVATE),
                bad=[
                    {"a.sh": "cd /ho" + "me/joe/src\n"},
                    {"a.sh": "curl http://reg" + "istry.example.net/x\n"},
                    {"a.py": 'HOST = "192' + '.168.1.7"\n'},
                ],
                good=[{"a.md": "https://www.kernel.org/ and 169.254.169.254\n"}],
            ),
            style.Rule(
                "white space",
                matching(re.compile(r"[ \t\r]$")),
                bad=[{"a.c": "int x; \n"}, {"a.c": "int x;\r\n"}],
            ),
            style.Rule("final newline", final_newline, bad=[{"a.c": "int x;"}, {"a": "x\n\n"}]),
        ]
    )
)
