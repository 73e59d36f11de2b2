#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""Power for real: the process that runs commands, with its limits and its end; a BMC; and a virtual
machine that is switched through its QMP socket."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", ".."))
sys.dont_write_bytecode = True

import bmc  # noqa: E402
from lab import Lab, LabError, namespace, paths, tap  # noqa: E402
from lab.machine import Machine  # noqa: E402
from lab.tap import equal  # noqa: E402

API = "http://127.0.0.1:3000"
QMP = os.path.join(paths.TOP, "tools", "power-qmp")

COMMAND = """#!/bin/sh
echo "$* $CCI_ACTION $CCI_HOST $CCI_MAC" >>{directory}/log
case $1 in
bad) echo no route; echo more; exit 3 ;;
slow) sleep 1000 & wait ;;
leaves) sleep 2000 & ;;
# 32 and 33 are the C library's own
signals) grep -q 'SigIgn:.*[08]0000000$' /proc/self/status || {{ grep SigIgn /proc/self/status; exit 4; }} ;;
esac
"""

CONFIG = """\
listen: {{api: [3000], files: [8000], upload: [3080]}}
dhcp: {{mode: "off"}}
state: {directory}/state
results: {directory}/result
tftp: {{root: {directory}}}
hosts: {directory}/hosts
files: {{/os: {directory}}}
power:
  good: {{command: [{directory}/command, good], wait: 2s}}
  bad: {{command: [{directory}/command, bad], wait: 2s}}
  slow: {{command: [{directory}/command, slow], wait: 2s, limit: 1s}}
  leaves: {{command: [{directory}/command, leaves], wait: 2s}}
  signals: {{command: [{directory}/command, signals], wait: 2s}}
  absent: {{command: [/nonexistent/program], wait: 2s}}
  bm: {{ipmi: {{address: 127.0.0.1, port: {port}, user: {user}, cipher: 3,
               password_file: {directory}/bmc-password}}, wait: 2s}}
  stranger: {{ipmi: {{address: 127.0.0.1, port: {port}, user: {user}, cipher: 3,
                     password_file: {directory}/command}}, wait: 2s}}
  vm: {{command: [{qmp}, {directory}/vm.qmp, {directory}/none], wait: 2s}}
"""
HOSTS = ("good", "bad", "slow", "leaves", "signals", "absent", "bm", "stranger", "vm")


def host(name):
    with urllib.request.urlopen(f"{API}/v1/hosts/{name}", timeout=10) as answer:
        return json.load(answer)


def ask(name, action):
    request = urllib.request.Request(f"{API}/v1/hosts/{name}/power", method="POST",
                                     data=json.dumps({"action": action}).encode())
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def until(what, get, timeout=90):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            if get():
                return
        except urllib.error.URLError:
            pass
        time.sleep(0.1)
    raise LabError(f"not in {timeout} s: {what}")


def last_error(name):
    last = host(name)["power"]["last"]
    return last and (last["error"] or "none")


def running(*words):
    """How many processes of this pid namespace have that word in their command line."""
    found = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read()
                found += all(word.encode() in line for word in words)
        except OSError:
            pass
    return found


def prepare(directory):
    os.chmod(directory, 0o755)
    os.mkdir(f"{directory}/hosts")
    for number, name in enumerate(HOSTS):
        with open(f"{directory}/hosts/{name}", "w", encoding="utf-8") as file:
            file.write(f'mac_addr: ["52:54:00:00:00:{number:02x}"]\n')
    with open(f"{directory}/command", "w", encoding="utf-8") as file:
        file.write(COMMAND.format(directory=directory))
    os.chmod(f"{directory}/command", 0o755)
    with open(f"{directory}/ccid.yaml", "w", encoding="utf-8") as file:
        file.write(CONFIG.format(directory=directory, qmp=QMP, port=bmc.PORT, user=bmc.USER))


def commands(check, directory):
    with check.check("a command gets action, host and address"):
        ask("good", "off")
        until("off", lambda: last_error("good") == "none")
        with open(f"{directory}/log", encoding="utf-8") as file:
            equal(file.read(), "good off good off good 52:54:00:00:00:00\n", "its words")
    with check.check("what goes wrong is told: status and first line, a limit, no such program"):
        for name, says in (("bad", "status 3: no route"), ("slow", "killed after 1 s"),
                           ("absent", "status 127: cannot be run: /nonexistent/program: "
                                      "No such file or directory")):
            ask(name, "off")
            until(name, lambda name=name: last_error(name))
            equal(last_error(name), says, name)
    with check.check("no signal is ignored in a command: what it limits in time can be ended"):
        equal(switch("signals", "off"), "none", "its check")
    with check.check("nothing that a command started is left behind"):
        ask("leaves", "off")
        until("off", lambda: last_error("leaves") == "none")
        until("end", lambda: running("sleep", "2000") == 0, 5)


def switch(name, action):
    """What became of it."""
    before = host(name)["power"]["last"]
    ask(name, action)
    until(f"{name} {action}", lambda: host(name)["power"]["last"] != before)
    return last_error(name)


def machine_has_a_bmc(check, directory):
    with bmc.running(directory):
        with check.check("a BMC switches its machine on and off over IPMI"):
            for action, power in (("on", "1"), ("off", "0"), ("on", "1")):
                equal(switch("bm", action), "none", action)
                equal(bmc.read_power(directory), power, f"power after {action}")
        with check.check("who does not know its password switches nothing, and is told"):
            error = switch("stranger", "off")
            equal("session" in error, True, error)
            equal(bmc.read_power(directory), "1", "power")


def answers(vm):
    try:
        return vm.qmp("query-status")
    except OSError:
        return None


def machine_is_cycled(check, directory):
    with Machine(None, directory, "bios", "vm", network="hubport,hubid=0",
                 reboots=True) as vm:
        with check.check("a machine that stands still is let go on by a cycle", vital=True):
            vm.start()
            until("qmp", lambda: answers(vm), 20)
            vm.qmp("stop")
            equal(vm.qmp("query-status")["status"], "paused", "before")
            ask("vm", "cycle")
            until("cycle", lambda: last_error("vm") == "none")
            equal(vm.qmp("query-status")["status"], "running", "after")
        with check.check("it has no network, never asks for a boot, and is broken after three tries"):
            until("broken", lambda: "broken" in host("vm")["flags"])
            until("off", lambda: not vm.running(), 5)   # the last try: off, and on, which is none
            equal(host("vm")["power"]["phase"], "idle", "phase")
            equal(host("vm")["power"]["tries"], 3, "tries")


def body(check):
    namespace.probe()
    with tempfile.TemporaryDirectory(prefix="cci-power-") as directory:
        namespace.enter()
        Lab()
        prepare(directory)
        with open(f"{directory}/ccid.log", "wb") as log:
            process = subprocess.Popen([paths.program("ccid"), "--config",
                                        f"{directory}/ccid.yaml"],
                                       stdin=subprocess.DEVNULL, stderr=log)
        try:
            with check.check("ccid answers", vital=True):
                until("healthy", lambda: host("good"), 30)
            commands(check, directory)
            machine_has_a_bmc(check, directory)
            machine_is_cycled(check, directory)
            with check.check("ccid is killed: its process for commands and what that runs go too"):
                ask("slow", "off")
                until("it runs", lambda: running("sleep", "1000"), 10)
                process.kill()
                process.wait()
                until("gone", lambda: not running("sleep", "1000") and not running("--power"), 5)
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    tap.main(body)
