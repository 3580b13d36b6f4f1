#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""shellcheck has nothing to say about the shell scripts, those without a suffix included."""

import re
import shutil
import subprocess
import sys

import style

SHEBANG = re.compile(rb"#!\s*/(usr/)?bin/(env )?(ba|da|a)?sh\b")


def is_shell(path):
    with open(path, "rb") as stream:
        return bool(SHEBANG.match(stream.readline(100))) or path.suffix == ".sh"


def shellcheck(root, files):
    paths = [root / name for name in files if is_shell(root / name)]
    if not paths:
        return ["no shell script found"]
    done = subprocess.run(
        ["shellcheck", "--format=gcc", "--external-sources", "--source-path=SCRIPTDIR"]
        # It does not see that a function may be called by name from a variable.
        + ["--exclude=SC2317,SC2329", *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stdout + done.stderr).splitlines()


if not shutil.which("shellcheck"):
    style.skip("no shellcheck")

sys.exit(
    style.main(
        [
            style.Rule(
                "shellcheck",
                shellcheck,
                bad=[{"a": "#!/bin/sh\nrm $1\n"}, {"b.sh": "#!/bin/sh\n[[ a == b ]]\n"}],
                good=[{"a": '#!/bin/sh\nrm -- "$1"\n'}],
            )
        ]
    )
)
