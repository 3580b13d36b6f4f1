# SPDX-License-Identifier: MIT
"""A guest whose PID 1 is systemd: READY, STATUS and WATCHDOG as systemd takes them, and the target of a fork."""

import json
import pathlib
import shutil

from harness import archive
from harness.bed import Skip, check
from harness.entropy_server import random_stream
from harness.runner import vm_test

SOURCE = pathlib.Path(__file__).resolve().parents[2]
GUIDS = ["0f32a9c4-5a3d-4a5c-9a0e-2d1c8b7e6f01", "6d1e7b1a-93a5-4c1f-8a6e-94b7a1c30e02"]
UNITS = {
    "default.target": """[Unit]
Wants=agent.service
""",
    "agent.service": """[Unit]
DefaultDependencies=no
[Service]
ExecStart=/sbin/agent /dev/ttyS1
""",
    # What the test adds to the unit as it is installed.
    "rngd.service.d/test.conf": """[Service]
ExecStart=
ExecStart=/usr/sbin/rngd --foreground --verbose
WatchdogSec=2
Restart=on-watchdog
RestartSec=100ms
StandardError=append:/tmp/rngd.log
""",
    "guest-entropy-vmfork.target": """[Unit]
DefaultDependencies=no
Wants=fork-hook.service
""",
    "fork-hook.service": """[Unit]
DefaultDependencies=no
PartOf=guest-entropy-vmfork.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'cat /run/guest-entropy/generation >> /tmp/fork-hook; echo fork hook ran > /dev/console'
""",
}


def systemd_image(bed):
    systemd = next((p for p in ("/lib/systemd/systemd", "/usr/lib/systemd/systemd") if pathlib.Path(p).exists()), None)
    if not systemd or not shutil.which("systemctl"):
        raise Skip("no systemd on this machine")
    image = bed.archive(agent_is_init=False)
    image.program(systemd, "lib/systemd/systemd")
    image.program(shutil.which("systemctl"), "bin/systemctl")
    # systemd's own library is found by a path inside the program; ldd names where.
    for library in archive.libraries(systemd):
        image.file(pathlib.Path(library).resolve(), library, 0o755)
    unit = (SOURCE / "units/rngd.service.in").read_text()
    image.data("etc/systemd/system/rngd.service", unit.replace("@sbindir@", "/usr/sbin"))
    for name, text in UNITS.items():
        image.data(f"etc/systemd/system/{name}", text)
    image.link("bin/kill", "busybox")
    image.link("bin/head", "busybox")
    image.data("etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    image.data("etc/os-release", "ID=test\n")
    return image


def show(vm, unit, *names):
    out = vm.run("/bin/systemctl", "show", unit, *(f"-p{name}" for name in names))["out"]
    return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)


def boot(bed, server, guid, **options):
    return bed.linux(kernel="generic-6.1", cpu="max", memory_mb=256, init="/lib/systemd/systemd",
                     devices=[*server.device(), "-device", f"vmgenid,guid={guid},id=vmgenid0"],
                     modules=["virtio_pci", "virtio_rng"], **options)


@vm_test()
def test_service_and_fork_target(bed):
    bed.only_ours()
    server = bed.server(random_stream("systemd"), "egd")
    vm = boot(bed, server, GUIDS[0], image=systemd_image(bed))
    vm.load("virtio_pci")
    vm.load("virtio_rng")
    started = vm.run("/bin/systemctl", "start", "rngd.service", timeout=15)
    check(started.get("code") == 0, f"systemctl start came back with {started}: {vm.read('/tmp/rngd.log', check=False)}")
    bed.note(f"systemctl start, which waits for READY=1: {started['usec'] / 1000:.0f} ms")

    vm.wait_until(lambda: show(vm, "rngd", "StatusText")["StatusText"], 3, "a STATUS")
    state = show(vm, "rngd", "ActiveState", "StatusText", "MainPID", "NRestarts", "WatchdogTimestampMonotonic")
    check(state["ActiveState"] == "active", f"{state}")
    pid = int(state["MainPID"])
    bed.note(f"StatusText: {state['StatusText']}")

    # Three intervals of the watchdog: it lives, since it says so.
    vm.run("/bin/sleep", "6", timeout=15)
    later = show(vm, "rngd", "MainPID", "NRestarts", "WatchdogTimestampMonotonic")
    check(later["MainPID"] == state["MainPID"] and later["NRestarts"] == "0", f"restarted: {later}")
    check(later["WatchdogTimestampMonotonic"] != state["WatchdogTimestampMonotonic"], "systemd got no WATCHDOG=1")

    image = bed.directory / "snapshot"
    vm.snapshot(image)
    server = bed.server(random_stream("systemd clone"), "egd-clone")
    vm = boot(bed, server, GUIDS[1], incoming=image)
    vm.wait_until(lambda: vm.qmp("query-status")["status"] != "inmigrate", 30, "the snapshot is loaded")
    vm.qmp("cont")
    vm.wait_until(lambda: vm.read("/tmp/fork-hook", check=False), 10, "the fork started guest-entropy-vmfork.target and its unit\n"
                  + (vm.read("/tmp/rngd.log", check=False) or ""))
    check(vm.read("/tmp/fork-hook").split() == [vm.read("/run/guest-entropy/generation").strip()],
          f"the hook saw generation {vm.read('/tmp/fork-hook')!r}")
    vm.wait_until(lambda: "fork hook ran" in vm.console_text(), 3, "the hook wrote to the console")

    # A daemon that hangs is what the watchdog is for.
    vm.ask("kill", pid, 19)
    vm.wait_until(lambda: show(vm, "rngd", "NRestarts")["NRestarts"] != "0", 10, "systemd restarted a stopped rngd")
    vm.wait_until(lambda: show(vm, "rngd", "ActiveState")["ActiveState"] == "active", 5, "it is active again")
    check(vm.run("/bin/systemctl", "stop", "rngd.service").get("code") == 0, "systemctl stop failed")
    check(show(vm, "rngd", "Result")["Result"] in ("success", "watchdog"), f"{show(vm, 'rngd', 'Result')}")


# jitterentropy_rng asks for sha3 when it is loaded, which modules.dep does not tell.
JITTER = ("sha3_generic", "af_alg", "algif_rng", "jitterentropy_rng")
CONFIGS = {
    "hwrng": "",
    "cpu": "[hwrng]\nenabled = no\n",
    "jitter": "[hwrng]\nenabled = no\n[cpu]\nenabled = no\n[jitter]\nenabled = yes\n",
    "exec": "[hwrng]\nenabled = no\n[cpu]\nenabled = no\n[jitter]\nenabled = no\n"
            "[exec]\nenabled = yes\ncommand = /bin/head -c 512 /etc/hwrng-copy\nuser = nobody\ncredit = 1024\n",
}


@vm_test()
def test_sandbox(bed):
    """Each kind of source works within the installed unit's sandbox: its system calls, devices and namespaces."""
    bed.only_ours()
    server = bed.server(random_stream("sandbox"), "egd")
    image = systemd_image(bed)
    image.data("etc/hwrng-copy", random_stream("copy")(0, 4096))
    vm = bed.linux(kernel="generic-6.1", cpu="max", memory_mb=256, init="/lib/systemd/systemd", image=image,
                   devices=server.device(), modules=["virtio_pci", "virtio_rng", *JITTER],
                   load=["virtio_pci", "virtio_rng", *JITTER])
    for name, config in CONFIGS.items():
        vm.write("/etc/guest-entropy.conf", config, 0o644)
        done = vm.run("/bin/systemctl", "restart", "rngd.service", timeout=30)
        log = vm.read("/tmp/rngd.log", check=False)
        check(done.get("code") == 0, f"{name}: systemctl restart came back with {done}: {log}")
        vm.run("/bin/systemctl", "kill", "-s", "USR1", "rngd.service")
        def fed():
            status = json.loads(vm.ask("sock", "/run/guest-entropy/rngd.sock", check=False).get("data") or "{}")
            return next((s for s in status.get("sources", []) if s["name"] == name and s["batches"] > 0), None)
        source = vm.wait_until(fed, 20, f"{name} feeds\n{vm.read('/tmp/rngd.log', check=False)[-2000:]}")
        bed.note(f"{name}: {source['credited_bits']} bits")
    check(not [line for line in vm.kmsg() if "audit" in line and "SECCOMP" in line.upper()], f"killed by the filter: {vm.kmsg()}")
    vm.run("/bin/systemctl", "stop", "rngd.service")


ESCAPING = """[hwrng]
enabled = no
[cpu]
enabled = no
[jitter]
enabled = no
[exec]
command = /bin/sh -c "setsid sleep 1001 & exec sleep 1002"
timeout = 3s
"""


@vm_test()
def test_program_ends_with_its_worker(bed):
    """Under the unit's seccomp filter, too: what a program puts into the background, in a session of its own, is ended with it."""
    bed.only_ours()
    image = systemd_image(bed)
    image.data("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n_rng-reader:x:801:801::/:/bin/false\n_rng-exec:x:802:802::/:/bin/false\n")
    image.link("bin/setsid", "busybox")
    vm = bed.linux(kernel="generic-6.1", cpu="max", memory_mb=256, init="/lib/systemd/systemd", image=image)
    vm.write("/etc/guest-entropy.conf", ESCAPING, 0o644)

    def sleeping():
        lines = [line.split() for line in vm.shell("ps -o pid,user,args").splitlines() if "sleep 100" in line]
        return {words[-1]: (int(words[0]), words[1]) for words in lines if words[2:4] != ["/bin/sh", "-c"] and words[-2] == "sleep"}

    def start():
        done = vm.run("/bin/systemctl", "restart", "rngd.service", timeout=30)
        check(done.get("code") == 0, f"systemctl restart came back with {done}")
        return vm.wait_until(lambda: len(sleeping()) == 2 and sleeping(), 10, f"the program runs; {vm.read('/tmp/rngd.log', check=False)}")

    found = start()
    check({user for _, user in found.values()} == {"_rng-exec"[:8]}, f"{found}")  # as far as ps shows it
    def pids_of(pid):
        return vm.shell(f"readlink /proc/{pid}/ns/pid").strip()
    check(pids_of(found["1001"][0]) != pids_of(1), "it has no PID namespace of its own")
    log = vm.read("/tmp/rngd.log")
    check("namespace" not in log, f"something is missing under this unit: {log}")
    # The deadline: it is killed in the middle of its work.
    first = found["1001"][0]
    vm.wait_until(lambda: first not in [pid for pid, _ in sleeping().values()], 8, f"it is ended with its worker: {sleeping()}")
    check(not [pid for pid, _ in sleeping().values() if pid == first], f"it goes on: {sleeping()}")

    # A worker that is killed cannot kill anything itself.
    found = start()
    pid = int(show(vm, "rngd", "MainPID")["MainPID"])
    worker = int(vm.shell(f"cat /proc/{pid}/task/{pid}/children").split()[0])
    vm.ask("kill", worker, 9)
    vm.wait_until(lambda: not {pid for pid, _ in found.values()} & {pid for pid, _ in sleeping().values()}, 5,
                  f"they are ended with a worker that is killed: {sleeping()}")
    vm.run("/bin/systemctl", "stop", "rngd.service")
