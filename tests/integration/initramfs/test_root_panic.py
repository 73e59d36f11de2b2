#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""A kernel that dies in its job: the next boot of that machine tells what it said at the end. Both are
booted by OVMF, whose variables outlive them."""

import os
import re

import stories
from lab.tap import equal
from stories import LIMIT, Files


def panics(files):
    return [form["panic"][-1] for _, form in files.posted if "panic" in form]


def a_panic_is_told(story):
    files = Files(story.boots.image())
    line = f"root=live:{files.url}/root.img rootovl ro cci.server={files.url}"
    options = {"network": "user", "variables": os.path.join(story.directory, "firmware")}

    story.start(line + " probe.panic", **options).wait_end(LIMIT)
    story.must_say("Kernel panic - not syncing: sysrq triggered crash")
    equal(panics(files), [], "panics told by the boot that was to have one")

    story.root(line, **options)
    told = panics(files)
    equal(len(told), 1, "panics told by the next boot")
    # the oops that a sysrq crash is, and the panic that follows
    *_, dump = told[0].partition("Panic, as the kernel saved it:")
    equal("not syncing: sysrq triggered crash" in dump, True, told[0][-2000:])
    times = [float(t) for t in re.findall(r"^<\d+>\[ *(\d+\.\d+)\]", dump, re.MULTILINE)]
    equal(times == sorted(times) and len(times) > 20, True, times)


stories.main("initramfs-panic", {
    "a panic is told by the next boot": a_panic_is_told,
})
