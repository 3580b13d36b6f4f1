# SPDX-License-Identifier: MIT
"""TAP for the programs of this directory: a line for each case, and their counts."""

import os
import sys

counts = {"passed": 0, "failed": 0, "skipped": 0}


def case(name, complaint=None, skipped=None):
    if skipped and os.environ.get("MUST_WORK") == "1":
        complaint = f"cannot run here: {skipped}"
    result = "failed" if complaint else "skipped" if skipped else "passed"
    counts[result] += 1
    print(f"{'not ok' if complaint else 'ok'} {sum(counts.values())} - {name}{f' # SKIP {skipped}' if result == 'skipped' else ''}")
    for line in str(complaint or "").splitlines():
        print(f"#   {line}")
    sys.stdout.flush()
