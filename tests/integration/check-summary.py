#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/run-summary, whose last line is the verdict on everything else."""

import json
import os
import subprocess
import sys
import tempfile

import style

COUNTS = "# counts passed={} failed={} skipped={}\n"


def entry(result, stdout="", **more):
    return {"name": "a", "result": result, "stdout": stdout, "env": {}, **more}


CASES = [
    # what, log entries, further arguments, environment, last line, status
    ("counts are added", [entry("OK", COUNTS.format(3, 0, 0))] * 2, [], {}, (6, 0, 0), 0),
    ("TAP is counted", [entry("OK", "ok 1 - a\nok 2 - b # SKIP c\n")], [], {}, (1, 0, 1), 0),
    ("a silent program is one case", [entry("OK"), entry("FAIL")], [], {}, (1, 1, 0), 1),
    ("failures count", [entry("FAIL", COUNTS.format(3, 2, 0))], [], {}, (3, 2, 0), 1),
    ("also where meson saw none", [entry("OK", COUNTS.format(3, 2, 0))], [], {}, (3, 2, 0), 1),
    ("a crash after the counts", [entry("FAIL", COUNTS.format(3, 0, 0))], [], {}, (3, 1, 0), 1),
    ("a timeout half way", [entry("TIMEOUT", "ok 1 - a\n")], [], {}, (1, 1, 0), 1),
    ("a skip", [entry("OK"), entry("SKIP")], [], {}, (1, 0, 1), 0),
    ("a skip must work", [entry("OK"), entry("SKIP")], [], {"MUST_WORK": "1"}, (1, 1, 0), 1),
    ("a skip in CI", [entry("OK"), entry("SKIP")], [], {"CI": "true"}, (1, 1, 0), 1),
    (
        "a skip that is allowed",
        [entry("OK"), entry("SKIP", env={"MAY_SKIP": "no such machine"})],
        [],
        {"MUST_WORK": "1"},
        (1, 0, 1),
        0,
    ),
    (
        "TAP with status 77",
        [entry("OK"), entry("ERROR", "ok 1 - a # SKIP b\n", returncode=77)],
        [],
        {},
        (1, 0, 1),
        0,
    ),
    ("only skips prove nothing", [entry("SKIP")], [], {}, (0, 0, 1), 1),
    ("nothing proves nothing", [], [], {}, (0, 1, 0), 1),
    ("a failed build", [entry("OK")], ["--failed=build"], {}, (1, 1, 0), 1),
    ("a missing log", [entry("OK")], ["/nowhere/testlog.json"], {}, (1, 1, 0), 1),
]


def verdict(entries, arguments, environment):
    clean = {k: v for k, v in os.environ.items() if k not in ("CI", "MUST_WORK")}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as log:
        log.write("".join(json.dumps(one) + "\n" for one in entries))
        log.flush()
        done = subprocess.run(
            [style.ROOT / "tests/run-summary", *arguments, log.name],
            capture_output=True,
            text=True,
            check=False,
            env={**clean, **environment},
        )
    return done.stdout.splitlines()[-1:], done.returncode


failed = 0
for number, (what, entries, arguments, environment, counts, status) in enumerate(CASES, 1):
    expected = ["{} passed, {} failed, {} skipped".format(*counts)], status
    found = verdict(entries, arguments, environment)
    failed += found != expected
    print(f"{'ok' if found == expected else 'not ok'} {number} - {what}")
    if found != expected:
        print(f"#   {found}, not {expected}")
print(COUNTS.format(len(CASES) - failed, failed, 0), end="")
sys.exit(1 if failed else 0)
