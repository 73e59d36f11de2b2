#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""An image over https, in virtual machines whose initramfs was built with cci_https=yes; whom to
trust comes in an archive behind it."""

import os

import stories
from lab.bootset import digest
from lab.tap import equal
from stories import GATEWAY, Files
from tls import Tls


def an_image(story):
    tls = Tls(f"IP:{GATEWAY}")
    files = Files(story.boots.image(), tls=tls.context)
    probe = story.root(f"root=live:{files.url}/root.img rootovl ro "
                       f"cci.root.sha256={digest(files.image)} "
                       f"cci.root.size={os.path.getsize(files.image)} cci.server={files.url}",
                       "lean-https",
                       files={"etc/cci/ca.pem": tls.certificate}, network="user")
    equal(probe.one("root")[:11], "overlay rw,", "root")
    equal(files.asked, ["/root.img"], "requests")
    story.must_say("sha256 as it should be")
    equal([form["stage"] for _, form in files.posted], [["start", "root", "overlay", "switch"]],
          "stages told over https")


def a_stranger(story):
    files = Files(None, tls=Tls(f"IP:{GATEWAY}").context)
    report = Files(None)
    story.boot(f"root=live:{files.url}/root.img rootovl cci.server={report.url}", "lean-https",
               files={"etc/cci/ca.pem": Tls().certificate}, network="user")
    equal([(r["step"], r["cause"]) for r in report.reports()], [("fetch", "tls")], "reports")
    equal(files.asked, [], "requests")


def not_built_in(story):
    report = Files(None)
    story.boot(f"root=live:https://{GATEWAY}/root.img rootovl cci.server={report.url}",
               network="user")
    story.must_say("this initramfs fetches by http only; build it with cci_https=yes")
    equal([r["cause"] for r in report.reports()], ["refused"], "reports")


stories.main("initramfs-https", {
    "an image over https": an_image,
    "a server that is a stranger": a_stranger,
    "an initramfs without https": not_built_in,
})
