#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""lkp-bootstrap against a scripted server: whatever the network and the server do, the job runs
once, after hello was accepted, and every result arrives byte for byte."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "../.."))

from fake_server import ATTEMPT, TOKEN, Server, State, sha256  # noqa: E402
from lab import tap  # noqa: E402
from lab.tap import equal  # noqa: E402

BUILD = os.environ.get("CCI_BUILD", os.path.join(HERE, "../../../build"))
AGENT = os.path.join(BUILD, "agent/lkp-bootstrap")


class World:
    """A directory that stands for a machine, the server, and the agent between them."""

    def __init__(self, script, box="tree", yaml="suite: test\n"):
        self.root = tempfile.mkdtemp(prefix="cci-agent-")
        self.state = State()
        self.server = Server(self.state)
        self.box = box
        self.agent = None
        scheduled = f"{self.root}/lkp/scheduled"
        for directory in ["proc", "dev", "tmp", "lkp/scheduled"]:
            os.makedirs(f"{self.root}/{directory}")
        self.write("proc/cmdline", "user=lkp job=/lkp/scheduled/job.yaml ip=dhcp ro\n")
        self.write("lkp/scheduled/job.yaml", yaml)
        self.write("lkp/scheduled/attempt",
                   f"server=http://127.0.0.1:{self.server.port}\njob=lab1.3\nattempt={ATTEMPT}\n"
                   f"token={TOKEN}\nhost=vm-1\n"
                   f"upload=http://127.0.0.1:{self.server.port}/v1/attempts/{ATTEMPT}/files/\n")
        self.write("dev/console", "")
        if script is not None:
            self.write("lkp/scheduled/job.sh",
                       f"#!/bin/sh\nrun_job()\n{{\n{script}\n}}\n\"$@\"\n")
            os.chmod(f"{scheduled}/job.sh", 0o755)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.agent and self.agent.poll() is None:
            self.agent.kill()
            self.agent.wait()
        self.server.stop()
        shutil.rmtree(self.root)

    def write(self, path, text):
        with open(f"{self.root}/{path}", "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, path):
        with open(f"{self.root}/{path}", encoding="utf-8") as file:
            return file.read()

    def exists(self, path):
        return os.path.exists(f"{self.root}/{path}")

    def start(self):
        self.log = open(f"{self.root}/log", "a", encoding="utf-8")
        self.agent = subprocess.Popen(
            [AGENT, "--root", self.root, "--no-reboot", "--box", self.box], stderr=self.log)

    def wait_agent(self, seconds=90):
        try:
            return self.agent.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the agent is still there:\n{self.read('log')}") from None

    def run(self, seconds=90):
        self.start()
        equal(self.wait_agent(seconds), 0, "exit status of the agent")

    def restart_server(self, away=1.0):
        port = self.server.port
        self.server.stop()
        time.sleep(away)
        self.server = Server(self.state, port)

    def check_results(self, expected):
        """Exactly these files arrived, whole, and the manifest says so."""
        files = self.state.files
        equal(sorted(files), sorted(expected), "names")
        for name, content in expected.items():
            if not files[name].complete:
                raise AssertionError(f"{name} is not whole")
            if bytes(files[name].data) != content:
                raise AssertionError(f"{name}: {len(files[name].data)} bytes, "
                                     f"expected {len(content)} or others")
        equal(sorted((f["name"], f["size"], f["sha256"])
                     for f in self.state.finish["manifest"]),
              sorted((n, len(c), sha256(c)) for n, c in expected.items()), "manifest")

    def check_verdict(self, verdict, cause="", exit_code=None):
        finish = self.state.finish
        equal((finish["verdict"], finish["cause"]), (verdict, cause), "verdict and cause")
        if exit_code is not None:
            equal(finish["exit_code"], exit_code, "exit code")


def alive(pattern):
    """Processes whose command line holds pattern."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if pattern.encode() in file.read():
                    found.append(pid)
        except OSError:
            pass
    return found


FILES = """
	echo out; echo err >&2
	mkdir -p $RESULT_ROOT/sub/deep
	printf content >$RESULT_ROOT/sub/deep/file.txt
	: >$RESULT_ROOT/empty
	printf x >$RESULT_ROOT/.hidden
	printf y >"$RESULT_ROOT/a b%"
	printf z >$RESULT_ROOT/sub-deep-file.txt
	ln -s /etc/passwd $RESULT_ROOT/link
	mkfifo $RESULT_ROOT/fifo
"""


def test_plain(check):
    with World(FILES + "env >$RESULT_ROOT/env\nreturn 3") as world:
        with check.check("a job with files of all kinds ends"):
            world.run()
        with check.check("its files arrive under flat names, links and fifos left out"):
            env = world.state.files.pop("env")
            manifest = world.state.finish["manifest"]
            manifest[:] = [f for f in manifest if f["name"] != "env"]
            world.check_results({
                "output": b"out\nerr\n", "empty": b"", "_hidden": b"x", "a b%": b"y",
                "sub-deep-file.txt": b"z", "sub-deep-file.txt.1": b"content"})
        with check.check("its exit status is the verdict"):
            world.check_verdict("fail", "", 3)
        with check.check("its environment is what a job may rely on"):
            lines = bytes(env.data).decode().splitlines()
            for line in [f"TMP={world.root}/tmp/lkp", f"RESULT_ROOT={world.root}/tmp/lkp/result",
                         "JOB_RESULT_ROOT=/result/test/lab1.3", "LKP_USER=lkp", "id=lab1.3",
                         "HOSTNAME=vm-1", "LKP_SRC=/lkp/lkp/src"]:
                if line not in lines:
                    raise AssertionError(f"no {line} in {lines}")
        with check.check("the stages are told in order"):
            equal(world.state.stages, ["setup", "running", "post", "uploading"], "stages")
        with check.check("the console names the result root"):
            if "RESULT_ROOT=/result/test/lab1.3" not in world.read("dev/console"):
                raise AssertionError(world.read("dev/console"))
        with check.check("lock and pid are where lkp's client looks for them"):
            equal((world.exists("var/lock/lkp-bootstrap.lock"),
                   world.exists("lkp/run/lkp-bootstrap.pid")), (True, True), "files")
        with check.check("hello says who we are"):
            equal((world.state.hello["api"], len(world.state.hello["boot_id"])), (1, 36), "hello")


def test_hello(check):
    with World("date +%s.%N >$RESULT_ROOT/when") as world:
        faults = iter([500, "cut", 503, "mute", ("later", 1), 200])
        world.state.fault = lambda method, what, n: next(faults, None) if what == "hello" else None
        with check.check("hello is tried until it is accepted"):
            world.run()
            equal(world.state.answers("hello")[-1], 200, "last answer")
        with check.check("the job did not start before"):
            accepted = [c for c in world.state.calls if c[2] == "hello" and c[3] == 200][-1][0]
            started = float(bytes(world.state.files["when"].data)) - time.time() + time.monotonic()
            if started < accepted - 0.01:
                raise AssertionError(f"started at {started}, accepted at {accepted}")
    for status in [401, 410]:
        with World("echo >$RESULT_ROOT/../../ran") as world:
            world.state.fault = lambda method, what, n, status=status: status
            with check.check(f"after {status} to hello nothing runs and nothing is asked again"):
                world.run()
                equal((world.exists("tmp/ran"), world.state.n_requests), (False, 1), "ran, asked")


def test_nothing_to_do(check):
    with World("true") as world:
        os.unlink(f"{world.root}/lkp/scheduled/attempt")
        with check.check("a boot without an attempt is left alone"):
            world.run(5)
            equal(world.state.n_requests, 0, "requests")
            equal(world.exists("var/lock"), False, "lock")
    with World(None) as world:
        os.unlink(f"{world.root}/lkp/scheduled/attempt")
        world.write("proc/cmdline", "user=lkp ip=dhcp  initrd=a.cgz  initrd=job.cgz\n")
        with check.check("a boot whose job.cgz did not arrive says so, and does not idle"):
            world.run(5)
            said = world.read("log")
            equal("no job to run: initrd=job.cgz is on the kernel command line" in said and
                  "the machine reboots" in said, True, said)
    with World("true") as world:
        os.unlink(f"{world.root}/lkp/scheduled/attempt")
        world.write("proc/cmdline", "user=lkp ip=dhcp  initrd=job.cgz\n")
        with check.check("one that brings no attempt, as another server's, is left alone"):
            world.run(5)
            equal("nothing to do: no attempt file" in world.read("log"), True, world.read("log"))
    with World("true", yaml="suite: x\njob2sh:\n  run_job:\n    - x\n") as world:
        with check.check("a job with job2sh is left to lkp's client"):
            world.run(5)
            equal(world.state.n_requests, 0, "requests")
    with World("true", yaml="suite: x\nagent: cci\njob2sh:\n  run_job:\n    - x\n") as world:
        with check.check("unless it says agent: cci"):
            world.run()
            world.check_verdict("pass", "", 0)
    with World("true") as world:
        os.makedirs(f"{world.root}/var/lock/lkp-bootstrap.lock")
        os.makedirs(f"{world.root}/lkp/run")
        world.write("lkp/run/lkp-bootstrap.pid", f"{os.getpid()}\n")
        with check.check("lkp's client at work keeps us away"):
            world.run(5)
            equal(world.state.n_requests, 0, "requests")
    with World(None) as world:
        with check.check("a missing job.sh is told"):
            world.run()
            world.check_verdict("fail", "no_job", -1)


def test_ends(check):
    cases = [("kill -9 $$", "crash", -1), ("kill -TERM $$", "crash", -1)]
    for script, cause, code in cases:
        with World(f"echo before\n{script}\necho after") as world:
            with check.check(f"{script} is a {cause}"):
                world.run()
                world.check_verdict("fail", cause, code)
                world.check_results({"output": b"before\n"})
    for box in ["tree", "cgroup"]:
        mark = f"9876.{box == 'tree':d}{os.getpid()}"
        left = f"(setsid sh -c 'trap \"\" TERM; echo up; sleep {mark}' &) ; sleep 0.5; echo main"
        with World(left, box) as world:
            with check.check(f"{box}: what a job leaves running is killed, and its output kept"):
                world.run()
                equal(alive(f"sleep\0{mark}"), [], "processes")
                world.check_verdict("pass", "", 0)
                world.check_results({"output": b"up\nmain\n"})
        with World(f"setsid sleep {mark} & sleep {mark}", box) as world:
            world.state.deadline = 2
            with check.check(f"{box}: the deadline ends a job and its tree"):
                world.run()
                equal(alive(f"sleep\0{mark}"), [], "processes")
                world.check_verdict("fail", "timeout")
        with World(f"echo up; setsid sleep {mark} & wait", box) as world:
            with check.check(f"{box}: a cancel ends a job and its tree"):
                world.start()
                world.state.wait(lambda: "running" in world.state.stages)
                with world.state.lock:
                    world.state.cancel = True
                equal(world.wait_agent(), 0, "exit status")
                equal(alive(f"sleep\0{mark}"), [], "processes")
                world.check_verdict("fail", "cancelled")
        with World(f"echo up; sleep {mark}", box) as world:
            with check.check(f"{box}: 410 while it runs kills it, and nothing more is said"):
                world.start()
                world.state.wait(lambda: "output" in world.state.files)
                with world.state.lock:
                    world.state.fault = lambda method, what, n: 410
                equal(world.wait_agent(), 0, "exit status")
                equal(alive(f"sleep\0{mark}"), [], "processes")
                equal(world.state.finish, None, "finish")
        with World(f"sleep {mark}", box) as world:
            with check.check(f"{box}: the job dies with the service"):
                world.start()
                world.state.wait(lambda: "running" in world.state.stages)
                world.agent.send_signal(signal.SIGTERM)
                equal(world.wait_agent(), 0, "exit status")
                equal(alive(f"sleep\0{mark}"), [], "processes")


def test_agent_restart(check):
    with World("echo run >>$RESULT_ROOT/../../runs; echo line; exec sleep 100") as world:
        with check.check("an agent that died does not run the job again, and says so"):
            world.start()
            world.state.wait(lambda: "output" in world.state.files)
            world.agent.kill()
            world.agent.wait()
            world.run()
            equal(world.read("tmp/runs"), "run\n", "runs")
            world.check_verdict("fail", "agent_restart")
            world.check_results({"output": b"line\n"})


def test_live_log(check):
    with World("echo one; while [ ! -e $RESULT_ROOT/../../go ]; do sleep 0.1; done; echo two") \
            as world:
        with check.check("output arrives while the job runs"):
            world.start()
            world.state.wait(lambda: bytes(world.state.files["output"].data) == b"one\n"
                             if "output" in world.state.files else False)
            world.write("tmp/go", "")
            equal(world.wait_agent(), 0, "exit status")
            world.check_results({"output": b"one\ntwo\n"})
    with World("head -c 20000000 /dev/zero; echo done >$RESULT_ROOT/../../done; sleep 2") as world:
        with check.check("a server that is away does not hold the job up"):
            world.state.fault = lambda method, what, n: \
                503 if what.startswith("files/") and not world.exists("tmp/done") else None
            world.run()
            world.check_results({"output": bytes(20000000)})


NUMBERS = "seq 100000 300000 >$RESULT_ROOT/numbers\nseq 1 20000\n"


def numbers():
    return {"numbers": "".join(f"{n}\n" for n in range(100000, 300001)).encode(),
            "output": "".join(f"{n}\n" for n in range(1, 20001)).encode()}


def faulty(seed, share):
    """Faults for about that share of the requests, the same for the same seed; none three times
    in a row, so that the test ends soon."""
    rng = random.Random(seed)
    row = [0]

    def fault(method, what, number):
        if row[0] == 2 or rng.random() >= share:
            row[0] = 0
            return None
        row[0] += 1
        return rng.choice(["cut", "mute", 500, 503, 409 if what.startswith("files/") else 502])
    return fault


def test_faults(check):
    for seed in range(3):
        with World(NUMBERS) as world:
            world.state.fault = faulty(seed, 0.4)
            with check.check(f"cuts, lost answers and 5xx (seed {seed}): all arrives"):
                world.run(180)
                world.check_results(numbers())
                world.check_verdict("pass", "", 0)
    with World("head -c 30000000 /dev/urandom >$RESULT_ROOT/big; cp $RESULT_ROOT/big "
               "$RESULT_ROOT/../../big") as world:
        cuts = iter(["cut", None, "cut", None, None, "mute", "cut"])
        world.state.fault = lambda method, what, n: next(cuts, None) if what == "files/big" else None
        with check.check("a large file goes on where it was cut"):
            world.run()
            with open(f"{world.root}/tmp/big", "rb") as file:
                world.check_results({"big": file.read(), "output": b""})
    with World("printf a >$RESULT_ROOT/bad; printf b >$RESULT_ROOT/good") as world:
        world.state.fault = lambda method, what, n: 403 if what == "files/bad" else None
        with check.check("a refused file does not keep the others back, and stays in the manifest"):
            world.run()
            equal(sorted(f["name"] for f in world.state.finish["manifest"]),
                  ["bad", "good", "output"], "manifest")
            equal(bytes(world.state.files["good"].data), b"b", "good")
    with World("printf a >$RESULT_ROOT/file") as world:
        world.state.fault = lambda method, what, n: \
            410 if what == "files/file" else None
        with check.check("410 to an upload ends it all"):
            world.run()
            equal(world.state.finish, None, "finish")


def test_server_restart(check):
    script = "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.5; done\n" + NUMBERS
    with World(script) as world:
        with check.check("a server killed while the job runs and while it uploads"):
            world.start()
            world.state.wait(lambda: "output" in world.state.files)
            world.restart_server()
            world.state.wait(lambda: "post" in world.state.stages or
                             "uploading" in world.state.stages)
            world.restart_server()
            equal(world.wait_agent(), 0, "exit status")
            expected = numbers()
            expected["output"] = b"1\n2\n3\n4\n5\n6\n7\n8\n" + expected["output"]
            world.check_results(expected)
            world.check_verdict("pass", "", 0)
    with World("true") as world:
        port = world.server.port
        world.server.stop()
        with check.check("a server (or network) that comes later than the agent"):
            world.start()
            time.sleep(2)
            world.server = Server(world.state, port)
            equal(world.wait_agent(), 0, "exit status")
            world.check_verdict("pass", "", 0)


# What an image for test machines brings (tools/cci-mkos); a sanitizer build has its own beside it.
LIBRARIES = r"lib(c|jansson|curl|systemd|crypto|asan|ubsan|m|gcc_s)\.so\.\d+|ld-linux.*"


def test_libraries(check):
    with check.check("every library it needs is in the image"):
        done = subprocess.run(["readelf", "-d", AGENT], capture_output=True, text=True, check=True)
        needed = re.findall(r"NEEDED.*\[(.*)\]", done.stdout)
        more = [name for name in needed if not re.fullmatch(LIBRARIES, name)]
        equal(more, [], "libraries too many")


TESTS = [test_libraries, test_plain, test_hello, test_nothing_to_do, test_ends, test_agent_restart, test_live_log,
         test_faults, test_server_restart]


def body(check):
    wanted = sys.argv[1:]
    for test in TESTS:
        if not wanted or test.__name__ in wanted:
            test(check)


if __name__ == "__main__":
    tap.main(body)
