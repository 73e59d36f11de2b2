#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""The root below an overlay, in a virtual machine: disks by each of their names, images, and a fstab
of some other machine. What is below is never written."""

import os

import stories
from lab.bootset import LABEL, PARTUUID, digest
from lab.tap import equal
from stories import Files


def check_overlay(probe):
    equal(probe.one("root").split()[0], "overlay", "the root's kind")
    equal(probe.one("root").split()[1][:3], "rw,", "the root's mode")
    equal(probe.one("layers"), "0", "layers that can be seen")
    equal(len(probe.all("wrote")), 1, "writes")
    # the line that belongs to no machine stays, the others are gone
    equal(probe.all("fstab"), ["tmpfs /mnt tmpfs size=1m 0 0"], "fstab")


def a_disk_by_label(story):
    disk = story.boots.disk()
    before = digest(disk)
    probe = story.root(f'root="LABEL={LABEL}" rootovl ro', disks=[disk], network="user")
    check_overlay(probe)
    equal(digest(disk), before, "the disk's digest")
    console = story.machine.console()
    equal("Network Configuration" in console.split("Switch Root")[0], False,
          "a network in the initramfs")


def a_partition_by_partuuid(story):
    disk = story.boots.gpt_disk()
    before = digest(disk)
    check_overlay(story.root(f"root=PARTUUID={PARTUUID.upper()} rootovl ro", disks=[disk]))
    equal(digest(disk), before, "the disk's digest")


def an_image(story):
    image = story.boots.image()
    before = digest(image)
    files = Files(image)
    probe = story.root(f"root=live:{files.url}/root.img rootovl ro cci.root.sha256={before} "
                       f"cci.root.size={os.path.getsize(image)}", network="user")
    check_overlay(probe)
    equal([a for a in probe.all("address") if "10.0.2.15/24" in a][:1], probe.all("address"),
          "addresses")
    equal(files.asked, ["/root.img"], "requests")
    equal(digest(image), before, "the image's digest")


def an_erofs_image(story):
    files = Files(story.boots.image("erofs"))
    check_overlay(story.root(f"root=live:{files.url}/root.img rootovl ro", network="user"))
    story.must_say(r"root\.img: [0-9.]+ MB in")


stories.main("initramfs-root", {
    "a disk by its label, below an overlay": a_disk_by_label,
    "a partition by its PARTUUID": a_partition_by_partuuid,
    "an image with length and digest": an_image,
    "an erofs image": an_erofs_image,
})
