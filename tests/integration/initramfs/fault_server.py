# SPDX-License-Identifier: MulanPSL-2.0
"""An HTTP server that serves one image, and misbehaves as its plan says."""

import http.server
import re
import socket
import struct
import threading
import time
import urllib.parse


class State:
    """faults: what to do with the first, second, ... GET of the image; then all is well."""

    def __init__(self, data, *faults):
        self.data = data
        self.faults = list(faults)
        self.etag = '"one"'
        self.gets = []              # (path, Range, If-Range) of each GET
        self.sent = 0               # bytes of bodies
        self.posts = []             # (path, Authorization, fields) of each POST
        self.post_faults = []       # statuses of the first POSTs
        self.lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reset(self):
        """The connection goes away with RST, what was sent arrives before."""
        self.wfile.flush()
        time.sleep(0.05)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def send(self, data):
        self.server.state.sent += len(data)
        self.wfile.write(data)

    def head(self, status, length=None, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def do_POST(self):
        state = self.server.state
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fields = urllib.parse.parse_qsl(body.decode("ascii"), keep_blank_values=True)
        with state.lock:
            state.posts.append((self.path, self.headers.get("Authorization"), fields))
            status = state.post_faults.pop(0) if state.post_faults else 200
        try:
            self.head(status, 0)
        except OSError:
            pass

    def do_GET(self):
        state = self.server.state
        with state.lock:
            state.gets.append((self.path, self.headers.get("Range"), self.headers.get("If-Range")))
            fault = state.faults.pop(0) if state.faults else None
        try:
            self.serve(state, fault)
        except OSError:
            self.close_connection = True

    def part(self, state):
        """(first byte, status, headers) of a good answer."""
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not match or self.headers.get("If-Range", state.etag) != state.etag:
            return 0, 200, {"ETag": state.etag}
        first = int(match[1])
        size = len(state.data)
        return first, 206, {"ETag": state.etag, "Content-Range": f"bytes {first}-{size - 1}/{size}"}

    def serve(self, state, fault):
        kind, *args = fault if isinstance(fault, tuple) else (fault,)
        first, status, headers = self.part(state)
        data = state.data[first:]
        if isinstance(kind, int):
            self.head(kind, 0)
        elif kind == "reset":               # after so many bytes
            self.head(status, len(data), **headers)
            self.send(data[:args[0]])
            self.reset()
        elif kind == "short":               # an orderly end before the last byte
            self.head(status, len(data), **headers)
            self.send(data[:args[0]])
            self.close_connection = True
        elif kind == "slow":                # so many pieces, so many seconds apart
            self.head(status, len(data), **headers)
            step = len(data) // args[0] + 1
            for at in range(0, len(data), step):
                self.send(data[at:at + step])
                time.sleep(args[1])
        elif kind == "mute":
            time.sleep(args[0])
            self.close_connection = True
        elif kind == "wrong":               # as many bytes, others
            self.head(status, len(data), **headers)
            self.send(bytes([data[0] ^ 1]) + data[1:])
        elif kind == "longer":
            self.head(200, len(data) + 1)
            self.send(data + b"x")
        elif kind == "whole":               # knows no ranges
            self.head(200, len(state.data))
            self.send(state.data)
        elif kind == "part":                # another part than was asked for
            self.head(206, 10, Content_Range=f"bytes 0-9/{len(state.data)}")
            self.send(state.data[:10])
        elif kind == "redirect":
            self.head(302, 0, Location=args[0])
        elif kind == "chunked":
            self.head(200, Transfer_Encoding="chunked")
            for at in range(0, len(state.data), 50000):
                piece = state.data[at:at + 50000]
                self.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.send(b"0\r\n\r\n")
        elif kind == "renamed":             # a reset, then the image is another
            self.head(status, len(data), **headers)
            self.send(bytes(args[0]))
            state.etag = '"two"'
            self.reset()
        elif kind == "huge":
            self.head(200, 1 << 60)
        elif kind == "garbage":
            self.wfile.write(b"220 mail.example.org ESMTP\r\n")
            self.close_connection = True
        else:
            self.head(status, len(data), **headers)
            self.send(data)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    address_family = socket.AF_INET

    def __init__(self, state, tls=None):
        """tls: a server's ssl.SSLContext; then it speaks https."""
        self.state, self.tls = state, tls
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def get_request(self):
        connection, peer = super().get_request()
        if self.tls:                        # the handshake is the handler's: it may take its time
            connection = self.tls.wrap_socket(connection, server_side=True,
                                              do_handshake_on_connect=False)
        return connection, peer

    def handle_error(self, request, client_address):
        pass

    @property
    def url(self):
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.server_address[1]}"

    def stop(self):
        self.shutdown()
        self.server_close()
