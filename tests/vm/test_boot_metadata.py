# SPDX-License-Identifier: MIT
"""Whole Debian 12 guests with a network card: the metadata service, answered by a server of the test's.

The guests are those of test_boot.py; what makes one of them another, its initramfs lays into the real root.
"""

import json
import pathlib
import shutil
import socket
import subprocess
import sys

from harness import debian, debian_boot
from harness.bed import Skip, check
from harness.debian_boot import Guests, check_no_failure_of_ours
from harness.entropy_server import random_stream
from harness.hostile import config_drive
from harness.runner import vm_test

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import metadata_server  # noqa: E402
from test_sources import start_swtpm  # noqa: E402

OURS = debian.Spec("ours", True)
LIMIT_SEC = 900
# An image that is for any machine takes the network along for others of dracut's modules.
OMIT = "--omit 'rngd qemu-net overlay-root ifcfg'"
DRACUT = debian.Spec("dracut-network-ours", True, builder="dracut", options=OMIT, disk=False)
DRACUT_METADATA = debian.Spec(
    "dracut-metadata-ours", True, builder="dracut", options=OMIT, disk=False,
    script="mkdir -p /etc/dracut.conf.d; echo entropy_metadata=yes >/etc/dracut.conf.d/metadata.conf\n"
           "printf '[metadata]\\nenabled = yes\\n' >/etc/guest-entropy.conf")
UNIT = "entropy-seeder-metadata.service"
IN_OPENSTACK = ["-smbios", "type=1,product=OpenStack Nova"]
LOST_SEC = 0.100
# The service is asked for 5 s; the run may last for 60 s, most of them for a route to come.
FETCH_SEC = 10
STOP_SEC = 0.100

CARD = "etc/systemd/network/10-card.network"
DHCP = "[Match]\nDriver=virtio_net\n[Network]\nDHCP=ipv4\n"
# Nobody has to be there, not even for ARP.
ALONE = """[Match]
Driver=virtio_net
[Address]
Address=169.254.169.15/24
DuplicateAddressDetection=none
[Neighbor]
Address=169.254.169.254
LinkLayerAddress=52:54:00:00:00:02
"""
TELL_FIRST = "[Service]\nExecStartPre=/bin/sh /usr/sbin/tell-first\n"
# Before the report and on its line; the ticks before the wait. let_end: seconds that the run for the service has to end by itself.
TELL = f"""exec >/dev/ttyS1
echo "== ticks"; head -n 1 /proc/stat
runs() {{ [ "$(systemctl show -P SubState {UNIT})" = running ]; }}
for _ in $(seq $(sed -n 's/.*let_end=\\([0-9]*\\).*/\\1/p' /proc/cmdline)); do
    if runs; then sleep 1; fi
done
echo "== metadata"
systemctl show {UNIT} -p SubState -p Result -p ExecMainStartTimestampMonotonic -p ExecMainExitTimestampMonotonic
echo "== stop-metadata"
if runs; then
    start=$(date +%s%N); systemctl stop {UNIT} 2>/dev/null; echo $((($(date +%s%N) - start) / 1000))
    sleep 0.5; systemctl show -P SubState {UNIT}
fi
"""


def card(net):
    return ["-netdev", net, "-device", "virtio-net-pci,netdev=n,romfile="]


def card_to(server):
    """A network on which 169.254.169.254:80 is the server."""
    # QEMU connects a socket of its own only once; a command is started for each connection.
    return card("user,id=n,restrict=on,net=169.254.169.0/24,host=169.254.169.2,"
                f"guestfwd=tcp:169.254.169.254:80-cmd:busybox nc 127.0.0.1 {server.port}")


class Nobody:
    """A network of which nothing comes back."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            local = other.getsockname()[1]
        self.card = card(f"socket,id=n,udp=127.0.0.1:{self.socket.getsockname()[1]},localaddr=127.0.0.1:{local}")

    def asked(self):
        """How often somebody wanted to connect to 169.254.169.254:80."""
        n = 0
        while True:
            try:
                frame = self.socket.recv(2048)
            except BlockingIOError:
                return n
            n += frame[12:14] == b"\x08\x00" and frame[30:34] == bytes((169, 254, 169, 254)) and frame[36:38] == b"\0\x50"


def laid(directory, path, files, own=None):
    files = {"etc/systemd/system/boot-report.service.d/first.conf": TELL_FIRST, "usr/sbin/tell-first": TELL,
             "etc/systemd/system/multi-user.target.d/network.conf": "[Unit]\nWants=systemd-networkd.service\n", **files}
    return debian_boot.laid(directory, path, files, own)


class Run:
    """What became of the run for the service, as systemd and the run reports tell it."""

    def __init__(self, report):
        told = dict(line.split("=", 1) for line in report.parts["metadata"])
        started, ended = (int(told[f"ExecMain{what}TimestampMonotonic"]) for what in ("Start", "Exit"))
        self.started, self.state = started > 0, told["SubState"]
        self.sec = (ended - started) / 1e6 if ended else None
        stopped = report.parts["stop-metadata"] or ["0", "exited"]
        self.stop_sec, self.after_stop = int(stopped[0]) / 1e6, stopped[1]
        self.reached_sec, self.boot_sec = report.reached_sec, report.boot_sec
        run_reports = [report.run_report(name) for name in ("seeder", "seeder-2", "seeder-3")]
        self.lines = [line for run_report in run_reports if run_report for line in run_report["sources"] if line["name"] == "metadata"]
        self.credited = sum(line["credited_bits"] for line in self.lines)


def rngd(report, part="rngd"):
    """What the daemon's status says of each source."""
    text = "\n".join(report.parts[part])
    return {source["name"]: source for source in json.loads(text[text.index("{"):])["sources"]}


def quiet(report, what):
    check(not report.failed, f"{what}: failed units {report.failed}\n" + "\n".join(report.parts["journal"]))
    check_no_failure_of_ours(report, what)


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_only_metadata(bed):
    """OpenStack by its DMI alone: mixed in. Enabled by the administrator: credited, at each boot, as each answer is new."""
    server = metadata_server.Server()
    guests = Guests(bed)
    directory = guests.directory(OURS)
    disk = debian_boot.writable_disk(directory, bed.directory / "disk.qcow2")
    for what, config, devices in (("by DMI", None, IN_OPENSTACK), ("enabled", "enabled = yes\n", [])):
        server.forget()
        files = {CARD: DHCP} | ({"etc/guest-entropy.conf": f"[metadata]\n{config}"} if config else {})
        initrd = laid(directory, bed.directory / "initrd", files)
        report = guests.boot(OURS, what, "let_end=30", devices=[*devices, *card_to(server)], disk=disk, initrd=initrd, precise=True)
        run = Run(report)
        bed.note(f"{what}: {run.lines}, {len(server.requests)} requests, of the seeder and of rngd")
        check(run.started and run.state == "exited" and run.sec < FETCH_SEC, f"{what}: {vars(run)}")
        check(server.requests, f"{what}: nobody asked: {report.parts['journal']}")
        check([line for line in run.lines if line["bytes"]], f"{what}: no run report tells of a seed: {vars(run)}")
        check(bool(run.credited) == bool(config), f"{what}: {run.credited} bits were credited: {run.lines}")
        check(config or all(line["note"] == "not enabled by the administrator" for line in run.lines), f"{run.lines}")
        fed = rngd(report)["metadata"]
        check(fed["bytes"] and bool(fed["credited_bits"]) == bool(config), f"{what}: rngd: {fed}")
        quiet(report, what)


class Network:
    """What a machine of the test below is plugged into."""

    def __init__(self, kind):
        self.server = metadata_server.Server(default=metadata_server.stall) if kind == "silent" else None
        self.nobody = None if self.server else Nobody()
        self.devices = [*([] if kind == "plain" else IN_OPENSTACK), *(card_to(self.server) if self.server else self.nobody.card)]

    def asked(self):
        return len(self.server.requests) if self.server else self.nobody.asked()


def boot_in(bed, guests, initrd, kind):
    network = Network(kind)
    words = {"plain": (), "nobody there": ("let_end=2",), "silent": ("let_end=30",)}[kind]
    report = guests.boot(OURS, kind, *words, devices=network.devices, initrd=initrd, precise=True)
    run, n = Run(report), network.asked()
    bed.note(f"{kind}: multi-user.target at {run.reached_sec:.3f} s, without the disk {run.boot_sec:.3f} s, asked {n} times, "
             f"ran for {run.sec} s, stopped in {run.stop_sec} s")
    quiet(report, kind)
    check(run.started == bool(n) == (kind != "plain"), f"{kind}: started {run.started}, {n} attempts")
    check(not run.credited, f"{kind}: {run.lines}")
    return run


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_silent_metadata(bed):
    """A service that does not answer, one that is not there, and a machine that has none: they boot equally fast."""
    guests = Guests(bed)
    initrd = laid(guests.directory(OURS), bed.directory / "initrd", {CARD: ALONE})
    runs = {kind: boot_in(bed, guests, initrd, kind) for kind in ("plain", "nobody there", "silent")}
    check(runs["nobody there"].state == "running", f"it was to be stopped at its work: {vars(runs['nobody there'])}")
    check(runs["nobody there"].stop_sec <= STOP_SEC, f"{runs['nobody there'].stop_sec} s to stop")
    check(runs["nobody there"].after_stop == "dead", f"after it was stopped it is {runs['nobody there'].after_stop}")
    check(runs["silent"].state == "exited" and runs["silent"].sec <= FETCH_SEC, f"no end: {vars(runs['silent'])}")

    # A busy machine can only add to it: the best of each kind counts.
    best = {kind: run.boot_sec for kind, run in runs.items()}
    for _ in range(2):
        late = [kind for kind in best if best[kind] > best["plain"] + LOST_SEC]
        for kind in late:
            best[kind] = min(best[kind], boot_in(bed, guests, initrd, kind).boot_sec)
    lost = {kind: round(sec - best["plain"], 3) for kind, sec in best.items()}
    bed.note(f"lost: {lost}")
    check(max(lost.values()) <= LOST_SEC, f"multi-user.target was reached so many seconds later: {lost}")


# dracut


# A network root would take as long.
WAIT = """n=0
until grep -q '"metadata"' /run/guest-entropy/seeder-initramfs*.json; do
    n=$((n + 1)); [ $n -lt 200 ] || break; sleep 0.1
done
"""


def listed(directory):
    """The files in an initramfs of dracut."""
    if not shutil.which("lsinitrd"):
        raise Skip("no lsinitrd on this machine (package dracut-core)")
    done = subprocess.run(["lsinitrd", directory / "initrd"], capture_output=True, text=True, timeout=120, check=True)
    return {line.split()[8] for line in done.stdout.splitlines() if line.count(" ") > 8 and line[0] in "-dl" and line[10] == " "}


class Builder(debian.Builder):
    """With the network modules of this machine's dracut, too."""

    def make_dracut(self, spec, tree, version):
        done = subprocess.run(["dpkg", "-L", "dracut-network"], capture_output=True, text=True, timeout=30, check=False)
        for path in map(pathlib.Path, done.stdout.splitlines()):
            if path.is_file() and str(path).startswith("/usr/lib/dracut/"):
                target = tree / str(path).lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
        super().make_dracut(spec, tree, version)


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_dracut_metadata(bed):
    """entropy_metadata=yes, and enabled: asked in the initramfs and credited there. Without: neither program nor network."""
    if not pathlib.Path("/usr/lib/dracut/modules.d/40network").is_dir():
        raise Skip("no dracut-network on this machine")
    guests = Guests(bed)
    root = guests.directory(OURS) / "root.ext4"
    guests.builder = Builder({"cache": bed.cache, "rngd": bed.rngd})
    directory = guests.directory(DRACUT_METADATA)
    files = listed(directory)
    ours = {name for name in files if "metadata" in name}
    check({"usr/libexec/guest-entropy/entropy-metadata", "usr/lib/systemd/systemd-networkd"} <= files, f"of it there are {ours}")
    without = listed(guests.directory(DRACUT))
    check("usr/bin/entropy-seeder" in without, "not our initramfs")
    left = [name for name in without if "metadata" in name or "networkd" in name or "libcurl" in name or "virtio_net" in name]
    check(not left, f"without the option there are {left}")

    server = metadata_server.Server()
    disk = bed.directory / "disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", root, disk], check=True, timeout=30)
    waiting = debian_boot.overlaid(directory, bed.directory / "initrd", {"usr/lib/dracut/hooks/pre-mount/02-wait.sh": WAIT.encode()})
    report = guests.boot(DRACUT_METADATA, "dracut", "rd.neednet=1", "ip=dhcp", "systemd.unit=quick.target", devices=card_to(server),
                         disk=disk, initrd=waiting, precise=True)
    run_reports = [run_report for run_report in map(report.run_report, ("seeder-initramfs", "seeder-initramfs-2")) if run_report]
    lines = [line for run_report in run_reports for line in run_report["sources"] if line["name"] == "metadata"]
    bed.note(f"{lines}; ready at {report.probe('ready')} s; asked {len(server.requests)} times")
    check(server.requests and sum(line["credited_bits"] for line in lines) >= 256, f"{lines}\n{report.kmsg}")
    check(any(run_report["ready"] for run_report in run_reports), f"{run_reports}")
    quiet(report, "dracut")


# Sources under the units


ADDRESSES = {"unix": "unix:/run/egd-pool", "tcp": "tcp:127.0.0.1:8888", "vsock": "vsock:1:8888"}
NOTHING = "[tpm]\nenabled = no\n[config-drive]\nenabled = no\n[platform]\nenabled = no\n[metadata]\nenabled = no\n"
# Enabled by a hand: else the seeder loads no module for it.
ONLY_JITTER = NOTHING + "[jitter]\nenabled = yes\n"
CREDITED = "[file]\npath = /run/sample\ncredit = 1024\ntrust = always\n[exec]\ncommand = /usr/bin/head -c 64 /etc/sample\ncredit = 512\n"
# The first run of the boot has jitter alone, and comes before the kernel makes itself ready.
FIRST = "[Unit]\nBefore=rngd.service systemd-random-seed.service systemd-udevd.service\n[Service]\nType=oneshot\n"
NAMED = ("[Service]\nExecStart=\nExecStart=/usr/bin/entropy-seeder run --real-root --deadline=20s "
         "--source=egd --source=tpm --source=config-drive --source=metadata\n")
ROUNDS = f"""
ask_rngd() {{
    systemctl restart rngd
    systemctl kill --kill-whom=main -s USR1 rngd
    for _ in $(seq 50); do
        sleep 0.2
        rngd --status=json >/run/status.json
        grep -q '"state":"asked"' /run/status.json || break
    done
    echo "== rngd-$1"; cat /run/status.json
}}
chmod 755 /usr/sbin/seed-probe
modprobe vsock_loopback
mkfifo /run/sample
while :; do head -c 4096 /dev/urandom >/run/sample; done &
ask_rngd jitter
for _ in $(seq 100); do ! ip route | grep -q 169.254.169 || break; sleep 0.2; done
mkdir -p /run/systemd/system/entropy-seeder.service.d
printf '{NAMED}' >/run/systemd/system/entropy-seeder.service.d/named.conf
systemctl daemon-reload
for kind in {" ".join(ADDRESSES)}; do
    cp /etc/rounds/$kind /etc/guest-entropy.conf
    /usr/sbin/seed-probe serve "$(sed -n 's/^address = //p' /etc/guest-entropy.conf)" >/dev/null 2>&1 &
    sleep 0.3
    systemctl restart entropy-seeder
    ask_rngd $kind
done
"""


@vm_test(whole=True, timeout=LIMIT_SEC)
def test_sources_in_units(bed):
    """Each source works within the sandbox of entropy-seeder.service and of rngd.service."""
    guests = Guests(bed)
    probe = (pathlib.Path(bed.agent).parent / "seed-probe").read_bytes()
    files = {CARD: DHCP, "usr/sbin/seed-probe": probe, "usr/sbin/tell-first": TELL + ROUNDS,
             "etc/guest-entropy.conf": ONLY_JITTER, "etc/sample": random_stream("sample")(0, 4096),
             "etc/systemd/system/entropy-seeder.service.d/first.conf": FIRST}
    for kind, address in ADDRESSES.items():
        files[f"etc/rounds/{kind}"] = f"[egd]\naddress = {address}\ntrust = always\n[metadata]\nenabled = yes\n{CREDITED}"
    own = {"etc/guest-entropy.conf": NOTHING + "[jitter]\nenabled = no\n"}
    initrd = laid(guests.directory(OURS), bed.directory / "initrd", files, own)
    server = metadata_server.Server()
    drive = config_drive(bed.directory / "config.iso", random_stream("config drive")(0, 512))
    devices = [*start_swtpm(bed), *IN_OPENSTACK, *card_to(server), *drive]
    report = guests.boot(OURS, "sources", devices=devices, initrd=initrd, timeout=600)
    quiet(report, "sources")

    run_reports = [report.run_report(name) for name in ("seeder", "seeder-2", "seeder-3", "seeder-4")]
    check(all(run_reports), f"{run_reports}")
    found = [{line["name"].split()[0]: line for line in run_report["sources"]} for run_report in run_reports]
    wrong = [f"seeder, {n}: {name}: {lines.get(name)}" for n, lines in enumerate(found)
             for name in (("egd", "tpm", "config-drive", "metadata") if n else ("jitter",)) if not lines.get(name, {}).get("bytes")]
    for kind in ("jitter", *ADDRESSES):
        sources = rngd(report, f"rngd-{kind}")
        names = ("jitter",) if kind == "jitter" else ("egd", "tpm", "file", "exec", "metadata")
        wrong += [f"rngd, {kind}: {sources[name]}" for name in names if not sources[name]["credited_bits"]]
        bed.note(f"rngd, {kind}: " + ", ".join(f"{name} {sources[name]['credited_bits']} bits" for name in names))
    bed.note(f"seeder: {[sorted((name, line['credited_bits']) for name, line in lines.items()) for lines in found]}")
    check(not wrong, "\n".join([*wrong, *report.parts["journal"]]))
