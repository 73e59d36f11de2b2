#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""`cci-init disk` on loop devices that hold what is not ours. Without device-mapper, as here, nothing
is made, but everything is looked at and decided, and every disk must be the same to the byte."""

import hashlib
import os
import re
import sys
import tempfile

sys.path[:0] = [os.path.dirname(os.path.realpath(__file__)),
                os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")]
sys.dont_write_bytecode = True

import box as boxes  # noqa: E402
import disk_kinds  # noqa: E402

SOURCE = "debian_x86_64_12_20210518150852"


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") \
            else hashlib.sha256(file.read()).hexdigest()


def run_disk(box, disks, **keys):
    """The verb, for disks that exist; it fails, because nothing can be made here."""
    box.plan(**({"kind": "http", "url": "http://127.0.0.1:1/x", "overlay": "no", "local": "scratch",
                 "volume": "debian_x86_64_12", "source_volume": SOURCE, "volume_size": 64 << 20,
                 "disks": ",".join(disks), "disk_required": "yes", "timeout": 1000000} | keys))
    state = box.path("run/cci/state")
    if os.path.exists(state):
        os.unlink(state)
    return box.verb("disk")


def check_kind(box, top, kind, **keys):
    """One disk of that kind: what is said of it is right, and it is left as it was."""
    path = os.path.join(top, kind)
    disk_kinds.make(kind, path)
    before = digest(path)
    with disk_kinds.Loop(path) as node:
        done = run_disk(box, [node], **keys)
        done.must_fail("disk")
    if digest(path) != before:
        raise AssertionError(f"{kind}: the disk has changed: {done.said}")
    if not re.search(disk_kinds.FOREIGN[kind][1], done.said):
        raise AssertionError(f"{kind}: {done.said}")
    os.unlink(path)


def foreign_disks_stay_as_they_are(box, top):
    for kind in disk_kinds.FOREIGN:
        check_kind(box, top, kind)


def no_number_permits_to_clear_what_has_none(box, top):
    for wipe in ("loop0", "/dev/loop0", "0x", "*"):
        check_kind(box, top, "gpt", wipe=wipe, migrate="yes")


def a_disk_that_is_read_only_or_in_use_is_left(box, top):
    path = os.path.join(top, "used")
    disk_kinds.make("ext4", path)
    with disk_kinds.Loop(path, "--read-only") as node:
        done = run_disk(box, [node]).must_fail("disk")
        assert "it cannot be written: left alone; nothing permits" in done.said, done.said
    with disk_kinds.Loop(path) as node:
        os.makedirs(box.path("mnt"), exist_ok=True)
        boxes.run("mount", node, box.path("mnt"))
        done = run_disk(box, [node], wipe="x").must_fail("disk")
        boxes.run("umount", box.path("mnt"))
        assert "in use by /mnt: left alone; nothing permits" in done.said, done.said
    with open(path, "wb") as file:
        file.truncate(disk_kinds.SIZE)
    disk_kinds.run("mkswap", "-q", path)
    os.unlink(path)


def disks_of_group_os_are_known(box, top):
    path, second = os.path.join(top, "os"), os.path.join(top, "second")
    for tag, words in ((None, "made by the original: is used"), ("cci", "ours: is used")):
        for name in (path, second):
            with open(name, "wb") as file:
                file.truncate(disk_kinds.SIZE)
        with disk_kinds.Loop(path) as node, disk_kinds.Loop(second) as blank:
            disk_kinds.lvm(node, "vgcreate", "-q", *(["--addtag", tag] if tag else []), "os", node)
            before = digest(path), digest(second)
            done = run_disk(box, [node, blank, node, "/dev/none"]).must_fail("disk")
            for said in (f"{node}: volume group os, {words}", f"{blank}: nothing: may be taken",
                         f"is {node}, which rootfs_disk= has already: counts once",
                         "/dev/none: no such device", "this kernel has no device-mapper"):
                assert said in done.said, f"{said}: {done.said}"
        assert (digest(path), digest(second)) == before
    os.unlink(path)
    os.unlink(second)


def two_groups_of_that_name_are_nobodys(box, top):
    paths = [os.path.join(top, name) for name in ("a", "b")]
    for path in paths:
        with open(path, "wb") as file:
            file.truncate(disk_kinds.SIZE)
        with disk_kinds.Loop(path) as node:
            disk_kinds.lvm(node, "vgcreate", "-q", "os", node)
    before = [digest(path) for path in paths]
    with disk_kinds.Loop(paths[0]) as a, disk_kinds.Loop(paths[1]) as b:
        done = run_disk(box, [a, b]).must_fail("disk")
        assert "lvm" in done.said, done.said
    assert [digest(path) for path in paths] == before
    for path in paths:
        os.unlink(path)


def a_disk_is_found_by_its_label(box, top):
    path = os.path.join(top, "label")
    disk_kinds.make("ext4", path)
    with disk_kinds.Loop(path) as node:
        disk_kinds.run("e2label", node, "cci find me")
        done = run_disk(box, ["LABEL=cci find me", "LABEL=cci no such"]).must_fail("disk")
        assert f'{node}: ext4 labelled "cci find me": left alone' in done.said, done.said
        assert "LABEL=cci no such: no such device" in done.said, done.said
    os.unlink(path)


def without_a_disk_the_root_is_below_a_tmpfs(box, top):
    done = run_disk(box, ["/dev/none"], disk_required="no", kind="device", device="/dev/vda").must_do()
    plan = dict(line.split("=", 1) for line in box.read("run/cci/plan").decode().splitlines())
    assert plan["overlay"] == "yes" and "local" not in plan, plan
    assert "no disk is used, the root is below a tmpfs" in done.said, done.said
    assert b"degraded " in box.read("run/cci/stages")
    for keys in ({"local": "save"}, {"local": "kept"}, {"source_must_be": "yes"}):
        run_disk(box, ["/dev/none"], **({"disk_required": "no"} | keys)).must_fail("disk")


TESTS = [foreign_disks_stay_as_they_are, no_number_permits_to_clear_what_has_none,
         a_disk_that_is_read_only_or_in_use_is_left, disks_of_group_os_are_known,
         two_groups_of_that_name_are_nobodys, a_disk_is_found_by_its_label,
         without_a_disk_the_root_is_below_a_tmpfs]


def body(tap):
    with tempfile.TemporaryDirectory(prefix="cci-disk-") as top, boxes.Box() as box:
        for test in TESTS:
            with tap.check(test.__name__.replace("_", " ")):
                test(box, top)


if __name__ == "__main__":
    boxes.main(body)
