#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""Boots that cannot reach their root: each says why, is reported where there is a way, and ends as
cci.onfail says."""

import stories
from lab.tap import equal
from stories import LIMIT, Files

RESTART = "reboot: Restarting system"
POWER_DOWN = "reboot: Power down"


def check_report(files, cause, step):
    """One report, with the cause and the end of the journal."""
    reports = files.reports()
    equal(len(reports), 1, "reports")
    equal((reports[0]["step"], reports[0]["cause"]), (step, cause), "step and cause")
    equal("systemd" in reports[0].get("journal", ""), True, "the journal is in the report")


def no_image(story):
    """Also: an initramfs without a shell is asked for one, and reboots."""
    files = Files(None)
    story.boot(f"root=live:{files.url}/gone.img rootovl cci.retry=1 cci.onfail=shell "
               f"cci.server={files.url}", network="user")
    story.must_say(r"cci\.onfail=shell: this initramfs has no emergency shell")
    story.must_say(r"fetch: .*404")
    story.must_say(RESTART)
    check_report(files, "status", "fetch")
    equal(files.asked, ["/gone.img"] * 2, "requests: one, and cci.retry=1")


def no_disk(story):
    files = Files(None)
    story.boot(f"root=LABEL=absent rootovl cci.timeout=5s cci.onfail=poweroff "
               f"cci.server={files.url}", network="user")
    story.must_say("Timed out waiting for device")
    story.must_say(POWER_DOWN)
    check_report(files, "unit", "systemd")


def refused(story):
    """A root that no initramfs can mount."""
    files = Files(None)
    story.boot(f"root=10.0.0.1:/os/x:sec=krb5 rootovl ro cci.timeout=30s cci.server={files.url}",
               network="user")
    story.must_say(r"root: sec=krb5 needs a ticket")
    story.must_say(RESTART)
    check_report(files, "refused", "layers")


def unknown(story):
    """What is no root at all."""
    files = Files(None)
    story.boot(f"root=live:gopher://10.0.0.1/x rootovl ro cci.server={files.url}", network="user")
    story.must_say(r"refused: root=live:gopher")
    story.must_say(RESTART)
    check_report(files, "refused", "layers")


def nobody_answers(story):
    """A line without a DHCP server: nothing can be fetched nor told, and yet it ends."""
    story.boot("root=live:http://10.0.2.2:1/root.img rootovl cci.timeout=5s cci.retry=1 "
               "cci.server=http://10.0.2.2:1", network="hubport,hubid=0")
    story.must_say(r"fetch: .*10\.0\.2\.2")
    story.must_say(r"report: cannot reach http://10\.0\.2\.2:1/")
    story.must_say(RESTART)


def no_card(story):
    story.boot("root=live:http://10.0.2.2:1/root.img rootovl cci.timeout=5s cci.retry=1 "
               "cci.onfail=poweroff")
    story.must_say(POWER_DOWN)


def no_units(story):
    """As if cci-generator could not write: an archive puts a file there that cannot be run."""
    story.boot("root=LABEL=x rootovl cci.onfail=poweroff",
               files={"usr/lib/systemd/system-generators/cci-generator": "not a program\n"})
    story.must_say("cci: guard: cci-generator has left no plan for this boot")
    story.must_say(POWER_DOWN)


def shell(story):
    machine = story.start("root=LABEL=absent rootovl cci.timeout=2s cci.onfail=shell",
                          initramfs="lean-shell")
    machine.wait_for(r"(?m)^.*# $", LIMIT)
    machine.type('read -r line </run/cci/plan; echo "it says $line, $((6 * 7))"\n')
    machine.wait_for(r"(?m)^it says kind=device, 42$", LIMIT)
    machine.type("exit\n")
    machine.wait_end(LIMIT)
    story.must_say(RESTART)


stories.main("initramfs-ends", {
    "an image that is not there": no_image,
    "a disk that is not there": no_disk,
    "a root that is refused": refused,
    "a root that nobody knows": unknown,
    "nobody answers": nobody_answers,
    "no network card": no_card,
    "units that could not be written": no_units,
    "a shell that answers": shell,
})
