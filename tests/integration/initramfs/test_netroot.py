#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""Roots on file servers, in virtual machines: nfs-ganesha and samba serve in the test's namespace.
Each boot powers itself off, which needs files of its server to the end."""

import contextlib
import os
import shutil
import subprocess
import tempfile

import stories
import file_servers     # after stories, which knows where lab is
from lab import NotPermitted, tap
from lab.tap import equal
from stories import GATEWAY, LIMIT, Files

PASSWORD = "pass,word"
NET = "lean-net"


class Servers:
    """One of each, and the trees they serve: shared is only read, mine is written to."""

    def __init__(self, stack, top, boots):
        self.shared = stack.enter_context(boots.served())
        self.mine = stack.enter_context(boots.served())
        self.nfs = stack.enter_context(file_servers.nfs(top, self.shared, self.mine))
        self.smb = stack.enter_context(
            file_servers.smb(top, os.path.dirname(self.shared), PASSWORD))
        self.share = os.path.basename(self.shared)


def below_an_overlay(story, servers, root, said):
    probe = story.root(f"root={root} rootovl ro cci.debug", NET, network="user")
    equal(probe.one("root").split()[0:2], ["overlay", probe.one("root").split()[1]], "the root")
    story.must_say(said)
    equal(probe.one("layers"), "0", "layers in sight")
    equal(probe.all("wrote"), [""], "writing")
    equal(probe.all("fstab"), ["tmpfs /mnt tmpfs size=1m 0 0"], "fstab")
    equal(probe.one("address").split()[2], "10.0.2.15/24", "address")
    equal(os.path.exists(f"{servers.shared}/proof"), False, "the server's own file")
    story.must_say("Using hardware watchdog")


def nfs4_overlay(story, servers):
    below_an_overlay(story, servers, f"{GATEWAY}:{servers.shared}", r"\(nfs 4\.2, 10\.0\.2\.2\) is on")


def nfs3_overlay(story, servers):
    below_an_overlay(story, servers, f"nfs:{GATEWAY}:{servers.shared}:vers=3,noatime",
                     r"\(nfs, 10\.0\.2\.2\) is on")


def cifs_guest_overlay(story, servers):
    below_an_overlay(story, servers, f"cifs://{GATEWAY}/os/{servers.share},guest,ro,vers=1.0",
                     r"\(cifs, 10\.0\.2\.2\) is on")


def cifs_user_overlay(story, servers):
    below_an_overlay(story, servers,
                     f"cifs://root:{PASSWORD}@{GATEWAY}/mine/{servers.share},vers=1.0",
                     r"\(cifs, 10\.0\.2\.2\) is on")
    # the kernel shows its command line, nobody else may
    for line in story.machine.console().splitlines():
        if PASSWORD in line and "ommand line" not in line:
            raise AssertionError(f"the password was said: {line}")


def cifs_itself(story, servers):
    probe = story.root(f"root=cifs://{GATEWAY}/os/{servers.share},guest,vers=1.0 ro", NET,
                       network="user")
    equal(probe.one("root").split()[0], "cifs", "the root")
    equal(probe.one("root").split()[1].split(",")[0], "ro", "how it is mounted")
    equal(probe.all("wrote"), [], "writing")


def cifs_wrong_password(story, servers):
    files = Files(None)
    story.boot(f"root=cifs://root:wrong@{GATEWAY}/mine/{servers.share},vers=1.0 rootovl "
               f"cci.server={files.url}", NET, network="user")
    story.must_say(r"layers: cannot mount //10\.0\.2\.2/mine/\S+: Permission denied; CIFS: "
                   "Status code returned 0xc000006d NT_STATUS_LOGON_FAILURE")
    check_failed(files, "mount")


def nfs_itself(story, servers):
    probe = story.root(f"root={GATEWAY}:{servers.mine} rw job=/lkp/scheduled/job.yaml", NET,
                       network="user")
    equal(probe.one("root").split()[0], "nfs4", "the root")
    equal(probe.one("root").split()[1].split(",")[0], "rw", "how it is mounted")
    with open(f"{servers.mine}/proof", encoding="ascii") as file:
        equal(file.read(), "written\n", "the server's own file")
    with open(f"{servers.mine}/etc/fstab", encoding="ascii") as file:
        equal(file.read(), "tmpfs /mnt tmpfs size=1m 0 0\n", "fstab")
    equal(os.path.exists(f"{servers.mine}/etc/fstab.cci-orig"), True, "fstab.cci-orig")


def nfs_read_only(story, servers):
    probe = story.root(f"root=nfs:{GATEWAY}:{servers.shared}:ro rw cci.debug", NET, network="user")
    equal(probe.one("root").split()[0], "nfs4", "the root")
    equal(probe.one("root").split()[1].split(",")[0], "ro", "how it is mounted")
    equal(probe.all("wrote"), [], "writing")
    equal(probe.all("fstab"), ["tmpfs /mnt tmpfs size=1m 0 0"], "fstab")
    with open(f"{servers.shared}/etc/fstab", encoding="ascii") as file:
        equal("UUID=1111" in file.read(), True, "the server's own fstab")


def two_at_once(story, servers):
    """Both are localhost to the server, which must not take one for the other that restarted."""
    other = stories.Story(f"{story.name}-other", os.path.dirname(story.directory), story.boots)
    try:
        for each in (story, other):
            each.start(f"root={GATEWAY}:{servers.shared} ro", NET, network="user")
        for each in (story, other):
            each.machine.wait_end(LIMIT)
            equal(each.probe().one("root").split()[0], "nfs4", "the root")
    finally:
        other.finish()


def nfs_reboot(story, servers):
    """Not held up: the files that a shutdown needs are there to its end."""
    story.root(f"root={GATEWAY}:{servers.shared} rootovl probe.reboot", NET, network="user")
    story.must_say("reboot: Restarting system")


def server_that_dies(story, servers):
    """PID 1 itself waits for a file of the server that has gone: the watchdog ends the machine, here
    sooner than after the ten minutes that the initramfs leaves."""
    with tempfile.TemporaryDirectory(dir=story.directory) as directory:
        with file_servers.nfs(directory, servers.shared, servers.mine, 2050, "4") as nfs:
            machine = story.start(f"root=nfs:{GATEWAY}:{servers.shared}:port=2050 rootovl "
                                  "probe.alone=10 systemd.watchdog_sec=60", NET, network="user")
            machine.wait_for("PROBE alone", LIMIT)
            nfs.pause()
            machine.wait_end(LIMIT)
    story.must_say("Using hardware watchdog")
    story.must_not_say("reboot: Power down")


def check_failed(files, cause):
    reports = files.reports()
    equal([(r["step"], r["cause"]) for r in reports], [("layers", cause)], "reports")


def nobody_serves(story, servers):
    files = Files(None)
    story.boot(f"root=nfs:{GATEWAY}:/os/x:port=1 rootovl cci.timeout=3s cci.retry=1 "
               f"cci.server={files.url}", NET, network="user")
    story.must_say(r"layers: 10\.0\.2\.2:/os/x: nobody at port 1 of 10\.0\.2\.2: Connection refused")
    story.must_say("reboot: Restarting system")
    check_failed(files, "network")


def not_exported(story, servers):
    files = Files(None)
    story.boot(f"root={GATEWAY}:/os/nowhere rootovl cci.debug cci.server={files.url}", NET,
               network="user")
    for version in ("4.2", "4.1", "4.0"):
        story.must_say(rf"nowhere: version {version}: .*No such file or directory")
    story.must_say(r"layers: cannot mount 10\.0\.2\.2:/os/nowhere: version 4\.2: .*No such file or "
                   r"directory\)?; version 3: Permission denied")
    check_failed(files, "mount")


def no_modules(story, servers):
    files = Files(None)
    story.boot(f"root={GATEWAY}:{servers.shared} rootovl cci.server={files.url}", "lean",
               network="user")
    story.must_say(r"this kernel has no nfs here: build the initramfs with cci_net_roots=yes")
    check_failed(files, "mount")


STORIES = {
    "NFS 4 below an overlay": nfs4_overlay,
    "NFS 3 below an overlay": nfs3_overlay,
    "NFS as the root itself, written to": nfs_itself,
    "NFS as the root itself, read-only": nfs_read_only,
    "NFS as the root itself, of two machines at once": two_at_once,
    "NFS below an overlay, and a reboot": nfs_reboot,
    "NFS, and a server that dies": server_that_dies,
    "CIFS below an overlay, as guest": cifs_guest_overlay,
    "CIFS below an overlay, as a user": cifs_user_overlay,
    "CIFS as the root itself": cifs_itself,
    "CIFS with a wrong password": cifs_wrong_password,
    "nobody serves": nobody_serves,
    "what is not exported": not_exported,
    "an initramfs without the modules": no_modules,
}


def body(check):
    lacking = [name for name in ("ganesha.nfsd", "rpcbind", "smbd", "pdbedit") if not shutil.which(name)]
    if lacking:
        raise NotPermitted(f"lacking {', '.join(lacking)}")
    top, boots = stories.stand(check, "initramfs-netroot")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with contextlib.ExitStack() as stack:
        stories.tell_all(check, STORIES, top, boots, Servers(stack, top, boots))


tap.main(body)
