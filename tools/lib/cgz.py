# SPDX-License-Identifier: MulanPSL-2.0
"""Archives that the kernel unpacks (newc cpio, compressed): written, and read for their names."""

import gzip
import os
import stat
import subprocess

# systemd takes these for the sign that it runs in an initramfs, and then waits for a root for ever.
FORBIDDEN = ("etc/initrd-release", "usr/lib/initrd-release")


class Refused(Exception):
    """An archive that must not be made or loaded; the text says which and why."""


def refuse_name(archive, name):
    if os.path.normpath(name).lstrip("/") in FORBIDDEN:
        raise Refused(f"{archive} would bring /{os.path.normpath(name).lstrip('/')}: with that file "
                      "a system takes itself for an initramfs and never starts; leave it out")


class Archive:
    """A gzip'd newc cpio, made the same way every time: order, times and inode numbers are ours.

    Nothing but names given to add() goes in: an entry for `lib` would replace the link that a
    merged /usr has there, so callers never give one that may be a link elsewhere.
    """

    def __init__(self, path, epoch):
        self.path = path
        self.epoch = int(epoch)
        self.file = open(f"{path}.tmp{os.getpid()}", "wb")
        self.out = gzip.GzipFile("", "wb", 6, self.file, mtime=0)
        self.inodes = {}
        self.last_inode = 0
        self.offset = 0

    def _write(self, data):
        self.out.write(data)
        self.offset += len(data)

    def _pad(self, to):
        self._write(b"\0" * (-self.offset % to))

    def _header(self, name, inode, mode, nlink, size, rdev=0, uid=0, gid=0, mtime=0):
        name = os.fsencode(name) + b"\0"
        fields = [inode, mode, uid, gid, nlink, mtime, size, 0, 0, os.major(rdev), os.minor(rdev),
                  len(name), 0]
        self._write(b"070701" + b"".join(b"%08x" % field for field in fields) + name)
        self._pad(4)

    def _inode(self, status):
        """Returns (number, whether this file's data is already in the archive)."""
        key = (status.st_dev, status.st_ino)
        if not stat.S_ISDIR(status.st_mode) and status.st_nlink > 1 and key in self.inodes:
            return self.inodes[key], True
        self.last_inode += 1
        self.inodes[key] = self.last_inode
        return self.last_inode, False

    def add(self, source, name, owner=None):
        """Adds one file, link, node or directory (without what is in it)."""
        refuse_name(self.path, name)
        status = os.lstat(source)
        if stat.S_ISSOCK(status.st_mode):
            return
        inode, known = self._inode(status)
        uid, gid = owner or (status.st_uid, status.st_gid)
        data = b""
        if stat.S_ISLNK(status.st_mode):
            data = os.fsencode(os.readlink(source))
        elif stat.S_ISREG(status.st_mode) and not known:
            with open(source, "rb") as file:
                data = file.read()
        special = stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode)
        self._header(name, inode, status.st_mode, status.st_nlink, len(data),
                     status.st_rdev if special else 0, uid, gid,
                     min(int(status.st_mtime), self.epoch))
        self._write(data)
        self._pad(4)

    def add_tree(self, root, start=".", skip=()):
        """Adds start and what is below it, sorted, names relative to root; skip: names to leave."""
        for directory, dirs, files in os.walk(os.path.join(root, start)):
            dirs.sort()
            name = os.path.relpath(directory, root)
            if name != ".":
                self.add(directory, name)
            linked = [d for d in dirs if os.path.islink(os.path.join(directory, d))]
            for entry in sorted(files + linked):
                path = os.path.normpath(os.path.join(name, entry))
                if path not in skip:
                    self.add(os.path.join(directory, entry), path)
            dirs[:] = [d for d in dirs if os.path.normpath(os.path.join(name, d)) not in skip
                       and d not in linked]

    def close(self):
        """Finishes the archive and gives it its name."""
        self._header("TRAILER!!!", 0, 0, 1, 0)
        self._pad(512)
        self.out.close()
        self.file.flush()
        os.fsync(self.file.fileno())
        os.fchmod(self.file.fileno(), 0o644)
        self.file.close()
        os.rename(self.file.name, self.path)

    def abandon(self):
        self.file.close()
        if os.path.exists(self.file.name):
            os.unlink(self.file.name)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.close()
        else:
            self.abandon()


# --- reading ------------------------------------------------------------------------------------

_PROGRAMS = ((b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ\0", "xz"), (b"BZh", "bzip2"))


def _unpack(path, data):
    """All that is in a compressed or plain archive."""
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    for magic, program in _PROGRAMS:
        if data.startswith(magic):
            done = subprocess.run([program, "-dc"], input=data, capture_output=True, check=False)
            if done.returncode != 0:
                raise Refused(f"{path}: {program}: {done.stderr.decode(errors='replace').strip()}")
            return done.stdout
    return data


def names(path):
    """The names in an archive, of all its parts one behind the other, without ./ before them."""
    with open(path, "rb") as file:
        data = _unpack(path, file.read())
    found, at = [], 0
    while at < len(data):
        if data[at] == 0:       # between two parts
            at += 1
            continue
        if data[at:at + 6] not in (b"070701", b"070702"):
            raise Refused(f"{path}: no newc archive at byte {at}")
        try:
            size, length = (int(data[at + i:at + i + 8], 16) for i in (54, 94))
        except ValueError:
            raise Refused(f"{path}: a damaged header at byte {at}") from None
        name = os.fsdecode(data[at + 110:at + 110 + length - 1])
        if name != "TRAILER!!!":
            found.append(os.path.normpath(name).lstrip("/"))
        body = at + ((110 + length + 3) & ~3)
        at = body + ((size + 3) & ~3)
        if at > len(data):
            raise Refused(f"{path}: ends in the middle of {name}")
    return found


def check(path):
    """Raises Refused when a boot with this archive could not start its system."""
    for name in names(path):
        refuse_name(path, name)
