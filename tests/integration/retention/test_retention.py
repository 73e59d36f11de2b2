#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""Old results and events go: by age, to make room, never kept ones; a ccid that is killed while it
removes leaves nothing behind; and while it removes it serves everybody else."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", ".."))

from lab import Lab, LabError, namespace, paths, tap, tmpfs  # noqa: E402
from lab.own_server import OwnServer  # noqa: E402
from lab.peer import Peer  # noqa: E402
from lab.robot import JOB, Robot, ask  # noqa: E402
from lab.tap import equal  # noqa: E402

MAC = "52:54:00:12:34:71"
DAY = 24 * 3600
MIB = 1 << 20
MANY = 4000         # files of one job, removed in pieces of some dozens


def put(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def run_job(server, peer, robot):
    """A job from its submit to its end, with one result; returns its id."""
    job = server.submit(JOB)
    with peer.inside():
        robot.boot()
        robot.hello()
        robot.call("stage", stage="running", uptime_ms=2000)
        equal(robot.put("output", b"hello\n").status, 201, "upload")
        equal(robot.finish({"output": b"hello\n"}).status, 200, "finish")
    equal(server.wait_job(job, 30)["upload"], "complete", "upload")
    return job


@contextlib.contextmanager
def changed(server, retention=None):
    """ccid is down meanwhile: its store may be written, and its rules are others afterwards."""
    server.stop()
    store = sqlite3.connect(f"{server.directory}/state/ccid.sqlite", isolation_level=None)
    try:
        yield store
    finally:
        store.close()
    if retention is not None:
        with open(server.config, encoding="utf-8") as file:
            lines = [line for line in file if not line.startswith("retention:")]
        with open(server.config, "w", encoding="utf-8") as file:
            file.writelines([*lines, f"retention: {retention}\n"])
    server.start()


def number(job):
    return int(job.rsplit(".", 1)[1])


def make_old(store, job, seconds):
    """As if it had ended so long ago."""
    store.execute("UPDATE jobs SET finished_wall = finished_wall - ? WHERE id = ?",
                  (seconds * 1000000, number(job)))


def wait_removed(server, job, timeout=30):
    end = time.monotonic() + timeout
    while server.job(job)["results"] != "removed":
        if time.monotonic() > end:
            raise LabError(f"{job}: {server.job(job)['results']}\n{server.log_tail()}")
        time.sleep(0.02)


def leftovers(server):
    return [name for _, directories, _ in os.walk(server.results) for name in directories
            if name.startswith(".removing")]


def cci(server, *words):
    return subprocess.run([paths.program("cci"), "--server", server.url, *words], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


def by_age(check, server, peer, robot):
    old, young, kept = (run_job(server, peer, robot) for _ in range(3))
    path = {job: server.result_path(server.job(job)) for job in (old, young, kept)}
    with check.check("nothing is removed without a rule"):
        with changed(server) as store:
            for job in (old, kept):
                make_old(store, job, 100 * DAY)
        time.sleep(1)
        equal(server.job(old)["results"], "there", "results")
    with check.check("by age: the old results go, their directory with them"):
        equal(ask(f"{server.url}/v1/jobs/{kept}/keep", "POST").status, 200, "keep")
        with changed(server, "{results_age: 90d}"):
            pass
        wait_removed(server, old)
        equal(os.path.exists(path[old]), False, path[old])
        equal(leftovers(server), [], "leftovers")
    with check.check("by age: young and kept results stay"):
        equal([server.job(job)["results"] for job in (young, kept)], ["there", "kept"], "results")
        for job in (young, kept):
            with open(f"{path[job]}/output", "rb") as file:
                equal(file.read(), b"hello\n", job)
    with check.check("removed results answer 410 with the reason, the job itself 200"):
        for rest in ("results/", "results/output", "log"):
            answer = ask(f"{server.url}/v1/jobs/{old}/{rest}")
            equal(answer.status, 410, rest)
            equal(answer.headers["Content-Type"], "application/problem+json", rest)
            equal("results_age" in answer.json()["detail"], True, repr(answer))
        document = server.job(old)
        equal((document["state"], document["verdict"], document["results_cause"]),
              ("finished", "pass", "age"), "job")
        url = f"http://{server.lab.ADDRESS}:8800{document['result_root']}/output"
        equal(ask(url).status, 404, url)
    with check.check("cci shows that they were removed, and says so instead of them"):
        shown = cci(server, "show", old)
        equal("removed" in shown.stdout and "age" in shown.stdout, True, shown.stdout)
        for verb in ("result", "log"):
            said = cci(server, verb, old)
            equal(said.returncode != 0 and "were removed" in said.stderr, True, said.stderr)
    with check.check("it is counted, and an event of the job"):
        text = ask(f"{server.url}/metrics").body.decode()
        equal('cci_results_removed_total{cause="age"} 1\n' in text, True, text)
        equal(server.events(old)[-1]["kind"], "results.removed", "last event")
    return kept


def fill(server, job):
    path = server.result_path(server.job(job))
    for i in range(MANY):
        put(f"{path}/d{i % 40}/file-{i}", b"x")


def killed(check, server, peer, robot):
    job = run_job(server, peer, robot)
    fill(server, job)
    path = server.result_path(server.job(job))
    with check.check("killed while it removes: the rest is hidden, and the store says so"):
        with changed(server, "{results_age: 1h}") as store:
            make_old(store, job, 2 * 3600)
        end = time.monotonic() + 30
        while not leftovers(server) and time.monotonic() < end:
            time.sleep(0.005)
        time.sleep(0.1)
        server.kill()
        equal(len(leftovers(server)), 1, "leftovers")
        equal(os.path.exists(path), False, path)
        count = sum(len(files) for _, _, files in os.walk(server.results))
        equal(0 < count < MANY, True, f"{count} files are left")
    with check.check("the next ccid goes on with it, also without the rule"):
        with changed(server, "{results_age: 0}"):
            pass
        wait_removed(server, job)
        equal(leftovers(server), [], "leftovers")


def served_meanwhile(check, server, peer, robot):
    job = run_job(server, peer, robot)
    fill(server, job)
    put(f"{server.results}/sample", b"y" * 100)
    with check.check("while thousands of files go, API and files are served at once"):
        with changed(server, "{results_age: 1h}") as store:
            make_old(store, job, 2 * 3600)
        slowest, n_asked, end = 0.0, 0, time.monotonic() + 60
        while server.job(job)["results"] != "removed" and time.monotonic() < end:
            for url in (f"{server.url}/healthz", f"http://{server.lab.ADDRESS}:8800/result/sample"):
                begin = time.monotonic()
                equal(ask(url).status, 200, url)
                slowest = max(slowest, time.monotonic() - begin)
                n_asked += server.job(job)["results"] == "removing"
        check.note(f"{n_asked} answers while it removed, the slowest in {slowest * 1000:.0f} ms")
        equal(n_asked > 10, True, f"{n_asked} answers")
        equal(slowest < 0.5, True, f"{slowest} s")


def to_make_room(check, server, peer, robot, kept):
    jobs = [run_job(server, peer, robot) for _ in range(3)]
    for job in jobs:
        put(f"{server.result_path(server.job(job))}/blob", bytes(12 * MIB))
    with check.check("short of room: the oldest go until there is enough, no more, no kept one"):
        with changed(server, "{room: 50}") as store:
            for age, job in enumerate(reversed(jobs)):
                make_old(store, job, 3600 * (age + 2))
        wait_removed(server, jobs[0])
        time.sleep(2.5)                 # it looks again a second later
        equal([server.job(job)["results"] for job in (*jobs, kept)],
              ["removed", "there", "there", "kept"], "results")
        equal(server.job(jobs[0])["results_cause"], "room", "cause")


def events(check, server, job):
    with check.check("old events go, the newer stay"):
        with changed(server, "{events_age: 30d}") as store:
            last = store.execute("SELECT max(id) FROM events").fetchone()[0]
            store.execute("UPDATE events SET wall = wall - ? WHERE id < ?",
                          (31 * DAY * 1000000, last))
        end = time.monotonic() + 20
        while server.get("/v1/events?after=0")["events"][0]["id"] < last:
            if time.monotonic() > end:
                raise LabError(server.log_tail())
            time.sleep(0.05)
        equal(server.events(job), [], "events of an old job")
        text = ask(f"{server.url}/metrics").body.decode()
        equal(f"cci_events_pruned_total {last - 1}\n" in text, True, text)


def body(check):
    paths.program("ccid")
    namespace.probe()
    namespace.enter()
    with tempfile.TemporaryDirectory(prefix="cci-retention-") as directory, \
            tmpfs.mounted(f"{directory}/result", "64m"):
        inside(check, directory)


def inside(check, directory):
    lab = Lab()
    peer = Peer(lab)
    put(f"{directory}/srv/os/debian/x86_64/bookworm/boot/vmlinuz", b"kernel")
    put(f"{directory}/srv/initrd/osimage/debian/x86_64/bookworm/current", b"image")
    server = OwnServer(lab, directory, hold="1s")
    server.add_host("robot-1", MAC)
    robot = Robot(server, MAC)
    with server:
        with check.check("ccid answers", vital=True):
            server.start()
        kept = by_age(check, server, peer, robot)
        killed(check, server, peer, robot)
        served_meanwhile(check, server, peer, robot)
        to_make_room(check, server, peer, robot, kept)
        events(check, server, kept)
        with check.check("ccid ends when told, without a complaint"):
            server.stop()
            equal(server.sanitizer_reports(), [], "reports of the sanitizers")


if __name__ == "__main__":
    tap.main(body)
