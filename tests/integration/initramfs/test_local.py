#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""`local` in virtual machines: volumes of group os on virtio disks, filled from an image or over NFS. Each
story is some boots of one machine with the same disks."""

import os
import tempfile

import disk_kinds
import stories
import file_servers     # after stories, which knows where lab is
from lab import namespace
from lab.bootset import digest, disk_copy, disk_file
from lab.tap import equal
from local_box import OLDER, OLDER_ROOT, ROOT, SOURCE, Box
from stories import GATEWAY, LIMIT

SCRATCH = "debian_x86_64_12"


def first_and_second_boot(story):
    box = Box(story)
    probe = box.root()
    story.must_say(r"/dev/vda \(serial SN-vda\): nothing: may be taken")
    story.must_say(rf"volume {SOURCE}\.part becomes {SOURCE}: it is whole")
    equal(probe.one("root").split()[0], "ext4", "the root's kind")
    equal((len(probe.all("wrote")), probe.all("found")), (1, []), "writes, and those before")
    equal(len(box.server.asked), 1, "fetches")
    volumes = box.volumes()
    equal(sorted(volumes), sorted([SOURCE, SCRATCH]), "volumes")
    equal((volumes[SOURCE][0][1], volumes[SOURCE][1]), ("r", "cci.whole"), "the source")
    # the second boot fetches nothing, and finds nothing of what the first one wrote
    again = box.root("cci.debug")
    equal(len(box.server.asked), 1, "fetches")
    story.must_not_say("is filled")
    equal((len(again.all("wrote")), again.all("found")), (1, []), "writes, and those before")
    for word in ("files", "bytes"):
        equal(again.one(word), probe.one(word), word)


def an_image_of_ext4(story):
    """Debian, as large as it comes."""
    box = Box(story, image="ext4", small=False)
    probe = box.root()
    story.must_say(r"419\.4 MB in .* all on the disk")
    equal(probe.all("fstab"), ["tmpfs /mnt tmpfs size=1m 0 0"], "fstab")
    equal(box.volumes()[SOURCE][1], "cci.whole", "the source's tag")


def a_power_cut_in_the_copy(story):
    box = Box(story)
    for pattern in (rf"volume {SOURCE}\.part is made", r"dm-0\): mounted"):
        box.start().wait_for(pattern, LIMIT)
        story.machine.stop()
        equal(SOURCE in box.volumes(), False, "a source before it is whole")
    probe = box.root()
    equal(box.volumes()[SOURCE][1], "cci.whole", "the source's tag")
    equal(probe.one("bytes"), Box(story, disks=(("vdb", 1200),)).root().one("bytes"), "content")


def used_and_saved(story):
    box = Box(story, disks=(("vda", 2400),))
    mine = "/dev/mapper/os-debian_mine"
    equal(box.root(f"save_root_partition={mine}").all("found"), [], "what was written before")
    # the same to use and to save: what was written is there
    equal(box.root(f"use_root_partition={mine} save_root_partition={mine}").all("found"), ["1"],
          "what was written before")
    equal(box.volumes()[SOURCE][0][1], "r", "the golden copy")
    # to be used only: what is written goes to a snapshot of it
    equal(box.root(f"use_root_partition={mine}").all("found"), ["2"], "what was written before")
    report = box.fails("use_root_partition=/dev/mapper/os-debian_none")
    equal(report["cause"], "disk", "the cause")
    equal("there is no volume debian_none to use" in report["detail"], True, report["detail"])


def one_volume_that_is_kept(story):
    box = Box(story)
    keys = "os_partition=/dev/mapper/os-debian_kept"
    equal(box.root(keys).all("found"), [], "what was written before")
    equal(box.root(keys).all("found"), ["1"], "what was written before")
    equal(len(box.server.asked), 1, "fetches")
    equal(sorted(box.volumes()), ["debian_kept"], "volumes")
    # some other node: is booted as it is
    other = disk_copy(story.boots.small_image("ext4"), story.disks(), "other")
    box.disks.append((other, "SN-other"))
    equal(box.root("os_partition=/dev/vdb").one("root").split()[0], "ext4", "the root")
    equal(disk_file(other, "/proof"), "written\n", "what the root wrote")
    equal(len(box.server.asked), 1, "fetches")


def a_foreign_disk_is_left(story):
    box = Box(story, disks=(("vda", "gpt"),))
    path = box.disks[0][0]
    before = digest(path)
    equal(box.root().one("root").split()[0], "overlay", "the root without a disk")
    story.must_say(r"a gpt partition table: left alone; cci\.wipe=SN-vda would permit")
    equal(len(box.server.told("degraded")), 1, "posts about the disk")
    report = box.fails("cci.disk=required cci.wipe=SN-other")
    equal(report["cause"], "disk", "the cause")
    equal(len(box.server.told("wipe")), 0, "posts before a disk is cleared")
    equal(digest(path), before, "the disk's digest")


def permission_counts_once(story):
    box = Box(story, disks=(("vda", "gpt"),))
    path = box.disks[0][0]
    equal(box.root("cci.wipe=SN-vda").one("root").split()[0], "ext4", "the root")
    equal(len(box.server.told("wipe")), 1, "posts before a disk is cleared")
    # somebody else's again: the same words do not count
    disk_kinds.run("wipefs", "-a", path)
    disk_kinds.run("sgdisk", "-n1:2048:40960", path)
    before = digest(path)
    equal(box.root("cci.wipe=SN-vda").one("root").split()[0], "overlay", "the root")
    story.must_say(r"cci\.wipe=SN-vda has been used on it already and counts once")
    equal(len(box.server.told("wipe")), 1, "posts before a disk is cleared")
    equal(digest(path), before, "the disk's digest")
    equal(box.root("cci.wipe=SN-vda:again").one("root").split()[0], "ext4", "the root")


def from_the_original_and_back(story):
    """What Compass-CI's initramfs does with lvm is typed at a shell, in the order in which it does it."""
    box = Box(story, disks=(("vda", 3000),))
    box.original(f"""
lvm pvcreate -y /dev/vda
lvm vgcreate os /dev/vda
lvm lvcreate -y -W n -L 400M -n {OLDER} os
lvm lvcreate -y -W n -L 300M -n {SOURCE} os
lvm lvchange --permission r /dev/mapper/os-{OLDER}
""")
    box.write_first_volume(story.boots.small_image("ext4"))
    # a whole source of the original's is used, and nothing of it is changed
    box.path = OLDER_ROOT
    box.root()
    equal(len(box.server.asked), 0, "fetches")
    equal((box.volumes()[OLDER][0][1], box.volumes()[OLDER][1]), ("r", ""), "its source")
    equal(sorted(box.volumes()), sorted([OLDER, SOURCE, SCRATCH]), "volumes")
    # one that was cut in the middle is set aside
    box.path = ROOT
    box.root()
    story.must_say(rf"volume {SOURCE} becomes {SOURCE}\.unfinished")
    equal(len(box.server.asked), 1, "fetches")
    equal(sorted(box.volumes()), sorted([OLDER, SOURCE, SOURCE + ".unfinished", SCRATCH]), "volumes")
    # the original finds ours under its names
    said = box.original(f"""
test -b /dev/mapper/os-{SOURCE} && echo source' 'is there
lvm lvremove --force /dev/mapper/os-{SCRATCH}
lvm lvcreate --size 500M --name {SCRATCH} --snapshot /dev/mapper/os-{SOURCE}
mount /dev/mapper/os-{SCRATCH} /sysroot && cat /sysroot/etc/os-release
echo changed >/sysroot/proof
umount /sysroot
""")
    for words in ("source is there", "PRETTY_NAME="):
        if words not in said:
            raise AssertionError(f"{words!r} was not said:\n{story.machine.tail(80)}")
    equal(box.root("cci.migrate").all("found"), [], "what the original wrote to its root")
    story.must_say("group os is ours from now on")
    equal(len(box.server.asked), 1, "fetches")


def two_disks_join_one_group(story):
    box = Box(story, disks=(("vda", 600), ("vdb", 800)))
    box.root("rootfs_disk=/dev/disk/by-id/virtio-SN-vda./dev/vdb os_lv_size=450M")
    story.must_say(r"/dev/vda is in group os now")
    story.must_say(r"/dev/vdb is in group os now")
    equal(sorted(box.volumes()), sorted([SOURCE, SCRATCH]), "volumes")


def a_source_on_an_nfs_server(story):
    with tempfile.TemporaryDirectory(dir=story.directory) as top, \
            story.boots.small_root() as root:
        path = namespace.bind(root, "debian/x86_64/12-2021-05-18-15-08-52")
        empty = os.path.join(top, "mine")
        os.mkdir(empty)
        with file_servers.nfs(top, path, empty):
            box = Box(story)
            box.nfs = f"{GATEWAY}:{path}"
            probe = box.root()
            story.must_say(r"\d+ names, .* all on the disk")
            equal((probe.one("root").split()[0], probe.all("found")), ("ext4", []), "the root")
        # without a server: the source is there
        equal(box.root().one("bytes"), probe.one("bytes"), "content")
        equal(box.volumes()[SOURCE][0][1], "r", "the source")


if __name__ == "__main__":
    stories.main("initramfs-local", {
        "a first and a second boot": first_and_second_boot,
        "an image of ext4 goes to the volume as it is": an_image_of_ext4,
        "from the original and back": from_the_original_and_back,
        "power cuts while a source is made": a_power_cut_in_the_copy,
        "a volume of the user's, used and saved": used_and_saved,
        "one volume that is kept": one_volume_that_is_kept,
        "permission to clear a disk counts once": permission_counts_once,
        "a foreign disk is left as it is": a_foreign_disk_is_left,
        "a source on an NFS server": a_source_on_an_nfs_server,
        "two disks join one group": two_disks_join_one_group,
    })
