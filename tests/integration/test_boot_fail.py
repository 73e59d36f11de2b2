#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""A machine whose root image is bad: first other bytes than its sum says, then gone between the
script and the fetch. It says so on its console, reports to ccid, does what cci.onfail tells, and the
job is queued again with the cause, which cci shows."""

import json
import os
import re
import shutil

import common
from common import cci, equal
from lab import Machine, Server, paths, tap

LIMIT = 300
HOST = "vm-fail-1"
DATED = "bookworm-2026-01-02-03-04-05"
IMAGE = f"/os/debian/x86_64/{DATED}/rootfs.squashfs"
WRONG_SUM = "0" * 64

JOB = f"""\
suite: integration
testbox: {HOST}
os: debian
os_arch: x86_64
os_version: bookworm
os_mount: http
runtime: 60
kernel_params: cci.retry=2 cci.onfail=poweroff
script: |
  echo "this cannot run"
"""


def make_srv(directory):
    """An OS with the real kernel and initramfs and an image that is none; returns (srv, image)."""
    real = os.path.realpath(paths.image_link())
    tree = os.path.join(directory, "srv/os/debian/x86_64", DATED)
    kernel = os.path.basename(os.path.realpath(f"{real}/boot/vmlinuz"))
    initramfs = os.path.basename(os.path.realpath(f"{real}/initrd.lkp"))
    os.makedirs(f"{tree}/boot")
    os.makedirs(os.path.join(directory, "srv/initrd"))
    for name in (kernel, initramfs):
        shutil.copy(f"{real}/boot/{name}", f"{tree}/boot/{name}")
    os.symlink(kernel, f"{tree}/boot/vmlinuz")
    os.symlink(f"boot/{initramfs}", f"{tree}/initrd.lkp")
    os.symlink(DATED, os.path.join(os.path.dirname(tree), "bookworm"))
    image = f"{tree}/rootfs.squashfs"
    with open(image, "wb") as file:
        file.write(b"not a file system\n" * 100000)
    with open(f"{image}.sha256", "w", encoding="ascii") as file:
        file.write(f"{WRONG_SUM}  rootfs.squashfs\n")
    return os.path.join(directory, "srv"), image


def of_attempt(server, job, attempt, kind):
    return [e for e in server.events(job) if e["kind"] == kind and e.get("attempt") == attempt]


def check_failure(check, server, job, attempt, cause, detail):
    """What one failed boot leaves: in the events, for a person with cci, among the results."""
    with check.check(f"{cause}: the attempt ends with it, the job is queued again"):
        document = server.wait_job(job, LIMIT, states=("queued",))
        equal([(a["state"], a["cause"]) for a in document["attempts"] if a["id"] == attempt],
              [("infra", cause)], "attempt")
        equal(document["reason"], f"attempt {attempt} on {HOST} failed: {cause}", "reason")
    with check.check(f"{cause}: the timeline says what failed"):
        [event] = of_attempt(server, job, attempt, "initramfs.start")
        equal((event["fields"]["step"], event["fields"]["cause"]), tuple(cause.split(".")[1:]),
              "step and cause")
        equal(bool(re.search(detail, event["fields"]["detail"])), True, event["fields"]["detail"])
        status, out, _ = cci(server, "boot", job)
        equal((status, bool(re.search(detail, out))), (0, True), out)
    with check.check(f"{cause}: cci show names it"):
        status, out, _ = cci(server, "show", job)
        equal((status, f"failed: {cause}" in out), (0, True), out)
    with check.check(f"{cause}: the machine's log is kept and can be read"):
        status, out, _ = cci(server, "get", job, "initramfs.log", "-o", "-")
        equal((status, "cci: fetch: " in out), (0, True), out[-2000:])
        equal([c for c in out if ord(c) < 32 and c not in "\n\t"], [], "control characters")


def first_boot(check, server, machine, job):
    machine.start()
    with check.check("a wrong sum: fetched once more, then the machine powers off", vital=True):
        machine.wait_end(LIMIT)
        said = machine.console()
        equal("once more" in said and f"not {WRONG_SUM}" in said, True, machine.tail())
        equal("reboot: Power down" in said, True, machine.tail())
    [offer] = [e for e in server.events(job) if e["kind"] == "boot.offer"]
    asked = [e for e in of_attempt(server, job, offer["attempt"], "file.start")
             if e["fields"]["file"] == IMAGE]
    with check.check("ccid saw both fetches"):
        equal(len(asked), 2, "transfers of the image")
    check_failure(check, server, job, offer["attempt"], "initramfs.fetch.hash", "has sha256")
    return offer["attempt"]


def second_boot(check, server, machine, job, first, image):
    machine.start()
    with check.check("the job is offered again after its pause", vital=True):
        server.wait_job(job, LIMIT, states=("active",))
        os.unlink(image)
    with check.check("404: asked as often as cci.retry says, then the machine powers off", vital=True):
        machine.wait_end(LIMIT)
        said = machine.console()
        tries = re.findall(r"404 \(not found\), (tried \d|try \d of \d)", said)
        equal(tries, ["try 1 of 3", "try 2 of 3", "tried 3"], machine.tail())
        equal("reboot: Power down" in said, True, machine.tail())
    [second] = {e["attempt"] for e in server.events(job) if e["kind"] == "boot.offer"} - {first}
    check_failure(check, server, job, second, "initramfs.fetch.status", r"404 \(not found\)")


def boot_without_its_job(check, lab, directory, server, image):
    """As when a loader lost an archive: kernel and initramfs by qemu, the line as ccid writes it."""
    tree = os.path.dirname(image)
    line = ("console=ttyS0,115200 user=lkp job=/lkp/scheduled/job.yaml ip=dhcp rootovl ro "
            f"root=live:http://{lab.ADDRESS}:8000{IMAGE}  initrd=initramfs.lkp-x.img  initrd=job.cgz "
            f"cci.server={server.url} cci.onfail=poweroff")
    machine = Machine(lab, directory, "direct", "vm-fail-2", number=1, kernel=f"{tree}/boot/vmlinuz",
                      initrd=f"{tree}/initrd.lkp", append=line)
    server.add_host(machine.name, machine.mac)
    server.reload()
    with machine:
        machine.start()
        with check.check("a boot without its job.cgz says so and ends", vital=True):
            machine.wait_end(LIMIT)
            said = machine.console()
            equal("initrd=job.cgz did not arrive" in said, True, machine.tail())
            equal("reboot: Power down" in said, True, machine.tail())
    with check.check("it reports by its hardware address which archive is missing"):
        [event] = [e for e in server.get("/v1/events")["events"]
                   if e["kind"] == "initramfs.start" and e["host"] == machine.name]
        equal((event["fields"]["missing"], event["fields"]["cause"]), ("job.cgz", "refused"), "event")
        with server.open(event["fields"]["log"]) as answer:
            equal("initrd=job.cgz did not arrive" in answer.read().decode(), True, "its log")


def body(check):
    lab, directory = common.stand(check, "boot_fail")
    srv, image = make_srv(directory)
    server = Server(lab, directory, srv=srv)
    machine = Machine(lab, directory, "bios", HOST)
    server.add_host(machine.name, machine.mac)
    with server, machine:
        with check.check("ccid answers", vital=True):
            server.start()
        with check.check("a job is accepted", vital=True):
            job = server.submit(JOB)
        first = first_boot(check, server, machine, job)
        second_boot(check, server, machine, job, first, image)
        with check.check("without its image the job waits and says for what"):
            status, out, _ = cci(server, "retry", job)
            equal(status, 5, out)   # it has not ended
            equal(json.loads(cci(server, "cancel", job, "--json")[1])["state"], "cancelled", "state")
        boot_without_its_job(check, lab, directory, server, image)
        with check.check("no complaint of ccid, and it ends when told"):
            equal(server.sanitizer_reports(), [], "reports of the sanitizers")
            server.stop()


if __name__ == "__main__":
    tap.main(body)
