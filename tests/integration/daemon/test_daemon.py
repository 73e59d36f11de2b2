#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""The life of ccid as a program: what it says to a wrong file, that two never share a state
directory, what SIGHUP takes and refuses, a backup while it works, an end in order."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", ".."))

from lab import Lab, LabError, Server, namespace, paths, tap  # noqa: E402
from lab.server import check_free  # noqa: E402
from lab.tap import equal  # noqa: E402

JOB = """\
suite: hello
testbox: nobody
os: debian
os_arch: x86_64
os_version: bookworm
runtime: 60
script: "true"
"""


def ccid(*words):
    return subprocess.run([paths.program("ccid"), *words], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=60)


def wait_log(server, text, count=1):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with open(server.log, encoding="utf-8", errors="replace") as file:
            if file.read().count(text) >= count:
                return
        time.sleep(0.05)
    raise LabError(f"no {text!r} in the log:\n{server.log_tail()}")


def options(check, directory):
    wrong = os.path.join(directory, "wrong.yaml")
    with open(wrong, "w", encoding="utf-8") as file:
        file.write("lab: lab1\nboot:\n  hold: soon\n")
    with check.check("a wrong file: file, line, column, key and what was expected; status 1"):
        for verb in (["--check"], ["--print-config"], []):
            result = ccid("--config", wrong, *verb)
            equal(result.returncode, 1, "status")
            equal(f"{wrong}:3:" in result.stderr and "boot.hold" in result.stderr
                  and "expected" in result.stderr, True, result.stderr)
    with check.check("--print-config prints what reads back as the same"):
        right = os.path.join(directory, "right.yaml")
        with open(right, "w", encoding="utf-8") as file:
            file.write("listen: {interfaces: [absent0]}\n"
                       "dhcp: {subnets: [{net: 10.0.0.0/24, range: 10.0.0.10-10.0.0.20}]}\n")
        first = ccid("--config", right, "--print-config")
        equal(first.returncode, 0, first.stderr)
        with open(right, "w", encoding="utf-8") as file:
            file.write(first.stdout)
        equal(ccid("--config", right, "--print-config").stdout, first.stdout, "second print")
        equal(ccid("--config", right, "--check").returncode, 0, "--check, interface absent")
    with check.check("--help, --version, an unknown word"):
        equal("ccid.yaml(5)" in ccid("--help").stdout, True, "--help")
        equal(ccid("--version").stdout.startswith("ccid "), True, "--version")
        equal(ccid("frobnicate").returncode, 1, "unknown word")


def one_owner(check, server):
    with check.check("a second ccid on the same state is refused in one line"):
        result = ccid("--config", server.config)
        equal(result.returncode, 1, "status")
        equal("another ccid works here" in result.stderr, True, result.stderr)
        equal(len(server.get("/v1/jobs")["jobs"]), 0, "jobs, of the first one, which serves on")


def reload(check, server):
    with check.check("SIGHUP: a new host file counts"):
        server.add_host("vm-new", "52:54:00:00:00:31")
        server.process.send_signal(signal.SIGHUP)
        wait_log(server, "reloaded ")
        names = [host["name"] for host in server.get("/v1/hosts")["hosts"]]
        equal("vm-new" in names, True, names)
    with check.check("SIGHUP: a wrong configuration changes nothing, and is said"):
        with open(server.config, encoding="utf-8") as file:
            good = file.read()
        with open(server.config, "a", encoding="utf-8") as file:
            file.write("nonsense: 1\n")
        server.add_host("vm-later", "52:54:00:00:00:32")
        server.process.send_signal(signal.SIGHUP)
        wait_log(server, "not reloaded")
        names = [host["name"] for host in server.get("/v1/hosts")["hosts"]]
        equal("vm-later" in names, False, names)
        with open(server.config, "w", encoding="utf-8") as file:
            file.write(good)
        server.process.send_signal(signal.SIGHUP)
        wait_log(server, "reloaded ", 2)
    with check.check("SIGHUP: two hosts with one MAC are refused, both named"):
        server.add_host("vm-twin", "52:54:00:00:00:31")
        server.process.send_signal(signal.SIGHUP)
        wait_log(server, "not reloaded", 2)
        tail = server.log_tail(3)
        equal("vm-twin" in tail and "vm-new" in tail, True, tail)
        os.unlink(os.path.join(server.directory, "hosts.d", "vm-twin.yaml"))


def interface_comes_back(check, server):
    """Its capabilities are gone by then, but for the two that this takes."""
    lab = server.lab
    with check.check("an interface that goes away and comes back is served again"):
        for words in (["link", "del", lab.BRIDGE], ["link", "add", lab.BRIDGE, "type", "bridge"],
                      ["addr", "add", f"{lab.ADDRESS}/24", "dev", lab.BRIDGE],
                      ["link", "set", lab.BRIDGE, "up"]):
            subprocess.run(["ip", *words], check=True)
        wait_log(server, "DHCP: an interface has come back")
        wait_log(server, "TFTP: an interface has come back")


def backup(check, server, directory):
    with check.check("a backup while it works holds what was accepted"):
        job = server.submit(JOB)
        to = os.path.join(directory, "copy.sqlite")
        result = ccid("--config", server.config, "backup", to)
        equal(result.returncode, 0, result.stderr)
        with sqlite3.connect(to) as copy:
            equal(copy.execute("PRAGMA integrity_check").fetchone()[0], "ok", "integrity")
            ids = [row[0] for row in copy.execute("SELECT id FROM jobs")]
        equal(int(job.rsplit(".", 1)[1]) in ids, True, ids)
        result = ccid("--config", server.config, "backup", f"{directory}/none/copy")
        equal(result.returncode, 1, "status for a directory that is not there")


def end(check, server):
    with check.check("SIGTERM: ended in order, workers gone, ports free"):
        server.stop()
        equal(server.pids(), [], "processes")
        for port in (3000, 8000, 8800, 3080):
            check_free(server.lab.ADDRESS, port)
        equal(server.sanitizer_reports(), [], "sanitizer")


def body(check):
    namespace.probe()
    namespace.enter()
    with tempfile.TemporaryDirectory(prefix="cci-daemon-") as directory:
        options(check, directory)
        with Server(Lab(), directory, hold="5s") as server:
            server.start()
            one_owner(check, server)
            reload(check, server)
            backup(check, server, directory)
            interface_comes_back(check, server)
            end(check, server)


if __name__ == "__main__":
    tap.main(body)
