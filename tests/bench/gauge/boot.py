# SPDX-License-Identifier: MIT
"""Whole guests, stock and ours: ../boot by itself, with its own Markdown."""

import pathlib
import subprocess

from .tables import CannotMeasure

PROGRAM = pathlib.Path(__file__).resolve().parents[1] / "boot"
RUNS = 5
# A boot with a counting clock takes half a minute, and there are dozens.
LIMIT_SEC = 7200
CANNOT = 77


class Printed:
    def __init__(self, text):
        self.text = text

    def markdown(self):
        return self.text


def boot(bench):
    argv = [PROGRAM, "--build", bench.build, "--runs", str(1 if bench.quick else RUNS)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=LIMIT_SEC, check=False)
    if done.returncode == CANNOT:
        raise CannotMeasure("no such guest can be made here, see the messages")
    done.check_returncode()
    return Printed(done.stdout)
