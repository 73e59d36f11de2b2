#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""The units that cci-generator writes, run by a real systemd in namespaces instead of a machine: they
fetch, mount and deploy in order; sysroot.mount finds its work done; a failure is reported once."""

import contextlib
import ctypes
import hashlib
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "../.."))

from box import BUILD, Box, main, make_image, make_root, run  # noqa: E402
from fault_server import Server, State  # noqa: E402
from lab.errors import NotPermitted  # noqa: E402
from lab.tap import equal  # noqa: E402

SYSTEMD = "/lib/systemd/systemd"
CLONE_NEWCGROUP = 0x02000000

FINISHED = """[Unit]
DefaultDependencies=no
After=cci-deploy.service
Requires=cci-deploy.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'cat /proc/self/mountinfo >/run/mounts; touch /run/finished; kill -RTMIN+14 1'
"""
TARGET = "[Unit]\nDefaultDependencies=no\nRequires=finished.service\nAfter=finished.service\n"


@contextlib.contextmanager
def control_group():
    """A group of its own for systemd to divide; this process is in it, and it is its root to see."""
    where = tempfile.mkdtemp(prefix="cci-cgroup-")
    try:
        run("mount", "-t", "cgroup2", "cci-cgroup", where)
    except AssertionError as error:
        os.rmdir(where)
        raise NotPermitted(f"cgroup2: {error}") from None
    with open("/proc/self/cgroup", encoding="ascii") as file:
        mine = next(line[3:].strip() for line in file if line.startswith("0::"))
    group = f"{where}{mine.rstrip('/')}/cci-test-{os.getpid()}"
    os.mkdir(group)
    move(group)
    if ctypes.CDLL(None).unshare(CLONE_NEWCGROUP) != 0:
        raise NotPermitted("unshare of control groups")
    try:
        yield
    finally:
        move(f"{where}{mine}")
        for directory, _, _ in os.walk(group, topdown=False):
            os.rmdir(directory)
        run("umount", "-l", where)
        os.rmdir(where)


def move(group):
    with open(f"{group}/cgroup.procs", "w", encoding="ascii") as file:
        file.write(str(os.getpid()))


class Machine(Box):
    """A box in which systemd is started."""

    def __init__(self, cmdline):
        super().__init__()
        for name in ["dev", "sys"]:
            run("umount", "-R", "-l", self.path(name))
        run("mount", "-t", "tmpfs", "cci-dev", self.path("dev"))
        nodes = ["null", "zero", "urandom", "random", "loop-control"]
        for name in nodes + [f"loop{i}" for i in range(8)]:
            if os.path.exists(f"/dev/{name}"):
                self.write(f"dev/{name}", "")
                run("mount", "--bind", f"/dev/{name}", self.path(f"dev/{name}"))
        self.write("dev/console", "")           # systemd says there what it does
        run("mount", "-t", "sysfs", "-o", "ro", "cci-sys", self.path("sys"))
        run("mount", "-t", "cgroup2", "cci-cgroup", self.path("sys/fs/cgroup"))
        run("umount", "-l", self.path("proc"))
        self.write("etc/os-release", "ID=test\n")
        self.write("usr/bin/cci-init", self.read("cci-init"), 0o755)
        units = self.path("etc/systemd/system")
        os.makedirs(units)
        self.write("etc/systemd/system/finished.service", FINISHED)
        self.write("etc/systemd/system/test.target", TARGET)
        # networkd is not here: the plan is made for an initramfs without it
        subprocess.run([os.path.join(BUILD, "initramfs/cci-generator"), units, units, units],
                       check=True, env={"SYSTEMD_IN_INITRD": "1", "SYSTEMD_PROC_CMDLINE": cmdline,
                                        "CCI_GENERATOR_ROOT": self.root})

    def boot(self, seconds=20):
        """Until systemd ends; returns what it said."""
        child = subprocess.Popen(
            ["unshare", "--kill-child", "-m", "-p", "-f", "-u", "-i", "/bin/sh", "-c",
             f"mount -t proc proc {self.root}/proc && exec chroot {self.root} "
             f"/usr/bin/env -i container=cci ASAN_OPTIONS=detect_leaks=0 PATH=/usr/sbin:/usr/bin "
             f"{SYSTEMD} --unit=test.target --log-target=console --log-level=debug"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            raise AssertionError(self.said()) from None
        return self.said()

    def said(self):
        return self.read("dev/console").decode(errors="replace")


def image():
    with tempfile.TemporaryDirectory(prefix="cci-image-") as work:
        make_root(f"{work}/tree")
        make_image("squashfs", f"{work}/tree", f"{work}/image")
        with open(f"{work}/image", "rb") as file:
            return file.read()


def line(server, data):
    return (f"root=live:{server.url}/root.img rootovl ro job=/lkp/scheduled/job.yaml "
            f"cci.root.sha256={hashlib.sha256(data).hexdigest()} cci.root.size={len(data)} "
            f"cci.timeout=2s cci.retry=1")


def attempt(machine, server):
    machine.write("lkp/scheduled/attempt", f"server={server.url}\njob=l.1\nattempt=17\ntoken=t\n")


def a_boot(tap):
    data = image()
    state = State(data)
    server = Server(state)
    with Machine(line(server, data)) as machine:
        attempt(machine, server)
        said = machine.boot()
        if not machine.exists("run/finished"):
            raise AssertionError(said[-6000:])
        roots = [mount for mount in machine.read("run/mounts").decode().splitlines()
                 if mount.split()[4] == "/sysroot"]
        equal(len(roots), 1, f"mounts on /sysroot ({roots})")
        equal(" - overlay cci-root " in roots[0], True, roots[0])
        equal([v for k, v in state.posts[0][2] if k == "stage"],
              ["start", "root", "overlay", "switch"], "stages")
    server.stop()


def a_boot_that_fails(tap):
    state = State(b"", 404, 404)      # cci.retry=1: two tries
    server = Server(state)
    with Machine(line(server, b"")) as machine:
        attempt(machine, server)
        said = machine.boot()
        equal(machine.exists("run/finished"), False, "it went on")
        if len(state.posts) != 1:
            raise AssertionError(f"{len(state.posts)} reports: {said[-6000:]}")
        told = dict(state.posts[0][2])
        equal((told["step"], told["cause"]), ("fetch", "status"), "step and cause")
    server.stop()


def body(tap):
    if not os.path.exists(SYSTEMD):
        raise NotPermitted("there is no systemd here")
    with control_group():
        begin = time.monotonic()
        with tap.check("systemd runs the units up to the new root"):
            a_boot(tap)
        with tap.check("a failure is reported once, and the boot ends"):
            a_boot_that_fails(tap)
        tap.note(f"{time.monotonic() - begin:.1f} s")


main(body)
