# SPDX-License-Identifier: MIT
"""The metadata service at its real addresses, on interfaces that lead nowhere, in a network namespace of its own."""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time

import metadata_server
from metadata_run import NOT_THERE, OK, OPENSTACK, UNREACHABLE, Run, Skip, case, check_run, get, skip_with, under_test
from metadata_server import Server

INSIDE = "TEST_METADATA_INSIDE"


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


def switches(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return sum(map(int, re.findall(r"ctxt_switches:\s+(\d+)", text)))


def test_no_route():
    run = Run("--timeout=2s")
    check_run(run, UNREACHABLE, 1.9)
    assert "no route" in run.err, run.err
    run = Run("--wait-route=400ms")
    check_run(run, UNREACHABLE)
    assert 0.4 <= run.seconds <= 2 and "no route" in run.err, f"{run}"
    run = Run("--url=http://192.0.2.7/", "--wait-route=100ms")
    check_run(run, UNREACHABLE)
    assert "no route" in run.err, f"{run}"


def test_route_comes():
    """It sleeps until the kernel tells of the route, and then goes at once."""
    seen = {}

    def plug(pid):
        time.sleep(0.5)
        before = switches(pid)
        time.sleep(1.0)
        seen["woken"] = switches(pid) - before
        seen["at"] = time.monotonic()
        ip("addr", "add", "169.254.169.254/32", "dev", "lo")
    # The server is there before its address is.
    pathlib.Path("/proc/sys/net/ipv4/ip_nonlocal_bind").write_text("1\n")
    server = Server("169.254.169.254", 80)
    run = Run("--wait-route=8s", watch=plug)
    late = time.monotonic() - seen["at"]
    check_run(run, OK, 5)
    server.close()
    print(f"# {late * 1000:.0f} ms after the route came, {seen['woken']} wake-ups while it waited")
    assert len(run.out) == 512 and late < 2, f"{late:.2f} s after the route: {run}"
    assert seen["woken"] == 0, f"{seen['woken']} context switches while it waited"


def test_ipv4_alone():
    server = Server("169.254.169.254", 80)
    run = Run()
    server.close()
    check_run(run, OK)
    assert run.out == server.seeds[-1] and [p for _, p, _ in server.requests] == [OPENSTACK]


def test_answer_ends_waiting():
    """What IPv4 says for good is true of the same service's IPv6, whose route may never come."""
    pathlib.Path("/sys/class/net/v1/device").mkdir(parents=True)
    pathlib.Path("/sys/class/net/v0/device").rmdir()
    server = Server("169.254.169.254", 80, default=metadata_server.PATHS["/404"])
    ip("link", "set", "v1", "down")
    run = Run("--wait-route=5s")
    ip("link", "set", "v1", "up")
    server.close()
    pathlib.Path("/sys/class/net/v1/device").rmdir()
    pathlib.Path("/sys/class/net/v0/device").mkdir()
    check_run(run, NOT_THERE)


def setup_uplink():
    """v0 looks like a network card and has both addresses of the service; v2 looks like a container's."""
    ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
    ip("link", "add", "v2", "type", "veth", "peer", "name", "v3")
    for name in ("v0", "v1", "v2", "v3"):
        ip("link", "set", name, "up")
    subprocess.run(["mount", "-t", "tmpfs", "none", "/sys/class/net"], check=True, timeout=20)
    pathlib.Path("/sys/class/net/v0/device").mkdir(parents=True)
    for name in ("v0", "v2"):
        ip("-6", "addr", "add", "fe80::a9fe:a9fe/64", "dev", name, "nodad")


def test_ipv6_wins():
    both = [Server("169.254.169.254", 80), Server("fe80::a9fe:a9fe%v0", 80)]
    run = Run()
    for server in both:
        server.close()
    check_run(run, OK)
    assert run.out == both[1].seeds[-1] and not both[0].requests, f"{both[0].requests} {run}"
    assert "Host: [fe80::a9fe:a9fe]\r\n" in both[1].requests[0][2], both[1].requests[0][2]


def test_ipv4_takes_over(handler, at_least, at_most):
    """A busy machine may be late once, not each time."""
    gaps = []
    while len(gaps) < 4 and (not gaps or gaps[-1] > at_most):
        gaps.append(ipv4_gap(handler, at_least))
    assert gaps[-1] <= at_most, f"IPv4 {gaps} s after IPv6"


def ipv4_gap(handler, at_least):
    v4, v6 = Server("169.254.169.254", 80), Server("fe80::a9fe:a9fe%v0", 80, default=handler)
    run = Run()
    v4.close()
    v6.close()
    check_run(run, OK)
    assert run.out == v4.seeds[-1] and v6.requests, f"{run}"
    gap = v4.requests[0][0] - v6.requests[0][0]
    assert gap >= at_least, f"IPv4 {gap * 1000:.0f} ms after IPv6"
    return gap


def test_container_is_not_asked():
    v2, v4 = Server("fe80::a9fe:a9fe%v2", 80), Server("169.254.169.254", 80)
    run = Run()
    v2.close()
    v4.close()
    check_run(run, OK)
    assert not v2.requests and run.out == v4.seeds[-1], "it asked behind an interface that is no network card"


def test_bridge_port_is_not_asked():
    pathlib.Path("/sys/class/net/v0/brport").mkdir()
    v0, v4 = Server("fe80::a9fe:a9fe%v0", 80), Server("169.254.169.254", 80)
    run = Run()
    v0.close()
    v4.close()
    pathlib.Path("/sys/class/net/v0/brport").rmdir()
    check_run(run, OK)
    assert not v0.requests and run.out == v4.seeds[-1], "it asked at a bridge"


def test_zone():
    server = Server("fe80::a9fe:a9fe%v0", 80)
    for zone in ("%25v0", f"%25{socket.if_nametoindex('v0')}"):
        run = Run(f"--url=http://[fe80::a9fe:a9fe{zone}]/redirect")
        check_run(run, OK)
        assert run.out == server.seeds[-1]
    server.close()


def test_name_server_is_silent():
    """getaddrinfo() cannot be broken off; the program ends in time all the same."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 53))
        (under_test.directory / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        (under_test.directory / "resolv.conf").chmod(0o644)
        # The file may be a link to one that is not there.
        target = os.path.realpath("/etc/resolv.conf")
        if not os.path.exists(target):
            raise Skip("no /etc/resolv.conf")
        subprocess.run(["mount", "--bind", under_test.directory / "resolv.conf", target], check=True, timeout=20)
        try:
            run = Run("--url=http://metadata.example/", "--timeout=1s")
            silent.settimeout(0)
            assert silent.recv(512), "it did not ask for the name"
        finally:
            subprocess.run(["umount", target], check=True, timeout=20)
    check_run(run, UNREACHABLE)
    assert 0.9 <= run.seconds <= 3, f"{run}"


def test_hosts_of_its_own():
    """A name without any route but its own: no default route is needed for /etc/hosts."""
    server = Server()
    run = get(server, OPENSTACK, host="localhost")
    check_run(run, OK)
    server.close()


def tests_real_addresses():
    if not os.environ.get(INSIDE):
        case("the real addresses", skip_with, "no network namespace: not root")
        return
    # Nothing below may leave this machine.
    names = {name for _, name in socket.if_nameindex()}
    assert names == {"lo"}, f"not in a namespace of our own: {names}"
    case("no route", test_no_route)
    case("a route that comes", test_route_comes)
    case("OpenStack over IPv4", test_ipv4_alone)
    setup_uplink()
    case("OpenStack over IPv6 first", test_ipv6_wins)
    case("IPv4 150 ms after a silent IPv6", test_ipv4_takes_over, metadata_server.stall, 0.13, 0.4)
    case("IPv4 at once after a refusal by IPv6", test_ipv4_takes_over, metadata_server.PATHS["/404"], 0, 0.1)
    case("IPv4 beside an IPv6 that fails", test_ipv4_takes_over, metadata_server.PATHS["/503"], 0, 0.1)
    case("an interface that is no network card is not asked", test_container_is_not_asked)
    case("a port of a bridge is not asked", test_bridge_port_is_not_asked)
    case("a final answer over IPv4 ends the wait for IPv6", test_answer_ends_waiting)
    case("a zone in a URL", test_zone)
    case("a name server that is silent", test_name_server_is_silent)
    case("a name in /etc/hosts", test_hosts_of_its_own)


def enter_namespace():
    """Everything again in a network and mount namespace of its own, where that is allowed."""
    if INSIDE in os.environ or os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("unshare"):
        return
    inside = ["unshare", "--net", "--mount", "--propagation", "private", "--"]
    if subprocess.run([*inside, "ip", "link", "set", "lo", "up"], capture_output=True, check=False).returncode == 0:
        os.environ[INSIDE] = "1"
        script = 'ip link set lo up && exec "$@"'
        os.execvp("unshare", [*inside, "sh", "-c", script, "sh", sys.executable, *sys.argv])
