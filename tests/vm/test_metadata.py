# SPDX-License-Identifier: MIT
"""The metadata service at its real address, in a guest that has no other source. No packet leaves QEMU: its user
network hands connections to 169.254.169.254:80 to a server of the test's."""

import pathlib
import sys

from harness.bed import Skip, check, quote_call
from harness.runner import vm_test

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import metadata_server  # noqa: E402

PROGRAM = "/usr/libexec/guest-entropy/entropy-metadata"
ENABLED = "[metadata]\nenabled = yes\ntimeout = 6s\n"
# What a server does, and a part of what rngd says of it.
FAILURES = (
    ("/stall", "No route to host"),
    ("/drip", "No route to host"),
    ("/gigabyte", "the document is longer than 1 MiB"),
    ("/redirect-host", "Protocol error"),
    ("/redirect-loop", "Protocol error"),
    ("/gzip", "Protocol error"),
    ("/not-json", "this is no JSON object"),
    ("/bad-base64", "the seed is not base64"),
    ("/meta-only", "the document has no such top-level key"),
    ("/404", "the server has no such document"),
)


def guest(bed, server, devices=()):
    program = pathlib.Path(bed.rngd).parents[1] / "seeder/metadata/entropy-metadata"
    if not program.exists():
        raise Skip("entropy-metadata was not built")
    image = bed.archive()
    image.program(program, PROGRAM)
    image.link("bin/ip", "busybox")
    # QEMU connects a socket of its own only once; a command is started for each connection.
    network = ("user,id=n,restrict=on,net=169.254.169.0/24,host=169.254.169.2,"
               f"guestfwd=tcp:169.254.169.254:80-cmd:busybox nc 127.0.0.1 {server.port}")
    return bed.linux(image=image, memory_mb=256, modules=(), load=("virtio_pci", "virtio_net"),
                     devices=["-netdev", network, "-device", "virtio-net-pci,netdev=n,romfile=", *devices])


def plug_network(vm):
    vm.shell("ip link set lo up; ip link set eth0 up; ip addr add 169.254.169.1/24 dev eth0")
    return vm.boottime_usec()


@vm_test()
def test_metadata_credited(bed):
    """Enabled by the administrator: rngd waits for the route without polling, then the kernel is ready at once."""
    bed.only_ours()
    server = metadata_server.Server()
    vm = guest(bed, server)
    daemon = bed.start(vm, config="[metadata]\nenabled = yes\n", trace=True)
    check(not vm.random()["ready"], "this guest was to be starved")
    check(not daemon.feeds(), "it fed without a network")
    at = plug_network(vm)
    vm.wait_until(lambda: vm.random()["ready"], 5, "the kernel is ready\n" + daemon.log())
    call = vm.wait_until(daemon.credited, 2, "a credited feed")[0]
    bed.note(f"fed {(call['boottime_usec'] - at) / 1000:.0f} ms after the route came: {quote_call(call)}")
    check(call["bytes"] in b"".join(server.seeds), "it fed other bytes than the server sent")
    check(call["bits"] <= 8 * call["n_bytes"], f"{call['bits']} bits for {call['n_bytes']} bytes")
    source = daemon.source("metadata")
    check(source["class"] == "live-network" and source["credited_bits"] >= 256, f"{source}")
    check(vm.run("/bin/busybox", "dd", "if=/dev/random", "of=/dev/null", "bs=16", "count=1")["usec"] < 1_000_000,
          "a read of /dev/random blocked")
    before = len(server.seeds)
    daemon.signal(10)
    daemon.wait_status(lambda s: s["wakes"]["signal"] == 1 and not any(x["state"] == "asked" for x in s["sources"]), 5,
                       "another feed")
    check(len(server.seeds) > before and len(set(server.seeds)) == len(server.seeds), "the second feed was no new request")
    used = [c["bytes"] for c in daemon.feeds()]
    check(len(set(used)) == len(used), "bytes were fed twice")


@vm_test()
def test_metadata_by_dmi(bed):
    """The machine says that it is OpenStack's, the administrator says nothing: mixed in, not credited."""
    bed.only_ours()
    server = metadata_server.Server()
    vm = guest(bed, server, devices=["-smbios", "type=1,product=OpenStack Nova"])
    plug_network(vm)
    daemon = bed.start(vm, trace=True)
    call = vm.wait_until(daemon.feeds, 8, "a feed\n" + daemon.log())[0]
    check(call["bits"] == 0, f"credited: {quote_call(call)}")
    check(not vm.random()["ready"], "nothing that was credited, and still ready")
    check(daemon.source("metadata")["detail"] == "OpenStack", f"{daemon.source('metadata')}")


@vm_test()
def test_metadata_not_asked(bed):
    """Neither: the service is not asked. And neither asking rngd nor TLS starts the kernel's own jitter loop."""
    bed.only_ours()
    server = metadata_server.Server()
    vm = guest(bed, server)
    plug_network(vm)
    daemon = bed.start(vm)
    check(daemon.source("metadata")["state"] == "absent", f"{daemon.source('metadata')}")
    done = vm.run("/usr/sbin/rngd", "--status")
    check(done["code"] == 0 and "metadata" in done["out"], f"{done}")
    check(not vm.random()["ready"], "'rngd --status' made the kernel ready")
    done = vm.run(PROGRAM, "--url=https://169.254.169.254:80/", "--wait-route=700ms")
    check(done["code"] == 75 and "not ready" in done["out"], f"{done}")
    check(not vm.random()["ready"], "TLS made the kernel ready")
    check(not server.requests, f"it was asked: {server.requests}")


@vm_test()
def test_metadata_bad_servers(bed):
    """Servers of every kind: nothing is credited, rngd says why and goes on, and a good answer is taken at last."""
    bed.only_ours()
    handlers = metadata_server.PATHS
    server = metadata_server.Server(default=handlers["/stall"])
    vm = guest(bed, server)
    plug_network(vm)
    for path, words in FAILURES:
        server.forget()
        server.default = handlers[path]
        daemon = bed.start(vm, config=ENABLED, trace=True)
        status = daemon.wait_status(lambda s: next(x for x in s["sources"] if x["name"] == "metadata")["failures"] > 0,
                                    8, f"{path} fails")
        source = next(x for x in status["sources"] if x["name"] == "metadata")
        check(server.requests, f"{path}: nobody asked")
        check(words in (source["last_error"] or ""), f"{path}: {source['last_error']}\n{daemon.log()}")
        check("entropy-metadata: http://169.254.169.254/" in daemon.log(), f"{path}: no reason in the log\n{daemon.log()}")
        check(source["bytes"] == 0 and not daemon.feeds() and not vm.random()["ready"], f"{path}: fed: {source}")
        check(daemon.alive(), f"{path}: rngd ended")
        daemon.stop()
    for path in ("/500-then-200", "/redirect"):
        server.forget()
        server.default = None
        first = {"left": 1, "path": path}

        def handler(client):
            first["left"] -= 1
            if first["left"] < 0:
                metadata_server.good(client)
            elif first["path"] == "/redirect":
                client.send(metadata_server.answer(b"", "302 Found", "Location: /openstack/2018-08-27/meta_data.json"))
            else:
                client.send(metadata_server.answer(b"later", "500 Oops"))
        server.default = handler
        daemon = bed.start(vm, config=ENABLED, trace=True)
        call = vm.wait_until(lambda: daemon.credited(daemon.started_usec), 4, f"{path}: a credited feed")[0]
        check(call["bytes"] in b"".join(server.seeds), f"{path}: other bytes than the server sent")
        check(vm.random()["ready"], f"{path}: not ready")
        daemon.stop()
    bed.note(f"{len(FAILURES)} servers that give nothing, 2 that give something later")
