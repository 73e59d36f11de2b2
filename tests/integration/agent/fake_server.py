# SPDX-License-Identifier: MulanPSL-2.0
"""A server as lkp-bootstrap sees it (docs/api.md, "Machines"), which misbehaves on request."""

import hashlib
import http.server
import json
import re
import socket
import threading
import time
import urllib.parse

TOKEN = "t0ken"
ATTEMPT = "17"


class Upload:
    """One file: what is stored, and whether it is whole."""

    def __init__(self):
        self.data = bytearray()
        self.complete = False


class State:
    """What the server knows. It outlives a restart of the listening part, like a disk."""

    def __init__(self):
        self.lock = threading.Condition()
        self.files = {}
        self.calls = []             # (seconds, method, what, answer) of every request
        self.stages = []
        self.finish = None
        self.finish_body = None
        self.hello = None
        self.cancel = False
        self.begin = time.monotonic()
        self.deadline = 300         # seconds after begin
        self.lease = 4
        self.next = "reboot"
        self.fault = lambda method, what, number: None
        self.n_requests = 0

    def wait(self, condition, seconds=60):
        """Until condition() holds; raises AssertionError when it takes too long."""
        with self.lock:
            if not self.lock.wait_for(condition, seconds):
                raise AssertionError(f"waited {seconds} s in vain; calls: {self.calls[-10:]}")

    def answers(self, what):
        with self.lock:
            return [call[3] for call in self.calls if call[2] == what]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=None, **headers):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
        self.status = status

    def hang_up(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def read_body(self, limit=None):
        length = int(self.headers.get("Content-Length", 0))
        want = length if limit is None else min(length, limit)
        return self.rfile.read(want) if want else b""

    def handle_any(self):
        state = self.server.state
        path = urllib.parse.urlsplit(self.path).path
        prefix = f"/v1/attempts/{ATTEMPT}/"
        what = urllib.parse.unquote(path[len(prefix):]) if path.startswith(prefix) else path
        self.status = 0
        with state.lock:
            state.n_requests += 1
            fault = state.fault(self.command, what, state.n_requests)
        try:
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self.read_body()
                self.answer(401)
            else:
                self.serve(state, what, fault)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        with state.lock:
            state.calls.append((time.monotonic(), self.command, what, self.status))
            state.lock.notify_all()

    do_GET = do_HEAD = do_POST = do_PUT = handle_any

    def serve(self, state, what, fault):
        """fault: None, a status, "cut" (half the body is stored, no answer), "mute" (all is done,
        no answer), ("later", seconds) for 503 with Retry-After."""
        if fault == "cut":
            if what.startswith("files/") and self.command == "PUT":
                length = int(self.headers.get("Content-Length", 0))
                self.put(state, what[6:], self.read_body(length // 2), cut=True)
            self.hang_up()
            return
        body = self.read_body()
        if isinstance(fault, int):
            self.answer(fault)
            return
        if isinstance(fault, tuple):
            self.answer(503, Retry_After=fault[1])
            return
        if fault == "mute":
            answer, self.answer = self.answer, lambda *_, **__: None
            self.route(state, what, body)
            self.answer = answer
            self.hang_up()
            return
        self.route(state, what, body)

    def route(self, state, what, body):
        if what.startswith("files/"):
            if self.command == "HEAD":
                self.head(state, what[6:])
            else:
                self.put(state, what[6:], body)
            return
        message = json.loads(body)
        with state.lock:
            left = max(0, int(state.deadline - (time.monotonic() - state.begin)))
            reply = {"deadline": left, "cancel": state.cancel, "log_interval_ms": 100}
            if what == "hello":
                state.hello = message
                reply = {"job": "lab1.3", "result_root": "/result/test/lab1.3",
                         "deadline": left, "lease": state.lease,
                         "log_interval_ms": 100, "next": state.next}
            elif what == "stage":
                state.stages.append(message["stage"])
            elif what == "finish":
                if state.finish_body not in (None, body):
                    self.answer(409)
                    return
                state.finish, state.finish_body = message, body
                reply = {"next": state.next}
            elif what != "heartbeat":
                self.answer(404)
                return
        self.answer(200, reply)

    def head(self, state, name):
        with state.lock:
            upload = state.files.get(name, Upload())
            extra = {"Upload_Complete": 1} if upload.complete else {}
            self.answer(200, Upload_Offset=len(upload.data), **extra)

    def put(self, state, name, body, cut=False):
        match = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)",
                             self.headers.get("Content-Range", ""))
        if not match or "/" in name or name.startswith("."):
            self.answer(400)
            return
        with state.lock:
            upload = state.files.setdefault(name, Upload())
            total = None if match[3] == "*" else int(match[3])
            if match[1] is None:
                good = total == len(upload.data) and not body
            else:
                good = int(match[1]) == len(upload.data) and not upload.complete
                assert cut or int(match[2]) - int(match[1]) + 1 == len(body)
            if not good:
                if not cut:
                    self.answer(409, Upload_Offset=len(upload.data))
                return
            upload.data += body
            if total is not None and len(upload.data) == total:
                upload.complete = True
            if not cut:
                self.answer(201 if upload.complete else 200, Upload_Offset=len(upload.data))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, state, port=0):
        self.state = state
        self.connections = set()
        super().__init__(("127.0.0.1", port), Handler)
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def process_request(self, request, client_address):
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        pass

    @property
    def port(self):
        return self.server_address[1]

    def stop(self):
        """As a killed process: nobody listens, and every connection is reset."""
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def sha256(data):
    return hashlib.sha256(data).hexdigest()
