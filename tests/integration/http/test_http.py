#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""HTTP with real clients (curl, wget, busybox wget) and with those that misbehave: the API of main,
files and uploads in workers."""

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", ".."))

from lab import LabError, namespace, output, tap  # noqa: E402
from lab.tap import equal  # noqa: E402

API, FILES, UPLOAD = 3000, 8000, 3080
MIB = 1 << 20
COOKIE = ("-H", "Cookie: JOBID=1")
TOKEN = "Authorization: Bearer good"


def run(*argv, expect=0, timeout=60, **more):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout, check=False, **more)
    if expect is not None and done.returncode != expect:
        raise LabError(f"{' '.join(argv)}: exit {done.returncode}:\n{done.stdout[-2000:]!r}")
    return done.stdout


def url(port, path, host="127.0.0.1"):
    return f"http://{host}:{port}{path}"


def until(what, condition, seconds=20):
    """Waits for something that must come; how long it takes is no matter."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise LabError(f"this never came: {what}")
        time.sleep(0.02)


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Server:
    """One http_serve with its workers."""

    def __init__(self, root):
        self.root = root
        self.out = tempfile.TemporaryFile("w+")
        self.err = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([sys.argv[1], str(API), str(FILES), str(UPLOAD), root],
                                        stdin=subprocess.PIPE, stdout=self.out, stderr=self.err)
        until(f"http_serve is up ({self.log()})",
              lambda: self.process.poll() is not None or self.lines()[:1] == ["ready"])
        if self.process.poll() is not None:
            raise LabError(f"http_serve does not come up: {self.log()}")
        until("two workers", lambda: len(self.workers()) == 2)

    def log(self):
        return output.read(self.err)

    def lines(self):
        return output.read(self.out).splitlines()

    def said(self, prefix):
        return [line.split() for line in self.lines() if line.startswith(prefix)]

    def workers(self):
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(children, encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]

    def state(self):
        return json.loads(run("curl", "-sS", url(API, "/state")))

    def path(self, *names):
        return os.path.join(self.root, *names)

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=20)
        if status != 0:
            raise LabError(f"http_serve ended with {status}:\n{self.log()[-3000:]}")


class Wire:
    """A client that says byte for byte what it is told to say."""

    def __init__(self, port, window=None):
        self.socket = socket.socket()
        if window:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", port))

    def say(self, text):
        self.socket.sendall(text.encode() if isinstance(text, str) else text)
        return self

    def read(self, size=1 << 16):
        try:
            return self.socket.recv(size)
        except ConnectionResetError:
            return b""

    def all(self):
        """All until the server ends the connection."""
        data = b""
        while chunk := self.read():
            data += chunk
        return data

    def answer(self):
        """One answer with a Content-Length: (status, headers, body)."""
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = self.read()
            if not chunk:
                raise LabError(f"the connection ended after {data!r}")
            data += chunk
        head, body = data.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
        if lines[0].endswith("100 Continue"):
            return 100, headers, body
        while len(body) < int(headers.get("content-length", 0)):
            body += self.read()
        return int(lines[0].split()[1]), headers, body

    def close(self):
        self.socket.close()


def head(method, path, *lines, host="a"):
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *lines, "", ""])


def curl_status(*argv):
    return int(run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", *argv))


def make_root(directory):
    for name in ("os/debian/boot", "initrd", "result"):
        os.makedirs(os.path.join(directory, name))
    files = {"os/debian/boot/vmlinuz": os.urandom(7 * MIB + 13), "initrd/a.cgz": os.urandom(1000),
             "os/empty": b"", "os/x.efi": b"MZ", "os/with space+%": b"odd",
             "result/output": b"text\n", "os/huge": os.urandom(48 * MIB)}
    for name, data in files.items():
        with open(os.path.join(directory, name), "wb") as file:
            file.write(data)
    os.symlink("/etc/passwd", os.path.join(directory, "os/out"))
    os.symlink("debian/boot/vmlinuz", os.path.join(directory, "os/in"))
    os.mkfifo(os.path.join(directory, "os/fifo"))
    return files


def check_clients(t, server, files):
    kernel = files["os/debian/boot/vmlinuz"]
    place = url(FILES, "/os/debian/boot/vmlinuz")
    there = server.path("got")
    clients = {
        "curl": ["curl", "-sS", "-o", there, place],
        "wget": ["wget", "-q", "-O", there, place],
        "busybox wget": ["busybox", "wget", "-q", "-O", there, place],
        "curl over IPv6": ["curl", "-sSL", "-o", there,
                           url(API, "/os/debian/boot/vmlinuz", "[::1]")],
    }
    for name, argv in clients.items():
        with t.check(f"{name} gets a file byte for byte"):
            run(*argv)
            with open(there, "rb") as file:
                equal(digest(file.read()), digest(kernel))
    with t.check("wget goes on with a file that was cut"):
        with open(there, "r+b") as file:
            file.truncate(1000000)
        run("wget", "-q", "-c", "-O", there, place)
        with open(there, "rb") as file:
            equal(digest(file.read()), digest(kernel))
    with t.check("an empty file, an odd name, a link inside the root"):
        equal(run("curl", "-sS", url(FILES, "/os/empty")), b"")
        equal(run("curl", "-sS", url(FILES, "/os/with%20space+%25")), b"odd")
        equal(digest(run("curl", "-sS", url(FILES, "/os/in"))), digest(kernel))
    with t.check("main is told what was fetched"):
        until("reports", lambda: len(server.said("done ")) >= 8)
        equal(server.said("done ")[0],
              ["done", "/os/debian/boot/vmlinuz", "0", str(len(kernel)), str(len(kernel)), "well"])
        equal([line[1] for line in server.said("start ")], [line[1] for line in server.said("done ")])


def check_files(t, server, files):
    kernel = files["os/debian/boot/vmlinuz"]
    place = "/os/debian/boot/vmlinuz"

    def ask(*lines, method="GET", path=place):
        wire = Wire(FILES).say(head(method, path, *lines))
        if method == "HEAD":
            wire.socket.shutdown(socket.SHUT_WR)
            data = wire.all()
            assert data.endswith(b"\r\n\r\n"), data
            return data
        return wire.answer()

    with t.check("HEAD is GET without its body"):
        get = Wire(FILES).say(head("GET", place, "Connection: close")).all()
        got = Wire(FILES).say(head("HEAD", place, "Connection: close")).all()
        equal(re.sub(rb"Date: [^\r]*", b"", got),
              re.sub(rb"Date: [^\r]*", b"", get[:get.index(b"\r\n\r\n") + 4]))
    with t.check("ranges"):
        for text, first, last in (("0-0", 0, 0), ("5-", 5, len(kernel) - 1),
                                  ("-7", len(kernel) - 7, len(kernel) - 1),
                                  ("100-99999999", 100, len(kernel) - 1)):
            status, headers, body = ask(f"Range: bytes={text}")
            equal(status, 206)
            equal(headers["content-range"], f"bytes {first}-{last}/{len(kernel)}")
            equal(digest(body), digest(kernel[first:last + 1]))
        status, headers, _ = ask(f"Range: bytes={len(kernel)}-")
        equal((status, headers["content-range"]), (416, f"bytes */{len(kernel)}"))
        for text in ("bytes=5-4", "lines=1-2", "bytes=1-2,5-6", "nonsense"):
            equal(ask(f"Range: {text}")[0], 200)
    with t.check("validators: 304, If-Range"):
        _, headers, _ = ask()
        equal(ask(f"If-None-Match: {headers['etag']}")[0], 304)
        equal(ask('If-None-Match: "other"')[0], 200)
        equal(ask(f"If-Modified-Since: {headers['last-modified']}")[0], 304)
        equal(ask("Range: bytes=0-9", f"If-Range: {headers['etag']}")[0], 206)
        equal(ask("Range: bytes=0-9", 'If-Range: "other"')[0], 200)
    with t.check("types"):
        equal(ask(path="/os/x.efi")[1]["content-type"], "application/efi")
        equal(ask(path="/result/output")[1]["content-type"], "text/plain; charset=utf-8")
    with t.check("what is refused, and how"):
        for path, status in (("/os/none", 404), ("/os/debian", 403), ("/os/out", 403),
                             ("/os/fifo", 403), ("/os/%2e%2e/secret", 400), ("/os/a%00b", 400),
                             ("/os/..%2f..%2fetc/passwd", 400), ("/os/%zz", 400),
                             ("/os/x%252e%252e", 400), ("/os//debian/./boot/vmlinuz", 200)):
            equal(ask(path=path)[0], status, path)
        status, headers, _ = ask(method="POST", path="/os/x.efi")
        equal((status, headers["allow"]), (405, "GET, HEAD"))
    with t.check("a path on the wrong port is sent to the right one"):
        for port, method, path, right in ((API, "GET", "/os/x.efi?a=b", FILES),
                                          (FILES, "GET", "/hello", API),
                                          (FILES, "PUT", "/result/x", UPLOAD),
                                          (UPLOAD, "GET", "/result/output", FILES),
                                          (API, "PUT", "/v1/attempts/1/files/x", UPLOAD)):
            wire = Wire(port).say(head(method, path, "Content-Length: 0", host=f"lab:{port}"))
            status, headers, _ = wire.answer()
            equal((status, headers["location"]), (307, f"http://lab:{right}{path}"))
    with t.check("sendfile sends the file, and nothing reads it"):
        prove_sendfile(server, len(kernel))
    with t.check("a file that becomes shorter while it is sent ends the connection, no more"):
        wire = Wire(FILES, window=4096).say(head("GET", "/os/huge"))
        wire.read(1000)
        os.truncate(server.path("os/huge"), 5 * MIB)
        assert len(wire.all()) < 40 * MIB
        equal(server.state()["died"], 0)
        until("the report", lambda: any(line[1] == "/os/huge" and line[5] == "aborted"
                                        for line in server.said("done ")))


def prove_sendfile(server, size):
    if not shutil.which("strace"):
        raise LabError("strace is not there: tools/deps installs it")
    trace = server.path("trace")
    argv = ["strace", "-f", "-qq", "-o", trace, "-e", "trace=sendfile,read,pread64,mmap"]
    for pid in server.workers():
        argv += ["-p", str(pid)]
    strace = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def is_traced():
        for pid in server.workers():
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                if "TracerPid:\t0" in file.read():
                    return False
        return True
    try:
        until("strace", is_traced)
        equal(len(run("curl", "-sS", url(FILES, "/os/debian/boot/vmlinuz"))), size)
    finally:
        strace.terminate()
        strace.wait()
    with open(trace, encoding="utf-8") as file:
        lines = file.read().splitlines()
    sent = [int(n) for n in re.findall(r"sendfile\(.*= (\d+)", "\n".join(lines))]
    equal(sum(sent), size, "bytes that sendfile has sent")
    for line in lines:
        if re.search(r"(read|pread64)\(", line):
            assert not re.search(r"= \d{5}", line), line


def check_strictness(t):
    with t.check("requests of two meanings are refused on every port"):
        for port in (API, FILES, UPLOAD):
            for text, status in (
                    ("GET / HTTP/1.1\r\n\r\n", 400),
                    ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
                    ("GET / HTTP/1.1\nHost: a\n\n", 400),
                    ("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n", 400),
                    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
                    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                     "Content-Length: 4\r\n\r\nabcd", 400),
                    ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
                    ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
                    ("GET /" + "x" * 20000 + " HTTP/1.1\r\nHost: a\r\n\r\n", 414),
                    ("GET / HTTP/1.1\r\nHost: a\r\nX: " + "x" * 20000 + "\r\n\r\n", 431)):
                wire = Wire(port).say(text)
                equal(wire.answer()[0], status, f"{port} {text[:60]!r}")
                equal(wire.read(), b"", "the connection ends")
    with t.check("pipelined requests are answered in order, and the connection stays"):
        wire = Wire(API)
        wire.say("".join(head("POST", "/echo", "Content-Length: 4") + f"{n:04}"
                         for n in range(100)))
        data = b""
        while data.count(b"HTTP/1.1 200") < 100 or not data.endswith(b"0099"):
            data += wire.read()
        equal([int(x) for x in re.findall(rb"\r\n\r\n(\d{4})", data)], list(range(100)))
        equal(wire.say(head("GET", "/hello", "Connection: close")).answer()[2], b"hello\n")
        equal(wire.read(), b"")


def check_api(t, server):
    with t.check("bodies: chunked, 20 MB, too long"):
        blob = server.path("blob")
        with open(blob, "wb") as file:
            file.write(os.urandom(20 * MIB))
        equal(digest(run("curl", "-sS", "--data-binary", f"@{blob}", url(API, "/echo"))),
              digest(open(blob, "rb").read()))
        equal(run("curl", "-sS", "-H", "Transfer-Encoding: chunked", "-d", "abc",
                  url(API, "/echo")), b"abc")
        wire = Wire(API).say(head("POST", "/echo", "Content-Length: 33554433"))
        equal(wire.answer()[0], 413)
    with t.check("an answer of 8 MiB, and errors of ours"):
        equal(len(run("curl", "-sS", url(API, "/big"))), 8 * MIB)
        equal(curl_status(url(API, "/boom")), 500)
        equal(curl_status(url(API, "/full")), 507)
        equal(curl_status("-I", url(API, "/hello")), 200)
    with t.check("held requests are answered when something changes"):
        wires = [Wire(API).say(head("GET", "/hold")) for _ in range(200)]
        until("200 held", lambda: server.state()["held"] == 200)
        run("curl", "-sS", "-X", "POST", url(API, "/release"))
        for wire in wires:
            equal(wire.answer()[2], b"released\n")
        run("curl", "-sS", "-X", "POST", url(API, "/unrelease"))
        equal(server.state()["held"], 0)
    with t.check("a held request ends when its time is over"):
        equal(run("curl", "-sS", url(API, "/hold?100")), b"waited\n")
    with t.check("a client that goes away while held is noticed"):
        before = server.state()["dropped"]
        wires = [Wire(API).say(head("GET", "/hold")) for _ in range(20)]
        until("20 held", lambda: server.state()["held"] == 20)
        for wire in wires:
            wire.close()
        until("nothing held", lambda: server.state()["held"] == 0)
        equal(server.state()["dropped"], before + 20)
        equal(server.state()["io_held"], 0)
        until("closed", lambda: server.state()["sockets"] == 1)
    with t.check("a peer that was switched off would be found: keep-alive probes"):
        wire = Wire(API).say(head("GET", "/hold"))
        until("held", lambda: server.state()["held"] == 1)
        rows = run("ss", "-tnoH", "state", "established", f"( sport = :{API} )").decode()
        assert "timer:(keepalive" in rows, rows
        wire.close()
        until("nothing held", lambda: server.state()["held"] == 0)
    with t.check("a stream is followed to its end"):
        follower = subprocess.Popen(["curl", "-sSN", url(API, "/follow")], stdout=subprocess.PIPE)
        old = Wire(API).say("GET /follow HTTP/1.0\r\n\r\n")
        until("followers", lambda: server.state()["following"] == 2)
        run("curl", "-sS", "-X", "POST", url(API, "/line"))
        equal(follower.stdout.readline(), b"line 1\n")
        run("curl", "-sS", "-X", "POST", url(API, "/line"))
        equal(follower.stdout.readline(), b"line 2\n")
        run("curl", "-sS", "-X", "POST", url(API, "/over"))
        equal(follower.stdout.read(), b"")
        equal(follower.wait(timeout=20), 0)
        equal(old.all().split(b"\r\n\r\n", 1)[1], b"line 1\nline 2\n")
        until("nobody follows", lambda: server.state()["following"] == 0)


def check_uploads(t, server):
    blob = os.urandom(50 * MIB + 7)
    source = server.path("blob")
    with open(source, "wb") as file:
        file.write(blob)

    def stored(*names):
        with open(server.path("result", *names), "rb") as file:
            return file.read()

    def commits(name):
        return [line for line in server.said("commit ") if line[1] == name]

    with t.check("PUT of 50 MB with Expect: 100-continue"):
        out = run("curl", "-sSv", *COOKIE, "-T", source, url(UPLOAD, "/result/a/b/blob"))
        assert b"< HTTP/1.1 100 Continue" in out and b"< HTTP/1.1 201 Created" in out, out
        equal(digest(stored("a/b/blob")), digest(blob))
        equal(commits("blob"), [["commit", "blob", str(len(blob)), digest(blob)]])
    with t.check("PUT in chunks, of nothing, twice, by curl's way of naming"):
        run("bash", "-c", f"head -c 300000 {source} | curl -sSf -T - -H 'Cookie: JOBID=1' "
            + url(UPLOAD, "/result/a/chunked"))
        equal(stored("a/chunked"), blob[:300000])
        empty = server.path("none")
        open(empty, "wb").close()
        for _ in range(2):
            equal(curl_status(*COOKIE, "-T", empty, url(UPLOAD, "/result/a/")), 201)
        equal(stored("a/none"), b"")
        equal(len(commits("none")), 2)
    with t.check("a refused upload sends no byte of its body"):
        for argv, status in (((), 403), (("-H", "Cookie: JOBID=2"), 403)):
            got = run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{size_upload}", *argv,
                      "-T", source, url(UPLOAD, "/result/a/no"))
            equal(got.decode(), f"{status} 0")
        equal(curl_status("-T", source, url(UPLOAD, "/v1/attempts/1/files/x")), 401)
        equal(curl_status("-T", source, url(UPLOAD, "/v1/attempts/410/files/x")), 410)
        equal(curl_status(*COOKIE, "-T", source, url(UPLOAD, "/result/a/small")), 413)
        run("bash", "-c", f"curl -sS -T - -H 'Cookie: JOBID=1' -w '%{{http_code}}' <{source} "
            + url(UPLOAD, "/result/a/small") + " | grep -q 413")
        equal(curl_status(*COOKIE, "-T", source, url(UPLOAD, "/result/a/late")), 410)
        equal(sorted(os.listdir(server.path("result", "a"))), ["b", "chunked", "late", "none"])
    with t.check("a PUT on the wrong port follows its redirection"):
        # curl takes a Cookie along to another port only when it is told to
        equal(curl_status(*COOKIE, "--location-trusted", "-T", source, url(FILES, "/result/a/moved")), 201)
        equal(digest(stored("a/moved")), digest(blob))
    with t.check("MKCOL"):
        for expected in (201, 405):
            equal(curl_status(*COOKIE, "-X", "MKCOL", url(UPLOAD, "/result/a/dir/")), expected)
        assert os.path.isdir(server.path("result/a/dir"))
    check_resume(t, server, blob)
    check_full_disk(t, server, source)
    with t.check("nothing is left open"):
        until("no uploads", lambda: server.state()["uploads"] == 0)


def check_resume(t, server, blob):
    def place(name):
        return f"/v1/attempts/7/files/{name}"

    def offset(name):
        status, headers, _ = Wire(UPLOAD).say(head("HEAD", place(name), TOKEN)).answer()
        equal(status, 200)
        return int(headers["upload-offset"]), headers.get("upload-complete")

    def put(name, span, data, wire=None):
        return (wire or Wire(UPLOAD)).say(
            head("PUT", place(name), TOKEN, f"Content-Range: bytes {span}",
                 f"Content-Length: {len(data)}").encode() + data).answer()

    total = len(blob)

    def begin(name, first, n_sent):
        wire = Wire(UPLOAD)
        wire.say(head("PUT", place(name), TOKEN, f"Content-Range: bytes {first}-{total - 1}/{total}",
                      f"Content-Length: {total - first}", "Expect: 100-continue"))
        equal(wire.answer()[0], 100)
        wire.say(blob[first:first + n_sent])
        return wire

    with t.check("an upload that was cut goes on where it was"):
        equal(offset("cut"), (0, None))
        wire = begin("cut", 0, 20 * MIB)
        until("20 MiB", lambda: offset("cut") == (20 * MIB, None))
        wire.close()
        equal(put("cut", f"5-9/{total}", b"hello")[0], 409)
        status, headers, _ = put("cut", f"{20 * MIB}-{total - 1}/{total}", blob[20 * MIB:])
        equal((status, headers["upload-offset"]), (201, str(total)))
        equal(offset("cut"), (total, "1"))
        equal([line for line in server.said("commit ") if line[1] == "cut"],
              [["commit", "cut", str(total), digest(blob)]])
        equal(os.listdir(server.path("result/7/files")), ["cut"])
        equal(put("cut", f"5-9/{total}", b"hello")[1]["upload-complete"], "1")
        equal(put("cut", f"*/{total}", b"")[0], 200)
    with t.check("the newest sender of a file counts, an older one is cut off"):
        old = begin("new", 0, MIB)
        until("1 MiB", lambda: offset("new")[0] == MIB)
        new = begin("new", MIB, 0)
        equal(old.read(), b"")
        new.say(blob[MIB:])
        equal(new.answer()[0], 201)
        equal(server.said("commit new")[0][3], digest(blob))
    with t.check("two files of one name in two directories do not disturb each other"):
        wires = []
        for directory in ("d1", "d2"):
            wire = Wire(UPLOAD).say(head("PUT", f"/result/{directory}/same", "Cookie: JOBID=1",
                                         "Content-Length: 5", "Expect: 100-continue"))
            equal(wire.answer()[0], 100)
            wires.append(wire)
        for wire in wires:
            equal(wire.say(b"hello").answer()[0], 201)
    with t.check("a growing file: pieces, then its end"):
        wire = Wire(UPLOAD)
        for n, piece in enumerate((b"hello ", b"world", b"!\n")):
            first = len(b"hello world!\n"[:[0, 6, 11][n]])
            status, headers, _ = put("output", f"{first}-{first + len(piece) - 1}/*", piece, wire)
            equal((status, headers["upload-offset"]), (200, str(first + len(piece))))
        until("main is told", lambda: [line[2] for line in server.said("progress output")]
              == ["6", "11", "13"])
        equal(put("output", "*/12", b"", wire)[0], 409)
        equal(put("output", "*/13", b"", wire)[0], 201)
        equal(server.said("commit output")[0][3], digest(b"hello world!\n"))
        equal(put("output", "*/13", b"", wire)[0], 200)
    with t.check("a client that does not wait for its answer finds its file recorded"):
        wire = begin("gone", 0, total)
        wire.close()
        until("the record", lambda: server.said("commit gone"))
        equal(offset("gone"), (total, "1"))
    with t.check("Content-Range and body must agree"):
        equal(put("bad", "0-9/10", b"hello")[0], 400)
        equal(put("bad", "9-5/10", b"hello")[0], 400)
        equal(put("bad", "0-4/3", b"hello")[0], 400)
        equal(put("bad", "*/5", b"hello")[0], 400)
        status, _, _ = Wire(UPLOAD).say(
            head("PUT", place("bad"), TOKEN, "Content-Range: bytes 0-4/5",
                 "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n").answer()
        equal(status, 411)


def check_full_disk(t, server, source):
    tiny = server.path("result/tiny")
    os.mkdir(tiny)
    run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", tiny)
    with t.check("a full disk: 507, and nothing half is left of a whole PUT"):
        equal(curl_status(*COOKIE, "-T", source, url(UPLOAD, "/result/tiny/known")), 507)
        run("bash", "-c", f"curl -sS -T - -H 'Cookie: JOBID=1' -w '%{{http_code}}' <{source} "
            + url(UPLOAD, "/result/tiny/unknown") + " | grep -q 507")
        equal(os.listdir(tiny), [])
    run("umount", tiny)


def check_processes(t, server):
    with t.check("workers have no capability, no new privileges, and nothing of main's"):
        for pid in server.workers():
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                status = file.read()
            for word in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                assert f"{word}:\t0000000000000000" in status, status
            assert "NoNewPrivs:\t1" in status, status
    with t.check("two workers share a port"):
        for sleeper in server.workers():
            os.kill(sleeper, signal.SIGSTOP)
            try:
                for _ in range(10):
                    equal(curl_status(url(FILES, "/os/x.efi")), 200)
                    equal(curl_status(*COOKIE, "-X", "MKCOL", url(UPLOAD, "/result/a/")), 405)
            finally:
                os.kill(sleeper, signal.SIGCONT)
    with t.check("a worker that is killed comes back"):
        for pid in server.workers():
            os.kill(pid, signal.SIGTERM)        # not for it: main says when to end
        victim = server.workers()[0]
        os.kill(victim, signal.SIGKILL)
        until("another worker", lambda: victim not in server.workers()
              and len(server.workers()) == 2 and server.state()["running"] == 2)
        equal(server.state()["died"], 1)
        equal(curl_status(url(FILES, "/os/x.efi")), 200)
    with t.check("a worker loads files for main"):
        server.process.stdin.write(server.path("initrd/a.cgz").encode() + b"\n")
        server.process.stdin.flush()
        until("the file", lambda: server.said("loaded") == [["loaded", "0", "1000"]])


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def check_kill(t, server):
    """Returns the server that took the place of the killed one."""
    with t.check("SIGKILL of main leaves no worker, and the ports are free at once"):
        workers = server.workers()
        busy = [Wire(port).say(head("GET", "/hold" if port == API else "/os/huge"))
                for port in (API, FILES)]
        busy.append(Wire(UPLOAD).say(head("PUT", "/result/x", "Cookie: JOBID=1",
                                          "Content-Length: 100") + "half"))
        server.process.kill()
        server.process.wait()
        until("no worker", lambda: not any(is_alive(pid) for pid in workers))
        server = Server(server.root)
        equal(curl_status(url(API, "/hello")), 200)
        equal(curl_status(url(FILES, "/os/x.efi")), 200)
    return server


def body(t):
    namespace.probe()
    directory = tempfile.mkdtemp(prefix="cci-http-")
    try:
        namespace_body(t, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def namespace_body(t, directory):
    namespace.enter()
    run("ip", "link", "set", "lo", "up")
    files = make_root(directory)
    server = Server(directory)
    try:
        check_clients(t, server, files)
        check_files(t, server, files)
        check_strictness(t)
        check_api(t, server)
        check_uploads(t, server)
        check_processes(t, server)
        server = check_kill(t, server)
        with t.check("a clean end, without a leak"):
            server.close()
    finally:
        if server.process.poll() is None:
            server.process.kill()
        if t.n_failed:
            t.note(server.log()[-3000:])


if __name__ == "__main__":
    tap.main(body)
