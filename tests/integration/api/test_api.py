#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""The promises of docs/api.md that hold for the whole API: events as a stream that can be resumed,
problem+json for every error on every port, tokens, Idempotency-Key, and that an upload reaches nothing
but its own attempt's results while that is open."""

import concurrent.futures
import http.client
import json
import os
import socket
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", ".."))

from lab import Lab, namespace, paths, tap  # noqa: E402
from lab.own_server import OwnServer  # noqa: E402
from lab.peer import Peer  # noqa: E402
from lab.robot import JOB, Robot, ask  # noqa: E402
from lab.tap import equal  # noqa: E402

MACS = {"robot-1": "52:54:00:12:34:73", "robot-2": "52:54:00:12:34:74"}
STREAM = {"Accept": "text/event-stream"}
TOKENS = ("first-token-of-somebody", "second-token-of-another")


def submit(server, job=JOB, **headers):
    return ask(f"{server.url}/v1/jobs", "POST", job,
               {"Content-Type": "application/yaml",
                **{name.replace("_", "-"): value for name, value in headers.items()}})


# --- streams ---

class Stream:
    """Server-sent events as they come."""

    def __init__(self, server, path, **headers):
        self.connection = http.client.HTTPConnection(server.lab.ADDRESS, 3000, timeout=20)
        self.connection.request("GET", path, None,
                                {**STREAM, **{n.replace("_", "-"): v for n, v in headers.items()}})
        self.answer = self.connection.getresponse()
        equal(self.answer.status, 200, path)
        equal(self.answer.headers["Content-Type"], "text/event-stream", path)

    def next(self):
        """{id, event, data} of the next one; None at the end."""
        event = {}
        while line := self.answer.readline().decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            if name:                        # not a comment that keeps it open
                event[name] = value
        return event or None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


def run_to_end(server, peer, robot):
    job = submit(server).json()["id"]
    with peer.inside():
        robot.boot()
        robot.hello()
        robot.call("stage", stage="running", uptime_ms=2000)
        equal(robot.finish({}).status, 200, "finish")
    return job


def streams(check, server, peer, robot):
    with check.check("GET /v1/events: what happens from now on, as it happens, in its form"):
        with Stream(server, "/v1/events") as stream:
            job = submit(server).json()["id"]
            event = stream.next()
            data = json.loads(event["data"])
            equal((event["event"], data["kind"], data["job"]), ("job.state", "job.state", job), event)
            equal(event["id"], str(data["id"]), "id")
            ask(f"{server.url}/v1/jobs/{job}/cancel", "POST")
            equal(int(stream.next()["id"]) > data["id"], True, "next id")
    job = run_to_end(server, peer, robot)
    with check.check("a job's events: from its first one, and the stream ends with the job"):
        with Stream(server, f"/v1/jobs/{job}/events") as stream:
            ids = []
            while event := stream.next():
                ids.append(int(event["id"]))
        equal(ids, [event["id"] for event in server.events(job)], "ids")
        equal(len(ids) > 8, True, str(ids))
    with check.check("Last-Event-ID: exactly what came behind it, of a job and of everybody"):
        for path in (f"/v1/jobs/{job}/events", "/v1/events"):
            with Stream(server, path, Last_Event_ID=str(ids[3])) as stream:
                equal(int(stream.next()["id"]), ids[4] if "jobs" in path else ids[3] + 1, path)
    with check.check("Last-Event-ID: nothing is lost over a restart of ccid"):
        server.kill()
        server.start()
        with Stream(server, f"/v1/jobs/{job}/events", Last_Event_ID=str(ids[3])) as stream:
            rest = []
            while event := stream.next():
                rest.append(int(event["id"]))
        equal(rest, ids[4:], "ids")
    with check.check("?follow=1 is the same, without it a document"):
        answer = ask(f"{server.url}/v1/jobs/{job}/events?follow=1")
        equal(answer.body.count(b"\nid: ") + answer.body.startswith(b"id: "), len(ids), "events")
        equal(len(ask(f"{server.url}/v1/jobs/{job}/events").json()["events"]), len(ids), "document")
    return job


# --- problems ---

def problem(answer, status, what):
    equal(answer.status, status, f"{what}: {answer!r}")
    equal(answer.headers["Content-Type"], "application/problem+json", what)
    document = answer.json()
    equal((document["status"], document["type"]), (status, "about:blank"), what)
    equal(bool(document["title"]), True, what)
    return document


def problems(check, server, ended):
    api, files = server.url, f"http://{server.lab.ADDRESS}:8000"
    upload = f"http://{server.lab.ADDRESS}:3080"
    jobs = f"{api}/v1/jobs"
    cases = [
        (400, "POST", jobs, "suite: [", {}), (400, "POST", jobs, "suite: hello", {}),
        (400, "GET", f"{jobs}?state=nonsense", None, {}),
        (400, "POST", f"{jobs}/{ended}/renew", None, {}),
        (400, "PUT", f"{api}/v1/hosts/robot-2x", "[", {}),
        (400, "POST", jobs, JOB, {"Idempotency-Key": "k" * 201}),
        (401, "POST", f"{api}/v1/attempts/1/heartbeat", "{}", {"Authorization": "Bearer no"}),
        (404, "GET", f"{api}/nothing", None, {}), (404, "GET", f"{jobs}/lab1.999", None, {}),
        (404, "GET", f"{jobs}/x", None, {}), (404, "GET", f"{api}/v1/hosts/none", None, {}),
        (404, "GET", f"{jobs}/{ended}/log", None, {}),
        (404, "POST", f"{jobs}/lab1.999/cancel", None, {}),
        (404, "GET", f"{files}/os/none", None, {}),
        (405, "DELETE", jobs, None, {}), (405, "POST", f"{files}/os/none", "x", {}),
        (409, "POST", f"{jobs}/{ended}/cancel", None, {}),
        (409, "POST", f"{jobs}/{ended}/renew?seconds=9", None, {}),
        (416, "GET", f"{files}/os/debian/x86_64/bookworm/boot/vmlinuz", None,
         {"Range": "bytes=1000-"}),
        (403, "GET", f"{files}/os/debian", None, {}),
        (404, "PUT", f"{upload}/v1/attempts/x/files/a", "x", {}),
        (401, "PUT", f"{upload}/v1/attempts/1/files/a", "x", {"Authorization": "Bearer no"}),
        (403, "PUT", f"{upload}/result/x/y", "x", {}),
        (414, "GET", f"{api}/{'x' * 5000}", None, {}), (431, "GET", f"{api}/", None,
                                                       {"X": "y" * 70000}),
    ]
    for status, method, target, body, headers in cases:
        what = f"{method} {target[:60]} {str(headers)[:30]}"
        with check.check(f"problem+json: {status} for {what}"):
            answer = ask(target, method, body, headers)
            problem(answer, status, what)
            equal(bool(answer.headers.get("Allow")), status == 405, "Allow")
    with check.check("problem+json: what is no HTTP is 400"):
        with socket.create_connection((server.lab.ADDRESS, 3000), timeout=10) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            answer = connection.makefile("rb").read()
        equal(b" 400 " in answer.split(b"\r\n")[0] and b"application/problem+json" in answer, True,
              answer)
    with check.check("problem+json: the field that is to blame has its name"):
        answer = submit(server, JOB.replace("initramfs", "floppy"))
        equal(problem(answer, 400, "os_mount")["field"], "os_mount", "field")


# --- who may ---

def tokens(check, server, stranger):
    def try_token(token):
        with stranger.inside():
            return submit(server, **({"Authorization": f"Bearer {token}"} if token else {}))

    with check.check("tokens: from elsewhere 401 without one, or with another one"):
        for token in (None, "no-such-token-at-all", TOKENS[1], TOKENS[0][:-1], TOKENS[0] + "x"):
            problem(try_token(token), 401, str(token))
    with check.check("tokens: with one of the file as from api.open_to"):
        job = try_token(TOKENS[0])
        equal(job.status, 201, repr(job))
        with stranger.inside():
            equal(ask(f"{server.url}/v1/jobs/{job.json()['id']}/cancel", "POST", None,
                      {"Authorization": f"Bearer {TOKENS[0]}"}).status, 200, "cancel")
    with check.check("tokens: everybody may read"), stranger.inside():
        for path in ("/v1/jobs", "/v1/hosts", "/v1/events", f"/v1/jobs/{job.json()['id']}"):
            equal(ask(f"{server.url}{path}").status, 200, path)
    with check.check("tokens: SIGHUP takes new ones and forgets old ones"):
        write_tokens(server, TOKENS[1])
        server.reload()
        equal(try_token(TOKENS[0]).status, 401, "old")
        answer = try_token(TOKENS[1])
        equal(answer.status, 201, "new")
        ask(f"{server.url}/v1/jobs/{answer.json()['id']}/cancel", "POST")
    with check.check("tokens: none of them is in the log"):
        with open(server.log, encoding="utf-8", errors="replace") as file:
            said = file.read()
        equal([token for token in TOKENS if token in said], [], "tokens")


def write_tokens(server, token):
    with open(f"{server.directory}/tokens", "w", encoding="utf-8") as file:
        file.write(f"# who may\n{token} somebody\n")


def once(check, server):
    with check.check("Idempotency-Key: said again it is the same job"):
        first, again = (submit(server, Idempotency_Key="one") for _ in range(2))
        equal((first.status, again.status), (201, 201), "status")
        equal(again.json()["id"], first.json()["id"], "id")
    with check.check("Idempotency-Key: with another job 422"):
        problem(submit(server, JOB + "x: 1\n", Idempotency_Key="one"), 422, "other body")
    with check.check("Idempotency-Key: without one, or with another, another job"):
        ids = {submit(server).json()["id"], submit(server, Idempotency_Key="two").json()["id"],
               first.json()["id"]}
        equal(len(ids), 3, str(ids))
    with check.check("Idempotency-Key: twenty at a time make one job"):
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: submit(server, Idempotency_Key="many"), range(20)))
        equal({answer.status for answer in answers}, {201}, "status")
        equal(len({answer.json()["id"] for answer in answers}), 1, "jobs")
    with check.check("Idempotency-Key: also after ccid was killed"):
        server.kill()
        server.start()
        equal(submit(server, Idempotency_Key="one").json()["id"], first.json()["id"], "id")
    for job in server.get("/v1/jobs?state=queued")["jobs"]:
        ask(f"{server.url}/v1/jobs/{job['id']}/cancel", "POST")


# --- uploads ---

def tree(directory):
    return sorted(os.path.relpath(os.path.join(top, name), directory)
                  for top, _, names in os.walk(directory) for name in names)


def uploads(check, server, peers, robots):
    jobs = {}
    for name, robot in robots.items():
        jobs[name] = submit(server, JOB.replace("robot-1", name)).json()["id"]
        with peers[name].inside():
            robot.boot()
            robot.hello()
    one, other = robots.values()
    root = {name: server.job(job)["result_root"] for name, job in jobs.items()}
    before = tree(server.results)
    base = f"http://{server.lab.ADDRESS}:3080"

    def put(path, token, cookie=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if cookie:
            headers["Cookie"] = f"JOBID={cookie}"
        with peers["robot-1"].inside():
            return ask(base + path, "PUT", b"x", headers).status

    ours = f"/v1/attempts/{one.attempt['attempt']}/files/"
    theirs = f"/v1/attempts/{other.attempt['attempt']}/files/"
    with check.check("uploads: no name leads out of the attempt's own results"):
        for name in ("../x", "%2e%2e/x", "..%2fx", "a/b", ".attempt", ".output.part", "", "%00", "..",
                     "a%5c..%5cb", "x" * 300):
            equal(put(ours + name, one.attempt["token"]) in (400, 403, 404, 414), True, name)
        equal(tree(server.results), before, "what is there")
    with check.check("uploads: a token is good for its own attempt alone"):
        equal(put(theirs + "x", one.attempt["token"]), 401, "another attempt")
        equal(put(ours + "x", None), 401, "no token")
        with peers["robot-1"].inside():
            equal(ask(f"{base}{theirs}x", "HEAD", None,
                      {"Authorization": f"Bearer {one.attempt['token']}"}).status, 401, "HEAD")
        equal(tree(server.results), before, "what is there")
    with check.check("uploads: nor does a cookie reach another job's results, or above its own"):
        for path in (f"{root['robot-2']}/x", f"{root['robot-1']}x/y", f"{root['robot-1']}/../x",
                     os.path.dirname(root["robot-1"]) + "/x", "/result/x"):
            equal(put(path, None, jobs["robot-1"]) in (400, 403), True, path)
        equal(put(f"{root['robot-2']}/x", None, jobs["robot-2"]), 403, "another machine's job")
        equal(tree(server.results), before, "what is there")
    with check.check("uploads: links in results are not followed"):
        path = server.result_path(server.job(jobs["robot-1"]))
        outside = os.path.join(server.directory, "outside")
        os.mkdir(outside)
        os.symlink(outside, f"{path}/link")
        os.symlink(f"{outside}/file", f"{path}/target")
        equal(put(f"{root['robot-1']}/link/x", None, jobs["robot-1"]) >= 400, True, "directory")
        put(ours + "target", one.attempt["token"])          # replaces the link, at most
        equal(os.listdir(outside), [], "outside")
    with check.check("uploads: both ways end with the attempt"):
        equal(put(ours + "good", one.attempt["token"]), 201, "while it is open")
        equal(put(f"{root['robot-1']}/good-too", None, jobs["robot-1"]), 201, "while it is open")
        with peers["robot-1"].inside():
            equal(one.finish({"good": b"x"}).status, 200, "finish")
        after = tree(server.results)
        equal(put(ours + "late", one.attempt["token"]), 410, "token")
        equal(put(f"{root['robot-1']}/late", None, jobs["robot-1"]), 403, "cookie")
        equal(tree(server.results), after, "what is there")


def body(check):
    paths.program("ccid")
    namespace.probe()
    namespace.enter()
    with tempfile.TemporaryDirectory(prefix="cci-api-") as directory:
        lab = Lab()
        peers = {name: Peer(lab, f"172.31.0.{60 + i}", i) for i, name in enumerate(MACS)}
        stranger = Peer(lab, "172.31.0.69", 9)
        server = OwnServer(lab, directory, hold="1s")
        for name, mac in MACS.items():
            server.add_host(name, mac)
        server.put("os/debian/x86_64/bookworm/boot/vmlinuz", b"kernel")
        server.put("initrd/osimage/debian/x86_64/bookworm/current", b"image")
        write_tokens(server, TOKENS[0])
        with open(server.config, encoding="utf-8") as file:
            text = file.read().replace("api: {open_to", f"api: {{tokens: {directory}/tokens, open_to")
        with open(server.config, "w", encoding="utf-8") as file:
            file.write(text)
        robots = {name: Robot(server, mac) for name, mac in MACS.items()}
        with server:
            with check.check("ccid answers", vital=True):
                server.start()
            ended = streams(check, server, peers["robot-1"], robots["robot-1"])
            problems(check, server, ended)
            tokens(check, server, stranger)
            once(check, server)
            uploads(check, server, peers, robots)
            with check.check("ccid ends when told, without a complaint"):
                server.stop()
                equal(server.sanitizer_reports(), [], "reports of the sanitizers")


if __name__ == "__main__":
    tap.main(body)
