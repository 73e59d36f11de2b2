#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""`local` in virtual machines: volumes of group os on virtio disks, filled from an image. Each story is
some boots of one machine with the same disks."""

import os
import re
import time

import disk_kinds
import stories
from lab.bootset import digest, disk_copy
from lab.tap import equal
from stories import Files

ROOT = "/os/debian/x86_64/12-2021-05-18-15-08-52/root.img"
SOURCE = "debian_x86_64_12_20210518150852"
SCRATCH = "/dev/mapper/os-debian_x86_64_12"


class Server(Files):
    """The image at ROOT; with `slow` in so many pieces a second, to be cut in the middle."""

    def __init__(self, image):
        super().__init__(image)
        self.RequestHandlerClass = _at_root(self.RequestHandlerClass)

    def told(self, stage):
        """Details of the posts of that stage."""
        return [form.get("detail", [""])[0] for _, form in self.posted if stage in form.get("stage", [])]


def _at_root(kind):
    """The handler `kind`, with its image at ROOT."""
    class Handler(kind):
        def do_GET(self):
            if self.path == ROOT:
                self.path = "/root.img"
            super().do_GET()
    return Handler


class Box:
    """A machine with disks of its own, which stay from boot to boot."""

    def __init__(self, story, image="squashfs", disks=(("vda", 1200),), fstab="hostile"):
        self.story = story
        boots = story.boots
        path = boots.disk(fstab) if image == "ext4" else boots.image(image, fstab)
        self.server = Server(path)
        self.disks = []
        for name, size in disks:
            path = os.path.join(story.disks(), name)
            if isinstance(size, str):
                disk_kinds.make(size, path)
                os.truncate(path, 1200 << 20)
            else:
                with open(path, "wb") as file:
                    file.truncate(size << 20)
            self.disks.append((path, f"SN-{name}"))

    def line(self, keys):
        listed = "" if "rootfs_disk=" in keys else "rootfs_disk=" + ",".join(
            f"/dev/vd{'abcd'[n]}" for n in range(len(self.disks)))
        return (f"root=live:{self.server.url}{ROOT} local rw os_version=12 os_lv_size=500M job=x "
                f"cci.server={self.server.url} cci.timeout=60s {listed} {keys}")

    def start(self, keys=""):
        return self.story.start(self.line(keys), "lean-local", disks=self.disks, network="user")

    def root(self, keys=""):
        return self.story.root(self.line(keys), "lean-local", disks=self.disks, network="user")

    def fails(self, keys=""):
        console = self.story.boot(self.line(keys), "lean-local", disks=self.disks, network="user")
        equal("PROBE begin" in console, False, "the root is reached")
        return self.server.reports()[-1]

    def volumes(self, n=0):
        """{name: (attributes, tags)} of group os, as lvm reads them from the disk."""
        with disk_kinds.Loop(self.disks[n][0]) as node:
            said = disk_kinds.lvm(node, "lvs", "--noheadings", "--separator", "|", "-o",
                                  "lv_name,lv_attr,lv_tags", "os")
        lines = [line.strip().split("|") for line in said.splitlines() if "|" in line]
        return {name: (attributes, tags) for name, attributes, tags in lines}


def first_and_second_boot(story):
    box = Box(story)
    probe = box.root()
    story.must_say(r"/dev/vda \(serial SN-vda\): nothing: may be taken")
    story.must_say(rf"volume {SOURCE}\.part becomes {SOURCE}: it is whole")
    equal(probe.one("root").split()[0], "ext4", "the root's kind")
    equal(len(probe.all("wrote")), 1, "writes")
    equal(probe.all("fstab"), ["tmpfs /mnt tmpfs size=1m 0 0"], "fstab")
    asked = len(box.server.asked)
    equal(asked, 1, "fetches")
    volumes = box.volumes()
    equal(sorted(volumes), sorted([SOURCE, "debian_x86_64_12"]), "volumes")
    equal((volumes[SOURCE][0][1], volumes[SOURCE][1]), ("r", "cci.whole"), "the source")
    # the second boot fetches nothing, and finds nothing of what the first one wrote
    box.root("cci.debug")
    equal(len(box.server.asked), asked, "fetches")
    story.must_not_say(r"is filled")
    equal(story.machine.console().count("PROBE wrote"), 1, "writes")


def an_image_of_ext4(story):
    box = Box(story, "ext4")
    box.root()
    story.must_say(r"419\.4 MB in .* all on the disk")
    equal(box.volumes()[SOURCE][1], "cci.whole", "the source's tag")


def a_power_cut_in_the_copy(story):
    box = Box(story)
    for pattern in (r"nothing: may be taken", rf"volume {SOURCE}\.part is made",
                    rf"volume {SOURCE}\.part is filled", r"\d+ files, .* MB/s"):
        box.start().wait_for(pattern, stories.LIMIT)
        story.machine.stop()
        if "is filled" in pattern:
            equal(SOURCE in box.volumes(), False, "a source before it is whole")
    box.root()
    equal(box.volumes()[SOURCE][1], "cci.whole", "the source's tag")


def names_of_the_users(story):
    box = Box(story, disks=(("vda", 2400),))
    mine, other = "/dev/mapper/os-debian_mine", "/dev/mapper/os-debian_other"
    equal(box.root(f"save_root_partition={mine}").one("root").split()[0], "ext4", "saved")
    # the same to use and to save: what was written is there
    box.root(f"use_root_partition={mine} save_root_partition={mine}")
    equal(box.volumes()[SOURCE][0][1], "r", "the golden copy")
    box.root(f"os_partition={other}")
    asked = len(box.server.asked)
    box.root(f"os_partition={other}")
    equal(len(box.server.asked), asked, "fetches")
    report = box.fails("use_root_partition=/dev/mapper/os-debian_none")
    equal(report["cause"], "disk", "the cause")
    equal("there is no volume debian_none to use" in report["detail"], True, report["detail"])


def a_foreign_disk_and_permissions(story):
    box = Box(story, disks=(("vda", "gpt"),))
    path = box.disks[0][0]
    before = digest(path)
    equal(box.root().one("root").split()[0], "overlay", "the root without a disk")
    story.must_say(r"a gpt partition table: left alone; cci\.wipe=SN-vda would permit")
    equal(len(box.server.told("degraded")), 1, "posts about the disk")
    report = box.fails("cci.disk=required cci.wipe=SN-other")
    equal(report["cause"], "disk", "the cause")
    equal(digest(path), before, "the disk's digest")
    # permitted: once
    equal(box.root("cci.wipe=SN-vda").one("root").split()[0], "ext4", "the root")
    equal(len(box.server.told("wipe")), 1, "posts before a disk is cleared")
    box.root("cci.wipe=SN-vda")
    equal(len(box.server.told("wipe")), 1, "posts before a disk is cleared")
    # somebody else's again: the same words do not count
    disk_kinds.run("sgdisk", "-Z", path)
    disk_kinds.run("sgdisk", "-n1:2048:40960", path)
    before = digest(path)
    box.root("cci.wipe=SN-vda")
    story.must_say(r"cci\.wipe=SN-vda has been used on it already and counts once")
    equal(digest(path), before, "the disk's digest")
    equal(box.root("cci.wipe=SN-vda:again").one("root").split()[0], "ext4", "the root")


def from_the_original_and_back(story):
    """A group without our tag: a whole source is used, a half one set aside, nothing removed."""
    box = Box(story, disks=(("vda", 2400), ("vdb", 1200)))
    with disk_kinds.Loop(box.disks[0][0]) as node:
        disk_kinds.lvm(node, "vgcreate", "-q", "os", node)
        for name, size in ((SOURCE, "400M"), ("debian_x86_64_11_20200101000000", "300M")):
            disk_kinds.lvm(node, "lvcreate", "-q", "-an", "-Zn", "-Wn", "-L", size, "-n", name, "os")
    box.root("rootfs_disk=/dev/vda")
    story.must_say(rf"volume {SOURCE} becomes {SOURCE}\.unfinished")
    volumes = box.volumes()
    equal("debian_x86_64_11_20200101000000" in volumes, True, "the other source")
    equal(f"{SOURCE}.unfinished" in volumes, True, "the half source")
    box.root("rootfs_disk=/dev/vda cci.migrate")
    story.must_say(r"group os is ours from now on")


def two_disks_join_one_group(story):
    box = Box(story, disks=(("vda", 600), ("vdb", 800)))
    box.root("rootfs_disk=/dev/disk/by-id/virtio-SN-vda./dev/vdb os_lv_size=450M")
    story.must_say(r"/dev/vda is in group os now")
    story.must_say(r"/dev/vdb is in group os now")


stories.main("initramfs-local", {
    "a first and a second boot": first_and_second_boot,
    "an image of ext4 goes to the volume as it is": an_image_of_ext4,
    "power cuts while a source is made": a_power_cut_in_the_copy,
    "names of the user's": names_of_the_users,
    "a foreign disk, and permissions that count once": a_foreign_disk_and_permissions,
    "from the original and back": from_the_original_and_back,
    "two disks join one group": two_disks_join_one_group,
})
