# SPDX-License-Identifier: MulanPSL-2.0
"""HTTP for fifty machines at once: one request a connection, from an address of its own, and a
broken answer is an error, never half an answer."""

import socket

API, FILES, UPLOAD = 3000, 8000, 3080
SERVER = "127.0.0.1"
PATIENCE = 60       # seconds without a byte: far more than a request is held


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


def _parse(data, method):
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        raise ConnectionError("the connection broke before the answer")
    lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if method != "HEAD" and len(body) != int(headers.get("content-length", 0)):
        raise ConnectionError("the connection broke within the answer")
    return Answer(int(lines[0].split()[1]), headers, body)


def ask(source, method, path, body=b"", headers=None, port=API):
    """One request from the address source. Raises OSError when no whole answer came."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {SERVER}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body or method in ("PUT", "POST"):
        lines.append(f"Content-Length: {len(body)}")
    with socket.create_connection((SERVER, port), PATIENCE, (source, 0)) as peer:
        peer.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        pieces = []
        while piece := peer.recv(65536):
            pieces.append(piece)
    return _parse(b"".join(pieces), method)
