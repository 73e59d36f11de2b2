# SPDX-License-Identifier: MulanPSL-2.0
"""A virtual machine with disks of its own, which stay from boot to boot, and a server of its root."""

import os

import disk_kinds
from lab.files import Files
from lab.tap import equal

ROOT = "/os/debian/x86_64/12-2021-05-18-15-08-52/root.img"
SOURCE = "debian_x86_64_12_20210518150852"
OLDER_ROOT = "/os/debian/x86_64/12-2020-01-01-00-00-00/root.img"
OLDER = "debian_x86_64_12_20200101000000"
LIMIT = 900
EXTENTS_AT = 1 << 20    # where lvm puts the first extent of a disk
DISK = 1200 << 20       # what a disk of some kind has at least


class Server(Files):
    """One image at both paths."""

    def __init__(self, image):
        super().__init__(image)
        self.RequestHandlerClass = _at_root(self.RequestHandlerClass)

    def told(self, stage):
        """Details of the posts of that stage."""
        return [form.get("detail", [""])[0] for _, form in self.posted if stage in form.get("stage", [])]


def _at_root(kind):
    """The handler `kind`, with its image at ROOT and OLDER_ROOT."""
    class Handler(kind):
        def do_GET(self):
            if self.path in (ROOT, OLDER_ROOT):
                self.path = "/root.img"
            super().do_GET()
    return Handler


class Box:
    """disks: (name, size in MiB) each, empty; or (name, kind of disk_kinds). The serial number is SN-name."""

    def __init__(self, story, image="squashfs", disks=(("vda", 1200),), small=True):
        self.story, self.path, self.nfs = story, ROOT, None
        boots = story.boots
        if small:
            image = boots.small_image(image)
        else:
            image = boots.disk() if image == "ext4" else boots.image(image)
        self.server = Server(image)
        self.disks = [self._disk(name, size) for name, size in disks]

    def _disk(self, name, size):
        path = os.path.join(self.story.disks(), name)
        if isinstance(size, str):
            disk_kinds.make(size, path, DISK)
        else:
            with open(path, "wb") as file:
                file.truncate(size << 20)
        return path, f"SN-{name}"

    def line(self, keys):
        listed = "" if "rootfs_disk=" in keys else "rootfs_disk=" + ",".join(
            f"/dev/vd{'abcd'[n]}" for n in range(len(self.disks)))
        root = self.nfs or f"live:{self.server.url}{self.path}"
        return (f"root={root} local rw os_version=12 os_lv_size=500M job=x "
                f"cci.server={self.server.url} cci.timeout=60s {listed} {keys}")

    def start(self, keys=""):
        return self.story.start(self.line(keys), "lean-local", disks=self.disks, network="user")

    def root(self, keys=""):
        """A boot that reaches its root; its probe."""
        return self.story.root(self.line(keys), "lean-local", disks=self.disks, network="user")

    def fails(self, keys=""):
        """A boot that does not; its report."""
        console = self.story.boot(self.line(keys), "lean-local", disks=self.disks, network="user")
        equal("PROBE begin" in console, False, "the root is reached")
        return self.server.reports()[-1]

    def original(self, commands):
        """What a shell says that is given these commands, with device-mapper and the disks there."""
        machine = self.story.start("rdinit=/bin/sh", "lean-local", disks=self.disks)
        machine.wait_for(r"[#$] ", LIMIT)
        machine.type("mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; "
                     "for m in virtio_pci virtio_blk dm_mod dm_snapshot ext4; do modprobe $m; done; "
                     "export DM_DISABLE_UDEV=1; lvm vgchange -ay os\n")
        for command in commands.strip().splitlines():
            machine.type(command + "\n")
        machine.type("lvm vgchange -an os && echo ende'd'; echo o >/proc/sysrq-trigger\n")
        machine.wait_for(r"\nended", LIMIT)
        machine.wait_end(LIMIT)
        return machine.console()

    def write_first_volume(self, image):
        """Puts an image where the first volume of the first disk begins."""
        with open(self.disks[0][0], "r+b") as disk, open(image, "rb") as file:
            disk.seek(EXTENTS_AT)
            while piece := file.read(1 << 20):
                disk.write(piece)

    def volumes(self, n=0):
        """{name: (attributes, tags)} of group os, as lvm reads them from a disk."""
        with disk_kinds.Loop(self.disks[n][0]) as node:
            said = disk_kinds.lvm(node, "lvs", "--noheadings", "--separator", "|", "-o",
                                  "lv_name,lv_attr,lv_tags", "os")
        lines = [line.strip().split("|") for line in said.splitlines() if "|" in line]
        return {name: (attributes, tags) for name, attributes, tags in lines}
