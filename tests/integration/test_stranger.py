#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""A machine that nobody described: it gets an address and a script that waits and says who is
unknown, cci hosts shows it, and cci run reaches it as any other."""

import json

import common
from common import cci, equal
from lab import Machine, Server, tap

LIMIT = 300


def body(check):
    lab, directory = common.stand(check, "stranger")
    server = Server(lab, directory, hold="3s")
    machine = Machine(lab, directory, "bios", "vm-stranger")
    name = "sched-lab1-" + machine.mac.replace(":", "-")
    with server, machine:
        with check.check("ccid answers", vital=True):
            server.start()
        machine.start()
        with check.check("the machine is told that nobody knows it, and asks again", vital=True):
            machine.wait_for(r"No job now", LIMIT)
            machine.wait_for(rf"unknown machine mac={machine.mac.replace(':', '-')}", LIMIT)
        with check.check("cci hosts shows it", vital=True):
            status, out, _ = cci(server, "hosts", "--json")
            equal(status, 0, "exit status")
            [host] = json.loads(out)["hosts"]
            equal((host["name"], host["macs"], host["flags"]),
                  (name, [machine.mac], ["discovered"]), "host")
        with check.check("cci run brings its output and its exit status"):
            equal(cci(server, "run", "-H", name, "--", "echo", "on the stranger")[:2],
                  (0, "on the stranger\n"), "status and output")
        with check.check("the machine reboots after the job"):
            common.check_clean(server, machine)
        with check.check("ccid ends when told"):
            server.stop()


if __name__ == "__main__":
    tap.main(body)
