# SPDX-License-Identifier: MIT
"""A metadata service of every kind, on a socket of this machine: what it does is told by the path.

Answers are written by hand, so that they can be wrong in ways that a library would not allow.
"""

import base64
import functools
import gzip
import json
import os
import socket
import ssl
import threading
import time


def document(seed, **extra):
    """A meta_data.json as nova writes it."""
    value = {"uuid": "d8e02d56", "meta": {"role": "web"}, "hostname": "test.novalocal", **extra}
    if seed is not None:
        value["random_seed"] = base64.b64encode(seed).decode()
    return json.dumps(value).encode()


def answer(body, status="200 OK", *headers, length=True):
    lines = [f"HTTP/1.1 {status}", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\nConnection: close\r\n\r\n").encode() + body


class Client:
    """One connection, after its request was read."""

    def __init__(self, server, sock, path, head):
        self.server, self.sock, self.path, self.head = server, sock, path, head

    def send(self, data):
        """False when the other end is gone."""
        try:
            self.sock.sendall(data)
            with self.server.lock:
                self.server.sent += len(data)
            return True
        except OSError:
            return False

    def wait_gone(self):
        """Says nothing until the other end hangs up."""
        try:
            self.sock.settimeout(30)
            self.sock.recv(1)
        except OSError:
            pass


def good(client):
    client.send(answer(document(client.server.new_seed())))


def other_key(client):
    client.send(answer(json.dumps({"k": base64.b64encode(client.server.new_seed()).decode()}).encode()))


def raw(client):
    client.send(answer(client.server.new_seed()))


def encoded(client):
    client.send(answer(base64.encodebytes(client.server.new_seed())))


def chunked(client):
    body = document(client.server.new_seed())
    parts = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 100]), body[i:i + 100]) for i in range(0, len(body), 100))
    client.send(answer(b"", "200 OK", "Transfer-Encoding: chunked", length=False) + parts + b"0\r\n\r\n")


def until_close(client):
    client.send(answer(document(client.server.new_seed()), length=False))


def body(data, status="200 OK", *headers):
    return lambda client: client.send(answer(data, status, *headers))


def stall(client):
    client.wait_gone()


def stall_in_body(client):
    client.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 65000)
    client.wait_gone()


def drip(client):
    whole = answer(document(client.server.new_seed()))
    for i in range(60):
        if not client.send(whole[i:i + 1]):
            return
        time.sleep(1)


def gigabyte(client):
    client.send(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(16384):
        if not client.send(bytes(65536)):
            return


def gigabyte_told(client):
    client.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
    client.wait_gone()


def one_header(client):
    client.send(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 1_000_000 + b"\r\n\r\n")
    client.wait_gone()


def many_headers(client):
    client.send(b"HTTP/1.1 200 OK\r\n")
    for i in range(1_000_000):
        if not client.send(b"X-%d: some value that means nothing\r\n" % i):
            return


def continues(client):
    for _ in range(1_000_000):
        if not client.send(b"HTTP/1.1 100 Continue\r\n\r\n"):
            return


def short(client):
    client.send(answer(document(client.server.new_seed()))[:-100])


def no_http(client):
    client.send(document(client.server.new_seed()))


@functools.cache
def zeros_packed():
    return gzip.compress(bytes(64 * 1024 * 1024), 1)


def bomb(header):
    def send(client):
        packed = zeros_packed()
        client.send(f"HTTP/1.1 200 OK\r\n{header}\r\nContent-Length: {len(packed)}\r\n\r\n".encode() + packed)
        client.wait_gone()
    return send


def first(*statuses, then=good):
    """These statuses, one for each request, and after them something else."""
    def send(client):
        n = client.server.count(client.path)
        if n <= len(statuses):
            client.send(answer(b"later", statuses[n - 1], "Set-Cookie: a=b"))
        else:
            then(client)
    return send


def first_short(client):
    (short if client.server.count(client.path) == 1 else good)(client)


def redirect(to, status="302 Found"):
    def send(client):
        where = to.format(port=client.server.port, other=client.server.port + 1)
        client.send(answer(b"", status, f"Location: {where}", "Set-Cookie: a=b"))
    return send


PATHS = {
    "/openstack/latest/meta_data.json": good,
    "/other-key": other_key,
    "/raw": raw,
    "/base64": encoded,
    "/chunked": chunked,
    "/until-close": until_close,
    "/stall": stall,
    "/stall-in-body": stall_in_body,
    "/drip": drip,
    "/gigabyte": gigabyte,
    "/gigabyte-told": gigabyte_told,
    "/one-header": one_header,
    "/many-headers": many_headers,
    "/continues": continues,
    "/short": short,
    "/first-short": first_short,
    "/no-http": no_http,
    "/gzip": bomb("Content-Encoding: gzip"),
    "/gzip-te": bomb("Transfer-Encoding: gzip"),
    "/identity": lambda client: client.send(
        answer(document(client.server.new_seed()), "200 OK", "Content-Encoding: identity")),
    "/500-then-200": first("500 Oops"),
    "/429-408-then-200": first("429 Slow", "408 Late"),
    "/503": body(b"busy", "503 Busy"),
    "/404": body(b"nothing here", "404 Not Found"),
    "/403": body(b"no", "403 Forbidden"),
    "/204": body(b"", "204 No Content"),
    "/empty": body(b""),
    "/not-json": body(b"<html>welcome</html>" * 8),
    "/array": body(json.dumps([base64.b64encode(bytes(64)).decode()]).encode()),
    "/number": body(b'{"random_seed": 12345}'),
    "/cut": body(document(bytes(range(256)) * 2)[:-5]),
    "/two-documents": body(document(bytes(range(64))) + b"{}"),
    "/bad-base64": body(b'{"random_seed": "' + b"A" * 40 + b"*" + b"A" * 43 + b'"}'),
    "/no-padding": body(b'{"random_seed": "' + b"A" * 85 + b'"}'),
    "/meta-only": body(json.dumps({"meta": {"random_seed": base64.b64encode(bytes(64)).decode()}}).encode()),
    "/too-short": body(document(bytes(range(31)))),
    "/shortest": body(document(bytes(range(32)))),
    "/too-long": body(document(bytes(4097))),
    "/longest": body(document(bytes(range(256)) * 16)),
    "/spaces": body(b'{"random_seed": " ' + base64.b64encode(bytes(range(64))).replace(b"8", b"8\\n\\t ") + b'\\n"}'),
    "/text": body(b"welcome to this network, please log in first\n" * 3),
    "/redirect": redirect("/openstack/latest/meta_data.json"),
    "/redirect-whole": redirect("http://127.0.0.1:{port}/redirect", "307 Temporary Redirect"),
    "/redirect-loop": redirect("/redirect-loop"),
    "/redirect-3": redirect("/redirect-whole", "301 Moved"),
    "/redirect-4": redirect("/redirect-3", "308 Permanent"),
    "/redirect-host": redirect("http://localhost:{port}/openstack/latest/meta_data.json"),
    "/redirect-user": redirect("http://me@127.0.0.1:{port}/openstack/latest/meta_data.json"),
    "/redirect-port": redirect("http://127.0.0.1:{other}/openstack/latest/meta_data.json"),
    "/redirect-scheme": redirect("https://127.0.0.1:{port}/openstack/latest/meta_data.json"),
    "/redirect-file": redirect("file:///etc/passwd"),
    "/redirect-nowhere": body(b"", "302 Found"),
}


class Server:
    """Threads of one test; address may be IPv6, tls is (certificate, key)."""

    def __init__(self, address="127.0.0.1", port=0, tls=None, default=None):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(socket.getaddrinfo(address, port, family, socket.SOCK_STREAM)[0][4])
        self.socket.listen(16)
        self.port = self.socket.getsockname()[1]
        self.default = default
        self.lock = threading.Lock()
        self.requests, self.seeds, self.sent = [], [], 0
        self.context = None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*tls)
        threading.Thread(target=self._loop, daemon=True).start()

    def new_seed(self, length=512):
        seed = os.urandom(length)
        with self.lock:
            self.seeds.append(seed)
        return seed

    def count(self, path):
        with self.lock:
            return sum(1 for _, p, _ in self.requests if p == path)

    def forget(self):
        with self.lock:
            self.requests, self.seeds, self.sent = [], [], 0

    def close(self):
        # A thread that waits in accept() would keep the port.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _loop(self):
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            with sock:
                sock.settimeout(30)
                if self.context:
                    sock = self.context.wrap_socket(sock, server_side=True)
                head = b""
                while b"\r\n\r\n" not in head:
                    data = sock.recv(4096)
                    if not data:
                        return
                    head += data
                text = head.decode("latin-1")
                path = text.split(" ")[1]
                with self.lock:
                    self.requests.append((time.monotonic(), path, text))
                handler = self.default or PATHS.get(path, PATHS["/404"])
                handler(Client(self, sock, path, text))
                if self.context:
                    sock.unwrap()
        except OSError:
            pass
