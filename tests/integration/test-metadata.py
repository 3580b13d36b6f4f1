#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test-metadata.py PROGRAM [OTHER...]: entropy-metadata against servers of every kind.

As root it runs in a network namespace of its own, with the real addresses of the metadata service
on interfaces that lead nowhere. The OTHER programs are those that must not link libcurl.
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

import metadata_network
import metadata_server
from metadata_run import (BUSY, CA_FILE, CERTIFICATE, FORMAT, NOT_THERE, OK, OPENSTACK, PROTOCOL, SEED_ABSENT, SEED_ENCODING,
                          SEED_LENGTH, SEED_TYPE, TOO_LONG, UNREACHABLE, USAGE, Run, Skip, case, check_run, counts, get, memory_seen,
                          skip_with, under_test)
from metadata_server import Server

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
    run = test_status(server, path, TOO_LONG if "MiB" in words else PROTOCOL, words)
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
           "HOME": str(under_test.directory)}
    (under_test.directory / ".netrc").write_text("default login user password secret\n")
    (under_test.directory / ".curlrc").write_text("user = user:secret\n")
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
        [under_test.program, f"--url=http://127.0.0.1:{server.port}{OPENSTACK}"], stdout=write_end, stderr=subprocess.PIPE,
        timeout=10, check=False)
    os.close(write_end)
    assert process.returncode == 1 and b"standard output" in process.stderr, f"{process}"


# ---- TLS ----


def openssl(*words):
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, timeout=60, cwd=under_test.directory, check=False)
    assert done.returncode == 0, done.stderr


def make_ca(name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    return under_test.directory / f"{name}.pem"


def make_certificate(name, ca, *san):
    (under_test.directory / f"{name}.ext").write_text(f"subjectAltName={','.join(san)}\n")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", ca, "-CAkey", ca.with_suffix(".key"), "-CAcreateserial",
            "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem")
    return under_test.directory / f"{name}.pem", under_test.directory / f"{name}.key"


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
    case("a CA file that is not there", test_tls_refused, right, under_test.directory / "missing.pem", CA_FILE)
    (under_test.directory / "garbage.pem").write_text("garbage\n")
    case("a CA file that is none", test_tls_refused, right, under_test.directory / "garbage.pem", CA_FILE)
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


# ---- What it is made of ----


def libraries(program):
    done = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=30, check=True)
    return done.stdout


def test_only_one_links_curl(others):
    assert "libcurl" in libraries(under_test.program), "this test does not see libcurl where it is"
    for other in others:
        assert "libcurl" not in libraries(other), f"{other} links libcurl"


def test_kernel_is_not_waited_for(server):
    """Over HTTP nothing may ask the kernel for random bytes in a way that waits, or starts its jitter loop."""
    if not shutil.which("strace"):
        raise Skip("no strace")
    if under_test.sanitized:
        raise Skip("a sanitizer cannot be traced")
    trace = under_test.directory / "trace"
    done = subprocess.run(
        # As it is before the kernel's RNG is ready: libraries then fall back on the devices.
        ["strace", "-f", "-o", trace, "-e", "trace=getrandom,open,openat", "-e", "inject=getrandom:error=EAGAIN", under_test.program,
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
    for path, status, words in (
            ("/empty", FORMAT, ""), ("/not-json", FORMAT, "no JSON"), ("/array", FORMAT, "no JSON"), ("/cut", FORMAT, "no JSON"),
            ("/two-documents", FORMAT, "no JSON"), ("/number", SEED_TYPE, "no string"), ("/bad-base64", SEED_ENCODING, "not base64"),
            ("/no-padding", SEED_ENCODING, "not base64"), ("/meta-only", SEED_ABSENT, "no such top-level key"),
            ("/too-short", SEED_LENGTH, "fewer than 32"), ("/too-long", SEED_LENGTH, "more than 4096")):
        case(f"refused: {path}", test_status, server, path, status, words)
    case("refused: text as raw", test_status, server, "/text", FORMAT, "text", "--format=raw")
    case("refused: nothing as raw", test_status, server, "/empty", SEED_LENGTH, "fewer than 32", "--format=raw")
    for path in ("/404", "/403", "/204"):
        case(f"not there: {path}", test_status, server, path, NOT_THERE, "HTTP " + path[1:])
    for path in ("/stall", "/stall-in-body", "/drip", "/short"):
        case(f"time is kept: {path}", test_timeout, server, path)
    case("time is kept: connecting", test_connect_timeout)
    case("a server that comes later", test_refused_then_there)
    for path, words in (
            ("/gigabyte", "longer than 1 MiB"), ("/gigabyte-told", "longer than 1 MiB"), ("/one-header", ""), ("/many-headers", "headers"),
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
    metadata_network.tests_real_addresses()
    case("nothing else links libcurl", test_only_one_links_curl, others)
    case("the kernel is not waited for", test_kernel_is_not_waited_for, server)
    print("# counts " + " ".join(f"{key}={n}" for key, n in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    metadata_network.enter_namespace()
    under_test.prepare(sys.argv[1])
    sys.exit(main(sys.argv[2:]))
