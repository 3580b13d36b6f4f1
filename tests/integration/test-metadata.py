#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test-metadata.py PROGRAM [OTHER...]: entropy-metadata against servers of every kind.

As root it runs in a network namespace of its own, with the real addresses of the metadata service
on interfaces that lead nowhere. The OTHER programs are those that must not link libcurl.
"""

import atexit
import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import metadata_server
from metadata_server import Server

OK, USAGE, FORMAT, NOT_THERE, UNREACHABLE, BUSY, PROTOCOL, CERTIFICATE, CA_FILE = 0, 64, 65, 66, 69, 75, 76, 77, 78
MEMORY_MAX_KIB = 24 * 1024
INSIDE = "TEST_METADATA_INSIDE"
OPENSTACK = "/openstack/latest/meta_data.json"

counts = {"passed": 0, "failed": 0, "skipped": 0}


class Skip(Exception):
    pass


def case(name, function, *args):
    try:
        function(*args)
        outcome, lines = "passed", []
    except Skip as e:
        outcome = "failed" if os.environ.get("MUST_WORK") == "1" else "skipped"
        lines = [f"cannot run here: {e}"]
    except (AssertionError, OSError, subprocess.SubprocessError) as e:
        outcome, lines = "failed", f"{type(e).__name__}: {e}".splitlines()
    counts[outcome] += 1
    skip = f" # SKIP {lines[0]}" if outcome == "skipped" else ""
    print(f"{'not ok' if outcome == 'failed' else 'ok'} {sum(counts.values())} - {name}{skip}")
    for line in lines if outcome == "failed" else []:
        print(f"#   {line}")
    sys.stdout.flush()


def as_nobody():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)


class Run:
    """One run of the program, to its end; memory is the largest that was seen of it."""

    def __init__(self, *options, env=None, limit=15, watch=None):
        began = time.monotonic()
        self.process = subprocess.Popen(
            [PROGRAM, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={"PATH": "/usr/bin:/bin", **(env or {})}, preexec_fn=as_nobody)
        self.memory_kib = 0
        done = threading.Event()
        sampler = threading.Thread(target=self._sample, args=(done,))
        sampler.start()
        try:
            if watch:
                watch(self.process.pid)
            self.out, err = self.process.communicate(timeout=limit)
        finally:
            self.process.kill()
            self.process.wait()
            done.set()
            sampler.join()
        self.seconds = time.monotonic() - began
        self.err, self.status = err.decode(), self.process.returncode

    def _sample(self, done):
        path = pathlib.Path(f"/proc/{self.process.pid}/status")
        while not done.is_set():
            try:
                text = path.read_text()
            except OSError:
                return
            # Before exec it is a copy of this test, with its memory.
            name, peak = re.search(r"Name:\t(.*)", text), re.search(r"VmHWM:\s*(\d+)", text)
            if name and peak and name.group(1) == "entropy-metadat":
                self.memory_kib = max(self.memory_kib, int(peak.group(1)))
            done.wait(0.003)

    def __str__(self):
        return f"status {self.status}, {len(self.out)} bytes, {self.seconds:.2f} s: {self.err.strip()}"


def check_run(run, status, seconds=4.0):
    assert run.status == status, f"expected status {status}: {run}"
    assert run.seconds <= seconds, f"expected at most {seconds} s: {run}"
    if status == OK:
        assert not run.err, f"words: {run}"
    else:
        assert not run.out, f"bytes without success: {run}"
        assert run.err.startswith("entropy-metadata: ") and run.err.count("\n") == 1, f"not one line: {run.err!r}"
        assert run.err.isprintable() or re.fullmatch(r"[ -~]*\n", run.err), f"not printable: {run.err!r}"
    if not SANITIZED:
        assert run.memory_kib <= MEMORY_MAX_KIB, f"{run.memory_kib} KiB of memory"


memory_seen = []


def get(server, path, *options, **kwargs):
    server.forget()
    host = kwargs.pop("host", "127.0.0.1")
    scheme = "https" if server.context else "http"
    run = Run(f"--url={scheme}://{host}:{server.port}{path}", *options, **kwargs)
    memory_seen.append(run.memory_kib)
    return run


# ---- Answers ----


def test_seed(server, path, *options):
    run = get(server, path, *options)
    check_run(run, OK)
    assert run.out == server.seeds[-1], "other bytes than were sent"


def test_bytes(server, path, expected):
    run = get(server, path)
    check_run(run, OK)
    assert run.out == expected, f"{run.out.hex()}"


def test_fresh(server):
    seeds = {get(server, OPENSTACK).out for _ in range(3)}
    assert len(seeds) == 3 and {len(s) for s in seeds} == {512}, "not three different seeds"


def test_status(server, path, status, words, *options, seconds=4.0, requests=1):
    run = get(server, path, *options)
    check_run(run, status, seconds)
    assert words in run.err, f"expected '{words}': {run.err}"
    assert requests is None or len(server.requests) == requests, f"{len(server.requests)} requests"
    return run


def test_timeout(server, path):
    """Whatever a slow server does, the time is kept, and only then is it given up."""
    run = test_status(server, path, UNREACHABLE, "", "--timeout=1s", requests=None)
    # It ends early where the time left is too short for the next pause.
    assert (0.4 if path == "/short" else 0.9) <= run.seconds <= 3, f"{run}"


def test_connect_timeout():
    """A listener whose queue is full: it takes no connection, and two attempts fit into the time."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        run = Run(f"--url=http://127.0.0.1:{full.getsockname()[1]}/", "--connect-timeout=300ms", "--timeout=1s")
        for filler in fillers:
            filler.close()
    check_run(run, UNREACHABLE)
    assert 0.9 <= run.seconds <= 3, f"{run}"


def test_refused_then_there():
    """No server yet: a connection error, until there is one."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    servers = []
    timer = threading.Timer(0.4, lambda: servers.append(Server(port=port)))
    timer.start()
    run = Run(f"--url=http://127.0.0.1:{port}{OPENSTACK}")
    timer.join()
    check_run(run, OK)
    assert run.seconds >= 0.4 and len(run.out) == 512, f"{run}"
    servers[0].close()


def test_big(server, path, words, sent_max):
    run = test_status(server, path, PROTOCOL, words)
    time.sleep(0.05)
    assert server.sent <= sent_max, f"{server.sent} bytes were taken"


def test_redirect_refused(server, path, n):
    test_status(server, path, PROTOCOL, "HTTP 30", requests=n)


def test_retry(server, path, n):
    run = get(server, path)
    check_run(run, OK)
    assert run.out == server.seeds[-1] and len(server.requests) == n, f"{len(server.requests)} requests"
    times = [t for t, _, _ in server.requests]
    assert all(b - a >= 0.09 for a, b in zip(times, times[1:])), "no pause between them"


def test_back_off(server):
    test_status(server, "/503", BUSY, "HTTP 503", "--timeout=2s", requests=None)
    times = [t for t, _, _ in server.requests]
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert 3 <= len(times) <= 6, f"{len(times)} requests in 2 s"
    assert gaps[-1] > 3 * gaps[0], f"pauses: {gaps}"


def test_clean_requests(server):
    """No cookies, no proxy, no compression asked for, no Authorization; whatever the environment says."""
    env = {"http_proxy": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1", "all_proxy": "http://127.0.0.1:1",
           "HOME": str(folder)}
    (folder / ".netrc").write_text("default login user password secret\n")
    (folder / ".curlrc").write_text("user = user:secret\n")
    for path in ("/500-then-200", "/redirect-3"):
        run = get(server, path, env=env)
        check_run(run, OK)
        assert len(server.requests) > 1
        for _, _, head in server.requests:
            names = {line.split(":")[0].lower() for line in head.split("\r\n")[1:] if line}
            assert names == {"host", "user-agent", "accept"}, f"{names}"


def test_memory(server):
    """At its fullest: a body that is almost as long as it may be, and a server that then says no more."""
    run = get(server, "/stall-in-body", "--timeout=500ms")
    check_run(run, UNREACHABLE)
    assert run.memory_kib > 0, "no memory was seen"
    print(f"# VmHWM at most {max(memory_seen)} KiB, {run.memory_kib} KiB with a full body")


def test_secret(server):
    """Other processes of the same user cannot look into it."""
    seen = {}

    def look(pid):
        time.sleep(0.4)
        seen["owner"] = os.stat(f"/proc/{pid}/mem").st_uid
        seen["core"] = re.search(r"Max core file size\s+(\d+)", pathlib.Path(f"/proc/{pid}/limits").read_text()).group(1)
    if os.geteuid() != 0:
        raise Skip("not root")
    get(server, "/stall", "--timeout=800ms", watch=look)
    assert seen == {"owner": 0, "core": "0"}, f"{seen}"


def test_ipv6():
    server = Server("::1")
    run = get(server, OPENSTACK, host="[::1]")
    check_run(run, OK)
    assert run.out == server.seeds[-1]
    run = get(server, "/redirect", host="[0:0:0:0:0:0:0:1]")
    check_run(run, OK)
    server.close()


def test_usage(words):
    run = Run(*words)
    check_run(run, USAGE)


def test_help():
    for option, words in (("--help", "usage: entropy-metadata"), ("--version", "guest-entropy")):
        run = Run(option)
        check_run(run, OK)
        assert words in run.out.decode(), run.out


def test_closed_output(server):
    """Nobody reads: an error, no signal."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = subprocess.run(
        [PROGRAM, f"--url=http://127.0.0.1:{server.port}{OPENSTACK}"], stdout=write_end, stderr=subprocess.PIPE,
        timeout=10, check=False)
    os.close(write_end)
    assert process.returncode == 1 and b"standard output" in process.stderr, f"{process}"


# ---- TLS ----


def openssl(*words):
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, timeout=60, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr


def make_ca(name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    return folder / f"{name}.pem"


def make_certificate(name, ca, *san):
    (folder / f"{name}.ext").write_text(f"subjectAltName={','.join(san)}\n")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", ca, "-CAkey", ca.with_suffix(".key"), "-CAcreateserial",
            "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem")
    return folder / f"{name}.pem", folder / f"{name}.key"


def tests_tls():
    if not shutil.which("openssl"):
        case("TLS", skip_with, "no openssl on this machine")
        return
    ca, other_ca = make_ca("ca"), make_ca("other")
    right = Server(tls=make_certificate("right", ca, "IP:127.0.0.1"))
    named = Server(tls=make_certificate("named", ca, "DNS:elsewhere.example"))
    plain = Server()
    plain_port = plain.port
    case("HTTPS with its CA", test_seed, right, OPENSTACK, f"--ca-file={ca}")
    case("HTTPS, a redirect to HTTP is refused", test_status, right, "/redirect-whole", PROTOCOL, "redirected",
         f"--ca-file={ca}")
    case("HTTPS without its CA is refused", test_tls_refused, right, None, CERTIFICATE)
    case("HTTPS with another CA is refused", test_tls_refused, right, other_ca, CERTIFICATE)
    case("HTTPS with a certificate of another name is refused", test_tls_refused, named, ca, CERTIFICATE)
    case("a CA file that is not there", test_tls_refused, right, folder / "missing.pem", CA_FILE)
    (folder / "garbage.pem").write_text("garbage\n")
    case("a CA file that is none", test_tls_refused, right, folder / "garbage.pem", CA_FILE)
    case("no TLS at the other end", test_no_tls, plain, plain_port, ca)
    for server in (right, named, plain):
        server.close()


def test_tls_refused(server, ca, status):
    run = get(server, OPENSTACK, *([f"--ca-file={ca}"] if ca else []))
    check_run(run, status)
    assert not server.requests, "it asked all the same"


def test_no_tls(server, port, ca):
    run = Run(f"--url=https://127.0.0.1:{port}{OPENSTACK}", f"--ca-file={ca}", "--timeout=500ms")
    check_run(run, UNREACHABLE)


def skip_with(reason):
    raise Skip(reason)


# ---- The real addresses, in a network namespace of our own ----


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
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        (folder / "resolv.conf").chmod(0o644)
        # The file may be a link to one that is not there.
        target = os.path.realpath("/etc/resolv.conf")
        if not os.path.exists(target):
            raise Skip("no /etc/resolv.conf")
        subprocess.run(["mount", "--bind", folder / "resolv.conf", target], check=True, timeout=20)
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


# ---- What it is made of ----


def libraries(program):
    done = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=30, check=True)
    return done.stdout


def test_only_one_links_curl(others):
    assert "libcurl" in libraries(PROGRAM), "this test does not see libcurl where it is"
    for other in others:
        assert "libcurl" not in libraries(other), f"{other} links libcurl"


def test_kernel_is_not_waited_for(server):
    """Over HTTP nothing may ask the kernel for random bytes in a way that waits, or starts its jitter loop."""
    if not shutil.which("strace"):
        raise Skip("no strace")
    if SANITIZED:
        raise Skip("a sanitizer cannot be traced")
    trace = folder / "trace"
    done = subprocess.run(
        # As it is before the kernel's RNG is ready: libraries then fall back on the devices.
        ["strace", "-f", "-o", trace, "-e", "trace=getrandom,open,openat", "-e", "inject=getrandom:error=EAGAIN", PROGRAM,
         f"--url=http://127.0.0.1:{server.port}{OPENSTACK}"], capture_output=True, timeout=30, check=False)
    text = trace.read_text() if trace.exists() else ""
    if "openat" not in text:
        raise Skip(f"strace does not work here: {done.stderr[-200:]}")
    assert done.returncode == 0 and len(done.stdout) == 512, f"{done}"
    bad = [line for line in text.splitlines()
           if ("getrandom" in line and "GRND_NONBLOCK" not in line) or re.search(r'"/dev/u?random"', line)]
    assert not bad, "\n".join(bad)


def tests_of_answers(server):
    metadata_server.zeros_packed()  # it takes a while, and is no part of what is timed
    case("OpenStack's document", test_seed, server, OPENSTACK)
    case("each request gives another seed", test_fresh, server)
    case("a key of one's own", test_seed, server, "/other-key", "--format=json:k")
    case("raw", test_seed, server, "/raw", "--format=raw")
    case("base64 in lines", test_seed, server, "/base64", "--format=base64")
    case("chunked", test_seed, server, "/chunked")
    case("to the end of the connection", test_seed, server, "/until-close")
    case("identity is no compression", test_seed, server, "/identity")
    case("white space in base64", test_bytes, server, "/spaces", bytes(range(64)))
    case("32 bytes", test_bytes, server, "/shortest", bytes(range(32)))
    case("4096 bytes", test_bytes, server, "/longest", bytes(range(256)) * 16)
    for path, words in (
            ("/empty", ""), ("/not-json", "no JSON"), ("/array", "no JSON"), ("/number", "no JSON"), ("/cut", "no JSON"),
            ("/two-documents", "no JSON"), ("/bad-base64", "not base64"), ("/no-padding", "not base64"),
            ("/meta-only", "no such top-level key"), ("/too-short", "shorter than 32"), ("/too-long", "longer than 4096")):
        case(f"refused: {path}", test_status, server, path, FORMAT, words)
    case("refused: text as raw", test_status, server, "/text", FORMAT, "text", "--format=raw")
    case("refused: nothing as raw", test_status, server, "/empty", FORMAT, "shorter", "--format=raw")
    for path in ("/404", "/403", "/204"):
        case(f"not there: {path}", test_status, server, path, NOT_THERE, "HTTP " + path[1:])
    for path in ("/stall", "/stall-in-body", "/drip", "/short"):
        case(f"time is kept: {path}", test_timeout, server, path)
    case("time is kept: connecting", test_connect_timeout)
    case("a server that comes later", test_refused_then_there)
    for path, words in (
            ("/gigabyte", "longer than 64 KiB"), ("/gigabyte-told", ""), ("/one-header", ""), ("/many-headers", "headers"),
            ("/continues", "headers"), ("/gzip", "compressed"), ("/gzip-te", "compressed")):
        case(f"broken off: {path}", test_big, server, path, words, 16 * 1024 * 1024)
    case("refused: no HTTP", test_status, server, "/no-http", PROTOCOL, "")
    for path, n in (("/500-then-200", 2), ("/429-408-then-200", 3), ("/first-short", 2)):
        case(f"tried again: {path}", test_retry, server, path, n)
    case("pauses grow", test_back_off, server)
    for path in ("/redirect", "/redirect-whole", "/redirect-3"):
        case(f"followed: {path}", test_seed, server, path)
    for path, n in (("/redirect-loop", 4), ("/redirect-4", 4), ("/redirect-host", 1), ("/redirect-port", 1),
                    ("/redirect-scheme", 1), ("/redirect-file", 1), ("/redirect-user", 1), ("/redirect-nowhere", 1)):
        case(f"not followed: {path}", test_redirect_refused, server, path, n)
    case("clean requests", test_clean_requests, server)
    case("IPv6", test_ipv6)
    case("memory is bounded", test_memory, server)
    case("memory is not shown to others", test_secret, server)
    case("a closed output", test_closed_output, server)


def main(others):
    server = Server()
    case("help and version", test_help)
    for words in (["--no-such"], ["word"], ["--url=ftp://127.0.0.1/"], ["--url=127.0.0.1"], ["--url="],
                  ["--url=http://user:secret@127.0.0.1/"], ["--url=http://127.0.0.1/" + "x" * 1100],
                  ["--url=http://[::1/"], ["--url=http://"], ["--format=xml"], ["--format=json:"], ["--format=json"],
                  ["--timeout=0"], ["--timeout=5x"], ["--timeout=2h"], ["--connect-timeout=0"], ["--ca-file="]):
        case(f"usage: {words[0][:40]}", test_usage, words)
    tests_of_answers(server)
    tests_tls()
    tests_real_addresses()
    case("nothing else links libcurl", test_only_one_links_curl, others)
    case("the kernel is not waited for", test_kernel_is_not_waited_for, server)
    print("# counts " + " ".join(f"{key}={n}" for key, n in counts.items()))
    return 1 if counts["failed"] else 0


def enter_namespace():
    """Everything again in a network and mount namespace of its own, where that is allowed."""
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("unshare"):
        return
    inside = ["unshare", "--net", "--mount", "--propagation", "private", "--"]
    if subprocess.run([*inside, "ip", "link", "set", "lo", "up"], capture_output=True, check=False).returncode == 0:
        os.environ[INSIDE] = "1"
        script = 'ip link set lo up && exec "$@"'
        os.execvp("unshare", [*inside, "sh", "-c", script, "sh", sys.executable, *sys.argv])


if __name__ == "__main__":
    if INSIDE not in os.environ:
        enter_namespace()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="test-metadata-"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, True)
    # Where nobody can run it, too: a build folder may be in a closed home.
    PROGRAM = shutil.copy(sys.argv[1], folder / "entropy-metadata")
    SANITIZED = b"__asan_init" in pathlib.Path(PROGRAM).read_bytes()
    sys.exit(main(sys.argv[2:]))
