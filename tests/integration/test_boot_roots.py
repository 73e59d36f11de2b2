#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""Machines boot from firmware into roots that file servers hold, served by nfs-ganesha and samba
with the samples of cci-mkos: os_mount nfs and cifs side by side, then local twice, whose first boot
fills a blank disk over NFS and whose second finds the volume there."""

import contextlib
import os

import common
from common import equal
from lab import Machine, Server, exports, namespace, paths, tap

BOOT_LIMIT = 900        # generous: a slow machine is no failure
DISK = 12 << 30         # sparse

JOB = """\
suite: integration
testbox: {host}
os: debian
os_arch: x86_64
os_version: bookworm
os_mount: {mount}
runtime: 600
{more}script: |
  set -e
  echo written >/written-by-the-job
  echo "file: $(cat /written-by-the-job)"
  echo "root: $(while read -r _ at kind _; do [ "$at" != / ] || echo "$kind"; done </proc/mounts)"
  echo "failed: $(systemctl list-units --failed --no-legend --plain | wc -l)"
"""
LOCAL = """\
rootfs_disk: [/dev/vda]
os_lv_size: 4G
"""


class Stand:
    """The lab with its servers, a disk, and what every boot here does."""

    def __init__(self, check, lab, directory, server):
        self.check, self.lab, self.directory, self.server = check, lab, directory, server
        self.disk = os.path.join(directory, "disk")

    def machine(self, stack, host, number, **options):
        """Powers a machine on, once its host file is known."""
        machine = Machine(self.lab, self.directory, "bios", host, number, **options)
        self.server.add_host(host, machine.mac)
        self.server.reload()
        stack.enter_context(machine)
        return machine

    def check_job(self, words, machine, job, root):
        with self.check.check(words):
            document = self.server.wait_job(job, BOOT_LIMIT)
            equal((document["state"], document.get("verdict")), ("finished", "pass"),
                  f"state and verdict; the console ends:\n{machine.tail(60)}")
            with self.server.open(f"/v1/jobs/{job}/log") as answer:
                equal(answer.read().decode(), f"file: written\nroot: {root}\nfailed: 0\n", "output")
            common.check_clean(self.server, machine)

    def on_file_servers(self):
        with contextlib.ExitStack() as stack:
            begun = []
            for number, mount in enumerate(("nfs", "cifs")):
                machine = self.machine(stack, f"vm-{mount}-1", number)
                job = self.server.submit(JOB.format(host=machine.name, mount=mount, more=""))
                begun.append((mount, machine.start(), job))
            for mount, machine, job in begun:
                self.check_job(f"os_mount {mount}: below an overlay", machine, job, "overlay")

    def on_a_disk(self, words, is_filled):
        """One boot of a machine with the disk; is_filled: it has a source volume to make."""
        with contextlib.ExitStack() as stack:
            machine = self.machine(stack, "vm-local-1", 2, disks=[(self.disk, "cci-disk-1")])
            job = self.server.submit(JOB.format(host=machine.name, mount="local", more=LOCAL))
            machine.start()
            self.check_job(words, machine, job, "ext4")
            with self.check.check(f"{words}: {'filled' if is_filled else 'the volume is there'}"):
                console = machine.console()
                equal("it is whole" in console, is_filled, "a source volume was made")
                equal("a snapshot of " in console, True, "the root is a snapshot of it")


def body(check):
    lab, directory = common.stand(check, "boot_roots")
    srv, own = namespace.bind(paths.SRV, "srv"), namespace.bind(directory, "own")
    exports.write(own, srv, lab.NETWORK)
    server = Server(lab, directory)
    with exports.ganesha(own), exports.samba(own), server:
        with check.check("ccid answers", vital=True):
            server.start()
        stand = Stand(check, lab, directory, server)
        stand.on_file_servers()
        with open(stand.disk, "wb") as file:
            file.truncate(DISK)
        stand.on_a_disk("os_mount local: a blank disk", True)
        stand.on_a_disk("os_mount local: the same disk again", False)
        os.unlink(stand.disk)
        with check.check("ccid ends when told"):
            server.stop()


if __name__ == "__main__":
    tap.main(body)
