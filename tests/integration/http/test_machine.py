#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""A machine played by HTTP clients against the whole ccid: it boots, says hello, streams its output,
uploads; and ccid is killed at every one of these steps."""

import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", ".."))

from lab import LabError, namespace, tap  # noqa: E402
from lab.tap import equal  # noqa: E402

API, UPLOAD = 3000, 3080
MAC = "52-54-00-12-34-56"
MIB = 1 << 20
BLOB = bytes(range(256)) * (4 * 5 * 1024) + b"end"

JOB = """\
suite: hello
testbox: box
os: debian
os_arch: x86_64
os_version: bookworm
os_mount: initramfs
runtime: 60
script: |
  echo hello
"""


def run(*argv, expect=0, timeout=60):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout, check=False)
    if done.returncode != expect:
        raise LabError(f"{' '.join(argv)}: exit {done.returncode}:\n{done.stdout[-2000:]!r}")
    return done.stdout


def until(what, condition, seconds=30):
    """Waits for something that must come; how long it takes is no matter."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise LabError(f"this never came: {what}")
        time.sleep(0.02)


class Ccid:
    def __init__(self, program, directory):
        self.program, self.directory = program, directory
        self.log = os.path.join(directory, "ccid.log")
        self.process = None
        os.makedirs(os.path.join(directory, "hosts.d"))
        for path, data in (("os/debian/x86_64/bookworm-2026-01-01-00-00-00/boot/vmlinuz", b"K" * MIB),
                           ("initrd/osimage/debian/x86_64/bookworm/current", b"I" * (3 * MIB))):
            os.makedirs(os.path.dirname(os.path.join(directory, path)))
            with open(os.path.join(directory, path), "wb") as file:
                file.write(data)
        os.symlink("bookworm-2026-01-01-00-00-00",
                   os.path.join(directory, "os/debian/x86_64/bookworm"))
        for name in ("state", "result", "tftp"):
            os.makedirs(os.path.join(directory, name))
        with open(os.path.join(directory, "ccid.yaml"), "w", encoding="utf-8") as file:
            file.write(f"""\
listen: {{interfaces: [lo], api: [{API}], files: [8000, 8800], upload: [{UPLOAD}], workers: 2}}
state: {directory}/state
results: {directory}/result
files: {{/os: {directory}/os, /initrd: {directory}/initrd}}
dhcp: {{mode: off}}
tftp: {{root: {directory}/tftp}}
lab: lab1
hosts: {directory}/hosts.d
""")

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--config", os.path.join(self.directory, "ccid.yaml")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until("ccid is healthy", self.is_healthy)

    def is_healthy(self):
        if self.process.poll() is not None:
            with open(self.log, encoding="utf-8") as log:
                raise LabError(f"ccid ended:\n{log.read()[-3000:]}")
        try:
            return ask("GET", "/healthz")[0] == 200
        except OSError:
            return False

    def kill(self):
        """SIGKILL, and up again at once."""
        self.process.kill()
        self.process.wait()
        self.start()


def ask(method, path, body=None, headers=None, port=API):
    """(status, headers, body) of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def get(path):
    status, _, body = ask("GET", path)
    equal(status, 200, path)
    return json.loads(body)


class Machine:
    """What firmware, iPXE and the agent do, over HTTP."""

    def __init__(self, directory):
        self.directory = directory
        self.attempt = {}

    def boot(self):
        """Asks for a script until there is one with a kernel, as the script without one says."""
        script = b""

        def has_kernel():
            nonlocal script
            try:
                status, _, script = ask("GET", f"/boot.ipxe/mac/{MAC}")
            except OSError:
                return False            # killed meanwhile: iPXE tries again too
            return status == 200 and b"\nkernel " in script
        until("a kernel", has_kernel, 60)
        return script.decode()

    def load(self, script):
        """Fetches every file of the script with wget, as iPXE would; returns {name: bytes}."""
        files = {}
        for url in re.findall(r"^(?:initrd|kernel) (http://\S+)", script, re.M):
            name = url.rsplit("/", 1)[1]
            files[name] = run("wget", "-q", "-O", "-", url)
        return files

    def take_job(self, job_cgz):
        """Unpacks job.cgz and reads the attempt's own file."""
        target = os.path.join(self.directory, "machine")
        os.makedirs(target)
        subprocess.run(["sh", "-c", "gzip -dc | busybox cpio -idm"], input=job_cgz, cwd=target,
                       stderr=subprocess.DEVNULL, check=True)
        with open(os.path.join(target, "lkp/scheduled/attempt"), encoding="utf-8") as file:
            self.attempt = dict(line.split("=", 1) for line in file.read().splitlines())

    def say(self, verb, **body):
        headers = {"Authorization": f"Bearer {self.attempt['token']}",
                   "Content-Type": "application/json"}
        status, _, answer = ask("POST", f"/v1/attempts/{self.attempt['attempt']}/{verb}",
                                json.dumps(body), headers)
        return status, json.loads(answer or b"{}")

    def file(self, method, name, span=None, body=None):
        headers = {"Authorization": f"Bearer {self.attempt['token']}"}
        if span:
            headers["Content-Range"] = f"bytes {span}"
        return ask(method, f"/v1/attempts/{self.attempt['attempt']}/files/{name}", body, headers,
                   UPLOAD)

    def offset(self, name):
        status, headers, _ = self.file("HEAD", name)
        equal(status, 200)
        return int(headers["Upload-Offset"]), headers.get("Upload-Complete")


def cut_upload(ccid, machine):
    """Sends half of the blob and does not end; ccid is killed in the middle."""
    connection = http.client.HTTPConnection("127.0.0.1", UPLOAD, timeout=60)
    connection.putrequest("PUT", f"/v1/attempts/{machine.attempt['attempt']}/files/blob")
    connection.putheader("Authorization", f"Bearer {machine.attempt['token']}")
    connection.putheader("Content-Range", f"bytes 0-{len(BLOB) - 1}/{len(BLOB)}")
    connection.putheader("Content-Length", str(len(BLOB)))
    connection.endheaders()
    connection.send(BLOB[:2 * MIB])
    until("2 MiB", lambda: machine.offset("blob") == (2 * MIB, None))
    ccid.kill()
    connection.close()
    return machine.offset("blob")


def kill_workers(ccid):
    pid = ccid.process.pid
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        workers = [int(word) for word in file.read().split()]
    assert workers, "ccid has no workers"
    for worker in workers:
        os.kill(worker, signal.SIGKILL)


def begin_whole(root, cookie):
    """Sends half of a file without Content-Range; returns the connection."""
    connection = http.client.HTTPConnection("127.0.0.1", UPLOAD, timeout=60)
    connection.putrequest("PUT", f"{root}/whole")
    connection.putheader("Cookie", cookie)
    connection.putheader("Content-Length", str(2 * MIB))
    connection.endheaders()
    connection.send(b"W" * MIB)
    return connection


def check_killed_workers(t, ccid, machine, job):
    with t.check("workers killed in an upload leave what can be gone on with, and nothing else"):
        root = get(f"/v1/jobs/{job}")["result_root"]
        directory = ccid.directory + root
        equal(machine.file("PUT", "growing", "0-4/*", b"hello")[0], 200)
        connection = begin_whole(root, f"JOBID={job}")

        def halves():
            return [name for name in os.listdir(directory) if name.endswith(".new")]
        until("a file on its way", halves)
        kill_workers(ccid)
        until("it is removed", lambda: not halves())
        connection.close()
        assert ".growing.part" in os.listdir(directory), os.listdir(directory)

        def is_back():
            try:
                return machine.offset("growing") == (5, None)
            except (OSError, http.client.HTTPException):
                return False
        until("the part is there", is_back)
        equal(machine.file("PUT", "growing", "*/5")[0], 201)


def check_story(t, ccid, directory):
    machine = Machine(directory)
    script = job = ""
    equal(ask("PUT", f"/set_host_mac?hostname=box&mac={MAC}")[0], 200)
    with t.check("a held machine survives SIGKILL of ccid and gets the job that comes", vital=True):
        found = []
        thread = threading.Thread(target=lambda: found.append(machine.boot()))
        thread.start()
        until("held", lambda: any(e["kind"] == "boot.hold" for e in get("/v1/events")["events"]))
        ccid.kill()
        until("held again", lambda: sum(e["kind"] == "boot.hold"
                                        for e in get("/v1/events")["events"]) >= 2)
        status, _, body = ask("POST", "/v1/jobs", JOB, {"Content-Type": "application/yaml"})
        equal(status, 201, body.decode())
        job = json.loads(body)["id"]
        thread.join(60)
        script = found[0]
        assert f"/job_initrd_tmpfs/{job}/job.cgz" in script, script
    with t.check("it loads its files, also after SIGKILL, job.cgz as often as it asks", vital=True):
        files = machine.load(script)
        ccid.kill()
        equal(machine.load(script), files)
        equal(files["vmlinuz"], b"K" * MIB)
        machine.take_job(files["job.cgz"])
        equal(machine.attempt["job"], job)
    with t.check("hello, and its job runs; a wrong token is refused", vital=True):
        status, answer = machine.say("hello", boot_id="b", agent="0.1.0", api=1, kernel="6.1",
                                     uptime_ms=1000)
        equal((status, answer["job"]), (200, job))
        equal(ask("POST", f"/v1/attempts/{machine.attempt['attempt']}/heartbeat", "{}",
                  {"Authorization": "Bearer wrong"})[0], 401)
        equal(machine.say("stage", stage="running", uptime_ms=2000)[0], 200)
    with t.check("its output is followed while it grows, and goes on after SIGKILL"):
        equal(machine.file("PUT", "output", "0-5/*", b"hello\n")[0], 200)
        log = subprocess.Popen(["curl", "-sSN", f"http://127.0.0.1:{API}/v1/jobs/{job}/log?follow=1"],
                               stdout=subprocess.PIPE)
        equal(log.stdout.readline(), b"hello\n")
        equal(machine.file("PUT", "output", "6-11/*", b"world\n")[0], 200)
        equal(log.stdout.readline(), b"world\n")
        log.kill()
        log.wait()
        ccid.kill()
        equal(machine.offset("output"), (12, None))
        equal(machine.file("PUT", "output", "12-16/*", b"again")[0], 200)
        equal(machine.file("PUT", "output", "*/17")[0], 201)
    with t.check("an upload cut by SIGKILL goes on where it was"):
        equal(cut_upload(ccid, machine), (2 * MIB, None))
        span = f"{2 * MIB}-{len(BLOB) - 1}/{len(BLOB)}"
        equal(machine.file("PUT", "blob", span, BLOB[2 * MIB:])[0], 201)
        equal(machine.offset("blob"), (len(BLOB), "1"))
    check_killed_workers(t, ccid, machine, job)
    with t.check("a client of Compass-CI stores by the job's id, below its result directory only"):
        root = get(f"/v1/jobs/{job}")["result_root"]
        for cookie, path, status in ((f"JOBID={job}", f"{root}/stdout", 201),
                                     (f"JOBID={job}", f"{root}/stdout", 201),
                                     (f"JOBID={job}", "/result/elsewhere/stdout", 403),
                                     (f"JOBID={job}", f"{root}/../x", 400),
                                     ("JOBID=lab1.99", f"{root}/stdout", 403)):
            equal(ask("PUT", path, b"from lkp", {"Cookie": cookie}, UPLOAD)[0], status, path)
    with t.check("the job has ended once, with its result", vital=True):
        manifest = [{"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                    for name, data in (("output", b"hello\nworld\nagain"), ("blob", BLOB))]
        for _ in range(2):              # the answer of the first may be lost
            status, answer = machine.say("finish", verdict="pass", cause="", exit_code=0,
                                         manifest=manifest, cut=0)
            equal((status, answer.get("next")), (200, "reboot"))
        document = get(f"/v1/jobs/{job}")
        equal([document[k] for k in ("state", "verdict", "upload")], ["finished", "pass", "complete"])
        equal(len(document["attempts"]), 1)
    with t.check("what was uploaded is what is given out"):
        for name, data in (("blob", BLOB), ("output", b"hello\nworld\nagain")):
            got = run("curl", "-sSfL", f"http://127.0.0.1:{API}/v1/jobs/{job}/results/{name}")
            equal(hashlib.sha256(got).hexdigest(), hashlib.sha256(data).hexdigest(), name)
        equal(sorted(os.listdir(directory + document["result_root"])),
              sorted(set(os.listdir(directory + document["result_root"])) - {".blob.part"}))
    with t.check("the events tell the story"):
        kinds = {event["kind"] for event in get(f"/v1/jobs/{job}/events")["events"]}
        missing = {"boot.offer", "file.start", "file.done", "agent.hello", "job.running",
                   "upload.done", "job.finished"} - kinds
        assert not missing, f"not among the events: {missing} (there are {kinds})"
    with t.check("after its end nothing more is taken"):
        equal(machine.file("PUT", "late", "0-4/5", b"hello")[0], 410)


def body(t):
    namespace.probe()
    directory = tempfile.mkdtemp(prefix="cci-machine-")
    try:
        namespace.enter()
        run("ip", "link", "set", "lo", "up")
        ccid = Ccid(sys.argv[1], directory)
        try:
            ccid.start()
            check_story(t, ccid, directory)
            with t.check("a clean end"):
                ccid.process.send_signal(signal.SIGTERM)
                equal(ccid.process.wait(timeout=20), 0)
        finally:
            if ccid.process.poll() is None:
                ccid.process.kill()
            if t.n_failed:
                with open(ccid.log, encoding="utf-8") as log:
                    t.note(log.read()[-3000:])
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    tap.main(body)
