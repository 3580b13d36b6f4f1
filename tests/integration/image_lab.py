# SPDX-License-Identifier: MIT
"""What image.py and its modules share: runs of `entropy-image`, trees, and how the tests are run and told."""

import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM, SEEDER = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
MARK = "user.random-seed-creditable"
TEMPLATE = "--only=seeds,identity"
IS_ROOT = os.geteuid() == 0


class Skip(Exception):
    """This machine cannot try it; the message says why."""


def need(condition, why):
    if not condition:
        raise Skip(why)


def run(*arguments, verb="check", env=None, prefix=()):
    return subprocess.run(
        [*prefix, PROGRAM, verb, *arguments],
        capture_output=True,
        timeout=100,
        check=False,
        env=env,
    )


def make_tree(tree):
    """As little as makes a tree one of an operating system."""
    write(tree, "usr/lib/os-release", "ID=test\n", 0o644)


def items(tree, *options):
    done = run("--json", "--verbose", *options, tree)
    assert done.returncode in (0, 1, 74), done
    return json.loads(done.stdout)["items"]


def findings(tree, *options, states=("finding",)):
    found = items(tree, *(options or (TEMPLATE,)))
    return {(item["id"], item["path"]) for item in found if item["state"] in states}


def write(tree, name, content=b"0123456789abcdef" * 2, mode=0o600):
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


def set_mark(path):
    try:
        os.setxattr(path, MARK, b"1")
    except OSError as e:
        raise Skip(f"no user attributes here: {e}") from e


def snapshot(directory):
    """All that a cleaner could change: names, kinds, content, times."""
    seen = {}
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        content = None
        if stat.S_ISREG(status.st_mode) and status.st_size < 1 << 20:
            content = path.read_bytes()
        seen[str(path.relative_to(directory))] = (status.st_mode, status.st_mtime_ns, content)
    return seen


def unshared(script, *arguments):
    """sh in a mount and PID namespace of its own, in which it is PID 1."""
    need(IS_ROOT, "not root")
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-euc", script, "sh", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    need("unshare failed" not in done.stderr, done.stderr.strip())
    return done


def main(tests):
    """tests: {name: function of a tree}"""
    n = {"ok": 0, "not ok": 0, "skip": 0}
    for number, (name, test) in enumerate(tests.items(), 1):
        with tempfile.TemporaryDirectory(prefix="image-") as directory:
            tree = pathlib.Path(directory, "tree")
            make_tree(tree)
            result, note = "ok", ""
            try:
                test(tree)
                n["ok"] += 1
            except Skip as e:
                result, note = ("not ok", "") if os.environ.get("MUST_WORK") == "1" else ("ok", f" # SKIP {e}")
                n["not ok" if result == "not ok" else "skip"] += 1
            except (AssertionError, OSError, ValueError, subprocess.SubprocessError) as e:
                result = "not ok"
                n["not ok"] += 1
                note = f"\n#   {type(e).__name__}: {str(e)[:2000]}"
                note += f"\n#   line {e.__traceback__.tb_next.tb_lineno}"
        print(f"{result} {number} - {name}{note}", flush=True)
    print(f"# counts passed={n['ok']} failed={n['not ok']} skipped={n['skip']}")
    return 1 if n["not ok"] else 0 if n["ok"] else 77
