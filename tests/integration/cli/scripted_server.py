# SPDX-License-Identifier: MulanPSL-2.0
"""A server that speaks docs/api.md and does what a test tells it: jobs move when the test moves
them, and it can be killed and started again in the middle of anything."""

import hashlib
import http.server
import json
import re
import socket
import socketserver
import struct
import threading

ENDED = ("finished", "cancelled", "timeout", "error", "expired", "skipped")


class Job:
    def __init__(self, lab, job_id, document):
        self.lab = lab
        self.id = job_id
        self.document = document    # as submitted
        self.events = []
        self.logs = {}              # attempt -> bytes
        self.files = {}             # name -> bytes
        self.timeline = []
        self.state = {"id": job_id, "state": "queued", "verdict": None, "cause": None,
                      "upload": None, "reason": None, "suite": document.get("suite"),
                      "testbox": document.get("testbox"), "host": None,
                      "result_root": f"/result/{job_id}", "submitted": "2024-05-06T07:08:09Z",
                      "finished": None, "attempts": [], "url": f"{lab.url}/v1/jobs/{job_id}"}

    @property
    def attempt(self):
        return len(self.state["attempts"])

    @property
    def has_ended(self):
        return self.state["state"] in ENDED

    def log(self):
        return self.logs.get(self.attempt)

    # --- what a test does with it ---

    def begin(self, host="vm-1"):
        """A new attempt on a host."""
        with self.lab.changed:
            self.state.update(state="active", host=host)
            self.state["attempts"].append({
                "id": str(len(self.state["attempts"]) + 1), "state": "running", "host": host,
                "mac": "52:54:00:00:00:01", "offered": "2024-05-06T07:08:10Z", "ended": None,
                "cause": None})
            self.lab.changed.notify_all()
        self.event("boot.offer")

    def event(self, kind, **fields):
        with self.lab.changed:
            number = self.lab.next_event()
            document = {"id": number, "time": f"2024-05-06T07:08:{10 + number % 40}Z",
                        "mono_us": number * 1000000, "kind": kind, "host": self.state["host"],
                        "mac": None, "job": self.id, "attempt": str(self.attempt) or None,
                        "fields": fields}
            self.events.append(document)
            self.lab.events.append(document)
            self.lab.changed.notify_all()

    def write(self, data):
        with self.lab.changed:
            self.logs[self.attempt] = self.logs.get(self.attempt, b"") + data
            self.lab.changed.notify_all()

    def end(self, state="finished", verdict="pass", **more):
        self.event("job.finished")
        with self.lab.changed:
            self.state.update(state=state, verdict=verdict if state == "finished" else None,
                              finished="2024-05-06T07:10:19Z", **more)
            self.lab.changed.notify_all()


class Lab:
    """The state of the server; it outlives the server's lives."""

    def __init__(self):
        self.changed = threading.Condition()
        self.jobs = {}
        self.events = []
        self.hosts = []
        self.keys = {}          # Idempotency-Key -> job
        self.requests = []      # (method, target, headers, body)
        self.faults = []        # (method, regular expression, what), each used once
        self.auto = None        # called with each new job
        self.token = None       # wanted of every request
        self.url = None
        self._server = None
        self._thread = None
        self._port = 0

    def next_event(self):
        return len(self.events) + 1

    # --- lives ---

    def start(self):
        self._server = _Server(("127.0.0.1", self._port), _Handler, self)
        self._port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def kill(self):
        """As SIGKILL does it: everything that was open is reset, and the port is closed."""
        server, self._server = self._server, None
        if not server:
            return
        server.is_dead = True
        server.shutdown()
        server.socket.close()
        with self.changed:
            self.changed.notify_all()
        server.reset_connections()
        self._thread.join()
        with self.changed:
            self.requests_before = len(self.requests)

    def fault(self, method, pattern, what):
        """The next request that matches: "drop" before it is looked at, "lose" the answer after it
        was, or an HTTP status to answer with (a number, or (number, problem))."""
        self.faults.append((method, re.compile(pattern), what))

    def digest(self, name, data):
        """The sha256 that the list of results gives."""
        return "00" * 32 if name == "altered" else hashlib.sha256(data).hexdigest()

    def take_fault(self, method, target):
        with self.changed:
            for fault in self.faults:
                if fault[0] == method and fault[1].search(target):
                    self.faults.remove(fault)
                    return fault[2]
        return None

    # --- what a test waits for ---

    def wait(self, condition, timeout=20):
        with self.changed:
            if not self.changed.wait_for(condition, timeout):
                raise AssertionError(f"the client did not come to it; requests so far: "
                                     f"{[r[:2] for r in self.requests]}")

    def wait_request(self, method, pattern, count=1):
        expression = re.compile(pattern)
        self.wait(lambda: sum(1 for r in self.requests
                              if r[0] == method and expression.search(r[1])) >= count)

    def asked(self, method, pattern):
        expression = re.compile(pattern)
        with self.changed:
            return [r for r in self.requests if r[0] == method and expression.search(r[1])]

    def add_job(self, document=None):
        with self.changed:
            job = Job(self, f"lab1.{len(self.jobs) + 1}", document or {"suite": "hello",
                                                                      "testbox": "vm"})
            self.jobs[job.id] = job
            self.changed.notify_all()
        return job

    def job(self, number=1):
        """The job with that number, once it was submitted."""
        name = f"lab1.{number}"
        self.wait(lambda: name in self.jobs)
        return self.jobs[name]


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address, handler, lab):
        self.lab = lab
        self.is_dead = False
        self.connections = set()
        super().__init__(address, handler)

    def get_request(self):
        connection, peer = super().get_request()
        self.connections.add(connection)
        return connection, peer

    def reset_connections(self):
        for connection in list(self.connections):
            try:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def shutdown_request(self, request):
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        pass        # a client that went away, or a server that was killed


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    # --- answers ---

    def answer(self, status, body=b"", kind="application/json", **headers):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def problem(self, status, detail, **more):
        self.answer(status, {"type": "about:blank", "title": "Refused", "status": status,
                             "detail": detail, **more}, "application/problem+json")

    def drop(self):
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RDWR)

    def stream(self, kind, produce):
        """Chunks of produce() (bytes, None when there is nothing yet, False at the end)."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        lab = self.server.lab
        while True:
            with lab.changed:
                data = produce()
                while data is None and not self.server.is_dead:
                    lab.changed.wait(1)
                    data = produce()
            if self.server.is_dead:
                return
            if data is False:
                self.wfile.write(b"0\r\n\r\n")
                return
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    # --- requests ---

    def handle_any(self):
        lab = self.server.lab
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        with lab.changed:
            lab.requests.append((self.command, self.path, dict(self.headers), body))
            lab.changed.notify_all()
        fault = lab.take_fault(self.command, self.path)
        if fault == "drop":
            return self.drop()
        if isinstance(fault, int):
            return self.answer(fault, b"", "text/plain")
        if isinstance(fault, tuple):
            return self.answer(fault[0], fault[1], "application/problem+json")
        if lab.token and self.headers.get("Authorization") != f"Bearer {lab.token}":
            return self.problem(401, "a token is needed")
        self.is_answer_lost = fault == "lose"
        return self.route(body)

    do_GET = do_POST = do_PUT = handle_any

    def route(self, body):
        path, _, query = self.path.partition("?")
        parameters = dict(part.partition("=")[::2] for part in query.split("&") if part)
        parts = path.strip("/").split("/")
        if parts[:2] == ["v1", "jobs"]:
            return self.jobs(parts[2:], path, parameters, body)
        if parts[:2] == ["v1", "hosts"]:
            return self.hosts(parts[2:], body)
        if parts[:2] == ["v1", "events"]:
            return self.events(self.server.lab.events, parameters, lambda: False)
        if parts[0] == "result":
            return self.result(parts[1], "/".join(parts[2:]))
        return self.problem(404, "no such path")

    def jobs(self, rest, path, parameters, body):
        lab = self.server.lab
        if not rest:
            return self.submit(body) if self.command == "POST" else self.list(parameters)
        job = lab.jobs.get(rest[0])
        if not job:
            return self.problem(404, f"there is no job {rest[0]}")
        what = rest[1] if len(rest) > 1 else ""
        if what == "":
            return self.answer(200, job.state)
        if what in ("cancel", "retry"):
            if job.has_ended == (what == "cancel"):
                return self.problem(409, "the job has ended" if job.has_ended
                                    else "the job has not ended")
            if what == "cancel":
                return self.answer(200, job.state)
            again = lab.add_job(job.document)
            return self.answer(201, {"id": again.id, "state": "queued", "url": again.state["url"]})
        if what == "events":
            return self.events(job.events, parameters, lambda: job.has_ended)
        if what == "log":
            return self.log(job, parameters)
        if what == "timeline":
            return self.answer(200, {"boot": job.timeline})
        if what == "results":
            name = path.split("/results/", 1)[1]
            if not name:
                return self.answer(200, {"files": [
                    {"name": n, "size": len(d), "sha256": lab.digest(n, d)} for n, d in job.files.items()]})
            return self.answer(307, b"", Location=f"{lab.url}/result/{job.id}/{name}")
        return self.problem(404, "no such path")

    def submit(self, body):
        lab = self.server.lab
        key = self.headers.get("Idempotency-Key")
        document = json.loads(body)
        if "suite" not in document:
            return self.problem(400, "is missing", field="suite")
        if document.get("os_mount") == "wrong":
            return self.problem(400, "expected initramfs, nfs, cifs, local or http",
                                field="os_mount")
        job = lab.keys.get(key) if key else None
        if not job:
            job = lab.add_job(document)
            lab.keys[key] = job
            if lab.auto:
                threading.Thread(target=lab.auto, args=(job,), daemon=True).start()
        if self.is_answer_lost:
            return self.drop()
        return self.answer(201, {"id": job.id, "state": job.state["state"],
                                 "url": job.state["url"]})

    def list(self, parameters):
        jobs = [job.state for job in reversed(self.server.lab.jobs.values())]
        if "state" in parameters:
            jobs = [job for job in jobs if job["state"] == parameters["state"]]
        if "host" in parameters:
            jobs = [job for job in jobs if job["host"] == parameters["host"]]
        begin, limit = int(parameters.get("after", 0)), int(parameters.get("limit", 50))
        limit = min(limit, 3)       # small pages: who wants more must ask again
        end = begin + limit
        return self.answer(200, {"jobs": jobs[begin:end],
                                 "next": end if end < len(jobs) else None})

    def events(self, events, parameters, has_ended):
        after = int(self.headers.get("Last-Event-ID") or parameters.get("after") or 0)
        if "text/event-stream" not in self.headers.get("Accept", ""):
            return self.answer(200, {"events": [e for e in events if e["id"] > after]})
        cursor = [after]

        def produce():
            new = [e for e in events if e["id"] > cursor[0]]
            if not new:
                return False if has_ended() else None
            cursor[0] = new[0]["id"]
            return (f"id: {new[0]['id']}\nevent: {new[0]['kind']}\n"
                    f"data: {json.dumps(new[0])}\n\n").encode()

        return self.stream("text/event-stream", produce)

    def log(self, job, parameters):
        cursor = [int(parameters.get("offset", 0))]
        if job.log() is None and (job.has_ended or "follow" not in parameters):
            return self.problem(404, "there is no output yet")
        if "follow" not in parameters:
            return self.answer(200, job.log()[cursor[0]:], "text/plain")
        attempt = job.attempt

        def produce():
            data = job.logs.get(attempt, b"")[cursor[0]:]
            cursor[0] += len(data)
            if data:
                return data
            return False if job.has_ended or job.attempt != attempt else None

        return self.stream("text/plain", produce)

    def result(self, job_id, name):
        data = self.server.lab.jobs[job_id].files.get(name)
        if data is None:
            return self.problem(404, f"there is no file {name}")
        if name == "cut-off":
            self.send_response(200)
            self.send_header("Content-Length", str(len(data) + 100))
            self.end_headers()
            self.wfile.write(data)
            return self.drop()
        return self.answer(200, data, "application/octet-stream")

    def hosts(self, rest, body):
        hosts = self.server.lab.hosts
        if not rest:
            return self.answer(200, {"hosts": hosts})
        for host in hosts:
            if host["name"] == rest[0]:
                if self.command == "PUT":
                    host.update(json.loads(body))
                return self.answer(200, host)
        return self.problem(404, f"there is no host {rest[0]}")
