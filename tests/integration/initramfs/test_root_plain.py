#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""Roots without an overlay, and an overlay whose writes go to a disk: what is written is there
afterwards, what is read-only is as it was. Each brings a fstab that names disks of another machine."""

import stories
from lab.bootset import (DISK_UUID, LABEL, MIB, PARTLABEL, BootSet, digest, disk_copy, disk_file,
                         disk_names)
from lab.tap import equal
from stories import Files, check_kept_fstab


def a_disk_that_is_written(story):
    disk = disk_copy(story.boots.gpt_disk(), story.disks(), "disk")
    probe = story.root(f'root="PARTLABEL={PARTLABEL}" rw cci.timeout=60s', disks=[disk])
    equal(probe.one("root")[:8], "ext4 rw,", "root")
    equal(len(probe.all("wrote")), 1, "writes")
    check_kept_fstab(probe)
    equal(disk_file(disk, "/proof", MIB), "written\n", "what is on the disk")


def a_disk_that_is_not_written(story):
    disk = disk_copy(story.boots.disk(), story.disks(), "disk")
    before = digest(disk)
    probe = story.root(f"root=UUID={DISK_UUID} ro cci.timeout=60s", disks=[disk])
    equal(probe.one("root")[:8], "ext4 ro,", "root")
    equal(probe.all("wrote"), [], "writes")
    check_kept_fstab(probe)
    equal(digest(disk), before, "the disk's digest")


def an_image_alone(story):
    files = Files(story.boots.image())
    probe = story.root(f"root=live:{files.url}/root.img", network="user")
    equal(probe.one("root")[:12], "squashfs ro,", "root")
    equal(probe.all("wrote"), [], "writes")
    equal(probe.one("layers"), "0", "layers that can be seen")
    equal(probe.all("fstab"), ["tmpfs /mnt tmpfs size=1m 0 0"], "fstab")


def an_upper_device(story):
    disk = disk_copy(story.boots.disk(), story.disks(), "disk")
    upper = BootSet.empty_disk(story.disks(), "upper", "cci-upper")
    before = digest(disk)
    probe = story.root(f'root="LABEL={LABEL}" rootovl cci.upper=LABEL=cci-upper',
                       disks=[disk, upper])
    equal(probe.one("root")[:11], "overlay rw,", "root")
    equal(probe.one("layers"), "0", "layers that can be seen")
    boots = disk_names(upper, "/upper")
    equal(len(boots), 1, "boots whose writes are on the device")
    equal(disk_file(upper, f"/upper/{boots[0]}/upper/proof"), "written\n", "what was written")
    equal(digest(disk), before, "the disk's digest")


stories.main("initramfs-plain", {
    "a disk without overlay, rw, by PARTLABEL": a_disk_that_is_written,
    "a disk without overlay, ro, by UUID": a_disk_that_is_not_written,
    "an image without overlay": an_image_alone,
    "writes go to another disk": an_upper_device,
})
