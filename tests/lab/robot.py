# SPDX-License-Identifier: MulanPSL-2.0
"""A test machine without a machine: fetches its boot script, its job.cgz, and speaks as the agent
does. For what would take a virtual machine minutes to show."""

import gzip
import hashlib
import http.client
import json
import re
import urllib.parse

from .errors import LabError

# What a test submits for its robot, where it does not matter what runs.
JOB = """\
suite: robot
testbox: robot-1
os: debian
os_arch: x86_64
os_version: bookworm
os_mount: initramfs
runtime: 600
script: "true"
"""


def cpio_files(archive):
    """{name: content} of a newc archive."""
    files, at = {}, 0
    while archive[at:at + 6] == b"070701":
        fields = [int(archive[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        size, name_size = fields[6], fields[11]
        name = archive[at + 110:at + 110 + name_size - 1].decode()
        begin = (at + 110 + name_size + 3) & ~3
        if name == "TRAILER!!!":
            return files
        files[name] = archive[begin:begin + size]
        at = (begin + size + 3) & ~3
    raise LabError("job.cgz is no newc archive")


class Answer:
    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:200]!r}"


def ask(url, method="GET", body=None, headers=None, timeout=60):
    """One request on a connection of its own; every status is an answer."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=timeout)
    try:
        connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), body,
                           headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


class Robot:
    """All calls are to be made inside the namespace of its peer."""

    def __init__(self, server, mac):
        self.server, self.mac = server, mac
        self.attempt = {}

    def boot_script(self):
        """What iPXE would get now."""
        return ask(f"{self.server.url}/boot.ipxe/mac/{self.mac.replace(':', '-')}").body.decode()

    def boot(self):
        """Takes the job that is offered; returns its boot script."""
        script = self.boot_script()
        match = re.search(r"(http://\S+/job\.cgz)", script)
        if not match:
            raise LabError(f"no job was offered:\n{script}")
        cgz = ask(match.group(1))
        if cgz.status != 200:
            raise LabError(f"{match.group(1)}: {cgz}")
        text = cpio_files(gzip.decompress(cgz.body))["lkp/scheduled/attempt"].decode()
        self.attempt = dict(line.split("=", 1) for line in text.splitlines())
        return script

    def _headers(self, **more):
        return {"Authorization": f"Bearer {self.attempt['token']}", **more}

    def call(self, verb, **members):
        """POST /v1/attempts/ID/VERB."""
        return ask(f"{self.attempt['server']}/v1/attempts/{self.attempt['attempt']}/{verb}", "POST",
                   json.dumps(members), self._headers(**{"Content-Type": "application/json"}))

    def hello(self):
        return self.call("hello", boot_id="0" * 32, agent="0.1.0", api=1, kernel="robot",
                         uptime_ms=1000)

    def put(self, name, content, offset=0, total=None):
        """Bytes of a file at an offset; total defaults to their end."""
        end = offset + len(content)
        span = f"bytes {offset}-{end - 1}/{end if total is None else total}"
        return ask(self.attempt["upload"] + name, "PUT", content,
                   self._headers(**{"Content-Range": span}))

    def offset(self, name):
        """How much of a file the server has."""
        answer = ask(self.attempt["upload"] + name, "HEAD", None, self._headers())
        return int(answer.headers.get("Upload-Offset", -1))

    def finish(self, files):
        """The end of the job, with {name: content} as its results."""
        manifest = [{"name": name, "size": len(content),
                     "sha256": hashlib.sha256(content).hexdigest()}
                    for name, content in files.items()]
        return self.call("finish", verdict="pass", cause="", exit_code=0, manifest=manifest, cut=0)
