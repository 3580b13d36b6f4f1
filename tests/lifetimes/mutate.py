#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A source with one fault more: mutate.py IN OUT OLD NEW; OLD must be there exactly once."""

import pathlib
import sys

source, target, old, new = sys.argv[1:]
text = pathlib.Path(source).read_text(encoding="utf-8")
if text.count(old) != 1:
    sys.exit(f"{source}: there {text.count(old)} times, not once: {old}")
pathlib.Path(target).write_text(text.replace(old, new), encoding="utf-8")
