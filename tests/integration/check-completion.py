#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check-completion.py ENTROPY-MONITOR: what bash and zsh, really run, offer for its verbs, options and values.

The verbs are those of --help, their options those of VERB --help.
"""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIRECTORY = ROOT / "monitor"
MONITOR = sys.argv[1]
VALUES = {
    "plot --theme=": {"auto", "light", "dark"},
    "record --until=": {"boot", "ready", "ready+5s"},
    "record -i 1ms --until=b": {"boot"},
    "export --csv=": {"samples", "starts", "events", "blocked"},
    "status --j": {"--json"},
}

counts = {"passed": 0, "failed": 0, "skipped": 0}


def case(name, wanted, found):
    complaint = sorted(wanted ^ found)
    counts["failed" if complaint else "passed"] += 1
    print(f"{'not ok' if complaint else 'ok'} {sum(counts.values())} - {name}")
    for word in complaint:
        print(f"#   {'missing' if word in wanted else 'not known'}: {word!r}")


def skip(name, reason):
    if os.environ.get("MUST_WORK") == "1":
        case(f"{name} cannot run here: {reason}", {name}, set())
        return
    counts["skipped"] += 1
    print(f"ok {sum(counts.values())} - {name} # SKIP {reason}")


def verbs():
    text = subprocess.run([MONITOR, "--help"], capture_output=True, text=True, timeout=20, check=True).stdout
    return set(re.findall(r"^  ([a-z]+) ", text, re.M))


def options(verb):
    text = subprocess.run([MONITOR, verb, "--help"], capture_output=True, text=True, timeout=20, check=True).stdout
    return set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", text, re.M))


class Bash:
    def offers(self, line):
        # "=" is a word of its own, as readline splits them.
        words = re.findall(r"=|[^\s=]+", line) + ([""] if line.endswith(" ") else [])
        quoted = " ".join(f"'{word}'" for word in words)
        script = (f"compopt() {{ :; }}; . '{DIRECTORY}/completion/entropy-monitor.bash'; COMP_WORDS=({quoted}); "
                  f"COMP_CWORD={len(words) - 1}; _entropy_monitor; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
        done = subprocess.run(["bash", "--norc", "-uc", script], capture_output=True, text=True, timeout=20, check=False)
        return {word.strip() for word in done.stdout.splitlines()} - {""} | ({done.stderr} - {""})


class Zsh:
    """A shell at a terminal: compadd tells a file what it is given, and Tab is pressed."""

    def __init__(self, directory):
        self.file = directory / "matches"
        (directory / "rc").write_text(f"""
unsetopt beep; PS1='READY>'; fpath=({DIRECTORY}/completion $fpath); autoload -Uz compinit; compinit -u -d {directory}/dump
compadd() {{
    if [[ ${{@[1,(i)(-|--)]}} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
    local -a hits
    builtin compadd -A hits "$@"
    print -rl -- $hits >>{self.file}
    builtin compadd "$@"
}}
finish() {{ print -r -- END >>{self.file}; BUFFER=; }}
zle -N finish; bindkey '^G' finish; bindkey '^I' complete-word
""")
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="dumb", LC_ALL="C")
            os.execvp("zsh", ["zsh", "-f", "-i"])
        os.write(self.fd, f". {directory}/rc; cd {directory}\n".encode())
        self.wait(lambda seen: b"READY>" in seen.replace(b"PS1='READY>'", b""))

    def wait(self, condition):
        seen, end = b"", time.monotonic() + 20
        while not condition(seen):
            if time.monotonic() > end:
                raise TimeoutError(f"zsh said {seen!r}")
            if select.select([self.fd], [], [], 0.05)[0]:
                seen += os.read(self.fd, 65536)

    def offers(self, line):
        self.file.write_text("")
        os.write(self.fd, f"{line}\t\a".encode())
        self.wait(lambda seen: "END" in self.file.read_text())
        return set(self.file.read_text().split()) - {"END"}

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def check(name, shell):
    all_verbs = verbs()
    assert {"record", "status"} < all_verbs
    offered = shell.offers("entropy-monitor ")
    case(f"{name}: verbs", all_verbs, {word for word in offered if not word.startswith("-")})
    for verb in sorted(all_verbs):
        found = {word.rstrip("=") for word in shell.offers(f"entropy-monitor {verb} --") if word.startswith("--")} - {"--"}
        case(f"{name}: options of {verb}", options(verb), found)
    for line, wanted in VALUES.items():
        case(f"{name}: {line}", wanted, shell.offers(f"entropy-monitor {line}"))


def main():
    check("bash", Bash())
    if not shutil.which("zsh"):
        skip("zsh", "no zsh on this machine")
    else:
        with tempfile.TemporaryDirectory(prefix="completion-") as directory:
            shell = Zsh(pathlib.Path(directory))
            try:
                check("zsh", shell)
            finally:
                shell.close()
    print(f"# counts passed={counts['passed']} failed={counts['failed']} skipped={counts['skipped']}")
    return 1 if counts["failed"] else 0


sys.exit(main())
