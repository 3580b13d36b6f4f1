#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test-seeder.py SEEDER: the program on this machine, in a mount namespace where /var/lib and /run are its own."""

import atexit
import base64
import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time

STATE, RUN = pathlib.Path("/var/lib/guest-entropy"), pathlib.Path("/run/guest-entropy")
CONFIG = pathlib.Path("/run/seeder.conf")
CREDENTIALS = pathlib.Path("/run/credentials/service")
SYSTEM = pathlib.Path("/run/credentials/@system")
IN_MEMORY = "the state directory is kept in memory only"
results = {"passed": 0, "failed": 0, "skipped": 0}


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def seeder(*args, **kwargs):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=60, check=False, **kwargs)


def run_reports():
    done = seeder("--report=json")
    return json.loads(done.stdout) if done.returncode == 0 else []


def files(directory):
    return sorted(x.name for x in directory.iterdir()) if directory.exists() else []


def clean():
    for directory in (STATE, RUN):
        for file in files(directory):
            (directory / file).unlink()
        if directory.exists():
            directory.rmdir()


class SilentServer:
    """An EGD server that takes connections and never answers."""

    def __init__(self):
        self.path = "/run/silent"
        pathlib.Path(self.path).unlink(missing_ok=True)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        os.chmod(self.path, 0o666)
        self.server.listen(4)
        self.clients = []
        threading.Thread(target=self.take, daemon=True).start()
        CONFIG.write_text(f"[egd]\naddress = unix:{self.path}\n", encoding="utf-8")

    def take(self):
        while True:
            self.clients.append(self.server.accept()[0])


class RepeatingServer:
    """An EGD server that sends what it is told to, again and again."""

    def __init__(self):
        self.path, self.bytes = "/run/repeating", os.urandom(255)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        os.chmod(self.path, 0o666)
        self.server.listen(4)
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        while True:
            client = self.server.accept()[0]
            while command := client.recv(1):
                if command == b"\0":
                    client.send(b"\0\0\x10\0")
                    continue
                n = client.recv(1)[0]
                client.send(self.bytes[:n] if command == b"\2" else bytes((n,)) + self.bytes[:n])
            client.close()


def workers():
    """pids of the workers that ask an EGD server"""
    found = []
    for file in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            text = file.read_text(encoding="utf-8")
        except OSError:
            continue
        if text.split("(")[1].split(")")[0] == "rng-egd" and text.rsplit(") ")[1][0] != "Z":
            found.append(int(text.split(" ")[0]))
    return found


def wait_for_worker():
    end = time.monotonic() + 10
    while not workers() and time.monotonic() < end:
        time.sleep(0.01)
    check(workers(), "no worker was started")
    return workers()[0]


def test_run():
    done = seeder("--source=cpu", "--source=seed-file", "--real-root")
    check(done.returncode == 0, f"{done}")
    check(stat.S_IMODE(STATE.stat().st_mode) == 0o700, f"{oct(STATE.stat().st_mode)}")
    check(files(STATE) == ["seed.credit"], f"{files(STATE)}")
    check(stat.S_IMODE((STATE / "seed.credit").stat().st_mode) == 0o400, "the seed can be read by others")
    check(files(RUN) == ["seeder.json"], f"{files(RUN)}")
    check(stat.S_IMODE((RUN / "seeder.json").stat().st_mode) == 0o644, "the run report")
    run_report = run_reports()[0]
    check(run_report["phase"] == "real-root" and run_report["ready"] and run_report["ended_why"].startswith("ready"), f"{run_report}")
    check(run_report["started_usec"] < run_report["ended_usec"], f"{run_report}")
    text = seeder("--report").stdout
    check("real-root: kernel RNG ready" in text and "SOURCE" in text, text)
    before = (STATE / "seed.credit").read_bytes()
    check(seeder("--source=seed-file", "--real-root").returncode == 0, "a second run")
    check(len(run_reports()) == 2 and files(RUN) == ["seeder-2.json", "seeder.json"], f"{files(RUN)}")
    check((STATE / "seed.credit").read_bytes() != before, "no new seed")
    line = next(x for x in run_reports()[1]["sources"] if x["name"] == "seed-file")
    check(line["note"] == "it was saved in this boot" and line["credited_bits"] == 0, f"{line}")


def test_save():
    check(seeder("save").returncode == 0 and files(STATE) == ["seed.credit"], f"{files(STATE)}")
    directory = os.open(STATE, os.O_RDONLY)
    fcntl.flock(directory, fcntl.LOCK_EX)
    done = seeder("save")
    check(done.returncode == 75, f"a second one at once: {done}")
    before = (STATE / "seed.credit").read_bytes()
    with subprocess.Popen([PROGRAM, "save"]) as process:
        time.sleep(0.3)
        fcntl.flock(directory, fcntl.LOCK_UN)
        check(process.wait(timeout=10) == 0 and (STATE / "seed.credit").read_bytes() != before, "the lock was not waited for")
    fcntl.flock(directory, fcntl.LOCK_EX)
    done = seeder("--source=seed-file", "--real-root")
    check(done.returncode == 0 and "another entropy-seeder runs" in done.stderr, f"{done}")
    os.close(directory)
    STATE.chmod(0o777)
    done = seeder("save")
    check(done.returncode == 73 and "not permitted" in done.stderr, f"a directory that everybody can write to: {done}")
    STATE.chmod(0o700)


def test_no_seed():
    """A machine whose disk is to become that of others, and was cleaned."""
    RUN.mkdir()
    (RUN / "no-seed").touch()
    done = seeder("save")
    check(done.returncode == 0 and "because of /run/guest-entropy/no-seed" in done.stderr and not files(STATE), f"{done}, {files(STATE)}")
    done = seeder("--source=cpu", "--source=seed-file", "--real-root")
    check(done.returncode == 0 and files(STATE) in ([], ["seen"]), f"{done}, {files(STATE)}")
    check(run_reports()[-1]["sources"][-1]["note"] == "none is saved, because of /run/guest-entropy/no-seed", f"{run_reports()}")


def test_unknown_boot():
    """A seed that was saved in this very boot, and no word of which boot this is."""
    CONFIG.write_text("[seed-file]\ntrust = always\n", encoding="utf-8")
    for hidden_at in ("run", "save"):
        for verb in ("save", "run"):
            boot_id = "/proc/sys/kernel/random/boot_id"
            if verb == hidden_at:
                subprocess.run(["mount", "--bind", "/dev/null", boot_id], check=True)
            try:
                done = seeder("-c", str(CONFIG), *(["save"] if verb == "save" else ["--source=seed-file", "--real-root"]))
                check(done.returncode == 0, f"{verb}: {done}")
            finally:
                if verb == hidden_at:
                    subprocess.run(["umount", boot_id], check=True)
        line = next(x for x in run_reports()[-1]["sources"] if x["name"] == "seed-file")
        check(line["credited_bits"] == 0 and line["note"] == "the boot that saved it is not known", f"{line}")


def test_dry_run():
    done = seeder("--dry-run", "--real-root")
    check(done.returncode == 0 and done.stdout.startswith("dry run: kernel RNG"), f"{done}")
    check(not STATE.exists() and not RUN.exists(), "it wrote something")


def test_report_without_runs():
    check(seeder("--report").returncode == 69, "--report without a run")
    RUN.mkdir()
    (RUN / "seeder.json").write_text('{"sources": 7, "phase": []}', encoding="utf-8")
    (RUN / "seeder-2.json").write_text("{", encoding="utf-8")
    done = seeder("--report")
    check(done.returncode == 0, f"run_reports that are none: {done}")


def test_configuration():
    for text, mode, words in (("[seeder]\nspeed = 1\n", 0o644, "has no key 'speed'"), ("", 0o666, "everybody may write it")):
        CONFIG.write_text(text, encoding="utf-8")
        CONFIG.chmod(mode)
        for verb in ("run", "save"):
            done = seeder(verb, "-c", str(CONFIG))
            check(done.returncode == 78 and words in done.stderr, f"{done}")
        check(not STATE.exists() and not RUN.exists(), "it ran all the same")
    CONFIG.chmod(0o644)
    check(seeder("-c", "/run/not-there").returncode == 78, "a file that is not there")
    CONFIG.write_text("[seeder]\nenabled = no\n", encoding="utf-8")
    for verb in ("run", "save"):
        check(seeder(verb, "-c", str(CONFIG)).returncode == 0, "switched off")
    check(not STATE.exists() and not RUN.exists(), "switched off, and it ran")
    CONFIG.write_text("[seeder]\nseed-file = no\n[cpu]\ncredit = 0\n", encoding="utf-8")
    check(seeder("-c", str(CONFIG), "--real-root").returncode == 0, "without a seed file")
    check("seed.credit" not in files(STATE), f"{files(STATE)}")
    cpu = [x for x in run_reports()[-1]["sources"] if x["name"] == "cpu"]
    check(all(x["credited_bits"] == 0 and x["note"] == "credit set to 0" for x in cpu), f"{cpu}")


def test_kernel_command_line():
    """Stronger than the configuration; what makes no sense is said and ignored."""
    words = pathlib.Path("/run/cmdline")
    CONFIG.write_text("[cpu]\ncredit = 512\n", encoding="utf-8")
    words.write_text("quiet entropy.credit=cpu:0 entropy.credit=nope:1\n", encoding="utf-8")
    subprocess.run(["mount", "--bind", words, "/proc/cmdline"], check=True)
    try:
        done = seeder("-c", str(CONFIG), "--real-root", "--source=cpu")
        check(done.returncode == 0 and "1 words entropy.*" in done.stderr, f"{done}")
        cpu = run_reports()[-1]["sources"]
        check(all(x["credited_bits"] == 0 for x in cpu), f"{cpu}")
        words.write_text("entropy.seeder=off\n", encoding="utf-8")
        clean()
        for verb in ("run", "save"):
            done = seeder(verb)
            check(done.returncode == 0 and "Switched off" in done.stderr, f"{done}")
        check(not STATE.exists() and not RUN.exists(), "switched off, and it ran")
    finally:
        subprocess.run(["umount", "/proc/cmdline"], check=True)


def platform(*args):
    """(bits, note) of the credential of the service"""
    done = seeder("-c", str(CONFIG), "--source=platform", *args, env={**os.environ, "CREDENTIALS_DIRECTORY": str(CREDENTIALS)})
    check(done.returncode == 0, f"{done}")
    last = max(run_reports(), key=lambda x: x["started_usec"], default={"sources": []})
    line = next((x for x in last["sources"] if x["name"] == "platform credential"), None)
    return line and (line["credited_bits"], line["note"])


def random_seed(n):
    """Not with a byte at its end that a shell may have put there."""
    return os.urandom(n - 1) + b"\x81"


def give(seed, own=None):
    """A credential of the system's, which the service has, too."""
    for directory, content in ((SYSTEM, seed), (CREDENTIALS, own or seed)):
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "entropy.seed").write_bytes(content)


def next_boot():
    for file in files(RUN):
        (RUN / file).unlink()


def test_state_in_memory():
    """What is forgotten at a power cut is no memory: the same seed at three boots is credited at none."""
    give(random_seed(64))
    CONFIG.write_text("", encoding="utf-8")
    for n in range(3):
        STATE.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700", "none", STATE], check=True)
        try:
            check(platform("--real-root") == (0, IN_MEMORY), f"boot {n}: {run_reports()}")
        finally:
            subprocess.run(["umount", STATE], check=True)
            next_boot()
    # An image below an overlay in memory: a mark that is taken away there comes back at the next boot.
    check(seeder("save").returncode == 0 and files(STATE) == ["seed.credit"], f"{files(STATE)}")
    layers = pathlib.Path("/run/layers")
    layers.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", layers], check=True)
    (layers / "up").mkdir(mode=0o700)
    (layers / "work").mkdir()
    options = f"lowerdir={STATE},upperdir={layers}/up,workdir={layers}/work"
    if subprocess.run(["mount", "-t", "overlay", "-o", options, "none", STATE], check=False).returncode == 0:
        try:
            check(platform("--real-root", "--source=seed-file") == (0, IN_MEMORY), f"{run_reports()}")
        finally:
            subprocess.run(["umount", STATE], check=True)
    subprocess.run(["umount", layers], check=True)
    check(files(STATE) == ["seed.credit"], "this was no overlay")


def test_static_seed():
    """Credited once; always for those who want it, but not twice in a boot; and never where that cannot be noted."""
    give(random_seed(64))
    CONFIG.write_text("", encoding="utf-8")
    check(platform("--initramfs") == (0, "first use is not known in the initramfs"), f"{run_reports()}")
    check(platform("--real-root") == (512, None), f"{run_reports()}")
    check(platform("--real-root") == (0, "credited in this boot already"), f"{run_reports()}")
    next_boot()
    check(platform("--real-root") == (0, "seen before"), f"{run_reports()}")
    CONFIG.write_text("[platform]\ntrust = always\n", encoding="utf-8")
    check(platform("--real-root") == (0, "seen before"), f"{run_reports()}")
    give(random_seed(64))
    check(platform("--initramfs") == (512, "trust=always"), f"{run_reports()}")
    check(platform("--real-root") == (0, "credited in this boot already"), f"{run_reports()}")
    CONFIG.write_text("[platform]\ntrust = never\n", encoding="utf-8")
    give(random_seed(64))
    check(platform("--real-root") == (0, "trust=never"), f"{run_reports()}")

    clean()
    CONFIG.write_text("[platform]\ntrust = always\n", encoding="utf-8")
    RUN.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", RUN], check=True)
    try:
        done = seeder("-c", str(CONFIG), "--source=platform", "--initramfs", "--verbose",
                      env={**os.environ, "CREDENTIALS_DIRECTORY": str(CREDENTIALS)})
        check(done.returncode == 0 and "64 B mixed" in done.stderr and "its use cannot be recorded" in done.stderr, f"{done}")
    finally:
        subprocess.run(["umount", RUN], check=True)

    clean()
    CONFIG.write_text("", encoding="utf-8")
    # Nobody says what they encode, if anything.
    for text in ("correct horse battery staple, and some more words", "thisismysupersecretseedforproductionvm0001",
                 os.urandom(32).hex(), base64.b64encode(os.urandom(64)).decode() + "\n"):
        give(text.encode())
        check(platform("--real-root") == (0, "a text, no random bytes"), f"{text}: {run_reports()}")


def test_one_secret():
    """By two carriers, once with a newline behind it: one credit, in this boot and in the next."""
    CONFIG.write_text("[platform]\ntrust = always\n", encoding="utf-8")
    secret = random_seed(64)
    give(secret, own=secret + b"\n")
    check(platform("--real-root") == (512, None), f"{run_reports()}")
    line = next(x for x in run_reports()[-1]["sources"] if x["name"] == "platform system-credential")
    check((line["credited_bits"], line["note"]) == (0, "the same as another one"), f"{line}")
    for padded in (b"\n" + secret, secret + b"\r\n", secret[:40], secret + b"\0"):
        next_boot()
        give(padded)
        check(platform("--real-root") == (0, "seen before"), f"{padded}: {run_reports()}")


def test_credential_of_the_command_line():
    """Every user can read it there. So it is public, whoever else passes it, and whoever trusts it."""
    words = pathlib.Path("/run/cmdline")
    secret = random_seed(64)
    for setting, expected in (("quiet", (512, None)), ("systemd.set_credential_binary=entropy.seed:" + base64.b64encode(secret).decode(),
                                                       (0, "every user can read it on the kernel command line"))):
        clean()
        words.write_text(f"{'x' * 5000} {setting}\n", encoding="utf-8")
        give(secret)
        subprocess.run(["mount", "--bind", words, "/proc/cmdline"], check=True)
        try:
            for config in ("", "[platform]\ntrust = always\n"):
                CONFIG.write_text(config, encoding="utf-8")
                check(platform("--real-root") == expected, f"{setting}: {run_reports()}")
                clean()
        finally:
            subprocess.run(["umount", "/proc/cmdline"], check=True)
    # Where it cannot be read it may say anything.
    CONFIG.write_text("", encoding="utf-8")
    done = subprocess.run(["mount", "-t", "tmpfs", "none", "/mnt"], check=False)
    check(done.returncode == 0, "no tmpfs")
    pathlib.Path("/mnt/zero").write_bytes(b"quiet\0")
    subprocess.run(["mount", "--bind", "/mnt/zero", "/proc/cmdline"], check=True)
    try:
        check(platform("--real-root") == (0, "nothing shows that this platform hands out seeds"), f"{run_reports()}")
        done = seeder("-c", str(CONFIG), "--real-root", "--source=cpu")
        check("Cannot read the kernel's command line" in done.stderr, f"{done}")
        check(all(x["note"] == "the kernel's command line cannot be read" for x in run_reports()[-1]["sources"]), f"{run_reports()}")
    finally:
        subprocess.run(["umount", "/proc/cmdline"], check=True)
        subprocess.run(["umount", "/mnt"], check=True)


def test_server_that_repeats():
    """Its bytes are worth something once, also for the next boot; and nothing where they cannot be remembered."""
    server = RepeatingServer()
    CONFIG.write_text(f"[egd]\naddress = unix:{server.path}\n", encoding="utf-8")
    check(seeder("-c", str(CONFIG), "--source=egd", "--real-root").returncode == 0, "a run")
    line = run_reports()[-1]["sources"][0]
    check(line["credited_bits"] == 0 and "copied" in line["note"], f"a server here is copied with the machine: {line}")
    CONFIG.write_text(f"[egd]\naddress = unix:{server.path}\ntrust = always\n", encoding="utf-8")
    server.bytes = os.urandom(255)

    def egd(phase="--real-root"):
        check(seeder("-c", str(CONFIG), "--source=egd", phase).returncode == 0, "a run")
        line = max(run_reports(), key=lambda x: x["started_usec"])["sources"][0]
        return line["credited_bits"] > 0, line["note"]

    repeated = (False, "the same bytes came before")
    check(egd() == (True, None), f"{run_reports()}")
    check(egd() == repeated, f"{run_reports()}")
    check("seen-live" in files(STATE) and stat.S_IMODE((STATE / "seen-live").stat().st_mode) == 0o600, f"{files(STATE)}")
    next_boot()
    check(egd() == repeated, f"{run_reports()}")
    server.bytes = os.urandom(255)
    check(egd("--initramfs") == (True, None) and egd() == repeated, f"{run_reports()}")
    server.bytes = os.urandom(255)
    (STATE / "seen-live").write_text("damaged", encoding="utf-8")
    check(egd() == (False, "that it came cannot be recorded"), f"{run_reports()}")


def test_help():
    """Of each verb: it is printed, and that is all."""
    for args in (["--help"], ["run", "--help"], ["save", "--help"], ["save", "-h"], ["--help", "save"], ["save", "--version"]):
        give(random_seed(64))
        done = seeder(*args)
        check(done.returncode == 0 and ("usage:" in done.stdout.lower() or "entropy-seeder (guest" in done.stdout), f"{args}: {done}")
        check(not STATE.exists() and not RUN.exists() and not done.stderr, f"{args} did something: {done}")
        check((CREDENTIALS / "entropy.seed").exists(), f"{args} cleaned")


def test_usage():
    for args in (["--nope"], ["load"], ["--source=exec"], ["--deadline=0"]):
        check(seeder(*args).returncode == 64, f"{args}: {seeder(*args)}")
    check("entropy-seeder (guest-entropy)" in seeder("--version").stdout, "--version")


def test_unprivileged():
    done = seeder("--real-root", user=65534, group=65534, extra_groups=[])
    check(done.returncode == 77, f"{done}")
    check(not STATE.exists(), "it made a directory")


def test_deadline():
    """A worker that hangs: the run ends in time and takes it along."""
    SilentServer()
    command = [PROGRAM, "-c", str(CONFIG), "--source=egd", "--deadline=2s", "--real-root"]
    with subprocess.Popen(command) as process:
        os.kill(wait_for_worker(), signal.SIGSTOP)
        check(process.wait(timeout=10) == 0, f"exit status {process.returncode}")
    run_report = run_reports()[-1]
    late = run_report["ended_usec"] - run_report["started_usec"] - 2_000_000
    print(f"#   {late / 1000:.1f} ms after the deadline")
    check(run_report["ended_why"] == "deadline" and 0 <= late < 200_000, f"{run_report}")
    check([x["note"] for x in run_report["sources"]] == ["no answer by the end"], f"{run_report}")
    check(not workers(), f"left behind: {workers()}")


def test_silent_server():
    """One that does not answer is given up before the deadline, and said."""
    SilentServer()
    check(seeder("-c", str(CONFIG), "--source=egd", "--deadline=1s", "--real-root").returncode == 0, "the kernel is ready")
    check([x["note"] for x in run_reports()[-1]["sources"]] == ["nobody writes to it: no bytes in time"], f"{run_reports()}")


def test_signal():
    SilentServer()
    for number in (signal.SIGTERM, signal.SIGINT):
        argv = [PROGRAM, "-c", str(CONFIG), "--source=egd", "--source=seed-file", "--deadline=30s", "--real-root"]
        with subprocess.Popen(argv) as process:
            wait_for_worker()
            start = time.monotonic()
            process.send_signal(number)
            check(process.wait(timeout=10) == 0, f"exit status {process.returncode}")
            print(f"#   {(time.monotonic() - start) * 1000:.1f} ms after signal {int(number)}")
        check(run_reports()[-1]["ended_why"] == "told to end", f"{run_reports()[-1]}")
        check(not workers(), f"left behind: {workers()}")


def test_read_only():
    subprocess.run(["mount", "-o", "remount,bind,ro", "/var/lib"], check=True)
    try:
        done = seeder("--real-root", "--source=cpu", "--source=seed-file")
        check(done.returncode == 0 and "Read-only file system" in done.stderr, f"{done}")
        check(seeder("save").returncode == 73, "a seed saved to a read-only disk")
    finally:
        subprocess.run(["mount", "-o", "remount,bind,rw", "/var/lib"], check=True)


def enter_namespace():
    """Starts this program again below unshare(1); the one inside mounts."""
    if os.geteuid() != 0:
        return "not root"
    probe = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/run"], capture_output=True, check=False)
    if probe.returncode != 0:
        return "no mount namespaces here"
    os.execvp("unshare", ["unshare", "-m", sys.executable, __file__, PROGRAM, "--inside"])
    return None


def may_feed():
    done = seeder("--source=cpu", "--initramfs", "--deadline=1s")
    clean()
    return done.returncode != 77


def main():
    if sys.argv[2:] != ["--inside"]:
        why = enter_namespace()
        print(f"1..0 # SKIP {why}\n# counts passed=0 failed=0 skipped=1")
        return 1 if os.environ.get("MUST_WORK") == "1" else 77
    # On a disk, as a machine's: what is kept in memory is no memory.
    disk = tempfile.mkdtemp(prefix="test-seeder.", dir="/var/tmp")
    atexit.register(shutil.rmtree, disk)
    subprocess.run(["mount", "--bind", disk, "/var/lib"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
    if not may_feed():
        print("1..0 # SKIP RNDADDENTROPY is not permitted here\n# counts passed=0 failed=0 skipped=1")
        return 1 if os.environ.get("MUST_WORK") == "1" else 77
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    for number, (name, test) in enumerate(tests, 1):
        clean()
        try:
            test()
            results["passed"] += 1
            print(f"ok {number} - {name.removeprefix('test_')}", flush=True)
        except AssertionError as e:
            results["failed"] += 1
            print(f"not ok {number} - {name.removeprefix('test_')}\n#   {e}", flush=True)
    print("# counts " + " ".join(f"{key}={n}" for key, n in results.items()))
    return 1 if results["failed"] else 0


PROGRAM = str(pathlib.Path(sys.argv[1]).resolve())
sys.exit(main())
