#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""cci against a scripted server: every verb, every exit status, and a server that dies while
somebody follows. `test_cli.py [NAME...]` runs some tests; CCI_BUILD is the build directory."""

import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from scripted_server import Lab  # noqa: E402

BUILD = os.environ.get("CCI_BUILD", os.path.join(os.path.dirname(__file__), "../../../build"))
CCI = os.path.realpath(os.path.join(BUILD, "cli/cci"))
NOWHERE = "http://127.0.0.1:1"      # nobody listens on tcpmux
JOB = "suite: hello\ntestbox: vm\nos_mount: initramfs\n"


class Case(unittest.TestCase):
    def setUp(self):
        self.lab = Lab().start()
        self.addCleanup(self.lab.kill)
        directory = tempfile.TemporaryDirectory(prefix="cci-test-")
        self.addCleanup(directory.cleanup)
        self.home = directory.name
        os.mkdir(os.path.join(self.home, ".config"))
        os.mkdir(os.path.join(self.home, ".config/cci"))

    def environment(self, **more):
        kept = {name: value for name, value in os.environ.items()
                if name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")}
        return {**kept, "HOME": self.home, "CCI_SERVER": self.lab.url, "LC_ALL": "C.UTF-8",
                "TERM": "xterm", **more}

    def begin(self, *words, **more):
        return subprocess.Popen([CCI, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, cwd=self.home,
                                env=self.environment(**more))

    def end(self, process, given=b""):
        try:
            process.out, process.err = process.communicate(given, timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            self.fail(f"cci did not end: {out!r} {err!r}")
        self.assertNotIn(b"Sanitizer", process.err)
        self.assertNotIn(b"runtime error", process.err)
        return process

    def cci(self, *words, given=b"", status=0, **more):
        process = self.end(self.begin(*words, **more), given)
        self.assertEqual(process.returncode, status,
                         f"cci {' '.join(words)}\n{process.out[-2000:]!r}\n{process.err.decode()}")
        return process

    def out(self, *words, **more):
        return self.cci(*words, **more).out.decode()

    def err(self, *words, **more):
        return self.cci(*words, **more).err.decode()

    def file(self, name, text):
        path = os.path.join(self.home, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def on_terminal(self, *words, size=100, **more):
        """Runs cci on a terminal of its own; returns (status, everything it showed)."""
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.home)
            os.execve(CCI, [CCI, *words], self.environment(COLUMNS=str(size), **more))
        shown = b""
        with contextlib.suppress(OSError):      # EIO: it has gone
            while select.select([fd], [], [], 60)[0]:
                data = os.read(fd, 65536)
                if not data:
                    break
                shown += data
        os.close(fd)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


class Usage(Case):
    def test_help_and_version(self):
        self.assertIn("usage: cci", self.out("--help"))
        self.assertEqual(self.out("-h"), self.out("--help"))
        self.assertRegex(self.out("--version"), r"^cci \d+\.\d+\.\d+\n$")
        verbs = [line.split()[0] for line in self.out("--help").splitlines()
                 if line.startswith("  ") and line[2].isalpha()]
        self.assertGreaterEqual(len(verbs), 15)
        for verb in verbs:
            self.assertIn(f"usage: cci {verb}", self.out(verb, "--help"))
        self.assertEqual(self.lab.requests, [])

    def test_mistakes_are_named(self):
        for words, says in (([], ""), (["subimt"], "did you mean submit?"),
                            (["frobnicate"], "there is no verb frobnicate"),
                            (["why", "x"], "not in this version yet"),
                            (["console", "x"], "not in this version yet"),
                            (["show"], "usage: cci show"), (["show", "a", "b"], "one word too many"),
                            (["ps", "--frob"], "there is no option --frob"),
                            (["--frob", "ps"], "there is no option --frob"),
                            (["run"], "usage: cci run"), (["submit", "no-such-file"], "No such file"),
                            (["result", "--junit", "x"], "--junit is not in this version yet"),
                            (["result", "--tap", "x"], "--tap is not in this version yet"),
                            (["boot", "--svg", "f", "x"], "--svg is not in this version yet"),
                            (["host", "h", "drain"], "host h drain is not in this version yet"),
                            (["host", "h", "power", "burn"], "expected on, off or cycle"),
                            (["host", "h", "paint"], "expected set KEY=VALUE"),
                            (["host", "h", "set", "x"], "expected KEY=VALUE"),
                            (["completion", "fish"], "not for fish"),
                            (["wait", "--give-up", "x", "a"], "--give-up: expected a number"),
                            (["ps", "-n", "0"], "-n: expected"), (["get", "x"], "--all"),
                            (["run", "-t", "soon", "--", "x"], "-t: expected"),
                            (["events", "--after", "x"], "--after: expected"),
                            (["ps", "--server", "ftp://x"], "is no server")):
            with self.subTest(words=words):
                self.assertIn(says, self.err(*words, status=5))
        self.assertEqual(self.lab.requests, [])

    def test_server_out_of_reach(self):
        for words in (["ps"], ["show", "x"], ["log", "x"], ["log", "-f", "x"], ["wait", "x"],
                      ["result", "x"], ["get", "x", "y"], ["cancel", "x"], ["retry", "x"], ["hosts"],
                      ["host", "x"], ["events"], ["events", "-f"], ["boot", "x"],
                      ["run", "-H", "h", "--", "x"], ["submit", "-f", "-"]):
            with self.subTest(words=words):
                process = self.cci(*words, status=6, given=JOB.encode(), CCI_SERVER=NOWHERE)
                self.assertIn(f"the server {NOWHERE} (from $CCI_SERVER) is out of reach",
                              process.err.decode())
        self.assertEqual(os.listdir(self.home), [".config"])

    def test_where_the_server_comes_from(self):
        config = self.file(".config/cci/config.yaml", f"server: {self.lab.url}\ntoken: secret\n")
        self.lab.token = "secret"
        self.cci("ps", CCI_SERVER="")
        self.cci("ps", status=6, CCI_SERVER=NOWHERE)
        self.cci("--server", self.lab.url, "ps", CCI_SERVER=NOWHERE)
        self.cci("ps", f"--server={self.lab.url}/", CCI_SERVER=NOWHERE)
        self.assertIn("CCI_TOKEN", self.err("ps", status=5, CCI_TOKEN="wrong"))
        for text, says in (("server: [1]\n", ":1:1: server: expected a URL"),
                           ("token: a\nfoo: 1\n", ":2:1: foo: no such key"), ("a: [\n", ":2:1: "),
                           ("- a\n", "expected `server: URL`"),
                           ("defaults: 1\n", ":1:1: defaults: expected keys")):
            self.file(".config/cci/config.yaml", text)
            self.assertIn(config + says if says[0] == ":" else says, self.err("ps", status=5))
        self.file(".config/cci/config.yaml", "# nothing\n")
        self.assertIn("127.0.0.1:3000 (from the default)",
                      self.end(self.begin("ps", CCI_SERVER="", http_proxy="x")).err.decode())

    def test_completion(self):
        self.lab.add_job()
        self.lab.hosts = [{"name": "vm-1"}, {"name": "box"}]
        self.assertEqual(self.out("completion", "jobs"), "lab1.1\n")
        self.assertEqual(self.out("completion", "hosts"), "vm-1\nbox\n")
        script = self.file("script", self.out("completion", "bash") + """
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cci; printf '%s\\n' "${COMPREPLY[@]}"
""")

        def complete(*words):
            return subprocess.run(["bash", script, *words], check=True, capture_output=True,
                                  env=self.environment(PATH=f"{os.path.dirname(CCI)}:/usr/bin:/bin")
                                  ).stdout.decode().split()
        self.assertEqual(complete("cci", "su"), ["submit"])
        self.assertIn("--dry-run", complete("cci", "submit", "--d"))
        self.assertEqual(complete("cci", "show", "l"), ["lab1.1"])
        self.assertEqual(complete("cci", "run", "-H", "b"), ["box"])


class Submit(Case):
    def test_a_job_is_sent_as_json_and_its_id_printed(self):
        path = self.file("job.yaml", JOB + "runtime: 60\nscript: |\n  uname -a\n")
        self.assertEqual(self.out("submit", path, "os_version=20.10", "pp.a.b=1", "runtime="),
                         "lab1.1\n")
        self.assertEqual(self.lab.job().document,
                         {"suite": "hello", "testbox": "vm", "os_mount": "initramfs",
                          "script": "uname -a\n", "os_version": "20.10", "pp": {"a": {"b": 1}}})
        request = self.lab.asked("POST", "/v1/jobs")[0]
        self.assertEqual(request[2]["Content-Type"], "application/json")
        self.assertEqual(len(request[2]["Idempotency-Key"]), 32)
        self.assertEqual(self.out("submit", "-", given=b'{"suite": "json"}'), "lab1.2\n")
        self.assertEqual(json.loads(self.out("submit", "--json", path))["id"], "lab1.3")
        keys = {r[2]["Idempotency-Key"] for r in self.lab.asked("POST", "/v1/jobs")}
        self.assertEqual(len(keys), 3)

    def test_dry_run_sends_nothing(self):
        shown = json.loads(self.out("submit", "-n", self.file("job.yaml", JOB), "a=1"))
        self.assertEqual(shown["a"], 1)
        shown = json.loads(self.out("run", "--dry-run", "-H", "h", "--", "ls", "a b"))
        self.assertEqual((shown["script"], shown["testbox"]), ("ls 'a b'\n", "h"))
        self.assertEqual(self.lab.requests, [])

    def test_bad_jobs(self):
        path = self.file("job.yaml", "suite: a\nos_mount: wrong\n")
        self.assertIn(f"{path}:2:1: os_mount: expected initramfs, nfs, cifs, local or http "
                      "(HTTP 400)", self.err("submit", path, status=5))
        self.assertIn("suite: is missing", self.err("submit", "-", given=b"{}", status=5))
        self.assertIn("stdin:2:1: this key stands here twice",
                      self.err("submit", "-", given=b"a: 1\na: 2\n", status=5))
        self.assertIn("a job is a mapping", self.err("submit", "-", given=b"[1]", status=5))
        self.assertIn("expected KEY=VALUE", self.err("submit", path, "x", status=5))
        self.assertEqual(self.lab.jobs, {})

    def test_a_lost_answer_makes_no_second_job(self):
        self.lab.fault("POST", "/v1/jobs", "lose")
        self.lab.fault("POST", "/v1/jobs", "drop")
        self.lab.fault("POST", "/v1/jobs", 503)
        self.assertEqual(self.out("submit", self.file("job.yaml", JOB)), "lab1.1\n")
        requests = self.lab.asked("POST", "/v1/jobs")
        self.assertEqual(len(requests), 4)
        self.assertEqual(len({r[2]["Idempotency-Key"] for r in requests}), 1)
        self.assertEqual(len(self.lab.jobs), 1)

    def test_a_server_killed_before_its_answer(self):
        self.lab.fault("POST", "/v1/jobs", "lose")
        self.lab.fault("POST", "/v1/jobs", "drop")
        process = self.begin("submit", self.file("job.yaml", JOB))
        self.lab.wait_request("POST", "/v1/jobs", 2)
        self.lab.kill()
        self.lab.start()
        self.assertEqual(self.end(process).out, b"lab1.1\n")
        self.assertEqual(len(self.lab.jobs), 1)

    def test_other_refusals(self):
        for fault, status, says in ((500, 2, "journalctl"), (507, 2, "disk is full"),
                                    (403, 5, "not allowed"), (429, 5, "wait a while")):
            self.lab.fault("POST", "/v1/jobs", fault)
            self.assertIn(says, self.err("submit", self.file("job.yaml", JOB), status=status))


class Follow(Case):
    def play(self, end, output=b"out\n"):
        """A server that does every job at once, ending it so."""
        def auto(job):
            job.begin()
            job.event("file.done", file="/os/vmlinuz", bytes=8000000, seconds=0.1)
            job.write(output)
            job.end(**end)
        self.lab.auto = auto

    def test_run_exits_with_the_jobs_status(self):
        for end, status, says in (
                ({"verdict": "pass"}, 0, None), ({"verdict": "skip"}, 0, None),
                ({"verdict": "fail"}, 1, "fail"),
                ({"verdict": "fail", "cause": "crash"}, 1, "fail (crash)"),
                ({"state": "error", "cause": "infra"}, 2, "error (infra)"),
                ({"state": "expired"}, 2, "expired"), ({"state": "skipped"}, 2, "skipped"),
                ({"state": "timeout"}, 3, "timeout"), ({"state": "cancelled"}, 4, "cancelled")):
            with self.subTest(end=end):
                self.play(end)
                process = self.cci("run", "-H", "vm", "--", "uname", "-a", status=status)
                self.assertEqual(process.out, b"out\n")
                lines = process.err.decode().splitlines()
                self.assertRegex(lines[0], r"^cci: job lab1\.\d+$")
                self.assertEqual(len(lines), 1 if says is None else 2)
                if says:
                    self.assertIn(f": {says}, after 2m10s", lines[1])
        self.assertEqual(self.cci("run", "-q", "-H", "vm", "x", status=4).err, b"")
        document = self.lab.job().document
        self.assertEqual(document, {"testbox": "vm", "suite": "run", "os": "debian",
                                    "os_arch": "x86_64", "os_version": "bookworm",
                                    "os_mount": "initramfs", "runtime": 3600,
                                    "script": "uname -a\n"})

    def test_run_finds_its_host(self):
        self.play({})
        self.lab.hosts = [{"name": "only", "arch": "aarch64"}]
        self.cci("run", "true")
        self.assertEqual(self.lab.job(1).document["testbox"], "only")
        self.assertEqual(self.lab.job(1).document["os_arch"], "aarch64")
        self.lab.hosts.append({"name": "other"})
        self.assertIn("which host? give -H HOST", self.err("run", "true", status=5))
        self.file(".config/cci/config.yaml", "defaults: {testbox: group, os: openeuler}\n")
        self.cci("run", "-s", "os_version=22.03", "-t", "5", "-d", "echo a | cat")
        document = self.lab.job(2).document
        self.assertEqual((document["testbox"], document["os"], document["os_version"],
                          document["runtime"], document["script"]),
                         ("group", "openeuler", "22.03", 5, "echo a | cat\n"))

    def test_submit_follows(self):
        self.play({"verdict": "fail"}, b"no newline")
        process = self.cci("submit", "-f", "-p", self.file("job.yaml", JOB), status=1)
        self.assertEqual(process.out, b"no newline")
        self.assertRegex(process.err.decode(),
                         r"file\.done +vmlinuz 8\.0 MB in 0\.10s \(80\.0 MB/s\)\n")
        document = json.loads(self.out("submit", "-f", "--json", self.file("job.yaml", JOB),
                                       status=1))
        self.assertEqual(document["verdict"], "fail")

    def test_a_large_output_is_whole(self):
        output = b"".join(b"%d\n" % n for n in range(300000))
        self.play({}, output)
        self.assertEqual(self.cci("run", "-H", "vm", "x").out, output)
        self.assertEqual(self.cci("log", "lab1.1").out, output)
        self.assertEqual(self.cci("log", "-f", "lab1.1").out, output)

    def test_incomplete_results_are_said(self):
        self.play({"verdict": "fail", "upload": "incomplete"})
        self.assertIn("fail, but not all results arrived", self.err("run", "-H", "vm", "x",
                                                                    status=1))

    def test_the_server_is_killed_at_every_stage(self):
        """Queued, booting, in the middle of a line of output, after the end: nothing is lost and
        nothing comes twice."""
        process = self.begin("run", "-p", "-H", "vm", "x")
        job = self.lab.job()
        self.restart(job, 1)
        job.begin()
        job.event("agent.hello")
        self.restart(job, 2)
        job.write(b"one\ntw")
        self.restart(job, 3)
        job.write(b"o\nthree\n")
        self.lab.wait_request("GET", "/log.*offset=", 4)
        self.lab.kill()
        job.write(b"while it was down\n")
        self.lab.start()
        self.lab.wait_request("GET", "/log.*offset=", 5)
        self.lab.kill()
        job.write(b"last\n")
        job.end(verdict="fail")
        self.lab.start()
        self.end(process)
        self.assertEqual(process.out, b"one\ntwo\nthree\nwhile it was down\nlast\n")
        self.assertEqual(process.returncode, 1)
        text = process.err.decode()
        self.assertEqual([text.count(kind) for kind in ("boot.offer", "agent.hello",
                                                        "job.finished")], [1, 1, 1])
        self.assertIn("lost the server", text)
        self.assertIn("the server is back", text)
        self.assertTrue(any(r[2].get("Last-Event-ID") for r in self.lab.asked("GET", "/events")))

    def restart(self, job, lives):
        """Kills the server once the client has both streams, and starts it again."""
        self.lab.wait_request("GET", f"{job.id}/events", lives)
        self.lab.wait_request("GET", f"{job.id}/log", lives)
        self.lab.kill()
        self.lab.start()

    def test_streams_that_end_too_early_are_taken_up_again(self):
        """A server that stops in order ends its streams cleanly: that is no end of the job."""
        job = self.lab.add_job()
        job.begin()
        job.write(b"a")
        process = self.begin("log", "-f", job.id)
        self.assertEqual(process.stdout.read(1), b"a")
        job.begin("vm-2")           # ends the log of the first attempt
        job.write(b"b")
        self.lab.wait_request("GET", "/log", 2)
        job.end()
        self.end(process)
        self.assertEqual((process.out, process.returncode), (b"b", 0))
        self.assertIn(b"the job began anew; its output follows from the start", process.err)

    def test_a_stream_refused_for_a_while(self):
        job = self.lab.add_job()
        job.begin()
        job.write(b"a")
        for path in ("/events", "/log", "/events", "/log", f"{job.id}$"):
            self.lab.fault("GET", path, 503)
        process = self.begin("log", "-f", job.id)
        self.lab.wait_request("GET", "/log", 3)
        job.end()
        self.assertEqual(self.end(process).returncode, 0)
        self.assertEqual(process.out, b"a")

    def test_patience_has_an_end(self):
        job = self.lab.add_job()
        process = self.begin("wait", "--give-up", "1", job.id)
        self.lab.wait_request("GET", "/events")
        self.lab.kill()
        self.end(process)
        self.assertEqual(process.returncode, 6)
        self.assertIn(b"is out of reach", process.err)

    def test_sigint_leaves_the_job_alone(self):
        for words in (["run", "-H", "vm", "x"], ["log", "-f", "lab1.1"], ["wait", "lab1.1"]):
            with self.subTest(words=words):
                process = self.begin(*words)
                self.lab.wait_request("GET", "lab1.1/events", 1)
                process.send_signal(signal.SIGINT)
                self.end(process)
                self.assertEqual(process.returncode, 130)
                self.assertIn(b"job lab1.1 goes on", process.err)
                self.assertIn(b"cci cancel lab1.1", process.err)
                self.assertEqual(self.lab.asked("POST", "cancel"), [])
                self.lab.requests.clear()

    def test_wait_gives_the_highest_status(self):
        ends = ({"verdict": "pass"}, {"state": "timeout"}, {"verdict": "fail"})
        jobs = [self.lab.add_job() for _ in ends]
        names = [job.id for job in jobs]
        process = self.begin("wait", *names)
        self.lab.wait_request("GET", "lab1.1/events")
        for job, end in reversed(list(zip(jobs, ends))):
            job.end(**end)
        self.end(process)
        self.assertEqual((process.returncode, process.out), (3, b""))
        self.assertEqual(len(process.err.decode().splitlines()), 2)
        lines = self.out("wait", "--json", *names, status=3).splitlines()
        self.assertEqual([json.loads(line)["id"] for line in lines], names)
        self.assertIn("there is no job nope", self.err("wait", names[0], "nope", status=5))
        url = f"{self.lab.url}/v1/jobs/{names[0]}"
        self.cci("wait", url)       # a pasted URL is an id

    def test_a_reader_that_goes_away(self):
        self.lab.add_job().begin()
        self.lab.job().write(b"x" * 5000000)
        process = self.begin("log", "lab1.1")
        process.stdout.read(1)
        process.stdout.close()
        process.stdout = None
        self.end(process)
        self.assertEqual(process.err, b"")


class Look(Case):
    def test_ps(self):
        for number in range(1, 8):
            job = self.lab.add_job({"suite": f"s{number}", "testbox": "vm"})
            if number % 2:
                job.begin(f"vm-{number}")
        self.lab.job(2).end()
        self.lab.job(4).state["reason"] = "no host vm"
        lines = self.out("ps").splitlines()
        self.assertEqual(lines[0].split(), ["ID", "STATE", "SUITE", "HOST", "TIME", "REASON"])
        self.assertEqual([line.split()[0] for line in lines[1:]],
                         ["lab1.7", "lab1.6", "lab1.5", "lab1.4", "lab1.3", "lab1.1"])
        self.assertIn("no host vm", lines[4])
        self.assertEqual(len(self.out("ps", "-a").splitlines()), 8)
        self.assertEqual(len(self.out("ps", "-n", "2").splitlines()), 3)
        self.assertEqual(self.out("ps", "--state", "finished").splitlines()[1].split()[:2],
                         ["lab1.2", "pass"])
        self.assertEqual(len(self.out("ps", "--host", "vm-3").splitlines()), 2)
        self.assertEqual(len(json.loads(self.out("ps", "--json"))["jobs"]), 6)

    def test_show(self):
        job = self.lab.add_job()
        job.begin()
        job.end(verdict="fail", cause="crash")
        text = self.out("show", job.id)
        self.assertRegex(text, r"(?m)^verdict +fail$")
        self.assertRegex(text, r"(?m)^cause +crash$")
        self.assertRegex(text, r"(?m)^ATTEMPT +STATE +HOST")
        self.assertEqual(json.loads(self.out("show", "--json", job.id)), job.state)
        self.assertIn("there is no job lab1.9 (HTTP 404)", self.err("show", "lab1.9", status=5))
        self.assertIn("%2F..%2F", self.out("show", "--json", "--", "a/../b", status=5) or
                      self.lab.requests[-1][1])

    def test_log(self):
        job = self.lab.add_job()
        self.assertIn("there is no output yet", self.err("log", job.id, status=5))
        job.begin()
        job.write(b"\xff\x00raw\n")
        self.assertEqual(self.cci("log", job.id).out, b"\xff\x00raw\n")

    def test_results(self):
        job = self.lab.add_job()
        self.assertIn("has no files", self.err("result", job.id))
        job.files = {"output": b"text\n", "blob": bytes(range(256)) * 9000, "cut-off": b"half"}
        text = self.out("result", job.id)
        self.assertRegex(text, r"(?m)^2\.3 MB +[0-9a-f]{64} +blob$")
        self.assertEqual(len(json.loads(self.out("result", "--json", job.id))["files"]), 3)
        self.assertEqual(self.cci("get", job.id, "output", "-o", "-").out, b"text\n")
        self.cci("get", job.id, "output", "blob")
        with open(os.path.join(self.home, "blob"), "rb") as file:
            self.assertEqual(file.read(), job.files["blob"])
        self.cci("get", job.id, "output", "-o", "named")
        os.mkdir(os.path.join(self.home, "dir"))
        self.cci("get", "--all", job.id, "-o", "dir", status=6)     # one of them breaks off
        self.assertEqual(sorted(os.listdir(os.path.join(self.home, "dir"))), ["blob", "output"])
        job.files["altered"] = b"other bytes\n"
        self.assertIn("not what the machine sent", self.err("get", job.id, "altered", status=2))
        self.assertIn("there is no file nope", self.err("get", job.id, "nope", status=5))
        self.assertIn("No such file", self.err("get", job.id, "output", "-o", "no/where", status=5))
        self.assertIn("need a directory", self.err("get", job.id, "a", "b", "-o", "x", status=5))
        self.assertIn("no name for a file", self.err("get", job.id, "../..", status=5))
        self.assertEqual(sorted(os.listdir(self.home)),
                         [".config", "blob", "dir", "named", "output"])

    def test_cancel_and_retry(self):
        first, second = self.lab.add_job(), self.lab.add_job()
        self.cci("cancel", first.id, second.id)
        self.assertEqual(len(self.lab.asked("POST", "/cancel$")), 2)
        second.end()
        self.assertIn("the job has ended (HTTP 409)", self.err("cancel", second.id, status=5))
        self.assertEqual(json.loads(self.out("retry", "--json", second.id))["id"], "lab1.3")
        process = self.cci("retry", first.id, second.id, status=5)
        self.assertIn(b"has not ended", process.err)
        self.assertEqual(process.out, b"lab1.4\n")
        self.assertEqual(len(self.lab.asked("POST", "/retry$")), 3)

    def test_hosts(self):
        self.lab.hosts = [
            {"name": "vm-1", "state": "busy", "flags": [], "macs": ["52:54:00:00:00:01"],
             "queues": ["vm", "vm.x86_64"], "address": "10.0.0.5", "arch": "x86_64",
             "job": "lab1.1", "seen": "2024-05-06T07:08:09Z", "known": True},
            {"name": "sched-lab1-52-54-00-00-00-02", "state": "netboot", "flags": ["discovered"],
             "macs": ["52:54:00:00:00:02"], "queues": [], "address": None, "known": False}]
        lines = self.out("hosts").splitlines()
        self.assertEqual(len(lines), 3)
        self.assertIn("vm vm.x86_64", lines[1])
        self.assertEqual(len(json.loads(self.out("hosts", "--json"))["hosts"]), 2)
        self.assertRegex(self.out("host", "vm-1"), r"(?m)^queues +vm vm\.x86_64$")
        self.assertIn("nobody described it", self.out("host", self.lab.hosts[1]["name"]))
        self.cci("host", "vm-1", "set", "memory=4g", "nr_cpu=2")
        self.assertEqual(json.loads(self.lab.asked("PUT", "/v1/hosts/vm-1")[0][3]),
                         {"memory": "4g", "nr_cpu": 2})
        self.assertIn("there is no host x", self.err("host", "x", status=5))

    def test_events(self):
        job = self.lab.add_job()
        job.begin()
        job.event("file.done", file="/os/a b", bytes=7)
        lines = self.out("events").splitlines()
        self.assertRegex(lines[1], r'^2024-\S+Z file\.done host=vm-1 job=lab1\.1 attempt=1 '
                                   r'file="/os/a b" bytes=7$')
        self.assertEqual(self.out("events", "--after", "1", "--job", job.id).splitlines(), lines[1:])
        process = self.begin("events", "-f", "--json")
        self.lab.wait_request("GET", "/v1/events", 2)
        job.event("job.running")
        read = [json.loads(process.stdout.readline())["kind"] for _ in range(3)]
        self.assertEqual(read, ["boot.offer", "file.done", "job.running"])
        self.lab.kill()
        self.lab.start()
        job.event("job.post")
        self.assertEqual(json.loads(process.stdout.readline())["kind"], "job.post")
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.end(process).returncode, 130)
        process = self.begin("events", "-f", "-j", job.id)
        self.lab.wait_request("GET", f"{job.id}/events", 2)
        job.end()
        self.assertEqual(self.end(process).returncode, 0)
        self.assertEqual(len(process.out.splitlines()), 5)

    def test_boot(self):
        job = self.lab.add_job()
        self.assertIn("nothing has happened yet", self.err("boot", job.id))
        job.timeline = [{"stage": "dhcp", "start_ms": 0, "end_ms": 500, "fields": {}},
                        {"stage": "file", "start_ms": 500, "end_ms": 1000,
                         "fields": {"file": "/os/vmlinuz", "bytes": 8000000}}]
        text = self.out("boot", job.id)
        self.assertIn("file vmlinuz", text)
        self.assertIn("16.0 MB/s", text)
        self.lab.hosts = [{"name": "vm-1", "job": job.id}, {"name": "vm-2"}, {"name": "vm-3"}]
        self.assertEqual(self.out("boot", "vm-1"), text)
        job.state["host"] = "vm-2"
        self.assertEqual(self.out("boot", "vm-2"), text)
        self.assertIn("has had no job yet", self.err("boot", "vm-3", status=5))
        self.assertIn("there is no host x", self.err("boot", "x", status=5))
        self.assertEqual(len(json.loads(self.out("boot", "--json", job.id))["boot"]), 2)

    def test_another_server_is_noticed(self):
        self.lab.fault("GET", "/v1/jobs", 200)
        self.assertIn("is it the right server?", self.err("ps", status=2))
        self.lab.fault("GET", "/v1/hosts", 302)
        self.assertIn("(HTTP 302)", self.err("hosts", status=2))
        job = self.lab.add_job()
        self.lab.fault("GET", job.id, (404, {"detail": "\x1b[2Jgone"}))
        self.assertIn("?[2Jgone", self.err("show", job.id, status=5))


class Terminal(Case):
    def test_colours_on_a_terminal_only(self):
        self.lab.add_job().end(verdict="fail")
        self.assertNotIn("\x1b", self.out("ps", "-a"))
        self.assertIn("\x1b[31mfail", self.on_terminal("ps", "-a")[1])
        self.assertNotIn("\x1b", self.on_terminal("ps", "-a", NO_COLOR="1")[1])
        self.assertNotIn("\x1b", self.on_terminal("ps", "-a", TERM="dumb")[1])

    def test_tables_fit_the_terminal(self):
        job = self.lab.add_job({"suite": "s" * 100, "testbox": "vm"})
        job.state["reason"] = "r" * 300
        for size in (60, 80, 120):
            shown = self.on_terminal("ps", size=size, NO_COLOR="1")[1]
            self.assertEqual(max(len(line) for line in shown.splitlines()), size)
        self.assertIn("r" * 300, self.out("ps"))

    def test_stages_and_verdict_are_shown(self):
        def auto(job):
            job.begin()
            job.write(b"no newline")
            self.lab.wait_request("GET", "/log")
            job.event("job.post")
            job.end(verdict="pass")
        self.lab.auto = auto
        status, shown = self.on_terminal("run", "-H", "vm", "x")
        self.assertEqual(status, 0)
        for what in ("cci: job lab1.1", "boot.offer", "no newline", "job.finished",
                     "cci: job lab1.1: pass, after 2m10s", "cci result lab1.1"):
            self.assertIn(what, shown)
        status, shown = self.on_terminal("run", "-q", "-H", "vm", "x")
        self.assertNotIn("boot.offer", shown)

    def test_the_timeline_has_blocks_where_they_can_be_shown(self):
        job = self.lab.add_job()
        job.timeline = [{"stage": "dhcp", "start_ms": 0, "end_ms": 500, "fields": {}}]
        self.assertIn("\u2588", self.on_terminal("boot", job.id)[1])
        self.assertNotIn("\u2588", self.on_terminal("boot", job.id, LC_ALL="C")[1])
        self.assertNotIn("\u2588", self.out("boot", job.id))


if __name__ == "__main__":
    threading.excepthook = lambda _: None       # threads of a killed server
    unittest.main()
