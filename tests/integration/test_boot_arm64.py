#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""Two 64-bit ARM machines boot at once through AAVMF's PXE and GRUB: one waits for its job, whose
system is in the initramfs; the other finds its root over HTTP. Output and results arrive."""

import os
import time

import common
from common import equal
from lab import Machine, Server, paths, tap

BOOT_LIMIT = 600        # generous: these machines are always emulated

JOB = """\
suite: integration
testbox: {host}
os: debian
os_arch: aarch64
os_version: bookworm
os_mount: {mount}
runtime: 300
kernel_params: 'cci_test="two words"'
script: |
  set -e
  echo "machine: $(uname -m)"
  echo "root: $(while read -r _ at kind _; do [ "$at" != / ] || echo "$kind"; done </proc/mounts)"
  case "$(cat /proc/cmdline)" in
  BOOT_IMAGE=*' "cci_test=two words" '*) echo "words: kept" ;;
  *) cat /proc/cmdline ;;
  esac
  seq 100000 >"$RESULT_ROOT/numbers"
"""

ROOTS = {"initramfs": "rootfs", "http": "overlay"}
NUMBERS = "".join(f"{n}\n" for n in range(1, 100001))

STAGES = {"initramfs": ["boot.offer", "agent.hello", "job.finished"],
          "http": ["boot.offer", "initramfs.root", "initramfs.switch", "agent.hello",
                   "job.finished"]}


def check_machine(check, server, machine, job, mount):
    with check.check(f"{mount}: the job ends", vital=True):
        document = server.wait_job(job, BOOT_LIMIT)
        check.note(f"{mount}: {time.monotonic() - machine.started:.0f} s from power-on")
    with check.check(f"{mount}: it passed"):
        equal((document["state"], document.get("verdict")), ("finished", "pass"),
              "state and verdict")
    with check.check(f"{mount}: its output is that of a 64-bit ARM machine with this root"):
        with server.open(f"/v1/jobs/{job}/log") as answer:
            equal(answer.read().decode(),
                  f"machine: aarch64\nroot: {ROOTS[mount]}\nwords: kept\n", "output")
    with check.check(f"{mount}: its result is what the job made"):
        with open(os.path.join(server.result_path(document), "numbers"), encoding="ascii") as file:
            equal(file.read() == NUMBERS, True, "content of numbers")
    with check.check(f"{mount}: the machine ends by itself"):
        common.check_clean(server, machine)


def check_stages(server, job, mount):
    kinds = [event["kind"] for event in server.events(job)]
    equal([kind for kind in kinds if kind in STAGES[mount]], STAGES[mount], "stages")


def submit(check, server, machine, mount):
    with check.check(f"{mount}: a job is accepted", vital=True):
        return server.submit(JOB.format(host=machine.name, mount=mount))


def body(check):
    lab, directory = common.stand(check, "boot_arm64", paths.prepare_arm64)
    server = Server(lab, directory)
    machines = {mount: Machine(lab, directory, "uefi", f"arm-{mount}", number, arch="aarch64")
                for number, mount in enumerate(ROOTS)}
    for machine in machines.values():
        server.add_host(machine.name, machine.mac)
    jobs = {}
    with server:
        with check.check("ccid answers", vital=True):
            server.start()
        jobs["http"] = submit(check, server, machines["http"], "http")
        try:
            for machine in machines.values():
                machine.start()
            with check.check("initramfs: GRUB without a job waits and asks again", vital=True):
                machines["initramfs"].wait_for(r"No job now for arm-initramfs", BOOT_LIMIT)
            jobs["initramfs"] = submit(check, server, machines["initramfs"], "initramfs")
            for mount, machine in machines.items():
                check_machine(check, server, machine, jobs[mount], mount)
            for mount, job in jobs.items():
                with check.check(f"{mount}: every stage of the boot is an event"):
                    check_stages(server, job, mount)
        finally:
            for machine in machines.values():
                machine.stop()
        with check.check("ccid ends when told"):
            server.stop()


if __name__ == "__main__":
    tap.main(body)
