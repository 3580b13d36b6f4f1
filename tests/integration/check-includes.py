#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A directory is a layer: includes go downward only and are written from the root."""

import pathlib
import re
import sys

import style

MONITOR_GROUND = ("monitor/documents.h", "monitor/options.h", "monitor/recording-format.h", "monitor/settings.h")

# Which directories and headers each directory may include besides its own files. Programs do not know
# each other.
BELOW = {
    "lib/base": (),
    "lib/kernel": ("lib/base",),
    "lib/policy": ("lib/base",),
    "lib/sources": ("lib/base", "lib/kernel", "lib/policy"),
    "lib/feed": ("lib/base", "lib/kernel", "lib/policy", "lib/sources"),
    "lib/config": ("lib/base", "lib/kernel", "lib/policy", "lib/sources", "lib/feed"),
    "rngd": ("lib",),
    "seeder/state": ("lib",),
    "seeder/run": ("lib", "seeder/state"),
    "seeder/image": ("lib",),
    "seeder/metadata": ("lib",),
    "seeder": ("lib",),
    # What samples and what shows a recording meet in the format only.
    "monitor/sample": ("lib", *MONITOR_GROUND),
    "monitor/show": ("lib", *MONITOR_GROUND),
    "monitor/status": ("lib", *MONITOR_GROUND, "monitor/show"),
    "monitor": ("lib",),
}
# Policy is functions over numbers: it has no way to an fd, a clock or a log. It may name the events
# that it is about (EPOLLIN).
IMPURE = re.compile(
    r'#include [<"](unistd\.h|fcntl\.h|stdio\.h|time\.h|sys/(?!types|param|epoll).*|systemd/.*|linux/.*'
    r'|lib/base/(io|log|rootdir|secret)\.h)[>"]'
)
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^">]+)[">]')


def includes(root, files, directories):
    """(file, line number, '<' or '"', name) of each include in these directories"""
    for name in style.c_files(files):
        if not name.startswith(directories):
            continue
        text = (root / name).read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            match = INCLUDE.match(line)
            if match:
                yield name, number, *match.groups()


def directory_of(name):
    return next((layer for layer in BELOW if name.startswith(layer + "/")), None)


def downward(root, files):
    complaints = []
    for name, number, kind, target in includes(root, files, tuple(BELOW)):
        own = directory_of(name)
        if kind == "<" or not own:
            continue
        if not target.startswith(tuple(f"{layer}/" for layer in (own, *BELOW[own]))) and target not in BELOW[own]:
            complaints.append(f"{name}:{number}: {own} may not include {target}")
    return complaints


def from_root(root, files):
    return [
        f"{name}:{number}: {target} is not a path from the root"
        for name, number, kind, target in includes(root, files, (*BELOW, "tests"))
        # The agent is no part of the build: a guest's program, compiled in its own directory.
        if kind == '"'
        and not name.startswith("tests/vm/agent/")
        and (".." in target or not (root / target).is_file())
    ]


def system_first(root, files):
    complaints, seen_own = [], {}
    for name, number, kind, target in includes(root, files, tuple(BELOW)):
        if kind == '"':
            seen_own[name] = True
        elif seen_own.get(name):
            complaints.append(f"{name}:{number}: <{target}> comes after own includes")
    return complaints


def policy_is_pure(root, files):
    return [
        f"{name}:{number}: {line}"
        for name in style.c_files(files)
        if name.startswith("lib/policy/")
        for number, line in enumerate((root / name).read_text(encoding="utf-8").splitlines(), 1)
        if IMPURE.match(line)
    ]


def library_is_quiet(root, files):
    """Programs log and exit. A worker is a process of its own, so _exit() is its way to end."""
    loud = re.compile(r"\b(log_(error|warning|notice|info)(_errno)?|exit|abort|syslog)\s*\(")
    return [
        f"{name}:{number}: {line.strip()}"
        for name in style.c_files(files)
        if name.startswith("lib/") and pathlib.PurePath(name).stem != "log"
        for number, line in enumerate((root / name).read_text(encoding="utf-8").splitlines(), 1)
        if loud.search(line) and not line.lstrip().startswith(("*", "/*"))
    ]


def pragma_once(root, files):
    return [
        f"{name}: no #pragma once"
        for name in files
        if name.endswith(".h") and "\n#pragma once\n" not in (root / name).read_text("utf-8")
    ]


def sample(path, text, *others):
    return {path: text, **{other: "\n#pragma once\n" for other in others}}


sys.exit(
    style.main(
        [
            style.Rule(
                "includes go downward",
                downward,
                bad=[
                    sample("lib/base/a.c", '#include "lib/kernel/random.h"\n'),
                    sample("lib/kernel/a.c", '#include "lib/policy/health.h"\n'),
                    sample("lib/policy/a.h", '#include "lib/kernel/random.h"\n'),
                    sample("lib/sources/a.c", '#include "lib/feed/batch.h"\n'),
                    sample("lib/feed/a.c", '#include "rngd/manager.h"\n'),
                    sample("lib/feed/a.c", '#include "lib/config/values.h"\n'),
                    sample("lib/config/a.c", '#include "rngd/settings/settings.h"\n'),
                    sample("rngd/a.c", '#include "seeder/run/plan.h"\n'),
                    sample("seeder/state/a.c", '#include "seeder/run/plan.h"\n'),
                    sample("seeder/image/a.c", '#include "seeder/run/run.h"\n'),
                    sample("monitor/sample/a.c", '#include "monitor/show/recording.h"\n'),
                    sample("monitor/show/a.c", '#include "monitor/sample/trace-buffer.h"\n'),
                ],
                good=[
                    sample("lib/feed/a.c", '#include "lib/sources/source.h"\n'),
                    sample("rngd/a.c", '#include "lib/feed/feeder.h"\n'),
                    sample("monitor/sample/a.c", '#include "monitor/recording-format.h"\n'),
                ],
            ),
            style.Rule(
                "includes are written from the root",
                from_root,
                bad=[
                    sample("lib/base/a.c", '#include "io.h"\n', "lib/base/io.h"),
                    sample("rngd/a.c", '#include "../lib/base/io.h"\n', "lib/base/io.h"),
                ],
                good=[sample("rngd/a.c", '#include "lib/base/io.h"\n', "lib/base/io.h")],
            ),
            style.Rule(
                "system includes come first",
                system_first,
                bad=[sample("rngd/a.c", '#include "rngd/b.h"\n#include <stdio.h>\n')],
                good=[sample("rngd/a.c", '#include <stdio.h>\n#include "rngd/b.h"\n')],
            ),
            style.Rule(
                "policy is pure",
                policy_is_pure,
                bad=[
                    sample("lib/policy/a.c", "#include <time.h>\n"),
                    sample("lib/policy/a.c", '#include "lib/base/log.h"\n'),
                ],
                good=[sample("lib/policy/a.c", "#include <stdint.h>\n")],
            ),
            style.Rule(
                "the library neither logs above debug nor exits",
                library_is_quiet,
                bad=[
                    sample("lib/base/a.c", '        log_info("done");\n'),
                    sample("lib/base/a.c", "        exit(1);\n"),
                ],
                good=[sample("lib/base/a.c", '        log_debug("x");\n        _exit(1);\n')],
            ),
            style.Rule("headers are read once", pragma_once, bad=[{"lib/a.h": "int x;\n"}]),
        ]
    )
)
