#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Calls go downward: no file of a program calls, over any number of others, back into itself.

A file is a .c file and the header of its name. Handing a function on counts as a call of it; a callback
that was handed in does not. Read from the text, which clang-format keeps in one form: a function begins
in the first column, and every file must be formatted (check-format.py).
"""

import pathlib
import re
import sys

import style

PARTS = ("lib", "rngd", "seeder", "monitor")

# (caller, callee): why this call may close a circle. An entry that is not needed any more is a complaint.
ALLOWED = {}

COMMENT_OR_TEXT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
# Of a function that others can call; what is static is the file's own.
DEFINITION = re.compile(r"^(?!static\b|typedef\b|return\b|else\b)[A-Za-z_][\w *]*?\b(\w+)\([^;{}]*\) \{$", re.MULTILINE)
OWN = re.compile(r"^static\b[^;={}]*?\b(\w+)\([^;{}]*\)(?: \{|;)$", re.MULTILINE)
# Like a function: _cleanup_batch_, log_error().
MACRO = re.compile(r"^#\s*define ([a-z_]\w*)", re.MULTILINE)
# Not a member of a struct.
NAME = re.compile(r"(?<![.\w])(?<!->)([A-Za-z_]\w*)\b")


def modules(root, files):
    """{path without its ending: text}"""
    found = {}
    for name in style.c_files(files):
        if name.startswith(tuple(f"{part}/" for part in PARTS)):
            text = COMMENT_OR_TEXT.sub(" ", (root / name).read_text(encoding="utf-8"))
            stem = str(pathlib.PurePath(name).with_suffix(""))
            found[stem] = found.get(stem, "") + text
    return found


def calls(texts):
    """{module: modules that it calls}. Two programs may have functions of one name."""
    owners = {}
    for stem, text in texts.items():
        for function in DEFINITION.findall(text) + MACRO.findall(text):
            if function != "main":
                owners.setdefault((stem.split("/")[0], function), set()).add(stem)
    graph = {}
    for stem, text in texts.items():
        graph[stem] = set()
        own = {*OWN.findall(text), *DEFINITION.findall(text), *MACRO.findall(text)}
        for name in set(NAME.findall(text)) - own:
            for part in (stem.split("/")[0], "lib"):
                graph[stem] |= owners.get((part, name), set()) - {stem}
    return graph


def find_circle(graph):
    """The modules of one circle in order, or None."""
    done = set()

    def walk(stem, path):
        if stem in path:
            return path[path.index(stem) :]
        if stem in done:
            return None
        for callee in sorted(graph[stem]):
            circle = walk(callee, path + [stem])
            if circle:
                return circle
        done.add(stem)
        return None

    return next((circle for stem in sorted(graph) if (circle := walk(stem, []))), None)


def circles(root, files, allowed=None):
    graph, complaints = calls(modules(root, files)), []
    for caller, callee in ALLOWED if allowed is None else allowed:
        if callee in graph.get(caller, ()):
            graph[caller].discard(callee)
        else:
            complaints.append(f"{caller} does not call {callee}: no need to allow it")
    while circle := find_circle(graph):
        complaints.append(" -> ".join(circle + circle[:1]))
        graph[circle[-1]].discard(circle[0])
    return complaints


def no_circles_in_sample(root, files):
    return circles(root, files, allowed=())


def children_do_not_know_their_parents(root, files):
    """Only the manager and main() name a Manager; the others are given callbacks."""
    return [
        f"{stem} names the Manager"
        for stem, text in modules(root, files).items()
        if stem.startswith("rngd/") and stem not in ("rngd/main", "rngd/manager") and re.search(r"\bManager\b", text)
    ]


def circle_rule(root, files):
    return circles(root, files) if root == style.ROOT else no_circles_in_sample(root, files)


DOWN = "void b_run(void) {\n}\n"
BACK = "void b_run(void) {\n        a_run();\n}\n"
CALLER = "void a_run(void) {\n        b_run();\n}\n"

sys.exit(
    style.main(
        [
            style.Rule(
                "no circle of calls between files",
                circle_rule,
                bad=[
                    {"rngd/a.c": CALLER, "rngd/b.c": BACK},
                    {"lib/feed/a.c": CALLER, "lib/base/b.c": BACK},
                    {"rngd/a.c": CALLER, "rngd/b.c": BACK.replace("a_run()", "add(event, a_run)")},
                    {"rngd/a.c": CALLER, "rngd/b.c": BACK.replace("void b_run(void)", "int b_run(\n        int a,\n        int b)")},
                    {
                        "rngd/a.c": CALLER,
                        "rngd/b.c": BACK.replace("a_run", "c_run"),
                        "rngd/c.h": "static inline void c_stop(void) {\n        a_run();\n}\n",
                        "rngd/c.c": "void c_run(void) {\n}\n",
                    },
                ],
                good=[
                    {"rngd/a.c": CALLER, "rngd/b.c": DOWN},
                    {"rngd/a.c": CALLER, "rngd/b.c": BACK.replace("a_run()", "hooks->a_run()")},
                    {"rngd/a.c": CALLER, "rngd/b.c": BACK.replace("a_run();", "/* a_run() */")},
                    {"rngd/a.c": CALLER, "rngd/b.c": "static void a_run(void) {\n}\n\n" + BACK},
                    {"rngd/a.c": CALLER, "seeder/b.c": BACK},
                ],
            ),
            style.Rule(
                "only the manager knows the manager",
                children_do_not_know_their_parents,
                bad=[{"rngd/status.c": "void status_update(Manager *manager) {\n}\n"}],
                good=[{"rngd/manager.c": "void manager_run(Manager *manager) {\n}\n"}],
            ),
        ]
    )
)
