# SPDX-License-Identifier: MIT
"""How long a seed over HTTP takes from exec to its last byte, from a server on this machine, and what it costs on disk."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from .report import Table, number, ratio, spread
from .tables import CannotMeasure

# tests/integration has the server; only what is used here is imported.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "integration"))


def timed(argv):
    """Milliseconds, and what it wrote."""
    began = time.perf_counter()
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False,
                          env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})
    return 1000 * (time.perf_counter() - began), done


def closure(program):
    """The files that it loads, itself not counted."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=30, check=True)
    return {os.path.realpath(path) for path in re.findall(r"(/\S+) \(0x", done.stdout)}


def size(paths):
    return sum(os.path.getsize(path) for path in paths)


def fetchers(program, url):
    """Ours, the same program with nothing to fetch, and what else people fetch metadata with."""
    python = ("import base64, json, sys, urllib.request as u; sys.stdout.buffer.write(base64.b64decode("
              f"json.load(u.urlopen('{url}'))['random_seed']))")
    rows = [("entropy-metadata", [program, f"--url={url}"], 512), ("entropy-metadata --version: loading alone", [program, "--version"], 1)]
    if shutil.which("curl"):
        rows.append(("curl: the document, not decoded", ["curl", "-qsS", url], 512))
    rows.append(("python3, urllib: as cloud-init does", [sys.executable, "-I", "-c", python], 512))
    return rows


def metadata(bench):
    import metadata_server  # pylint: disable=import-outside-toplevel

    program = bench.build / "seeder/metadata/entropy-metadata"
    if not program.exists():
        raise CannotMeasure("entropy-metadata was not built")
    server = metadata_server.Server()
    url = f"http://127.0.0.1:{server.port}/openstack/latest/meta_data.json"
    rows = fetchers(str(program), url)
    results = {name: [] for name, _, _ in rows}
    for _ in range(bench.runs):
        for name, argv, at_least in rows:
            took, done = timed(argv)
            if done.returncode or len(done.stdout) < at_least:
                raise ValueError(f"{name}: {done}")
            results[name].append(took)
    server.close()

    table = Table("A seed over HTTP: exec to its last byte", ["what", "ms: median (range)", "beside ours"])
    for name, _, _ in rows:
        table.row(name, spread(results[name]), ratio(results[name], results[rows[0][0]]))
    libraries, base = closure(program), closure(bench.ours.path)
    table.note(f"Size: the program {number(os.path.getsize(program) / 1e3)} kB with its symbols; it loads {len(libraries)} libraries of"
               f" {number(size(libraries) / 1e6)} MB, of which rngd does not load {number(size(libraries - base) / 1e6)} MB.")
    return table
