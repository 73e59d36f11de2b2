#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""Two machines boot at once, through SeaBIOS with qemu's iPXE ROM and through OVMF's own PXE, each
into a job whose output and 50 MiB result arrive."""

import common
from common import check_output, check_result, equal
from lab import Machine, Server, tap

FIRMWARE = ["bios", "uefi"]
BOOT_LIMIT = 300        # generous: a slow machine is no failure

# What each boot must have left in the event table, in this order.
STAGES = ["boot.offer", "file.start", "file.done", "agent.hello", "job.running", "upload.start",
          "upload.done", "job.finished"]


def check_stages(events):
    """Each stage is there, and its last event comes after the first one of the stage before."""
    kinds = [event["kind"] for event in events]
    last = -1
    for stage in STAGES:
        if stage not in kinds:
            raise AssertionError(f"no event {stage} among {kinds}")
        if len(kinds) - 1 - kinds[::-1].index(stage) < last:
            raise AssertionError(f"{stage} too early in {kinds}")
        last = kinds.index(stage)


def check_machine(check, server, machine, job, digest, firmware):
    with check.check(f"{firmware}: the job ends", vital=True):
        document = server.wait_job(job, BOOT_LIMIT)
        check.note(f"{firmware}: {document['state']} {document.get('verdict')}")
    with check.check(f"{firmware}: it passed"):
        equal((document["state"], document["verdict"]), ("finished", "pass"), "state and verdict")
    with check.check(f"{firmware}: its output is what the script printed"):
        check_output(server, document)
    with check.check(f"{firmware}: its 50 MiB result is byte-identical"):
        check_result(server, document, digest)
    with check.check(f"{firmware}: every stage of the boot is an event"):
        check_stages(server.events(job))
    with check.check(f"{firmware}: the machine reboots after the job"):
        common.check_clean(server, machine)


def body(check):
    lab, directory = common.stand(check, "boot")
    server = Server(lab, directory)
    machines = {}
    for number, firmware in enumerate(FIRMWARE):
        machines[firmware] = Machine(lab, directory, firmware, f"vm-{firmware}-1", number)
        server.add_host(machines[firmware].name, machines[firmware].mac)
    with server:
        with check.check("ccid answers", vital=True):
            server.start()
        jobs = {}
        for firmware, machine in machines.items():
            with check.check(f"{firmware}: a job is accepted", vital=True):
                jobs[firmware] = server.submit(common.job(machine.name))
        try:
            for machine in machines.values():
                machine.start()
            digest = common.result_digest()
            for firmware, machine in machines.items():
                check_machine(check, server, machine, jobs[firmware], digest, firmware)
        finally:
            for machine in machines.values():
                machine.stop()
        with check.check("ccid ends when told"):
            server.stop()


if __name__ == "__main__":
    tap.main(body)
