#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""ccid is killed (SIGKILL) while a machine is held, while it loads files, while its job runs, while
it uploads: no worker is left behind, the ports are free at once, and the job ends with its result,
once."""

import glob
import os
import sys
import time

import common
from common import MIB, check_output, check_result, equal
from lab import LabError, Machine, Server, tap

LIMIT = 300


def wait_held(server, machine, submit):
    """Until the machine's boot request is held; only then there is a job."""
    machine.wait_for(r"boot\.ipxe/mac/", LIMIT)
    time.sleep(1)
    return submit


def wait_loading(server, machine, submit):
    """Until iPXE is inside the transfer of the OS image."""
    job = submit()
    machine.wait_for(r"\d{8}\.0\.cgz\.\.\.", LIMIT)
    return job


def wait_running(server, machine, submit):
    job = submit()
    server.wait_event(job, "job.running", LIMIT)
    return job


def wait_uploading(server, machine, submit):
    """Until a part of the result is on the server's disk."""
    job = submit()
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        for part in glob.glob(f"{server.results}/**/.*blob*", recursive=True):
            try:
                if os.path.getsize(part) > MIB:
                    return job
            except OSError:
                pass        # renamed just now
        time.sleep(0.01)
    raise LabError(f"no upload began in {LIMIT} s; the console ends:\n{machine.tail()}")


SCENARIOS = {"held": wait_held, "loading": wait_loading, "running": wait_running,
             "uploading": wait_uploading}


def check_once(events):
    """One end, one record of it."""
    ends = [event for event in events if event["kind"] == "job.finished"]
    equal(len(ends), 1, "events job.finished")


def body(check):
    name = sys.argv[1]
    lab, directory = common.stand(check, f"kill-{name}")
    server = Server(lab, directory)
    machine = Machine(lab, directory, "bios", "vm-kill-1")
    server.add_host(machine.name, machine.mac)

    def submit():
        return server.submit(common.job(machine.name, pause=3))

    with server, machine:
        with check.check("ccid answers", vital=True):
            server.start()
        machine.start()
        with check.check(f"{name}: the moment comes", vital=True):
            job = SCENARIOS[name](server, machine, submit)
        with check.check("killed: no worker is left behind, the ports are free"):
            check.note(f"workers gone after {server.kill() * 1000:.0f} ms")
        with check.check("it starts again at once", vital=True):
            server.start()
        if callable(job):
            job = job()
        with check.check("the job ends", vital=True):
            document = server.wait_job(job, LIMIT)
        with check.check("it passed"):
            equal((document["state"], document["verdict"]), ("finished", "pass"), "verdict")
        with check.check("its output is whole"):
            check_output(server, document)
        with check.check("its result is byte-identical"):
            check_result(server, document, common.result_digest())
        with check.check("it ended once"):
            check_once(server.events(job))
        with check.check("the machine reboots after the job"):
            common.check_clean(server, machine)
        with check.check("ccid ends when told"):
            server.stop()


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in SCENARIOS:
        print(f"usage: test_kill.py {'|'.join(SCENARIOS)}", file=sys.stderr)
        sys.exit(2)
    tap.main(body)
