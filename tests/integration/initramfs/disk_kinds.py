# SPDX-License-Identifier: MulanPSL-2.0
"""Images of disks that hold something: what `cci-init disk` may never touch unasked. Each is made by
the program whose data it is, as far as that runs without device-mapper; ZFS's label is written as
its on-disk format has it."""

import os
import struct
import subprocess

SIZE = 160 << 20


def run(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False,
                          env=dict(os.environ, LVM_SUPPRESS_FD_WARNINGS="1"))
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)}: {done.stdout}")
    return done.stdout


class Loop:
    """A loop device over a file, for as long as the block lasts."""

    def __init__(self, path, *options):
        self.path, self.options = path, options

    def __enter__(self):
        self.node = run("losetup", "--find", "--show", *self.options, self.path).strip()
        return self.node

    def __exit__(self, *_):
        run("losetup", "--detach", self.node)


def lvm(node, *argv):
    """lvm that sees this one device, and no device-mapper."""
    return run("lvm", argv[0], "--driverloaded", "n", "--config",
               f'devices{{use_devicesfile=0 hints="none" global_filter=["a|^{node}$|","r|.*|"]}} '
               "backup{backup=0 archive=0}", *argv[1:])


def _on_loop(make):
    def inner(path):
        with Loop(path) as node:
            make(node)
    return inner


def _write(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset, os.SEEK_END if offset < 0 else os.SEEK_SET)
        file.write(data)


def _partitions(path):
    run("sgdisk", "-n1:2048:40960", "-t1:5808c8aa-7e8f-42e0-85d2-e1e90434cfb3",
        "-n2:40961:81920", "-t2:fe3a2a5d-4f32-41a7-b725-accc3285a309", path)


def _dos(path):
    subprocess.run(["sfdisk", "-q", path], input="2048,40960,7f\n", text=True, check=True,
                   stdout=subprocess.DEVNULL)


def _ambivalent(path):
    """A swap header and an ext4 at their own places."""
    run("mkfs.ext4", "-q", "-F", path)
    with open(path, "r+b") as file:
        file.seek(4086)
        file.write(b"SWAPSPACE2")
        file.seek(1024)
        old = file.read(4)
        file.seek(1024)
        file.write(struct.pack("<I", 1))    # version of swap; ext4's inode count
        assert old


def _zfs(path):
    """Uberblocks in all four labels (zfs on-disk format, 1.2.1): magic, version, guid."""
    uberblock = struct.pack("<QQQQQ", 0x00bab10c, 5000, 7, 0x1234567812345678, 1700000000)
    for label in (0, 256 << 10, SIZE - (512 << 10), SIZE - (256 << 10)):
        for slot in range(16):
            _write(path, label + (128 << 10) + slot * 1024, uberblock)


def _luks(path):
    run("cryptsetup", "luksFormat", "-q", "--type", "luks2", "--pbkdf", "pbkdf2",
        "--pbkdf-force-iterations", "1000", path, "/etc/hostname")


def _mdraid(path):
    """A member with its superblock at the end (metadata 1.0): the beginning stays empty."""
    uuid = bytes(range(16))
    at = (SIZE // 512 - 16) & ~7
    head = struct.pack("<IIII16s32sQIIQII", 0xa92b4efc, 1, 0, 0, uuid, b"host:data", 1700000000,
                       1, 0, SIZE // 512 - 16, 0, 2)
    block = bytearray(head.ljust(256, b"\0"))
    struct.pack_into("<QQQ", block, 128, 0, SIZE // 512 - 16, at)   # data_offset, size, super_offset
    block += struct.pack("<HH", 0, 1).ljust(256, b"\0")
    struct.pack_into("<I", block, 220, 2)   # max_dev
    block = block[:256 + 4]
    struct.pack_into("<I", block, 216, 0)   # sb_csum
    total = sum(struct.unpack_from(f"<{len(block) // 4}I", block))
    struct.pack_into("<I", block, 216, ((total & 0xffffffff) + (total >> 32)) & 0xffffffff)
    _write(path, at * 512, bytes(block))


def _volume_group(name, *volumes):
    def make(node):
        lvm(node, "pvcreate", "-q", node)
        lvm(node, "vgcreate", "-q", name, node)
        for volume in volumes:
            lvm(node, "lvcreate", "-q", "-an", "-Zn", "-Wn", "-L", "32M", "-n", volume, name)
    return _on_loop(make)


def _xfs(path):
    """It wants 300 MB at least."""
    os.truncate(path, max(os.path.getsize(path), 320 << 20))
    run("mkfs.xfs", "-q", "-f", path)


# kind: (how it is made, what is said of it)
FOREIGN = {
    "ext4": (lambda p: run("mkfs.ext4", "-q", "-F", "-L", "data", p), r'ext4 labelled "data": left alone'),
    "xfs": (_xfs, r"xfs.*: left alone"),
    "btrfs": (lambda p: run("mkfs.btrfs", "-q", "-f", p), r"btrfs.*: left alone"),
    "gpt": (_partitions, r"a gpt partition table: left alone"),
    "dos": (_dos, r"a dos partition table: left alone"),
    "luks": (_luks, r"an encrypted volume \(LUKS\): left alone"),
    "swap": (lambda p: run("mkswap", "-q", p), r"swap space: left alone"),
    "vg-home": (_volume_group("home", "data"), r"volume group home: left alone"),
    "pv": (_on_loop(lambda node: lvm(node, "pvcreate", "-q", node)),
           r"a physical volume in no group: left alone"),
    "zfs": (_zfs, r"a member of a ZFS pool: left alone"),
    "mdraid": (_mdraid, r"a member of a RAID \(md\): left alone"),
    "ambivalent": (_ambivalent, r"signatures of more than one kind: left alone"),
    "junk-head": (lambda p: _write(p, 1 << 20, b"x"), r"no signature, but its beginning is not empty"),
    "junk-tail": (lambda p: _write(p, -4096, b"x"), r"no signature, but its end is not empty"),
}


def make(kind, path, room=0):
    """A fresh image of that kind; with room for more, what is at its end stays in the middle."""
    with open(path, "wb") as file:
        file.truncate(SIZE)
    FOREIGN[kind][0](path)
    if room > os.path.getsize(path):
        os.truncate(path, room)
