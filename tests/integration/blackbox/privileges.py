# SPDX-License-Identifier: MIT
"""What rngd and its workers hold, and what they cannot do any more."""

import os
import pathlib
import pwd
import re
import signal

from .harness import NO_CPU, NOBODY, Skip, case, need, open_files, proc_status, wait_until, worker_ids

NAMESPACES = ("mnt", "ipc", "net")


def limits(pid):
    """name -> (soft, hard)"""
    found = {}
    for line in pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]:
        match = re.match(r"(.+?)\s{2,}(\S+)\s+(\S+)", line)
        found[match[1]] = (match[2], match[3])
    return found


def check_worker(pid, uid=None, gid=None):
    if uid is None:
        uid, gid = worker_ids("_rng-reader")
    assert proc_status(pid, "Uid") == [str(uid)] * 4
    assert proc_status(pid, "Gid") == [str(gid)] * 4
    assert proc_status(pid, "Groups") == []
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(proc_status(pid, name)[0], 16) == 0, name
    assert proc_status(pid, "NoNewPrivs") == ["1"]
    # Not dumpable: its files in /proc are root's, not its own user's, who thus cannot look inside.
    assert os.stat(f"/proc/{pid}/environ").st_uid == 0
    assert limits(pid)["Max core file size"] == ("0", "0")


def settled_worker(rngd, name):
    """After it gave up its privileges, which is before its first answer"""
    rngd.feed_now(name)
    return rngd.worker(name)


@case("a worker: a user of its own, no groups, no capabilities now or later, not dumpable, own namespaces")
def worker_privileges(box):
    rngd = box.start(*NO_CPU)
    worker = settled_worker(rngd, "hwrng")
    check_worker(worker)
    for name in NAMESPACES:
        mine, its = (os.readlink(f"/proc/{pid}/ns/{name}") for pid in (rngd.pid, worker))
        assert mine != its, f"the same namespace {name}"
    found = limits(worker)
    assert found["Max file size"] == ("0", "0")
    assert found["Max processes"] == ("0", "0")
    assert int(found["Max open files"][1]) <= 64
    rngd.stop()


@case("a worker has its socket and its device open, nothing else of rngd's")
def worker_files(box):
    rngd = box.start(*NO_CPU)
    files = open_files(settled_worker(rngd, "hwrng"))
    assert files.pop(0) == "/dev/null" and files.pop(1) == "/dev/null", files
    assert files.pop(2).startswith("pipe:"), files
    kinds = sorted(re.sub(r":\[\d+\]", "", what) for what in files.values())
    assert kinds == ["/dev/hwrng", "socket"], files
    rngd.stop()


@case("files that rngd was started with do not reach its workers")
def inherited_files(box):
    fifo = box.fifo()
    wrapper = ["sh", "-c", f'exec 5<>{fifo} 9</etc/passwd; exec "$@"', "sh"]
    rngd = box.start(*NO_CPU, wrapper=wrapper)
    files = open_files(settled_worker(rngd, "hwrng"))
    assert str(fifo) not in files.values() and "/etc/passwd" not in files.values(), files
    rngd.stop()


@case("-D and [rngd] user: the workers run as they say")
def worker_user(box):
    users = [entry for entry in pwd.getpwall() if 0 < entry.pw_uid < 100][:2]
    if len(users) < 2:
        raise Skip("no two users to run as")
    first, second = users
    rngd = box.start(*NO_CPU, "-D", f"{first.pw_name}:{second.pw_gid}")
    check_worker(settled_worker(rngd, "hwrng"), first.pw_uid, second.pw_gid)
    rngd.stop()
    box.write_config(f"[rngd]\nuser = {second.pw_uid}\n")
    rngd = box.start(*NO_CPU)
    check_worker(settled_worker(rngd, "hwrng"), second.pw_uid, second.pw_gid)
    rngd.stop()


@case("rngd itself: no core file after a crash, not dumpable, few files open")
def main_process(box):
    rngd = box.start()
    rngd.feed_now("hwrng")
    assert limits(rngd.pid)["Max core file size"] == ("0", "0")
    files = [what for fd, what in open_files(rngd.pid).items() if fd > 2]
    allowed = (
        r"anon_inode:|pipe:|socket:|/$|/dev/random$|/dev/kmsg$|/dev/vmclock0$|/dev/ptp\d+$"
        rf"|{re.escape(str(box.runtime))}(/rngd.lock)?$|/sys/firmware/qemu_fw_cfg/"
    )
    strange = [what for what in files if not re.match(allowed, what)]
    assert not strange, strange
    rngd.kill(signal.SIGSEGV)
    status = os.waitpid(rngd.pid, 0)[1]
    assert os.WIFSIGNALED(status) and not os.WCOREDUMP(status), status
    rngd.process.returncode = -os.WTERMSIG(status)


@case("with CAP_SYS_ADMIN alone, not root: feeds, and is not dumpable")
def ambient(box):
    need("setpriv")
    box.runtime.chmod(0o777)
    wrapper = [
        *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
        *("--inh-caps=+sys_admin", "--ambient-caps=+sys_admin"),
    ]
    rngd = box.start("-x", "hwrng", wrapper=wrapper)
    found = rngd.wait_source("cpu", lambda s: s["batches"] > 0 or s["state"] == "absent", "feeds")
    assert found["state"] == "absent" or found["credited_bits"] > 0, found
    assert proc_status(rngd.pid, "Uid") == [str(NOBODY)] * 4
    assert os.stat(f"/proc/{rngd.pid}/environ").st_uid == 0
    rngd.stop()


@case("with CAP_SYS_ADMIN alone a worker still gives up all that it has")
def ambient_worker(box):
    need("setpriv")
    box.runtime.chmod(0o777)
    fifo = box.fifo()
    fifo.chmod(0o666)
    wrapper = [
        *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
        *("--inh-caps=+sys_admin", "--ambient-caps=+sys_admin"),
    ]
    rngd = box.start("-r", fifo, *NO_CPU, "-T", "1h", wrapper=wrapper)
    rngd.wait_source("file", lambda s: s["state"] == "asked", "is asked")
    worker = rngd.worker("file")
    wait_until(lambda: proc_status(worker, "NoNewPrivs") == ["1"], "it gave up its privileges")
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(proc_status(worker, name)[0], 16) == 0, name
    rngd.stop()


@case("a sandbox that cannot be entered: the worker refuses to serve, nothing is fed")
def no_sandbox(box):
    need("strace")
    for call in ("setgroups", "setresuid", "setresgid", "capset", "prctl", "setrlimit,prlimit64"):
        # The fork of it alone is followed by its name: rngd itself calls only prctl before.
        trace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}"]
        first = 3 if call == "prctl" else 2 if "limit" in call else 1
        inject = ["-e", f"inject={call}:error=EPERM:when={first}+"]
        rngd = box.start(*NO_CPU, wrapper=[*trace, *inject], wait=False)
        path = box.runtime / "rngd.sock"
        wait_until(path.exists, "its socket")
        rngd.socket_path = lambda p=path: str(p)
        found = rngd.wait_source("hwrng", lambda s: s["failures"] + s["batches"] > 0, "answers")
        assert found["batches"] == 0, f"served although {call} failed: {found}"
        assert "permitted" in found["last_error"], found
        os.kill(int((box.runtime / "rngd.lock").read_text()), signal.SIGTERM)
        rngd.process.wait(5)
