#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""ccid is killed (SIGKILL) again and again, at moments that a seed chooses, while fifty scripted
machines run jobs: every job that was accepted ends once, with what its machine said of it."""

import argparse
import collections
import glob
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time
import traceback

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "http"), os.path.join(HERE, "..", "..")]

import wire  # noqa: E402
from machine import Machine  # noqa: E402
from test_machine import Ccid, get, run  # noqa: E402

from lab import LabError, namespace, tap  # noqa: E402
from lab.tap import equal  # noqa: E402

USER = "127.0.0.7"
N_SUBMITTERS = 3

JOB = """\
suite: hello
testbox: box
os: debian
os_arch: x86_64
os_version: bookworm
os_mount: initramfs
runtime: 60
number: {}
script: |
  echo hello
"""


class Storm:
    """What was asked for, what was answered, and by whom."""

    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.ends_at = time.monotonic() + options.limit
        self.kills = 0
        self.accepted = {}      # key: id
        self.owners = {}        # attempt: (token, machine, job)
        self.ran = collections.defaultdict(list)        # job: attempts whose hello was accepted
        self.said = {}          # (job, attempt): what its finish says
        self.done = {}          # job: attempt, after 200
        self.errors = []
        self.n_gone = 0

    def check_time(self):
        if time.monotonic() > self.ends_at:
            raise LabError(f"not over after {self.options.limit} s")

    def is_over(self):
        return (bool(self.errors) or time.monotonic() > self.ends_at or
                len(self.done) >= self.options.jobs)

    def fail(self, error):
        with self.lock:
            self.errors.append("".join(traceback.format_exception(error)))

    def gone(self, machine):
        with self.lock:
            self.n_gone += 1

    def claimed(self, machine, job, attempt, token):
        """A machine may be told twice; another one never."""
        with self.lock:
            owner = self.owners.setdefault(attempt, (token, machine.name, job))
        equal(owner, (token, machine.name, job), f"attempt {attempt}")

    def runs(self, machine, job, attempt):
        with self.lock:
            if attempt not in self.ran[job]:
                self.ran[job].append(attempt)

    def finishes(self, job, attempt, verdict, result, text):
        with self.lock:
            self.said[job, attempt] = (verdict, result, text)

    def finished(self, job, attempt):
        with self.lock:
            other = self.done.setdefault(job, attempt)
        equal(other, attempt, f"{job} was finished by two attempts")

    # Submitting keeps step with the killing, so that kills meet every stage to the end.

    def submit_one(self, number):
        key, body = f"storm-{number}", JOB.format(number).encode()
        headers = {"Content-Type": "application/yaml", "Idempotency-Key": key}
        n_answers = 2 if number % 20 == 0 else 1
        while n_answers:
            self.check_time()
            try:
                answer = wire.ask(USER, "POST", "/v1/jobs", body, headers)
            except OSError:
                time.sleep(0.03)
                continue
            if answer.status in (503, 507):
                continue
            equal(answer.status, 201, answer.body[:200])
            job = json.loads(answer.body)["id"]
            with self.lock:
                equal(self.accepted.setdefault(key, job), job, f"the job of {key}")
            n_answers -= 1

    def may_submit(self, number):
        """The last one waits for the last kill."""
        n_jobs, n_kills = self.options.jobs, self.options.kills
        share = min(60 + n_jobs * self.kills // n_kills, n_jobs - 2)
        return self.kills >= n_kills or number <= share

    def submit(self, first):
        try:
            for number in range(first, self.options.jobs, N_SUBMITTERS):
                while not self.may_submit(number) and not self.is_over():
                    time.sleep(0.02)
                if self.is_over():
                    return
                self.submit_one(number)
        except Exception as error:
            self.fail(error)


def kill_often(storm, ccid, machines, rng):
    """Kills until there were enough and all is done. Returns where the kills hit."""
    hits = collections.Counter()
    slowest = 0
    while not storm.is_over():
        if storm.kills >= storm.options.kills:
            time.sleep(0.1)
            continue
        time.sleep(min(rng.expovariate(1 / storm.options.pause), 4 * storm.options.pause))
        hits.update({machine.phase for machine in machines})
        begin = time.monotonic()
        ccid.kill()
        slowest = max(slowest, time.monotonic() - begin)
        storm.kills += 1
    return hits, slowest


def rage(t, storm, ccid, directory):
    options = storm.options
    machines = [Machine(number + 1, storm, options.seed) for number in range(options.machines)]
    for machine in machines:
        answer = wire.ask(USER, "PUT", f"/set_host_mac?hostname={machine.name}&mac={machine.mac}")
        equal(answer.status, 200)
    threads = [threading.Thread(target=machine.live, daemon=True) for machine in machines]
    threads += [threading.Thread(target=storm.submit, args=(n,), daemon=True)
                for n in range(N_SUBMITTERS)]
    for thread in threads:
        thread.start()
    hits, slowest = kill_often(storm, ccid, machines, random.Random(options.seed))
    for thread in threads:
        thread.join(wire.PATIENCE)
    t.note(f"{storm.kills} kills, {len(storm.done)} jobs finished, {len(storm.owners)} attempts, "
           f"{storm.n_gone} fenced, {sum(m.n_retries for m in machines)} requests said again, "
           f"slowest restart {slowest:.2f} s")
    t.note("kills that found a machine at: " + ", ".join(f"{name} {n}" for name, n in
                                                         hits.most_common()))
    return hits


def list_jobs():
    jobs, after = [], ""
    while True:
        page = get(f"/v1/jobs?limit=100{after}")
        jobs += page["jobs"]
        if page["next"] is None:
            return jobs
        after = f"&after={page['next']}"


def check_result(storm, directory, document):
    job, attempt = document["id"], storm.done[document["id"]]
    verdict, result, text = storm.said[job, attempt]
    equal([document[k] for k in ("state", "verdict", "upload")], ["finished", verdict, "complete"],
          job)
    with open(f"{directory}{document['result_root']}/output", "rb") as file:
        data = file.read()
    assert data.startswith(text), f"{job}: the output of another attempt: {data[:60]!r}"
    equal(hashlib.sha256(data).hexdigest(), result["sha256"], f"{job}: output on the disk")


def check_outside(t, storm, directory):
    jobs = list_jobs()
    with t.check("every accepted job is there, once, and no other"):
        equal(len(storm.accepted), storm.options.jobs)
        equal(len(set(storm.accepted.values())), storm.options.jobs, "ids")
        equal(sorted(job["id"] for job in jobs), sorted(storm.accepted.values()))
    with t.check("each ended as its machine said, with the bytes that it sent"):
        for document in jobs:
            check_result(storm, directory, document)
    with t.check("no job's code was begun twice"):
        twice = {job: attempts for job, attempts in storm.ran.items() if len(attempts) != 1}
        assert not twice, twice


def check_store(t, storm, directory):
    """The store of a ccid that has ended, as another program reads it."""
    paths = [path for path in glob.glob(f"{directory}/state/*") if os.path.isfile(path)]
    path = next(p for p in paths if open(p, "rb").read(15) == b"SQLite format 3")
    db = sqlite3.connect(path)
    db.execute("PRAGMA foreign_keys = ON")

    def rows(sql):
        return db.execute(sql).fetchall()
    with t.check("the store is whole"):
        equal(rows("PRAGMA integrity_check"), [("ok",)])
        equal(rows("PRAGMA foreign_key_check"), [])
    with t.check("one conclusion a job: one attempt done, one manifest, one event of its end"):
        equal(rows("SELECT count(*) FROM attempts WHERE is_open"), [(0,)])
        equal(rows("SELECT job, count(*) FROM attempts WHERE state = 'done' GROUP BY job"
                   " HAVING count(*) <> 1"), [])
        equal(rows("SELECT id FROM jobs WHERE attempt NOT IN (SELECT a.id FROM attempts a JOIN"
                   " manifests m ON m.attempt = a.id WHERE a.job = jobs.id AND a.state = 'done')"),
              [])
        equal(rows("SELECT count(*) FROM manifests"), [(storm.options.jobs,)])
        equal(rows("SELECT job, count(*) FROM events WHERE kind = 'job.finished' GROUP BY job"
                   " HAVING count(*) <> 1"), [])
        equal(rows("SELECT count(DISTINCT job) FROM events WHERE kind = 'job.finished'"),
              [(storm.options.jobs,)])
    with t.check("the attempt that counts is the one whose machine was told so"):
        got = {f"lab1.{job}": str(attempt) for job, attempt in rows("SELECT id, attempt FROM jobs")}
        equal({k: v for k, v in got.items() if storm.done.get(k) != v}, {})
    db.close()


def check_all(t, storm, ccid, directory):
    options = storm.options
    with t.check(f"{options.jobs} jobs on {options.machines} machines end while ccid is killed"
                 f" {options.kills} times", vital=True):
        hits = rage(t, storm, ccid, directory)
        assert not storm.errors, "\n".join(storm.errors[:3])
        equal((storm.kills, len(storm.done)), (options.kills, options.jobs), "kills, finished")
    with t.check("the kills found machines at every stage"):
        missing = {"boot", "load", "hello", "running", "upload", "finish"} - set(hits)
        assert not missing or options.kills < 100, missing
    check_outside(t, storm, directory)
    with t.check("a clean end"):
        ccid.process.send_signal(signal.SIGTERM)
        equal(ccid.process.wait(timeout=20), 0)
    check_store(t, storm, directory)


def prepare(program, directory):
    ccid = Ccid(program, directory)
    for path in ("os/debian/x86_64/bookworm/boot/vmlinuz",
                 "initrd/osimage/debian/x86_64/bookworm/current"):
        with open(os.path.join(directory, path), "wb") as file:
            file.write(b"small")
    with open(os.path.join(directory, "ccid.yaml"), "a", encoding="utf-8") as file:
        file.write("boot: {hold: 2s}\n")
    return ccid


def read_options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ccid")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--machines", type=int, default=50)
    parser.add_argument("--pause", type=float, default=0.4, help="mean seconds between kills")
    parser.add_argument("--limit", type=float, default=840, help="seconds until it must be over")
    return parser.parse_args()


def body(t):
    options = read_options()
    namespace.probe()
    directory = tempfile.mkdtemp(prefix="cci-storm-")
    try:
        namespace.enter()
        run("ip", "link", "set", "lo", "up")
        t.note(f"seed {options.seed}")
        ccid = prepare(options.ccid, directory)
        try:
            ccid.start()
            check_all(t, Storm(options), ccid, directory)
        finally:
            if ccid.process and ccid.process.poll() is None:
                ccid.process.kill()
                ccid.process.wait()
            if t.n_failed:
                with open(ccid.log, encoding="utf-8", errors="replace") as log:
                    t.note(log.read()[-3000:])
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    tap.main(body)
