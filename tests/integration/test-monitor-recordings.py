#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the verbs that read recordings say of one and the same boot when one thing about it is different.

    test-monitor-recordings.py ENTROPY-MONITOR RECORDING
"""

import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

from tap import case, counts  # noqa: E402

MONITOR = pathlib.Path(sys.argv[1]).resolve()
BASE = json.loads(pathlib.Path(sys.argv[2]).read_text())
FROM, TO = BASE["started_usec"], BASE["ended_usec"]


def event(kind, text="", at_usec=FROM + 1000):
    return {"at_usec": at_usec, "kind": kind, "text": text}


def wait(name, usec, **more):
    return {"pid": 7, "tid": 7, "from_usec": FROM, "to_usec": FROM + usec, "jitter": False, "open": False, "name": name, **more}


def without(*kinds):
    return [one for one in BASE["events"] if one["kind"] not in kinds]


# Name of a recording: what is different in it. A member of an object is written as object/member.
RECORDINGS = {
    "as it was": {},
    "never ready": {"rng/ready_usec": None, "events": without("ready")},
    "ready before": {"rng/ready_at_start": True, "rng/ready_usec": None, "events": without("ready", "log-ready")},
    "ready before, says the log": {"rng/ready_at_start": True, "rng/ready_usec": None,
                                   "events": without("ready", "log-ready") + [event("log-ready", at_usec=FROM - 1000)]},
    "no level": {"samples/at_usec": [], "samples/minimum_bits": [], "samples/maximum_bits": []},
    "counting": {"rng/pool_bits": 4096, "rng/threshold_bits": 896},
    "no starts": {"starts/source": "none", "starts/execs": [], "starts/forks": []},
    "thinned, on a running system": {"samples/thinnings": 3, "first_process": False, "rng/hwrng": None},
    "lost events": {"monitor/lost": {"events": 2, "blocked": 0, "starts": 0}},
    "twenty waited": {"blocked": [wait(f"p{i}", 1000 * (i + 1), open=i == 19, jitter=i == 0) for i in range(20)]},
    "a formula waited": {"blocked": [wait('=HYPERLINK("x")', 5000)]},
    "a name of any bytes waited": {"blocked": [wait("<\u00fc&'\t>", 50000)]},
    "urandom was read": {"events": BASE["events"] + [event("uninitialized-read", f"r{i}") for i in range(20)]},
    "it was cloned": {"events": BASE["events"] + [event("vm-fork"), event("vm-fork")]},
    "the whole log was read": {"events": BASE["events"] + [event("log-whole")], "monitor/log": "whole"},
    "the seeder credited": {"reports": {"seeder": {"sources": [{"name": "tpm", "bytes": 32, "credited_bits": 256, "at_usec": 9}]}}},
}
# What of it, a recording of above, exit status, and what is in the output (an expression; "!": not).
CASES = [
    ("report", "as it was", 0, r"^Ready +at 1\.971 s, by a hardware RNG that appeared$"),
    ("report", "never ready", 0, r"^Ready +NOT within the recording$"),
    ("report", "ready before", 0, r"^Ready +before the recording began$"),
    ("report", "ready before, says the log", 0, r"^Ready +at 1\.577 s \(the kernel's log\)"),
    ("report", "no level", 0, r"^Level +not recorded$"),
    ("report", "counting", 0, r"^Starved +\S+ m?s below the threshold \(896 at the start\)$"),
    ("report", "no starts", 0, r"^Process starts +not recorded$"),
    ("report", "thinned, on a running system", 0, r"\(thinned\), on a running system\nHardware RNG +none$"),
    ("report", "lost events", 0, r"; SOME EVENTS WERE LOST$"),
    ("report", "twenty waited", 0, r"^Blocked +p0 \(pid 7\) for 1\.0 ms from 1\.578 s on, running the kernel's jitter loop$"),
    ("report", "twenty waited", 0, r"^ +and 8 more$"),
    ("report", "twenty waited", 0, r"^20 processes waited for random bytes, p19 for up to 20\.0 ms"),
    ("report", "urandom was read", 0, r"^Early reads +r0 at 1\.579 s\n +r1 at"),
    ("report", "urandom was read", 0, r"!\br12 at"),
    ("report", "it was cloned", 0, r"^VM forks +2$"),
    ("report", "the seeder credited", 0, r"^Credited +seeder tpm: 32 B, \+256 bits"),
    ("report --all", "as it was", 64, r"takes one recording|--all"),
    ("report x", "as it was", 64, r"takes one recording"),

    ("check --max-ready=2s", "as it was", 0, r"^ok +max-ready: ready at 1\.971 s; the limit is 2\.000 s$"),
    ("check --max-ready=1s", "as it was", 1, r"^FAILED max-ready: ready at 1\.971 s"),
    ("check --max-ready=1h", "never ready", 1, r"^FAILED max-ready: not ready within the recording"),
    ("check --max-ready=1h", "ready before", 1, r"at a time it does not know$"),
    ("check --min-level=200", "as it was", 0, r"^ok +min-level: 256 bits once ready; the limit is 200$"),
    ("check --min-level=257", "as it was", 1, r"^FAILED min-level"),
    ("check --min-level=0", "never ready", 1, r"and never ready"),
    ("check --min-level=0", "no level", 1, r"the recording has no level$"),
    ("check --max-blocked=5ms", "twenty waited", 1, r"^FAILED max-blocked: p19 waited 20\.0 ms; the limit is 5\.0 ms$"),
    ("check --max-blocked=0s", "as it was", 0, r"nobody waited"),
    ("check --no-uninitialized-reads", "as it was", 1, r"0 reads .* but the kernel's log was not read$"),
    ("check --no-uninitialized-reads", "urandom was read", 1, r"^FAILED .*: 20 reads"),
    ("check --no-uninitialized-reads", "lost events", 1, r"lost some events$"),
    ("check --max-blocked=1s --min-level=257 --max-ready=2s", "as it was", 1, r"^ok .*\nok .*\nFAILED min-level"),
    ("check --max-ready=soon", "as it was", 64, r"--max-ready.*soon"),
    ("check --max-ready=2d", "as it was", 64, r"--max-ready.*2d"),
    ("check --min-level=4097", "as it was", 64, r"--min-level.*4097"),
    ("check --min-level=-1", "as it was", 64, r"--min-level.*-1"),
    ("check --max-luck=1", "as it was", 64, r"option .*--max-luck"),
    ("check --max-blocked=1ms --junit=/dev/stdout/x", "as it was", 73, r"Cannot write /dev/stdout/x"),
    ("check --max-blocked=1ms --junit=junit.xml", "a name of any bytes waited", 1, r"waited 50\.0 ms"),

    ("export --csv", "as it was", 0, r"^1\.579380,2,2$"),
    ("export --csv=samples", "no level", 0, r"\Aseconds,minimum_bits,maximum_bits\n\Z"),
    ("export --csv=starts", "as it was", 0, r"\Aseconds,execs,forks\n1\.577870,2,1\n"),
    ("export --csv=events", "it was cloned", 0, r'^1\.578870,vm-fork,""$'),
    ("export --csv=blocked", "a formula waited", 0, r'''^1\.577870,1\.582870,7,0,"'=HYPERLINK\(""x""\)"$'''),
    ("export", "as it was", 64, r"needs a format"),
    ("export --csv --xml", "as it was", 64, r"option .*--xml"),

    ("plot", "as it was", 0, r"\A<\?xml|\A<svg"),
    ("plot --theme=dark -o -", "counting", 0, r"</svg>\s*\Z"),
    ("plot --theme=light", "twenty waited", 0, r"</svg>\s*\Z"),
    ("plot", "never ready", 0, r"</svg>\s*\Z"),
    ("plot", "no level", 0, r"</svg>\s*\Z"),
    ("plot --html", "a name of any bytes waited", 0, r"</html>\s*\Z"),
    ("plot --bars", "as it was", 64, r"option .*--bars"),
    ("plot -o /nonexistent/a.svg", "as it was", 73, r"Cannot write /nonexistent/a\.svg"),
    ("plot a a a a a a a a a a a a a a a a", "as it was", 64, r"at most \d+ recordings"),
    ("plot none.json", "as it was", 66, r"none\.json"),

    ("compare", "as it was", 64, r"compare"),
    ("compare twenty_waited", "as it was", 0, r"."),
    ("compare never_ready", "counting", 0, r"."),
]


def different(changes):
    recording = copy.deepcopy(BASE)
    for key, value in changes.items():
        *parents, last = key.split("/")
        inner = recording
        for parent in parents:
            inner = inner[parent]
        inner[last] = value
    return json.dumps(recording)


def path_of(name):
    return re.sub(r"\W+", "_", name)


def complaint(words, name, status, pattern):
    verb, *more = words.split()
    done = subprocess.run([MONITOR, verb, *more, path_of(name)], capture_output=True, text=True, timeout=60, check=False)
    told = done.stdout + done.stderr
    wanted = not pattern.startswith("!")
    if done.returncode != status:
        return f"exit status {done.returncode} and not {status}\n{told[:1500]}"
    if bool(re.search(pattern.removeprefix("!"), told, re.M | re.I)) != wanted:
        return f"{'no' if wanted else 'a'} {pattern!r} in\n{told[:1500]}"
    return None


def unwritable(words):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([MONITOR, *words, path_of("as it was")], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    return None if done.returncode in (73, 74) else f"exit status {done.returncode}: {done.stderr}"


with tempfile.TemporaryDirectory() as directory:
    os.chdir(directory)
    for name, changes in RECORDINGS.items():
        pathlib.Path(path_of(name)).write_text(different(changes))
    for words, name, status, pattern in CASES:
        case(f"{words}: {name}: {pattern}", complaint(words, name, status, pattern))
    junit = pathlib.Path("junit.xml").read_text()
    case("JUnit has no character of a name as it is", None if "&#60;??&#38;&#39;?&#62;" in junit else junit)
    for words in (["report"], ["plot"]):
        case(f"{words[0]} into a full disk", unwritable(words))

print(f"# counts passed={counts['passed']} failed={counts['failed']} skipped={counts['skipped']}")
sys.exit(1 if counts["failed"] else 0)
