# SPDX-License-Identifier: MulanPSL-2.0
"""Kinds of tools/soak that are about disks: power cuts while a source volume is made, and disks of
others, which nothing may write to. See soak.py for what a kind is."""

import contextlib
import itertools
import os
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path[:0] = [os.path.join(TOP, "tests"), os.path.join(TOP, "tests/integration/initramfs")]

from lab import LabError, Machine, paths  # noqa: E402
from lab.bootset import LABEL, BootSet, Probe, digest, disk_copy  # noqa: E402
from lab.files import GATEWAY  # noqa: E402
from lab.tap import equal  # noqa: E402

os.environ["CCI_BUILD"] = paths.RELEASE     # before the modules that look for it

import box as boxes  # noqa: E402
import disk_kinds  # noqa: E402
import file_servers  # noqa: E402
import test_disk  # noqa: E402
from local_box import EXTENTS_AT, ROOT, SOURCE, Box, Server  # noqa: E402

BEGIN = r"Starting .*cci-disk\.service"


class Story:
    """What a Box wants: a directory, the things to boot from, and machines that are started."""

    def __init__(self, boots, directory):
        self.boots, self.directory = boots, directory
        self.machine = None

    def disks(self):
        return self.directory

    def start(self, line, initramfs, **options):
        self.machine = Machine(
            None, self.directory, "direct", smp=1, kernel=self.boots.kernel,
            initrd=self.boots.initramfs(initramfs),
            append=f"console=ttyS0,115200 panic=5 no_timer_check {line}", **options)
        return self.machine.start()

    def whole(self, line, initramfs, limit, **options):
        """A boot to its end; returns its probe."""
        with self.start(line, initramfs, **options) as machine:
            machine.wait_end(limit)
            probe = Probe(machine.console())
        if not probe.has_ended:
            raise LabError("the root was not reached, or did not end")
        return probe


def _boots():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return BootSet()


class PowerCut:
    """local: power is cut while a source is made, then the machine must boot, and be whole; the
    moments are spread evenly over the time in which it works on its disk"""

    def __init__(self, options, top):
        self.options, self.top = options, top
        self.boots = self.began = self.took = self.said = None
        self.numbers = itertools.count(1)

    def stand(self):
        """A boot that is not cut: how long it takes and what its root holds."""
        self.boots = _boots()
        directory = os.path.join(self.top, "uncut")
        os.makedirs(directory)
        story = Story(self.boots, directory)
        machine = Box(story).start()
        began, ended = self.watch(machine)
        self.took = ended - began
        machine.wait_end(self.options.timeout)
        self.said = self.content(Probe(machine.console()))
        self.check(directory)
        print(f"  uncut: {self.took:.1f} s from the first look at the disks to the root", flush=True)

    def watch(self, machine):
        machine.wait_for(BEGIN, self.options.timeout)
        began = time.monotonic()
        machine.wait_for("PROBE begin", self.options.timeout)
        return began, time.monotonic()

    @staticmethod
    def content(probe):
        return probe.one("files"), probe.one("bytes"), probe.all("found")

    @staticmethod
    def check(directory):
        """The source, without a machine: its tag, and a file system without a fault."""
        disk = os.path.join(directory, "vda")
        with disk_kinds.Loop(disk) as node:
            said = disk_kinds.lvm(node, "lvs", "--noheadings", "--separator", "|", "-o",
                                  "lv_name,lv_attr,lv_tags", f"os/{SOURCE}")
        name, attributes, tags = said.splitlines()[-1].strip().split("|")
        equal((name, attributes[1], tags), (SOURCE, "r", "cci.whole"), "the source")
        disk_kinds.run("e2fsck", "-fn", f"{disk}?offset={EXTENTS_AT}")

    def boot(self, directory, _slot):
        number = next(self.numbers)
        story = Story(self.boots, directory)
        box = Box(story)
        moment = self.took * ((number - 1) % self.options.count + 0.5) / self.options.count
        with box.start() as machine:
            machine.wait_for(BEGIN, self.options.timeout)
            time.sleep(moment)
            machine.stop()
            done = [line.split("cci: disk: ")[1].strip() for line in machine.console().splitlines()
                    if "cci: disk: " in line]
        with open(os.path.join(directory, "vm.serial"), "rb") as file, \
                open(os.path.join(directory, "cut.serial"), "wb") as kept:
            kept.write(file.read())
        probe = story.whole(box.line(""), "lean-local", self.options.timeout, disks=box.disks,
                            network="user")
        equal(self.content(probe), self.said, "what the root holds")
        self.check(directory)
        return f"cut after {moment:.1f} s: {done[-1] if done else 'nothing said yet'}"

    def finish(self):
        pass


class Disks:
    """a boot of each kind of root in turn, beside disks of others (file systems, partition tables,
    LUKS, a volume group, ZFS, a RAID member and more), which stay the same to the byte"""

    def __init__(self, options, top):
        self.options, self.top = options, top
        self.boots = self.files = self.shared = None
        self.servers = contextlib.ExitStack()
        self.numbers = itertools.count()

    def stand(self):
        self.boots = _boots()
        self.files = Server(self.boots.small_image())
        self.shared = self.servers.enter_context(self.boots.small_root())
        mine = os.path.join(self.top, "mine")
        os.makedirs(mine)
        self.servers.enter_context(file_servers.nfs(self.top, self.shared, mine))
        self.servers.enter_context(
            file_servers.smb(self.top, os.path.dirname(self.shared), "none"))

    def lines(self, blank):
        """(what it is, the root's kind, the command line); blank: the number of a disk that may be used."""
        live = f"root=live:{self.files.url}/root.img"
        share = os.path.basename(self.shared)
        named = f"live:{self.files.url}{ROOT}"
        foreign = ",".join(f"/dev/vd{chr(ord('a') + n)}" for n in range(blank))
        local = f"root={named} local rw os_version=12 os_lv_size=500M cci.migrate cci.wipe=SN-none"
        return [
            ("a disk", "overlay", f'root="LABEL={LABEL}" rootovl ro'),
            ("an image over HTTP", "overlay", f"{live} rootovl ro"),
            ("NFS", "overlay", f"root={GATEWAY}:{self.shared} rootovl ro"),
            ("CIFS", "overlay", f"root=cifs://{GATEWAY}/os/{share},guest,ro,vers=1.0 rootovl ro"),
            ("local without a disk to use", "overlay", f"{local} rootfs_disk={foreign}"),
            ("local beside them", "ext4", f"{local} rootfs_disk={foreign},/dev/vd{chr(ord('a') + blank)}"),
        ]

    def boot(self, directory, _slot):
        foreign = []
        for kind in disk_kinds.FOREIGN:
            foreign.append(os.path.join(directory, kind))
            disk_kinds.make(kind, foreign[-1])
        before = [digest(path) for path in foreign]
        blank = os.path.join(directory, "blank")
        with open(blank, "wb") as file:
            file.truncate(1200 << 20)
        lower = disk_copy(self.boots.small_image("ext4"), directory, "lower")
        lines = self.lines(len(foreign))
        what, kind, line = lines[next(self.numbers) % len(lines)]
        probe = Story(self.boots, directory).whole(
            f"{line} job=x cci.server={self.files.url} cci.timeout=60s", "lean-local",
            self.options.timeout, network="user",
            disks=[(path, f"SN-{n}") for n, path in enumerate([*foreign, blank, lower])])
        equal(probe.one("root").split()[0], kind, f"{what}: the root's kind")
        for path, was in zip(foreign, before):
            equal(digest(path), was, f"{what}: the digest of {os.path.basename(path)}")
        return f"{what}: {len(foreign)} disks of others are as they were"

    def finish(self):
        self.servers.close()


class Signatures:
    """cci-init disk, without a machine, on a loop device of each kind of foreign disk"""

    def __init__(self, options, top):
        self.options, self.top = options, top
        self.slots = []

    def stand(self):
        for slot in range(self.options.jobs):
            images = {}
            for kind in disk_kinds.FOREIGN:
                path = os.path.join(self.top, f"{kind}-{slot}")
                disk_kinds.make(kind, path)
                images[path] = digest(path)
            self.slots.append((boxes.Box(), images))

    def boot(self, _directory, slot):
        box, images = self.slots[slot]
        for path, before in images.items():
            with disk_kinds.Loop(path) as node:
                test_disk.run_disk(box, [node], wipe="x", migrate="yes").must_fail("disk")
            equal(digest(path), before, f"the digest of {os.path.basename(path)}")
        return f"{len(images)} kinds"

    def finish(self):
        for box, _ in self.slots:
            box.__exit__()


KINDS = {"power-cut": PowerCut, "disks": Disks, "signatures": Signatures}
