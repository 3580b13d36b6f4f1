# SPDX-License-Identifier: MIT
"""Sources that give little at a time: a rate-limited virtio-rng, a serial line, many small feeds for an old kernel."""

import os
import socket
import threading

from harness.bed import check
from harness.runner import vm_test

# The example of nova's documentation: hw_rng:rate_bytes=5, hw_rng:rate_period=1000.
FIVE_A_SECOND = ",max-bytes=5,period=1000"
SIGUSR1 = 10


@vm_test(timeout=120)
def test_five_bytes_a_second_unready(bed):
    """A kernel that waits gets the credit of what came, as soon as that can be judged: within 15 s."""
    bed.only_ours()
    vm = bed.linux(devices=bed.server().device(extra=FIVE_A_SECOND), load=["virtio_pci", "virtio_rng"])
    check(not vm.random()["ready"], "the kernel was ready before: this test would prove nothing")
    daemon = bed.start(vm, "-x", "rdrand", "-x", "jitter", trace=True)
    ready = vm.wait_until(lambda: vm.random()["ready"] and vm.boottime_usec(), 40, "ready by five bytes a second")
    took = (ready - daemon.started_usec) / 1e6
    sizes = [(c["n_bytes"], c["bits"]) for c in daemon.feeds()]
    bed.note(f"ready after {took:.1f} s, fed {sizes}")
    check(took < 15, f"ready after {took:.1f} s only, fed {sizes}")
    check(all(bits == 0 or n_bytes >= 32 for n_bytes, bits in sizes), f"credited what cannot be judged: {sizes}")


@vm_test(timeout=240)
def test_five_bytes_a_second_ready(bed):
    """A ready kernel: mixed in as it comes, credited once what may be old is passed over, and not again and again."""
    bed.only_ours()
    server = bed.server()
    vm = bed.linux(cpu="max", devices=server.device(extra=FIVE_A_SECOND), load=["virtio_pci", "virtio_rng"])
    daemon = bed.start(vm, "-x", "rdrand", "-x", "jitter", trace=True)
    # The kernel itself waits for 64 bytes before it hands on the first, and its own thread may come before us.
    vm.wait_until(daemon.feeds, 60, "what came first is mixed in")
    check(not daemon.credited(), "credited bytes that may have waited in the driver")
    vm.wait_until(daemon.credited, 120, "then credited")
    feeds = daemon.feeds()
    before = sum(c["n_bytes"] for c in feeds if c["bits"] == 0)
    bed.note(f"{before} bytes passed over, {len(feeds)} feeds")
    check(before <= 128 + 64, f"{before} bytes were passed over: {[c['n_bytes'] for c in feeds]}")
    check("killed" not in daemon.log(), daemon.log())


class SerialDevice:
    """A serial TRNG: writes without being asked, faster than anybody reads. Every value a byte can have is among them."""

    def __init__(self, path):
        self.sent, self.stopping = bytearray(), False
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(path))
        self.server.listen(1)
        self.thread = threading.Thread(target=self._loop, daemon=True)
        self.thread.start()

    def _loop(self):
        client, _ = self.server.accept()
        client.settimeout(0.2)
        while not self.stopping:
            data = os.urandom(16)
            self.sent += data
            while data and not self.stopping:
                try:
                    data = data[client.send(data):]
                except TimeoutError:
                    continue
                except OSError:
                    return

    def close(self):
        self.stopping = True
        self.server.close()


@vm_test(timeout=120)
def test_serial_line(bed):
    """Bytes of a serial line arrive as they were sent: no line editing, no signals, no flow control, no lost NUL or CR."""
    bed.only_ours()
    device = SerialDevice(bed.directory / "serial")
    vm = bed.linux(cpu="max", devices=["-chardev", f"socket,id=trng,path={bed.directory / 'serial'}", "-serial", "chardev:trng"])
    try:
        daemon = bed.start(vm, "-r", "/dev/ttyS2", "-H", "1", "-x", "rdrand", "-x", "jitter", trace=True)
        vm.wait_until(lambda: len(daemon.credited()) >= 1, 30, "a credited feed")
        for _ in range(4):
            daemon.signal(SIGUSR1)
            n = len(daemon.credited())
            vm.wait_until(lambda n=n: len(daemon.credited()) > n, 30, "another one")
        credited = [c["bytes"] for c in daemon.credited()]
        lost = [data.hex() for data in credited if data not in device.sent]
        check(not lost, f"not as they were sent: {lost}")
        values = set(b"".join(credited))
        bed.note(f"{len(credited)} feeds with credit, {len(values)} different byte values")
        check(values & {0x00, 0x03, 0x04, 0x0a, 0x0d, 0x11, 0x13, 0x1a, 0xff}, "none of the values that matter came")
        told = daemon.source("file")
        check(told["health_failures"] == 0 and told["failures"] == 0, f"{told}")
    finally:
        device.close()


@vm_test(timeout=120)
def test_small_feeds_without_a_back_off(bed):
    """A counting kernel that is not ready and a source of little credit: 2 ms between feeds, not a second."""
    bed.only_ours()
    vm = bed.uml()
    check(not vm.random()["ready"], "the kernel was ready before: this test would prove nothing")
    vm.shell("busybox mkfifo /tmp/fifo; (cat /dev/urandom >/tmp/fifo &)")
    daemon = bed.start(vm, "-x", "hwrng", "-x", "jitter", "-x", "rdrand", config="[file]\npath = /tmp/fifo\ncredit = 64\n")
    ready = vm.wait_until(lambda: vm.random()["ready"] and vm.boottime_usec(), 20, "ready")
    before = daemon.log().partition("The kernel's RNG is ready")[0].count("+32 bits")
    took = (ready - daemon.started_usec) / 1e6
    bed.note(f"{before} feeds of 32 bits, ready {took:.2f} s after the start")
    check(before >= 3, f"only {before} feeds: this test would prove nothing")
    check(took < 1.5, f"{before} feeds took {took:.2f} s")


@vm_test()
def test_no_credit_is_said(bed):
    """A FIFO without -H on a kernel that waits: one notice says why it does not become ready."""
    bed.only_ours()
    vm = bed.linux()
    check(not vm.random()["ready"], "the kernel was ready before: this test would prove nothing")
    # Not from /dev/urandom: who reads that on this kernel makes it ready.
    vm.write("/tmp/hex", os.urandom(2048).hex())
    vm.shell("busybox mkfifo /tmp/fifo; busybox xxd -r -p </tmp/hex >/tmp/bytes; "
             "(while :; do cat /tmp/bytes; done >/tmp/fifo 2>/dev/null &)")
    daemon = bed.start(vm, "-r", "/tmp/fifo", "-x", "rdrand", "-x", "jitter", trace=True)
    vm.wait_until(lambda: len(daemon.feeds()) >= 3, 15, "it is mixed in")
    check(not vm.random()["ready"] and not daemon.credited(), "credited without a word of the administrator")
    log = daemon.log()
    check(log.count("no source here is credited") == 1 and "file (/tmp/fifo): no credit set for it" in log, log)
