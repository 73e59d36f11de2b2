#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""A machine boots through OVMF's PXE into an initramfs that fetches the root over HTTP: the job
finds an overlay, writes to it, and the image stays as it was."""

import hashlib
import os

import common
from common import equal
from lab import Machine, Server, paths, tap

BOOT_LIMIT = 300        # generous: a slow machine is no failure

JOB = """\
suite: integration
testbox: vm-http-1
os: debian
os_arch: x86_64
os_version: bookworm
os_mount: http
runtime: 300
script: |
  set -e
  echo written >/written-by-the-job
  echo changed >/etc/hostname
  echo "file: $(cat /written-by-the-job)"
  echo "root: $(while read -r _ at kind _; do [ "$at" != / ] || echo "$kind"; done </proc/mounts)"
  echo "layers: $(grep -c /run/cci/ /proc/self/mountinfo || true)"
  echo "failed: $(systemctl list-units --failed --no-legend --plain | wc -l)"
"""

# Of /run/cci only the root's own line speaks, which names what it is made of.
OUTPUT = "file: written\nroot: overlay\nlayers: 1\nfailed: 0\n"

STAGES = ["boot.offer", "initramfs.start", "initramfs.root", "initramfs.overlay",
          "initramfs.switch", "agent.hello", "job.finished"]


def image_digest():
    with open(os.path.join(paths.image_link(), "rootfs.squashfs"), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_stages(server, job):
    events = [e for e in server.events(job) if e["kind"] in STAGES]
    equal([e["kind"] for e in events], STAGES, "stages")
    times = [e["mono_us"] for e in events]
    equal(times, sorted(times), "times of the stages")


def body(check):
    lab, directory = common.stand(check, "boot_http")
    server = Server(lab, directory)
    machine = Machine(lab, directory, "uefi", "vm-http-1")
    server.add_host(machine.name, machine.mac)
    before = image_digest()
    with server:
        with check.check("ccid answers", vital=True):
            server.start()
        with check.check("a job is accepted", vital=True):
            job = server.submit(JOB)
        with machine:
            machine.start()
            with check.check("the job ends", vital=True):
                document = server.wait_job(job, BOOT_LIMIT)
            with check.check("it passed"):
                equal((document["state"], document.get("verdict")), ("finished", "pass"),
                      "state and verdict")
            with check.check("the root is an overlay that the job can write to"):
                with server.open(f"/v1/jobs/{job}/log") as answer:
                    equal(answer.read().decode(), OUTPUT, "output")
            with check.check("every stage of the boot is an event"):
                check_stages(server, job)
            with check.check("the machine ends by itself"):
                common.check_clean(server, machine)
        with check.check("the image is as it was"):
            equal(image_digest(), before, "digest of rootfs.squashfs")
        with check.check("ccid ends when told"):
            server.stop()


if __name__ == "__main__":
    tap.main(body)
