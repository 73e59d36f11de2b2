#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""A full image, as a plain "dracut --add cci" makes it here, with dracut's own services, shell and
network beside ours."""

import stories
from lab.bootset import LABEL
from lab.tap import equal
from stories import LIMIT, Files


def check_root(probe):
    equal(probe.one("root")[:11], "overlay rw,", "root")
    equal(probe.one("layers"), "0", "layers that can be seen")
    equal(len(probe.all("wrote")), 1, "writes")
    equal(probe.all("fstab"), ["tmpfs /mnt tmpfs size=1m 0 0"], "fstab")


def a_disk_with_a_break(story):
    """rd.break stops before switch-root in dracut's shell; leaving it goes on."""
    machine = story.start(f'root="LABEL={LABEL}" rootovl ro rd.break', "full",
                          disks=[story.boots.disk()])
    machine.wait_for(r"(?m)^switch_root:/# $", LIMIT)
    machine.type('while read -r _ at _; do [ "$at" != /sysroot ] || echo "it is on $at"; done '
                 '</proc/mounts\n')
    machine.wait_for(r"(?m)^it is on /sysroot$", LIMIT)
    machine.type("exit\n")
    machine.wait_end(LIMIT)
    check_root(story.probe())


def an_image(story):
    files = Files(story.boots.image())
    probe = story.root(f"root=live:{files.url}/root.img rootovl ro", "full", network="user")
    check_root(probe)
    equal([a.split()[2] for a in probe.all("address")], ["10.0.2.15/24"], "addresses")
    equal(files.asked, ["/root.img"], "requests")


stories.main("initramfs-full", {
    "a disk, and rd.break on the way": a_disk_with_a_break,
    "an image": an_image,
})
