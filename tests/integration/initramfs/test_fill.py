#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""A volume is filled name by name: from nothing, behind the mark of a boot whose power was cut, and
anew when the mark is of another system."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "../.."))
sys.dont_write_bytecode = True

from box import Result, main, make_image, make_root, run, run_checks  # noqa: E402
from lab.tap import equal  # noqa: E402
from rig import Fetch, true  # noqa: E402

PROGRAM = os.path.join(os.environ["CCI_BUILD"], "tests/integration/initramfs/fill_volume")
SOURCE = "live:http://server/os/root.img"


class Volume:
    """A box that fetches a squashfs of a small system, and a block device to be filled from it."""

    def __enter__(self):
        self.work = tempfile.mkdtemp(prefix="cci-fill-")
        self.tree, self.mount_point = f"{self.work}/tree", f"{self.work}/volume"
        make_root(self.tree)
        os.mkdir(self.mount_point)
        for number in range(40):
            with open(f"{self.tree}/var/file-{number:02}", "wb") as file:
                file.write(os.urandom(20000))
        os.link(f"{self.tree}/etc/hello", f"{self.tree}/var/hello")
        make_image("squashfs", self.tree, f"{self.work}/image")
        with open(f"{self.work}/image", "rb") as file:
            image = file.read()
        self.fetch = Fetch(data=image, source=SOURCE, size=len(image),
                           sha256=hashlib.sha256(image).hexdigest())
        self.box = self.fetch.__enter__().box
        shutil.copy(PROGRAM, self.box.path("fill_volume"))
        with open(f"{self.work}/device", "wb") as file:
            file.truncate(64 << 20)
        self.node = run("losetup", "-f", "--show", f"{self.work}/device").strip()
        return self

    def __exit__(self, *_):
        run("losetup", "-d", self.node)
        self.fetch.__exit__()
        shutil.rmtree(self.work)

    def fill(self):
        done = subprocess.run(["/fill_volume", self.node], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60,
                              env={"PATH": "/usr/sbin:/usr/bin", "ASAN_OPTIONS": "detect_leaks=0"},
                              preexec_fn=lambda: (os.chroot(self.box.root), os.chdir("/")))
        return Result(done.returncode, done.stdout, "").must_do().said

    def begun(self, source, *names, beside=()):
        """An earlier boot copied these, wrote its mark behind the last, and began var/file-30."""
        run("mkfs.ext4", "-q", "-F", self.node)
        run("mount", self.node, self.mount_point)
        try:
            run("cp", "-a", "--parents", *names, self.mount_point, cwd=self.tree)
            os.makedirs(f"{self.mount_point}/var", exist_ok=True)
            for name in ("var/file-30", *beside):
                with open(f"{self.mount_point}/{name}", "wb") as file:
                    file.write(bytes(20000))                # its size, not its bytes
            with open(f"{self.mount_point}/.cci-part", "w", encoding="ascii") as file:
                file.write(f"{source}\n././{names[-1]}\n")
        finally:
            run("umount", self.mount_point)

    def inode(self, name):
        run("mount", "-o", "ro", self.node, self.mount_point)
        try:
            return os.stat(f"{self.mount_point}/{name}").st_ino
        finally:
            run("umount", self.mount_point)

    def names_beside(self):
        """What the volume has and the system does not; all else is the same, or it raises."""
        run("mount", "-o", "ro", self.node, self.mount_point)
        try:
            beside = sorted(set(os.listdir(self.mount_point)) - set(os.listdir(self.tree)))
            run("diff", "-r", "--no-dereference", *(f"--exclude={name}" for name in beside),
                self.tree, self.mount_point)
            hello = os.stat(f"{self.mount_point}/etc/hello")
            true(os.path.samestat(hello, os.stat(f"{self.mount_point}/var/hello")), "a second name")
            return beside
        finally:
            run("umount", self.mount_point)


def from_nothing(tap):
    with Volume() as v:
        said = v.fill()
        true("all on the disk" in said and "goes on" not in said, said)
        equal(v.names_beside(), ["lost+found"], "beside the system")


def behind_the_mark(tap):
    names = ["dev", "etc", "lib", "proc", "sys", "usr", *(f"var/file-{n:02}" for n in range(30))]
    with Volume() as v:
        v.begun(SOURCE, *names)
        before = v.inode("var/file-07")
        said = v.fill()
        true("begun by an earlier boot: goes on behind ././var/file-29" in said, said)
        equal(v.names_beside(), ["lost+found"], "beside the system")
        equal(v.inode("var/file-07"), before, "what was there is left")


def names_too_many(tap):
    with Volume() as v:
        v.begun(SOURCE, "dev", "etc", "lib", beside=["junk"])
        try:
            said = v.fill()
        except AssertionError as error:
            said = str(error)
        true("is not whole" in said, said)


def of_another_system(tap):
    with Volume() as v:
        v.begun("nfs:server:/other", "dev", "etc", "lib", beside=["junk"])
        said = v.fill()
        true("goes on" not in said, said)
        equal(v.names_beside(), ["lost+found"], "beside the system")


CHECKS = [
    ("from nothing", from_nothing),
    ("behind the mark of an earlier boot", behind_the_mark),
    ("a name too many is no whole system", names_too_many),
    ("a mark of another system counts for nothing", of_another_system),
]

main(run_checks(CHECKS))
