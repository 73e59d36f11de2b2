# SPDX-License-Identifier: MulanPSL-2.0
"""One scripted machine: it boots, takes a job, runs it, sends its output, finishes, boots again; and
says everything until it was answered, as the real agent does."""

import gzip
import hashlib
import json
import random
import re
import time

import wire


class Gone(Exception):
    """The attempt is over: 410."""


def unpack(archive):
    """{name: bytes} of a newc archive."""
    data, files, at = gzip.decompress(archive), {}, 0
    while data[at:at + 6] == b"070701":
        size, len_name = (int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in (6, 11))
        name = data[at + 110:at + 109 + len_name].decode()
        body = (at + 110 + len_name + 3) & ~3
        if name == "TRAILER!!!":
            break
        files[name] = data[body:body + size]
        at = (body + size + 3) & ~3
    return files


class Machine:
    def __init__(self, number, storm, seed):
        self.storm = storm
        self.name = f"box-{number}"
        self.address = f"127.1.0.{number}"
        self.mac = f"52-54-00-12-00-{number:02x}"
        self.random = random.Random(f"{seed} {self.name}")
        self.phase = "off"
        self.n_retries = 0
        self.attempt = {}

    def ask(self, *args, **more):
        """Asks until there is an answer that is one."""
        wait = 0.02
        while True:
            try:
                answer = wire.ask(self.address, *args, **more)
                if answer.status not in (503, 507):
                    return answer
            except OSError:
                pass
            self.storm.check_time()
            self.n_retries += 1
            time.sleep(wait * self.random.uniform(0.5, 1.5))
            wait = min(wait * 2, 0.5)

    def expect(self, answer, *statuses):
        if answer.status == 410:
            raise Gone
        if answer.status not in statuses:
            raise AssertionError(f"{self.name} {self.phase}: {answer.status} {answer.body[:300]!r}")
        return answer

    def boot(self):
        """The script of a job, or None."""
        self.phase = "boot"
        answer = self.expect(self.ask("GET", f"/boot.ipxe/mac/{self.mac}"), 200)
        return answer.body.decode() if b"\nkernel " in answer.body else None

    def load(self, script):
        self.phase = "load"
        for url in re.findall(r"^(?:initrd|kernel) http://[^:/]+:(\d+)(/\S+)", script, re.M):
            answer = self.expect(self.ask("GET", url[1], port=int(url[0])), 200)
            if url[1].endswith("/job.cgz"):
                text = unpack(answer.body)["lkp/scheduled/attempt"].decode()
                self.attempt = dict(line.split("=", 1) for line in text.splitlines())
                self.attempt["cgz"] = url[1]

    def headers(self, **more):
        return {"Authorization": f"Bearer {self.attempt['token']}", **more}

    def say(self, verb, **body):
        self.phase = verb if verb != "stage" else body["stage"]
        return self.expect(self.ask("POST", f"/v1/attempts/{self.attempt['attempt']}/{verb}",
                                    json.dumps(body).encode(), self.headers()), 200)

    def offset(self, path):
        answer = self.expect(self.ask("HEAD", path, headers=self.headers(), port=wire.UPLOAD), 200)
        return int(answer.headers["upload-offset"]), "upload-complete" in answer.headers

    def upload(self, name, data):
        """In up to three pieces, each from where the server says it stands."""
        self.phase = "upload"
        path = f"/v1/attempts/{self.attempt['attempt']}/files/{name}"
        while True:
            at, is_complete = self.offset(path)
            if is_complete and at == len(data):
                return
            end = min(len(data), at + len(data) // 3 + 1)
            span = f"bytes {at}-{end - 1}/{len(data)}" if end > at else f"bytes */{len(data)}"
            try:
                answer = wire.ask(self.address, "PUT", path, data[at:end],
                                  self.headers(**{"Content-Range": span}), wire.UPLOAD)
            except OSError:
                self.n_retries += 1
                self.storm.check_time()
                time.sleep(0.03)
                continue
            # 409: somebody else, our own broken connection, still holds it
            self.expect(answer, 200, 201, 409, 503, 507)

    def is_strange(self):
        """Another machine is refused what is this one's."""
        other = f"127.1.1.{self.random.randint(1, 250)}"
        try:
            status = wire.ask(other, "GET", self.attempt["cgz"]).status
        except OSError:
            return
        if status not in (403, 404, 503):
            raise AssertionError(f"{other} got {self.attempt['cgz']} of {self.name}: {status}")

    def run_job(self):
        script = self.boot()
        if not script:
            return
        self.load(script)
        job, attempt = self.attempt["job"], self.attempt["attempt"]
        self.storm.claimed(self, job, attempt, self.attempt["token"])
        self.say("hello", boot_id=f"{self.name}-{attempt}", agent="0.1.0", api=1, kernel="6.1",
                 uptime_ms=1000)
        self.storm.runs(self, job, attempt)
        self.say("stage", stage="running", uptime_ms=2000)
        if self.random.random() < 0.1:
            self.is_strange()
        text = f"{job} {attempt} {self.name}\n".encode()
        data = text + self.random.randbytes(self.random.randint(0, 20000))
        verdict = self.random.choice(("pass", "fail", "skip"))
        self.upload("output", data)
        self.say("stage", stage="uploading", uptime_ms=3000)
        result = {"name": "output", "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        body = {"verdict": verdict, "cause": "", "exit_code": 0, "manifest": [result], "cut": 0}
        self.storm.finishes(job, attempt, verdict, result, text)
        for _ in range(1 + (self.random.random() < 0.1)):     # an answer that was lost
            self.say("finish", **body)
        self.storm.finished(job, attempt)

    def live(self):
        while not self.storm.is_over():
            try:
                self.run_job()
            except Gone:
                self.storm.gone(self)
            except Exception as error:      # the main thread tells it
                self.storm.fail(error)
        self.phase = "off"
