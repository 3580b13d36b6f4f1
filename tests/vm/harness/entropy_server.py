# SPDX-License-Identifier: MIT
"""The host's side of a virtio-rng: serves chosen bytes to QEMU's rng-egd and records every byte it served.

On the wire QEMU sends 02 LL for LL bytes, any number of them back to back, and takes the answers as one stream.
"""

import hashlib
import selectors
import socket
import threading
import time


def random_stream(key):
    """Bytes that look random, are the same for the same key, and can be told from those of any other key."""
    def read(position, n):
        first, out = position // 64, b""
        for block in range(first, (position + n) // 64 + 1):
            out += hashlib.sha512(f"{key}:{block}".encode()).digest()
        return out[position - first * 64:][:n]
    return read


def zeros(position, n):
    return bytes(n)


def pattern(position, n):
    unit = bytes.fromhex("5ac3170e99f1b4286d02e87ba13fcd56")
    return (unit * (n // 16 + 2))[position % 16:][:n]


def counter(position, n):
    return bytes((position + i) & 0xff for i in range(n))


class EntropyServer:
    """One thread, one client at a time. read: what to serve; gate(): how many bytes may go out now."""

    def __init__(self, path, read):
        self.path, self.read = str(path), read
        self.served = bytearray()
        self.times = []            # (time.monotonic(), position after it)
        self.asked = 0
        self.requests = 0
        self.budget = None         # bytes that may still go out; None: no limit
        self.chunk, self.pause = 255, 0.0
        self.close_next = False
        self.lock = threading.Condition()
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        self.server.listen(4)
        self.stopping = False
        self.thread = threading.Thread(target=self._loop, daemon=True)
        self.thread.start()

    def device(self, ident="rng0", bus=None, extra=""):
        return [*self.backend(ident), "-device", f"virtio-rng-pci,id=dev-{ident},rng={ident}"
                + (f",bus={bus}" if bus else "") + extra]

    def backend(self, ident="rng0"):
        return ["-chardev", f"socket,id=chr-{ident},path={self.path}", "-object", f"rng-egd,id={ident},chardev=chr-{ident}"]

    def serve_only(self, n):
        """Only n more bytes go out, until allow() is called."""
        with self.lock:
            self.budget = n

    def allow(self):
        with self.lock:
            self.budget = None
            self.lock.notify_all()

    def switch(self, read):
        with self.lock:
            self.read = read

    def drop_client(self):
        """Closes the connection, as a host whose entropy daemon ended."""
        self.close_next = True

    def position(self):
        with self.lock:
            return len(self.served)

    def owed(self):
        """Bytes that were asked for and not yet served."""
        with self.lock:
            return self.asked - len(self.served)

    def share_served(self, data):
        """How much of data was served: the share of its 8-byte windows that are found (chance: 0).

        Not all or nothing: the kernel's own reader takes its bytes from between those that a program reads.
        """
        with self.lock:
            served = bytes(self.served)
        windows = [bytes(data[i:i + 8]) for i in range(0, max(len(data) - 7, 1))]
        return sum(window in served for window in windows) / len(windows)

    def _loop(self):
        self.server.settimeout(0.1)
        while not self.stopping:
            try:
                client = self.server.accept()[0]
            except TimeoutError:
                continue
            except OSError:
                return
            with client:
                self.close_next = False
                with self.lock:
                    self.asked = len(self.served)
                try:
                    self._serve(client)
                except OSError:
                    pass

    def _serve(self, client):
        pending = b""
        client.setblocking(False)
        selector = selectors.DefaultSelector()
        selector.register(client, selectors.EVENT_READ)
        while not self.stopping and not self.close_next:
            if selector.select(0.005):
                data = client.recv(4096)
                if not data:
                    return
                pending += data
                while len(pending) >= 2:
                    self.requests += 1
                    with self.lock:
                        self.asked += pending[1]
                    pending = pending[2:]
            while (sent := self._send_some(client)) and not self.stopping:
                if self.pause:
                    time.sleep(self.pause)
                    break

    def _send_some(self, client):
        with self.lock:
            n = min(self.asked - len(self.served), self.chunk)
            if self.budget is not None:
                n = min(n, self.budget)
            if n <= 0:
                return 0
            data = self.read(len(self.served), n)
            client.setblocking(True)
            client.sendall(data)
            client.setblocking(False)
            self.served += data
            self.times.append((time.monotonic(), len(self.served)))
            if self.budget is not None:
                self.budget -= n
            return n

    def close(self):
        self.stopping = True
        self.server.close()
        self.thread.join(timeout=5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
