#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""The verbs of cci-init one after the other, against a server that misbehaves and images that are
none: what can be mounted is, what cannot is told in one line with its cause."""

import hashlib
import os
import shutil
import stat
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "../.."))

from box import HTTPS, Box, main, make_image, make_root, run, run_checks  # noqa: E402
from lab.tap import equal  # noqa: E402
from rig import DATA, SHA256, Fetch, true  # noqa: E402
from tls import Tls  # noqa: E402


# --- fetch: what goes well in the end -----------------------------------------------------------

def fetched(tap):
    with Fetch() as f:
        said = f.must_fetch().said
        true("sha256 as it should be" in said, said)
        equal(f.ranges, [(None, None)], "requests")


def without_size_and_hash(tap):
    with Fetch("chunked", sha256=None, size=None) as f:
        f.must_fetch()


def resumed_after_reset(tap):
    with Fetch(("reset", 100000), ("reset", 50000)) as f:
        f.must_fetch()
        equal(f.ranges, [(None, None), ("bytes=100000-", '"one"'), ("bytes=150000-", '"one"')],
              "ranges")
        equal(f.state.sent, len(DATA), "bytes sent in all")


def resumed_after_early_end(tap):
    with Fetch(("short", 299999)) as f:
        f.must_fetch()
        equal(f.ranges[1:], [("bytes=299999-", '"one"')], "ranges")


def slow_shows_progress(tap):
    with Fetch(("slow", 6, 0.5)) as f:
        said = f.must_fetch().said
        true("% of 0.3 MB" in said, said)


def server_without_ranges(tap):
    with Fetch(("reset", 1000), "whole") as f:
        f.must_fetch()


def image_changed_meanwhile(tap):
    with Fetch(("renamed", 1000)) as f:
        f.must_fetch()
        equal(f.ranges[1:], [("bytes=1000-", '"one"')], "the second request")


def another_part_than_asked(tap):
    with Fetch(("reset", 1000), "part") as f:
        f.must_fetch()
        equal(f.ranges[2], (None, None), "the third request")


def busy_for_now(tap):
    with Fetch(503, 429) as f:
        f.must_fetch()


def redirected(tap):
    with Fetch(("redirect", "/a"), ("redirect", "b?c")) as f:
        f.must_fetch()
        equal([path for path, *_ in f.state.gets], ["/os/root.img", "/a", "/b?c"], "paths")


def wrong_bytes_once(tap):
    with Fetch("wrong") as f:
        f.must_fetch()
        equal(len(f.state.gets), 2, "downloads")


def mute_once(tap):
    with Fetch(("mute", 5), timeout=1000000, retry=2) as f:
        f.must_fetch()


# --- fetch: what fails, and as what -------------------------------------------------------------

def not_found(tap):
    with Fetch(*[404] * 9, retry=2) as f:
        said = f.fetch().must_fail("status").said
        equal([n for n in "1234" if f"404 (not found), try {n} of 3" in said], ["1", "2"], said)
        true("404 (not found), tried 3 times" in said, said)
        equal(len(f.state.gets), 3, "requests")
    with Fetch(404, retry=0) as f:
        f.fetch().must_fail("status")
        equal(len(f.state.gets), 1, "requests when it must not try again")


def not_found_for_a_moment(tap):
    with Fetch(404) as f:
        f.must_fetch()


def refused_by_the_server(tap):
    with Fetch(403) as f:
        said = f.fetch().must_fail("status").said
        true("the server answers 403" in said, said)
        equal(len(f.state.gets), 1, "requests")


def wrong_bytes(tap):
    with Fetch("wrong", "wrong", "wrong") as f:
        said = f.fetch().must_fail("hash").said
        true(SHA256 in said, said)
        equal(len(f.state.gets), 2, "downloads")


def wrong_length(tap):
    with Fetch("longer") as f:
        f.fetch().must_fail("size")
        true(not f.box.exists("run/cci/img/root.img"), "it was fetched all the same")
    with Fetch("chunked", size=len(DATA) - 1, sha256=None) as f:
        f.fetch().must_fail("size")
    with Fetch("chunked", size=len(DATA) + 1, sha256=None) as f:
        f.fetch().must_fail("size")


def nobody_there(tap):
    with Fetch(timeout=1000000) as f:
        f.server.stop()
        begin = time.monotonic()
        result = f.fetch().must_fail("network")
        true("Connection refused" in result.said, result.said)
        true(time.monotonic() - begin > 0.9, "given up before cci.timeout")


def mute_for_ever(tap):
    with Fetch(*[("mute", 3)] * 9, timeout=1000000) as f:
        result = f.fetch().must_fail("network")
        true("receive: Connection timed out" in result.said, result.said)


def not_http(tap):
    with Fetch(*["garbage"] * 20, timeout=1000000) as f:
        said = f.fetch().must_fail("network").said
        true("does not speak HTTP" in said, said)


def redirected_for_ever(tap):
    with Fetch(*[("redirect", "/again")] * 20) as f:
        f.fetch().must_fail("status")
        equal(len(f.state.gets), 6, "requests")


# --- fetch over TLS ----------------------------------------------------------------------------

def tls_fetched(tap):
    with Fetch(tls=Tls()) as f:
        said = f.must_fetch().said
        true("https://127.0.0.1" in said and "sha256 as it should be" in said, said)


def tls_resumed(tap):
    with Fetch(("reset", 100000), ("short", 50000), tls=Tls()) as f:
        f.must_fetch()
        equal(f.ranges, [(None, None), ("bytes=100000-", '"one"'), ("bytes=150000-", '"one"')],
              "ranges")


def tls_slow(tap):
    with Fetch(("slow", 6, 0.5), tls=Tls()) as f:
        true("% of 0.3 MB" in f.must_fetch().said, "no progress")


def tls_status_size_and_hash(tap):
    tls = Tls()
    with Fetch(404, tls=tls, retry=0) as f:
        f.fetch().must_fail("status")
    with Fetch("longer", tls=tls) as f:
        f.fetch().must_fail("size")
    with Fetch("wrong", "wrong", tls=tls) as f:
        f.fetch().must_fail("hash")


def tls_mute(tap):
    with Fetch(*[("mute", 3)] * 9, timeout=1000000, tls=Tls()) as f:
        true("receive: Connection timed out" in f.fetch().must_fail("network").said, "what it says")


def tls_nobody_there(tap):
    with Fetch(timeout=1000000, tls=Tls()) as f:
        f.server.stop()
        f.fetch().must_fail("network")


def tls_of_a_stranger(tap):
    with Fetch(tls=Tls()) as f:
        f.box.write("etc/cci/ca.pem", Tls().certificate)
        said = f.fetch().must_fail("tls").said
        true("certificate" in said, said)
        equal(f.state.gets, [], "requests")


def tls_of_another_name(tap):
    with Fetch(tls=Tls("DNS:elsewhere.test")) as f:
        said = f.fetch().must_fail("tls").said
        true("127.0.0.1" in said and f.state.gets == [], said)


def tls_without_certificates(tap):
    with Fetch(tls=Tls()) as f:
        os.unlink(f.box.path("etc/cci/ca.pem"))
        said = f.fetch().must_fail("tls").said
        true("no /etc/cci/ca.pem" in said, said)


def tls_that_is_none(tap):
    with Fetch(timeout=1000000) as f:
        f.box.write("etc/cci/ca.pem", Tls().certificate)
        f.box.plan(kind="http", url=f"https{f.server.url[4:]}/os/root.img", timeout=1000000)
        said = f.fetch().must_fail("tls").said
        true("no TLS with this server" in said, said)


def redirected_to_https(tap):
    with Fetch(tls=Tls()) as there:
        with Fetch(*[("redirect", f"{there.server.url}/over/there")] * 2) as f:
            f.box.write("etc/cci/ca.pem", there.tls.certificate)
            f.must_fetch()
            equal([path for path, *_ in there.state.gets], ["/over/there"], "paths")


def https_in_an_image_without(tap):
    with Fetch(("redirect", "https://127.0.0.1/")) as f:
        os.unlink(f.box.path("usr/bin/cci-init-https"))
        said = f.fetch().must_fail("refused").said
        true("cci_https=yes" in said, said)


def more_than_memory(tap):
    with Fetch(size=None, sha256=None) as f:
        f.state.faults = ["huge"]
        said = f.fetch().must_fail("memory").said
        true("MiB of memory are available" in said, said)


# --- layers ------------------------------------------------------------------------------------

class Layers:
    """A box with an image of that kind where fetch would have put it."""

    def __init__(self, image, **plan):
        self.kind, self.extra = image, plan

    def __enter__(self):
        self.work = tempfile.mkdtemp(prefix="cci-image-")
        make_root(f"{self.work}/tree")
        self.box = Box()
        self.image = self.box.path("run/cci/img/root.img")
        os.mkdir(os.path.dirname(self.image))
        run("mount", "-t", "tmpfs", "cci-img", os.path.dirname(self.image))
        if self.kind:
            make_image(self.kind, f"{self.work}/tree", self.image)
            self.sum = self.digest()
        self.box.plan(**{"kind": "http", "url": "http://h/root.img", "source": "live:http://h/x"} |
                      self.extra)
        return self

    def __exit__(self, *_):
        self.box.__exit__()
        shutil.rmtree(self.work)

    def digest(self):
        with open(self.image, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def layers(self):
        return self.box.verb("layers")


def an_overlay_of(kind):
    def check(tap):
        with Layers(kind) as w:
            w.layers().must_do()
            equal(w.box.read("sysroot/etc/hello"), b"hello\n", "a file of the image")
            w.box.write("sysroot/etc/hello", "changed")
            w.box.write("sysroot/new/file", "new")
            equal(w.box.read("run/cci/rw/upper/etc/hello"), b"changed", "the upper")
            equal(w.box.read("run/cci/lower/etc/hello"), b"hello\n", "the lower")
            equal(w.digest(), w.sum, "the image")
            try:
                w.box.write("run/cci/lower/new", "")
                raise AssertionError("the lower can be written to")
            except OSError as error:
                equal(error.errno, 30, "EROFS")
    return check


def room_for_writes_is_bounded(tap):
    with Layers("squashfs", upper_size="1M") as w:
        w.layers().must_do()
        try:
            w.box.write("sysroot/big", bytes(2 << 20))
            raise AssertionError("2 MiB went into 1 MiB")
        except OSError as error:
            equal(error.errno, 28, "ENOSPC")


def an_image_without_overlay(tap):
    with Layers("squashfs", overlay="no", deploy="no") as w:
        w.layers().must_do()
        equal(w.box.read("sysroot/etc/hello"), b"hello\n", "a file of the image")
        try:
            w.box.write("sysroot/new", "")
            raise AssertionError("the root can be written to")
        except OSError as error:
            equal(error.errno, 30, "EROFS")


def what_is_no_image(tap):
    with Layers(None) as w:
        w.box.write("run/cci/img/root.img", bytes(1 << 20))
        said = w.layers().must_fail("mount").said
        true("no image of a file system" in said, said)
    with Layers(None) as w:
        w.layers().must_fail("mount")


def what_is_no_system(tap):
    with Layers(None) as w:
        os.unlink(f"{w.work}/tree/usr/lib/os-release")
        make_image("squashfs", f"{w.work}/tree", w.image)
        said = w.layers().must_fail("mount").said
        true("no os-release" in said, said)


def a_damaged_image(tap):
    with Layers("squashfs") as w:
        with open(w.image, "r+b") as file:
            file.truncate(512)
        w.layers().must_fail("mount")


def refused_plans(tap):
    with Layers("squashfs", refused="root=nfs: is not mounted yet") as w:
        said = w.layers().must_fail("refused").said
        true("cci: layers: root=nfs: is not mounted yet" in said, said)
    with Layers("squashfs", kind="none") as w:
        w.layers().must_fail("plan")


def a_file_server_that_does_not_answer(tap):
    with Layers(None, kind="nfs", source="127.0.0.1:/x", net_server="127.0.0.1", net_path="/x",
                net_options="port=1", timeout=1000000) as w:
        begin = time.monotonic()
        said = w.layers().must_fail("network").said
        true(time.monotonic() - begin >= 1, "given up before cci.timeout")
        true(said.count("127.0.0.1:/x: nobody at port 1 of 127.0.0.1: Connection refused") >= 2, said)
    with Layers(None, kind="cifs", source="cifs://no-such.invalid/x", net_server="no-such.invalid",
                net_path="x", timeout=100000, retry=0) as w:
        said = w.layers().must_fail("network").said
        true("the name no-such.invalid has no address" in said, said)


def the_file_server_of_the_lease(tap):
    plan = {"kind": "nfs", "source": "nfs:/x", "net_path": "/x", "net_options": "port=1",
            "timeout": 100000, "retry": 0}
    with Layers(None, **plan) as w:
        said = w.layers().must_fail("network").said
        true("names no server, and neither does the lease" in said, said)
    with Layers(None, **plan) as w:
        w.box.write("run/systemd/netif/leases/2", "ADDRESS=10.0.0.5\nNEXT_SERVER=127.0.0.1\n")
        said = w.layers().must_fail("network").said
        true("nobody at port 1 of 127.0.0.1" in said, said)


class Disk(Layers):
    """The same with the file system on a block device."""

    def __enter__(self):
        super().__enter__()
        self.node = run("losetup", "-f", "--show", self.image).strip()
        return self

    def __exit__(self, *_):
        run("losetup", "-d", self.node)
        super().__exit__()


def a_device_by_its_path_and_label(tap):
    with Disk("ext4", kind="device") as w:
        w.box.plan(kind="device", device=w.node)
        w.layers().must_do()
        w.box.write("sysroot/etc/hello", "changed")
        equal(w.digest(), w.sum, "the device")
    with Disk("ext4", kind="device", device="/dev/disk/by-label/cci-test-root") as w:
        w.layers().must_do()
        equal(w.box.read("sysroot/etc/hello"), b"hello\n", "a file of the device")


def a_device_as_upper(tap):
    with Disk("ext4") as w:
        make_image("squashfs", f"{w.work}/tree", f"{w.work}/image")
        run("mount", "-t", "tmpfs", "other", os.path.dirname(w.image))
        shutil.copy(f"{w.work}/image", w.image)
        w.box.plan(kind="http", url="http://h/x", upper="device", upper_device=w.node)
        old = "01234567-89ab-cdef-0123-456789abcdef"
        run("mount", w.node, f"{w.work}/tree")
        for name in (f"upper/{old}/upper/etc", f"upper/{old}/work/work", "upper/not-ours"):
            os.makedirs(f"{w.work}/tree/{name}")
        with open(f"{w.work}/tree/upper/{old}/upper/etc/hello", "w", encoding="ascii") as file:
            file.write("of another boot")
        run("umount", f"{w.work}/tree")
        said = w.layers().must_do().said
        true("1 earlier boots' writes are removed" in said, said)
        equal(w.box.read("sysroot/etc/hello"), b"hello\n", "what another boot wrote")
        w.box.write("sysroot/etc/hello", "changed")
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
        equal(sorted(os.listdir(w.box.path("run/cci/disk/upper"))), sorted([boot, "not-ours"]),
              "uppers on the device")
        equal(w.box.read(f"run/cci/disk/upper/{boot}/upper/etc/hello"), b"changed", "ours")
        true("volatile" in run("findmnt", "-no", "OPTIONS", w.box.path("sysroot")), "not volatile")
        w.box.verb("deploy").must_do()
        true(not w.box.mounted("run/cci/disk") and not w.box.mounted("run/cci/rw"), "in sight")
        w.box.write("sysroot/after", "x")


def devices_that_cannot_be_used(tap):
    with Layers("ext4", kind="device", device="/dev/disk/by-label/cci-no-such") as w:
        said = w.layers().must_fail("device").said
        true("no such device" in said, said)
    with Layers("ext4", kind="device", device="/dev/cci-no-such") as w:
        w.layers().must_fail("device")


class PlainDisk(Disk):
    """A device that is the root itself, with the fstab of some other day."""

    FSTAB = ("UUID=no / ext4 rw 0 1\nUUID=no /usr ext4 ro 0 2\nLABEL=no-such none swap sw 0 0\n"
             "tmpfs /mnt tmpfs rw 0 0\n/dev/null /here auto rw 0 0\n")
    RELAXED = ("UUID=no / ext4 rw 0 1\n"
               "UUID=no /usr ext4 ro,nofail,x-systemd.device-timeout=10s 0 2\n"
               "LABEL=no-such none swap sw,nofail,x-systemd.device-timeout=10s 0 0\n"
               "tmpfs /mnt tmpfs rw 0 0\n/dev/null /here auto rw 0 0\n")

    def __enter__(self):
        super().__enter__()
        run("mount", self.node, f"{self.work}/tree")
        with open(f"{self.work}/tree/etc/fstab", "w", encoding="ascii") as file:
            file.write(self.FSTAB)
        os.makedirs(f"{self.work}/tree/lkp/run")
        for name in ("lkp/run/lkp-bootstrap.pid", "etc/resolv.conf", "etc/machine-id"):
            with open(f"{self.work}/tree/{name}", "w", encoding="ascii"):
                pass
        run("umount", f"{self.work}/tree")
        self.box.plan(kind="device", device=self.node, overlay="no", source=self.node, **self.extra)
        self.box.write("lkp/scheduled/job.sh", "job")
        self.box.write("opt/tool", "tool")
        self.box.write("etc/resolv.conf", "nameserver 10.0.0.1\n")
        self.sum = self.digest()
        return self


def a_disk_itself_read_write(tap):
    with PlainDisk("ext4", read_only="no") as w:
        for boot in ("first", "second"):
            w.layers().must_do()
            said = w.box.verb("deploy").must_do().said
            equal("2 lines of fstab name devices" in said, boot == "first", said)
            equal(w.box.read("sysroot/lkp/scheduled/job.sh"), b"job", "/lkp")
            equal(w.box.read("sysroot/opt/tool"), b"tool", "/opt")
            true(not w.box.exists("sysroot/lkp/run/lkp-bootstrap.pid"), "a stale pid file")
            equal(w.box.read("sysroot/etc/fstab").decode(), w.RELAXED, "fstab")
            equal(w.box.read("sysroot/etc/fstab.cci-orig").decode(), w.FSTAB, "fstab.cci-orig")
            equal(w.box.read("sysroot/etc/resolv.conf"), b"nameserver 10.0.0.1\n", "resolv.conf")
            equal(w.box.read("sysroot/etc/machine-id"), b"", "machine-id")
            run("umount", w.box.path("sysroot"))


def a_disk_itself_read_only(tap):
    with PlainDisk("ext4", read_only="yes") as w:
        w.layers().must_do()
        w.box.verb("deploy").must_do()
        equal(w.box.read("sysroot/lkp/scheduled/job.sh"), b"job", "/lkp")
        w.box.write("sysroot/lkp/result", "can be written")
        true(not w.box.exists("sysroot/opt/tool"), "/opt of a read-only root")
        equal(w.box.read("sysroot/etc/fstab").decode(), w.RELAXED, "fstab")
        true(not w.box.exists("sysroot/etc/fstab.cci-orig"), "fstab.cci-orig")
        for name in ("lkp", "etc/fstab", ""):
            run("umount", w.box.path(f"sysroot/{name}"))
        with open(w.node, "rb") as file:
            equal(hashlib.sha256(file.read()).hexdigest(), w.sum, "the disk")


def a_disk_itself_that_needs_no_change(tap):
    with PlainDisk("ext4", read_only="no") as w:
        run("mount", w.node, f"{w.work}/tree")
        text = f"{w.node} / ext4 rw 0 1\n{w.node} /again ext4 rw 0 0\n"
        with open(f"{w.work}/tree/etc/fstab", "w", encoding="ascii") as file:
            file.write(text)
        run("umount", f"{w.work}/tree")
        w.layers().must_do()
        w.box.verb("deploy").must_do()
        equal(w.box.read("sysroot/etc/fstab").decode(), text, "fstab")
        true(not w.box.exists("sysroot/etc/fstab.cci-orig"), "fstab.cci-orig")


def an_image_itself(tap):
    with Layers(None, overlay="no", read_only="yes") as w:
        os.mkdir(f"{w.work}/tree/lkp")
        make_image("squashfs", f"{w.work}/tree", w.image)
        w.box.write("lkp/scheduled/job.sh", "job")
        w.layers().must_do()
        w.box.verb("deploy").must_do()
        equal(w.box.read("sysroot/lkp/scheduled/job.sh"), b"job", "/lkp")
        equal(w.box.read("sysroot/etc/fstab"), b"tmpfs /mnt tmpfs rw 0 0\n", "fstab")
        equal(w.box.read("sysroot/etc/hello"), b"hello\n", "the image")
        for name in ["lower", "img"]:
            true(not w.box.mounted(f"run/cci/{name}"), f"{name} is still in sight")
    with Layers("squashfs", overlay="no", read_only="yes") as w:
        w.box.write("lkp/scheduled/job.sh", "job")
        w.layers().must_do()
        said = w.box.verb("deploy").must_do().said
        true("has no directory /lkp" in said, said)


# --- deploy -----------------------------------------------------------------------------------

def make_deployed(w):
    """What an initramfs brings along."""
    box = w.box
    box.write("lkp/scheduled/job.sh", "job", 0o755)
    box.write("lkp/run/lkp-bootstrap.pid", "1")
    box.write("lkp/lkp/src/rootfs/addon/etc/init.d/lkp-bootstrap", "boot", 0o755)
    box.write("lkp/lkp/src/rootfs/addon/lib/new-lib", "lib")
    box.write("lkp/lkp/src/rootfs/addon/etc/hello", "from the addon")
    os.symlink("init.d", box.path("lkp/lkp/src/rootfs/addon/etc/rc.d"))
    box.write("custom_bootstrap/etc/custom", "custom")
    box.write("opt/tool", "tool")
    box.write("usr/local/bin/x", "x", 0o4755)
    os.chown(box.path("usr/local/bin/x"), 12, 34)
    os.chmod(box.path("usr/local/bin/x"), 0o4755)
    os.utime(box.path("usr/local/bin/x"), (1000, 2000))
    os.link(box.path("opt/tool"), box.path("opt/again"))
    with open(box.path("opt/sparse"), "wb") as file:
        file.write(b"a" * 4096)
        file.seek(4 << 20)
        file.write(b"z")
    try:
        os.setxattr(box.path("opt/tool"), "trusted.cci", b"value")
    except OSError:
        pass


def deployed(tap):
    with Layers("squashfs", server="") as w:
        make_deployed(w)
        w.layers().must_do()
        result = w.box.verb("deploy").must_do()
        box = w.box
        equal(box.read("sysroot/lkp/scheduled/job.sh"), b"job", "/lkp")
        true(not box.exists("sysroot/lkp/run/lkp-bootstrap.pid"), "a stale pid file")
        equal(box.read("sysroot/etc/init.d/lkp-bootstrap"), b"boot", "the addon")
        equal(box.read("sysroot/usr/lib/new-lib"), b"lib", "through the link /lib")
        true(os.path.islink(box.path("sysroot/lib")), "/lib is still a link")
        equal(os.readlink(box.path("sysroot/etc/rc.d")), "init.d", "a link")
        equal(box.read("sysroot/etc/hello"), b"from the addon", "a file of the image")
        equal(box.read("sysroot/etc/custom"), b"custom", "custom_bootstrap")
        st = os.stat(box.path("sysroot/usr/local/bin/x"))
        equal((st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode), st.st_mtime), (12, 34, 0o4755, 2000.0),
              "owner, mode and time")
        equal(os.stat(box.path("sysroot/opt/tool")).st_ino,
              os.stat(box.path("sysroot/opt/again")).st_ino, "hard links")
        st = os.stat(box.path("sysroot/opt/sparse"))
        equal(st.st_size, (4 << 20) + 1, "size of the sparse file")
        true(st.st_blocks * 512 < 1 << 20, "holes are filled")
        try:
            expected = os.getxattr(box.path("opt/tool"), "trusted.cci")
        except OSError:
            expected = None
        if expected:
            equal(os.getxattr(box.path("sysroot/opt/tool"), "trusted.cci"), expected, "xattr")
        equal(box.read("sysroot/etc/fstab"), b"tmpfs /mnt tmpfs rw 0 0\n", "fstab")
        true(b"UUID=no" in box.read("sysroot/etc/fstab.cci-orig"), "fstab.cci-orig")
        true("1 lines of the image's fstab" in result.said, result.said)
        for name in ["lower", "rw", "img"]:
            true(not box.mounted(f"run/cci/{name}"), f"{name} is still in sight")
        equal(box.read("sysroot/etc/os-release"), b"ID=test\n", "what is read after that")
        box.write("sysroot/after", "written after that")
        stages = box.read("run/cci/stages").decode().split()[::2]
        equal(stages, ["start", "root", "overlay", "switch"], "stages")


def deploy_stays_in_the_root(tap):
    with Layers(None) as w:
        outside = w.box.path("outside")
        os.mkdir(outside)
        tree = f"{w.work}/tree"
        os.symlink("/outside", f"{tree}/opt")
        os.symlink("../../../../outside", f"{tree}/lkp")
        shutil.rmtree(f"{tree}/etc")
        os.symlink("/../outside/etc", f"{tree}/etc")
        make_image("squashfs", tree, w.image)
        make_deployed(w)
        w.layers().must_do()
        w.box.verb("deploy")
        equal(os.listdir(outside), [], "what is outside of the root")
        true(not os.path.exists("/outside"), "the machine's own root")


def deploy_fails_loudly(tap):
    with Layers("squashfs", upper_size="1M") as w:
        w.box.write("lkp/big", bytes(range(256)) * 8192)
        w.layers().must_do()
        said = w.box.verb("deploy").must_fail("deploy").said
        true("lkp/big: No space left" in said, said)
    with Layers("squashfs") as w:
        w.box.verb("deploy").must_fail("deploy")


def modules_only_where_there_are_none(tap):
    module = f"usr/lib/modules/{os.uname().release}/loop.ko"
    with Layers("squashfs") as w:
        w.box.write("lkp/x", "")
        w.box.write(module, "ko")
        w.box.write("usr/lib/firmware/blob", "blob")
        w.layers().must_do()
        w.box.verb("deploy").must_do()
        equal(w.box.read(f"sysroot/{module}"), b"ko", "a module")
        equal(w.box.read("sysroot/usr/lib/firmware/blob"), b"blob", "firmware")
    with Layers(None) as w:
        w.box.write("lkp/x", "")
        w.box.write(module, "ko")
        os.makedirs(os.path.dirname(f"{w.work}/tree/{module}"))
        make_image("squashfs", f"{w.work}/tree", w.image)
        w.layers().must_do()
        w.box.verb("deploy").must_do()
        true(not w.box.exists(f"sysroot/{module}"), "mixed with what the root has")


def the_lease_is_handed_over(tap):
    with Layers("squashfs") as w:
        run("ip", "link", "add", "cci0", "address", "52:54:00:12:34:56",
            "type", "veth", "peer", "cci1", "address", "52:54:00:12:34:57")
        run("ip", "address", "add", "10.0.0.5/24", "dev", "cci0", "valid_lft", "600", "preferred_lft", "600")
        index = run("ip", "-o", "link", "show", "cci0").split(":")[0]
        run("mount", "-t", "sysfs", "sysfs", w.box.path("sys"))
        w.box.write(f"run/systemd/netif/leases/{index}",
                    "ADDRESS=10.0.0.5\nDNS=10.0.0.1 10.0.0.2 $(x)\nDOMAINNAME=lab.test\n")
        w.layers().must_do()
        w.box.verb("deploy").must_do()
        network = w.box.read("run/systemd/network/05-cci-cci0.network").decode()
        true("MACAddress=52:54:00:12:34:56" in network and "ClientIdentifier=mac" in network, network)
        link = w.box.read("run/systemd/network/05-cci-cci0.link").decode()
        true("Name=cci0" in link, link)
        equal(w.box.read("sysroot/etc/resolv.conf"),
              b"nameserver 10.0.0.1\nnameserver 10.0.0.2\nsearch lab.test\n", "resolv.conf")
        machine = w.box.read("sysroot/etc/machine-id")
        true(len(machine) == 33 and int(machine, 16) > 0, machine)
    run("ip", "link", "del", "cci0")


def another_ones_network_is_handed_over(tap):
    """As dhclient or NetworkManager leave it: no lease of networkd, a resolv.conf."""
    with Layers("squashfs") as w:
        run("ip", "link", "add", "cci0", "address", "52:54:00:12:34:50",
            "type", "veth", "peer", "cci1", "address", "52:54:00:12:34:51")
        run("ip", "address", "add", "10.0.0.5/24", "dev", "cci0", "valid_lft", "600", "preferred_lft", "600")
        run("ip", "address", "add", "10.1.0.5/16", "dev", "cci1")
        run("mount", "-t", "sysfs", "sysfs", w.box.path("sys"))
        w.box.write("etc/resolv.conf", "nameserver 10.0.0.9\n")
        w.layers().must_do()
        w.box.verb("deploy").must_do()
        leased = w.box.read("run/systemd/network/05-cci-cci0.network").decode()
        true("MACAddress=52:54:00:12:34:50" in leased and "DHCP=ipv4" in leased, leased)
        static = w.box.read("run/systemd/network/05-cci-cci1.network").decode()
        true("Address=10.1.0.5/16" in static and "DHCP" not in static, static)
        equal(sorted(os.listdir(w.box.path("run/systemd/network"))),
              [f"05-cci-cci{i}.{kind}" for i in range(2) for kind in ("link", "network")], "files")
        equal(w.box.read("sysroot/etc/resolv.conf"), b"nameserver 10.0.0.9\n", "resolv.conf")
        run("ip", "link", "del", "cci0")


# --- guard ------------------------------------------------------------------------------------

def guard_leaves_others_alone(tap):
    """Whom it does end is seen in a virtual machine: it must never be tried here."""
    with Box() as box:
        equal(box.verb("guard").must_do().said, "", "on a machine that is no initramfs")
        box.write("etc/initrd-release", "")
        box.plan(kind="http")
        equal(box.verb("guard").must_do().said, "", "with a plan")


def no_plan_is_a_failure(tap):
    with Box() as box:
        box.verb("layers").must_fail("plan")
    with Box() as box:
        box.write("run/cci/plan", "kind=nonsense\n")
        box.verb("fetch").must_fail("plan")


CHECKS = [
    ("an image is fetched and checked", fetched),
    ("without size and hash, in chunks", without_size_and_hash),
    ("taken up where a reset broke it", resumed_after_reset),
    ("taken up where the answer ended early", resumed_after_early_end),
    ("a slow server: progress is shown", slow_shows_progress),
    ("a server without ranges: from the start", server_without_ranges),
    ("an image that changed meanwhile: from the start", image_changed_meanwhile),
    ("another part than was asked for: from the start", another_part_than_asked),
    ("503 and 429 are tried again", busy_for_now),
    ("redirects are followed", redirected),
    ("wrong bytes once: fetched once more", wrong_bytes_once),
    ("a mute server is left and asked again", mute_once),
    ("404 is tried as often as told, and is a failure of status", not_found),
    ("404 for a moment", not_found_for_a_moment),
    ("403 fails at once, as status", refused_by_the_server),
    ("wrong bytes twice fail as hash", wrong_bytes),
    ("a wrong length fails as size", wrong_length),
    ("nobody there fails as network after cci.timeout", nobody_there),
    ("a server that never answers fails as network", mute_for_ever),
    ("what is not HTTP fails as network", not_http),
    ("redirects without end fail as status", redirected_for_ever),
    ("https: fetched and checked", tls_fetched),
    ("https: taken up where it broke", tls_resumed),
    ("https: progress is shown", tls_slow),
    ("https: status, size and hash are told apart", tls_status_size_and_hash),
    ("https: a server that never answers fails as network", tls_mute),
    ("https: nobody there fails as network", tls_nobody_there),
    ("https: a stranger's certificate fails as tls", tls_of_a_stranger),
    ("https: a certificate of another name fails as tls", tls_of_another_name),
    ("https: no certificates to know it by fails as tls", tls_without_certificates),
    ("https: what is not TLS fails as tls", tls_that_is_none),
    ("https: a redirect there from http", redirected_to_https),
    ("https: refused by name where it is not built in", https_in_an_image_without),
    ("an image larger than memory fails as memory", more_than_memory),
    ("overlay over squashfs", an_overlay_of("squashfs")),
    ("overlay over erofs", an_overlay_of("erofs")),
    ("overlay over ext4 in a file", an_overlay_of("ext4")),
    ("room for writes is bounded", room_for_writes_is_bounded),
    ("an image without overlay is read-only", an_image_without_overlay),
    ("what is no image is told", what_is_no_image),
    ("what is no system is told", what_is_no_system),
    ("a damaged image is told", a_damaged_image),
    ("a refused plan is told", refused_plans),
    ("a file server that does not answer is looked for again", a_file_server_that_does_not_answer),
    ("a file server that the lease names", the_file_server_of_the_lease),
    ("a device by path and by label", a_device_by_its_path_and_label),
    ("a device takes what is written", a_device_as_upper),
    ("devices that cannot be used are told", devices_that_cannot_be_used),
    ("a disk without overlay, read-write", a_disk_itself_read_write),
    ("a disk without overlay, read-only", a_disk_itself_read_only),
    ("a disk without overlay that needs no change", a_disk_itself_that_needs_no_change),
    ("an image without overlay gets its job", an_image_itself),
    ("deploy copies, filters, hides", deployed),
    ("deploy never leaves the root", deploy_stays_in_the_root),
    ("deploy that cannot copy fails", deploy_fails_loudly),
    ("modules where the root has none", modules_only_where_there_are_none),
    ("lease, names and identity are handed over", the_lease_is_handed_over),
    ("a network that somebody else brought is handed over", another_ones_network_is_handed_over),
    ("guard leaves other boots alone", guard_leaves_others_alone),
    ("no plan is a failure", no_plan_is_a_failure),
]


main(run_checks(CHECKS, lambda name: os.path.exists(HTTPS) or not name.startswith("https: ")))
