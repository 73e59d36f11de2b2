#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""cci, the real ccid on the loopback (without DHCP), and a machine that is played over HTTP: a job from
submit to its files, and the daemon killed in the middle."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from machine import Machine, ask  # noqa: E402

BUILD = os.environ.get("CCI_BUILD", os.path.join(os.path.dirname(__file__), "../../../build"))
CCI = os.path.realpath(os.path.join(BUILD, "cli/cci"))
CCID = os.path.realpath(os.path.join(BUILD, "server/ccid"))
MIB = bytes(range(256)) * 4096


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Real(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="cci-real-")
        self.addCleanup(directory.cleanup)
        self.home = directory.name
        self.api, files, upload = free_ports(3)
        self.url = f"http://127.0.0.1:{self.api}"
        boot = f"{self.home}/os/debian/x86_64/bookworm/boot"
        image = f"{self.home}/initrd/osimage/debian/x86_64/bookworm"
        for path in (boot, image, f"{self.home}/state", f"{self.home}/result", f"{self.home}/hosts"):
            os.makedirs(path)
        for path in (f"{boot}/vmlinuz-6", f"{boot}/modules-6.cgz", f"{image}/20240506.0.cgz"):
            with open(path, "wb") as file:
                file.write(MIB)
        os.symlink("vmlinuz-6", f"{boot}/vmlinuz")
        os.symlink("20240506.0.cgz", f"{image}/current")
        with open(f"{self.home}/ccid.yaml", "w", encoding="utf-8") as file:
            file.write(f"""\
listen: {{api: [{self.api}], files: [{files}], upload: [{upload}], workers: 1}}
state: {self.home}/state
results: {self.home}/result
files: {{/os: {self.home}/os, /initrd: {self.home}/initrd}}
dhcp: {{mode: off}}
tftp: {{root: {self.home}}}
hosts: {self.home}/hosts
boot: {{hold: 10s}}
""")
        self.daemon = None
        self.start()
        self.addCleanup(self.kill)
        ask("PUT", f"{self.url}/set_host_mac?hostname=vm-1&mac=52:54:00:00:00:01")
        self.machine = Machine(self.url)

    def start(self):
        with open(f"{self.home}/log", "ab") as log:
            self.daemon = subprocess.Popen([CCID, "--config", f"{self.home}/ccid.yaml"],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.api), 1).close()
                return
            except OSError:
                if self.daemon.poll() is not None or time.monotonic() > end:
                    with open(f"{self.home}/log", encoding="utf-8") as log:
                        self.fail(f"ccid did not start:\n{log.read()}")
                time.sleep(0.02)

    def kill(self):
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()

    def begin(self, *words):
        environment = {**os.environ, "HOME": self.home, "CCI_SERVER": self.url}
        environment.pop("CCI_TOKEN", None)
        return subprocess.Popen([CCI, *words], stdin=subprocess.DEVNULL, cwd=self.home,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)

    def end(self, process, status=0):
        try:
            out, err = process.communicate(timeout=90)
        except subprocess.TimeoutExpired:
            process.kill()
            self.fail(f"cci did not end: {process.communicate()}")
        self.assertEqual(process.returncode, status, (out[-2000:], err))
        return out, err.decode()

    def cci(self, *words, status=0):
        return self.end(self.begin(*words), status)

    def out(self, *words):
        return self.cci(*words)[0].decode()

    def test_a_job_from_submit_to_its_files(self):
        process = self.begin("run", "-p", "-H", "vm-1", "--", "echo", "it's")
        self.machine.boot()
        self.assertIn("active", self.out("ps"))
        self.machine.stage("running")
        self.machine.write(b"one\n")
        self.assertEqual(process.stdout.read(4), b"one\n")     # while it runs
        self.machine.write(b"two\n")
        self.machine.finish(files=[("blob", MIB)])
        out, err = self.end(process)
        self.assertEqual(out, b"two\n")
        for stage in ("boot.offer", "file.done", "agent.hello", "job.running", "job.finished"):
            self.assertIn(stage, err)
        job = json.loads(self.out("show", "--json", "lab1.1"))
        self.assertEqual((job["state"], job["verdict"], job["upload"]),
                         ("finished", "pass", "complete"))
        self.assertRegex(self.out("result", "lab1.1"), r"(?m)^1\.0 MB +[0-9a-f]{64} +blob$")
        self.assertEqual(self.cci("get", "lab1.1", "blob", "-o", "-")[0], MIB)
        self.assertEqual(self.cci("log", "lab1.1")[0], b"one\ntwo\n")
        self.assertEqual(self.cci("log", "-f", "lab1.1")[0], b"one\ntwo\n")
        self.assertEqual(self.cci("wait", "lab1.1"), (b"", ""))
        bars = self.out("boot", "lab1.1")
        for stage in ("wait", "file 20240506.0.cgz", "kernel", "setup", "run"):
            self.assertRegex(bars, rf"(?m)^{stage} +\|")
        self.assertEqual(self.out("boot", "vm-1"), bars)
        self.assertRegex(self.out("hosts"), r"(?m)^vm-1 ")
        self.assertRegex(self.out("host", "vm-1"), r"(?m)^macs +52:54:00:00:00:01$")
        self.assertIn("job.finished", self.out("events", "--job", "lab1.1"))
        self.assertEqual(self.out("retry", "lab1.1"), "lab1.2\n")
        self.assertIn("cancelled", self.cci("cancel", "lab1.2") and self.out("show", "lab1.2"))

    def test_ends_of_jobs(self):
        for end, status in (({"verdict": "fail", "code": 1}, 1), ({"verdict": "skip"}, 0),
                            ({"verdict": "fail", "cause": "crash", "code": -1}, 1)):
            process = self.begin("run", "-H", "vm-1", "--", "x")
            self.machine.boot().stage("running")
            self.machine.write(b"x")
            self.machine.finish(**end)
            self.end(process, status)
        process = self.begin("run", "-H", "vm-1", "--", "x")
        self.machine.boot().stage("running")
        self.cci("cancel", "lab1.4")
        self.assertTrue(self.machine.post("heartbeat", uptime_ms=1)[1]["cancel"])
        self.machine.finish(verdict="fail", cause="cancelled")
        self.assertIn("cancelled", self.end(process, 4)[1])
        self.assertIn("the job has ended", self.cci("cancel", "lab1.4", status=5)[1])
        self.cci("wait", "lab1.1", "lab1.2", "lab1.3", "lab1.4", status=4)

    def test_what_is_wrong_is_named(self):
        with open(f"{self.home}/job.yaml", "w", encoding="utf-8") as file:
            file.write("suite: x\ntestbox: vm-1\nos_mount: odd\nscript: x\n")
        self.assertRegex(self.cci("submit", "job.yaml", status=5)[1],
                         r"job\.yaml:3:1: os_mount: expected .*\(HTTP 400\)")
        for words in (["show", "lab1.9"], ["log", "lab1.9"], ["wait", "lab1.9"], ["get", "lab1.9",
                      "x"], ["cancel", "x"], ["boot", "nobody"], ["host", "nobody"],
                      ["result", "lab1.9"], ["log", "-f", "lab1.9"]):
            self.assertIn("(HTTP 404)", self.cci(*words, status=5)[1], words)

    def test_the_daemon_is_killed_while_a_job_is_followed(self):
        process = self.begin("run", "-p", "-H", "vm-1", "--", "x")
        self.machine.boot().stage("running")
        self.machine.write(b"one\ntw")
        self.assertEqual(process.stdout.read(6), b"one\ntw")
        self.kill()
        self.start()
        self.machine.write(b"o\n")
        self.assertEqual(process.stdout.read(2), b"o\n")
        self.kill()
        self.start()
        self.machine.write(b"three\n")
        self.kill()
        self.start()
        self.machine.finish(verdict="fail", code=3)
        out, err = self.end(process, 1)
        self.assertEqual(out, b"three\n")
        self.assertIn("lost the server", err)
        self.assertIn("the server is back", err)
        for stage in ("boot.offer", "agent.hello", "job.running", "job.finished"):
            self.assertEqual(err.count(f"  {stage}"), 1, stage)

    def test_events_go_on_over_a_restart(self):
        process = self.begin("events", "-f", "--json")
        time_out = time.monotonic() + 20
        kinds = []
        while "job.state" not in kinds:         # until the stream stands
            self.assertLess(time.monotonic(), time_out)
            self.cci("run", "-d", "-H", "none", "x")
            os.set_blocking(process.stdout.fileno(), False)
            for line in (process.stdout.read() or b"").splitlines():
                kinds.append(json.loads(line)["kind"])
            os.set_blocking(process.stdout.fileno(), True)
        self.kill()
        self.start()
        name = self.out("run", "-d", "-H", "none", "x").strip()
        while True:
            event = json.loads(process.stdout.readline())
            if event["job"] == name:
                break
        process.send_signal(signal.SIGINT)
        self.end(process, 130)


if __name__ == "__main__":
    unittest.main()
