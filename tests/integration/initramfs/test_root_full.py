#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""A full image, as a plain "dracut --add cci" makes it here, with dracut's own services, shell and
network beside ours."""

import stories
from lab.bootset import LABEL, disk_copy, disk_file
from lab.tap import equal
from stories import LIMIT, Files, check_kept_fstab


def check_root(probe):
    equal(probe.one("root")[:11], "overlay rw,", "root")
    equal(probe.one("layers"), "0", "layers that can be seen")
    equal(len(probe.all("wrote")), 1, "writes")
    equal(probe.all("fstab"), ["tmpfs /mnt tmpfs size=1m 0 0"], "fstab")


def a_disk_with_a_break(story):
    """rd.break stops before switch-root in dracut's shell; leaving it goes on."""
    machine = story.start(f'root="LABEL={LABEL}" rootovl ro rd.break', "full",
                          disks=[story.boots.disk()])
    machine.wait_for(r"Press Enter for maintenance", LIMIT)
    machine.type("\n")
    machine.wait_for(r"(?m)^.*# $", LIMIT)
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


def a_disk_that_is_written(story):
    """Its fstab names disks of another machine; dracut's services read it as well."""
    disk = disk_copy(story.boots.disk(), story.disks(), "disk")
    probe = story.root(f'root="LABEL={LABEL}" rw', "full", disks=[disk])
    equal(probe.one("root")[:8], "ext4 rw,", "root")
    equal(len(probe.all("wrote")), 1, "writes")
    check_kept_fstab(probe)
    equal(disk_file(disk, "/proof"), "written\n", "what is on the disk")


stories.main("initramfs-full", {
    "a disk, and rd.break on the way": a_disk_with_a_break,
    "an image": an_image,
    "a disk without overlay": a_disk_that_is_written,
})
