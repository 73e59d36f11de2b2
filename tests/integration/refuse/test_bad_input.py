#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""What wrong input gets from a running ccid, over HTTP, each as a promise of docs/api.md: jobs that no
host can run, tokens and fences of the past, bodies that are too large, a second end of one attempt,
strangers; and at its start, a store of a newer ccid, and damaged ones."""

import hashlib
import http.client
import os
import sqlite3
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", ".."))

from lab import Lab, namespace, paths, tap  # noqa: E402
from lab.own_server import OwnServer  # noqa: E402
from lab.peer import Peer  # noqa: E402
from lab.robot import JOB, Answer, Robot, ask  # noqa: E402
from lab.tap import equal  # noqa: E402

MAC = "52:54:00:12:34:72"
HOST = "arch: x86_64\nmemory: 4G\nnr_hdd_partitions: 2\ntags: [gpu]\n"
NEVER = {                   # what is added to JOB: the field to blame, words that name the constraint
    "memory_minimum: 8G\n": ("memory_minimum", "less memory than 8G"),
    "disk: 4HDD\n": ("disk", "fewer disks than 4HDD"),
    "need_tags: [gpu, fast]\n": ("need_tags", "not all the tags"),
}
MOST = 32 << 20         # bytes of a body
STRANGER = "172.31.0.51"


def problem(answer, status):
    """Every refusal is application/problem+json (RFC 9457)."""
    equal(answer.status, status, repr(answer))
    equal(answer.headers["Content-Type"], "application/problem+json", "type")
    document = answer.json()
    equal(document["status"], status, "status in the body")
    equal(bool(document["title"] and document["detail"]), True, repr(answer))
    return document


def submit(server, job):
    return ask(f"{server.url}/v1/jobs", "POST", job, {"Content-Type": "application/yaml"})


def jobs_for_nobody(check, server):
    nobody = JOB.replace("robot-1", "no-such-host")
    for job, (field, words) in {**{JOB + more: says for more, says in NEVER.items()},
                                nobody: ("testbox", "no host matches")}.items():
        with check.check(f"no host can ever run it, by {field}: accepted with a warning that says so"):
            answer = submit(server, job)
            equal(answer.status, 201, repr(answer))
            equal(words in answer.json().get("warning", ""), True, repr(answer))
            equal(server.job(answer.json()["id"])["state"], "queued", "state")
        with check.check(f"no host can ever run it, by {field}: refused where strict"):
            n_before = len(server.get("/v1/jobs")["jobs"])
            document = problem(submit(server, job + "strict: true\n"), 400)
            equal(document["field"], field, "field")
            equal(words in document["detail"], True, document)
            equal(len(server.get("/v1/jobs")["jobs"]), n_before, "jobs")
    with check.check("a job that some host can run has no warning"):
        equal("warning" in submit(server, JOB).json(), False, "warning")
    for job in server.get("/v1/jobs")["jobs"]:
        ask(f"{server.url}/v1/jobs/{job['id']}/cancel", "POST")


def put_head(robot, name, length):
    """Status of a PUT whose body never comes: it is refused before, or not at all."""
    connection = http.client.HTTPConnection(robot.server.lab.ADDRESS, 3080, timeout=10)
    try:
        connection.putrequest("PUT", f"/v1/attempts/{robot.attempt['attempt']}/files/{name}")
        connection.putheader("Authorization", f"Bearer {robot.attempt['token']}")
        connection.putheader("Content-Length", str(length))
        connection.putheader("Expect", "100-continue")
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


def finish(robot, verdict, manifest=()):
    return robot.call("finish", verdict=verdict, cause="", exit_code=0, manifest=list(manifest), cut=0)


def run(server, peer, robot):
    job = submit(server, JOB).json()["id"]
    with peer.inside():
        robot.boot()
        equal(robot.hello().status, 200, "hello")
        equal(robot.call("stage", stage="running", uptime_ms=2000).status, 200, "stage")
    return job


def too_large(check, server, peer, robot):
    with check.check("a body too large: 413, whether its length is told or not"):
        for chunked in (False, True):
            connection = http.client.HTTPConnection(server.lab.ADDRESS, 3000, timeout=20)
            connection.putrequest("POST", "/v1/jobs")
            connection.putheader(*(("Transfer-Encoding", "chunked") if chunked else
                                   ("Content-Length", str(MOST + 1))))
            connection.endheaders()
            if chunked:                 # all that may be, and one byte
                for _ in range(32):
                    connection.send(b"100000\r\n" + bytes(MOST // 32) + b"\r\n")
                connection.send(b"1\r\nx")
            problem(Answer(connection.getresponse()), 413)
            connection.close()
        equal(ask(f"{server.url}/healthz").status, 200, "health")
    with check.check("a file too large: 413 before its body is read"), peer.inside():
        equal(put_head(robot, "huge", 1 << 40), 413, "status")


def ends_once(check, server, peer, robot, job):
    one = {"name": "a", "size": 1, "sha256": hashlib.sha256(b"a").hexdigest()}
    with peer.inside(), check.check("a second finish: the same is right, another manifest is 409"):
        equal(robot.put("a", b"a").status, 201, "upload")
        equal(finish(robot, "pass", [one]).status, 200, "first")
        equal(finish(robot, "pass", [one]).status, 200, "again")
        problem(finish(robot, "pass", []), 409)
        problem(finish(robot, "fail", [one]), 409)
        equal((server.job(job)["verdict"], server.job(job)["upload"]), ("pass", "complete"), "job")


def fenced(check, server, peer, robot):
    """The attempt is over: what its machine still says counts for nothing."""
    with peer.inside():
        for verb, members in (("hello", {"boot_id": "1" * 32, "agent": "0", "api": 1, "kernel": "k",
                                         "uptime_ms": 1}),
                              ("heartbeat", {"uptime_ms": 1}),
                              ("stage", {"stage": "running", "uptime_ms": 1})):
            with check.check(f"the token of an attempt that is over: {verb} is 410"):
                problem(robot.call(verb, **members), 410)
        with check.check("the token of an attempt that is over: an upload is 410"):
            problem(robot.put("late", b"x"), 410)
        with check.check("a token that is none: 401"):
            wrong = dict(robot.attempt)
            robot.attempt["token"] = "0" * 32
            problem(robot.call("heartbeat", uptime_ms=1), 401)
            robot.attempt = wrong
    old = dict(robot.attempt)
    job = run(server, peer, robot)
    with peer.inside(), check.check("the token of an earlier attempt does nothing to the next one"):
        new, robot.attempt = robot.attempt, {**robot.attempt, "token": old["token"]}
        problem(robot.call("finish", verdict="fail", cause="", exit_code=1, manifest=[], cut=0), 401)
        problem(robot.put("forged", b"x"), 401)
        robot.attempt = new
        equal(server.job(job)["state"], "active", "state")
    return job


def foreign_count(server):
    for line in ask(f"{server.url}/metrics").body.decode().splitlines():
        if line.startswith("cci_api_foreign_total "):
            return int(line.split()[1])
    raise AssertionError("no cci_api_foreign_total")


def strangers(check, server, stranger, job):
    before = foreign_count(server)
    calls = [("GET", f"/~lkp/cgi-bin/{what}job_id={job}") for what in
             ("lkp-jobfile-append-var?job_state=failed&", "lkp-post-run?",
              "set-job-stage?job_stage=finish&")]
    calls.append(("GET", f"/job_initrd_tmpfs/{job}/job.cgz"))
    with check.check("a client's call from a foreign address: 403, and the job goes on"):
        with stranger.inside():
            for method, path in calls:
                equal(ask(f"{server.url}{path}", method).status, 403, path)
        equal(server.job(job)["state"], "active", "state")
    root = server.job(job)["result_root"]
    with check.check("an upload from a foreign address: 403"), stranger.inside():
        answer = ask(f"http://{server.lab.ADDRESS}:3080{root}/x", "PUT", b"x",
                     {"Cookie": f"JOBID={job}"})
        problem(answer, 403)
    with check.check("each of them is counted"):
        equal(foreign_count(server) - before, len(calls) + 1, "cci_api_foreign_total")
    with check.check("who is neither trusted nor has a token: 401 to all that changes something"):
        with stranger.inside():
            for method, path in (("POST", "/v1/jobs"), ("POST", f"/v1/jobs/{job}/cancel"),
                                 ("POST", f"/v1/jobs/{job}/retry"), ("POST", f"/v1/jobs/{job}/keep"),
                                 ("DELETE", f"/v1/jobs/{job}/keep"), ("PUT", "/v1/hosts/robot-1"),
                                 ("DELETE", "/v1/hosts/robot-1"),
                                 ("POST", "/v1/hosts/robot-1/drain")):
                problem(ask(f"{server.url}{path}", method, b"{}"), 401)


# --- its store ---

def ccid(*words):
    return subprocess.run([paths.program("ccid"), *words], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=60)


def refused_start(server):
    result = ccid("--config", server.config)
    equal(result.returncode, 1, result.stderr)
    return result.stderr


def of_newer_ccid(check, server, database):
    def state():
        directory = os.path.dirname(database)
        found = {}
        for name in sorted(name for name in os.listdir(directory) if "sqlite" in name):
            with open(os.path.join(directory, name), "rb") as file:
                found[name] = (os.stat(file.fileno()).st_mtime_ns,
                               hashlib.sha256(file.read()).hexdigest())
        return found

    with check.check("a store of a newer ccid: refused, and not touched"):
        store = sqlite3.connect(database)
        version = store.execute("PRAGMA user_version").fetchone()[0]
        store.execute("PRAGMA user_version = 999")
        store.close()
        before = state()
        said = refused_start(server)
        equal("newer ccid" in said and database in said, True, said)
        equal(state(), before, "its files")
        store = sqlite3.connect(database)
        store.execute(f"PRAGMA user_version = {version}")
        store.close()


def damaged(check, server, database, backup, n_jobs):
    with open(database, "rb") as file:
        good = file.read()
    for what, bad in (("its beginning", b"x" * 4096 + good[4096:]),
                      ("all but its beginning", good[:4096] + b"x" * (len(good) - 4096))):
        with check.check(f"a store damaged in {what}: refused with what restores the last backup"):
            with open(database, "wb") as file:
                file.write(bad)
            said = refused_start(server)
            command = said.split("restore the last backup with: ")[1].splitlines()[0]
            equal(backup in command, True, said)
            subprocess.run(command, shell=True, check=True)
            server.start()
            equal(len(server.get("/v1/jobs")["jobs"]), n_jobs, "jobs")
            server.stop()


def bad_stores(check, server):
    database = os.path.join(server.directory, "state", "ccid.sqlite")
    backup = os.path.join(server.directory, "copy.sqlite")
    n_jobs = len(server.get("/v1/jobs")["jobs"])
    with check.check("a backup is made while it works", vital=True):
        result = ccid("--config", server.config, "backup", backup)
        equal(result.returncode, 0, result.stderr)
        server.stop()
    of_newer_ccid(check, server, database)
    damaged(check, server, database, backup, n_jobs)


def body(check):
    namespace.probe()
    namespace.enter()
    with tempfile.TemporaryDirectory(prefix="cci-bad-input-") as directory:
        lab = Lab()
        peer, stranger = Peer(lab), Peer(lab, STRANGER, 1)
        server = OwnServer(lab, directory, hold="1s")
        server.add_host("robot-1", MAC)
        with open(f"{directory}/hosts.d/robot-1.yaml", "a", encoding="utf-8") as file:
            file.write(HOST)
        server.put("os/debian/x86_64/bookworm/boot/vmlinuz", b"kernel")
        server.put("initrd/osimage/debian/x86_64/bookworm/current", b"image")
        robot = Robot(server, MAC)
        with server:
            with check.check("ccid answers", vital=True):
                server.start()
            jobs_for_nobody(check, server)
            with check.check("a job runs", vital=True):
                job = run(server, peer, robot)
            too_large(check, server, peer, robot)
            ends_once(check, server, peer, robot, job)
            with check.check("the next job runs", vital=True):
                job = fenced(check, server, peer, robot)
            strangers(check, server, stranger, job)
            bad_stores(check, server)
            with check.check("no complaint of a sanitizer"):
                equal(server.sanitizer_reports(), [], "reports")


if __name__ == "__main__":
    tap.main(body)
