# SPDX-License-Identifier: MulanPSL-2.0
"""A test machine as ccid sees it over HTTP, from the boot script to the finish: no kernel, no agent,
no privilege."""

import hashlib
import json
import re
import time
import urllib.error
import urllib.request
import zlib


def ask(method, url, data=None, timeout=30, **headers):
    """Returns (status, headers, body); a server that is away for a moment is asked again."""
    end = time.monotonic() + 30
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    while True:
        request = urllib.request.Request(url, data, names, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def newc_member(archive, name):
    """The content of a file of a newc archive (cpio(5))."""
    at = 0
    while archive[at:at + 6] == b"070701":
        size = int(archive[at + 54:at + 62], 16)
        name_len = int(archive[at + 94:at + 102], 16)
        data = (at + 110 + name_len + 3) & ~3
        if archive[at + 110:at + 110 + name_len - 1].decode() == name:
            return archive[data:data + size]
        at = (data + size + 3) & ~3
    raise KeyError(name)


class Machine:
    def __init__(self, server, mac="52:54:00:00:00:01"):
        self.server = server
        self.mac = mac
        self.session = 0
        self.sent = {}          # growing files: how much of each is there
        self.manifest = []

    def boot(self):
        """Asks for a job until there is one, fetches what the script names, and says hello."""
        self.session += 1
        path = f"{self.server}/boot.ipxe/mac/{self.mac.replace(':', '-')}?b={self.session}"
        script = ask("GET", path)[2].decode()
        while "No job now" in script:
            script = ask("GET", path)[2].decode()
        files = re.findall(r"^(?:initrd|kernel) (\S+)", script, re.MULTILINE)
        for url in files:
            status, _, data = ask("GET", url)
            assert status == 200, (url, status)
            if url.endswith("/job.cgz"):
                text = newc_member(zlib.decompress(data, 31), "lkp/scheduled/attempt").decode()
        self.attempt = dict(line.split("=", 1) for line in text.splitlines())
        self.sent, self.manifest = {}, []
        status, answer = self.post("hello", boot_id=f"boot-{self.session}", agent="0.1.0", api=1,
                                   kernel="6.1.0", uptime_ms=1000)
        assert status == 200, answer
        return self

    def post(self, what, **body):
        status, _, data = ask("POST", f"{self.attempt['server']}/v1/attempts/"
                              f"{self.attempt['attempt']}/{what}", json.dumps(body).encode(),
                              Content_Type="application/json", **self.authorization())
        return status, json.loads(data or b"{}")

    def authorization(self):
        return {"Authorization": f"Bearer {self.attempt['token']}"}

    def stage(self, name):
        status, answer = self.post("stage", stage=name, uptime_ms=2000)
        assert status == 200, answer

    def put(self, name, data, total):
        """Sends the next bytes of a file; total None: it still grows."""
        begin = self.sent.get(name, b"")
        span = f"{len(begin)}-{len(begin) + len(data) - 1}" if data else "*"
        status, _, body = ask("PUT", self.attempt["upload"] + name, data,
                              Content_Range=f"bytes {span}/{'*' if total is None else total}",
                              **self.authorization())
        assert status in (200, 201, 204), (name, status, body)
        self.sent[name] = begin + data
        if total is not None:
            whole = self.sent[name]
            self.manifest.append({"name": name, "size": len(whole),
                                  "sha256": hashlib.sha256(whole).hexdigest()})

    def write(self, data):
        """What the job prints."""
        self.put("output", data, None)

    def finish(self, verdict="pass", cause=None, code=0, files=()):
        self.stage("post")
        self.put("output", b"", len(self.sent.get("output", b"")))
        for name, data in files:
            self.put(name, data, len(data))
        self.stage("uploading")
        body = {"verdict": verdict, "exit_code": code, "manifest": self.manifest, "cut": 0}
        status, answer = self.post("finish", **body, **({"cause": cause} if cause else {}))
        assert status == 200, answer
        return answer
