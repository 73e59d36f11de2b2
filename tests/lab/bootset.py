# SPDX-License-Identifier: MulanPSL-2.0
"""What machines boot whose kernel qemu itself loads: a small root with a probe in it, as a disk and as
images, and initramfs images that dracut makes with our modules.

Each is made once and kept in the build directory under a name that tells what went into it, so that
several tests and tools/soak use the same. Nothing here is ever written again: a machine that writes
to its disk gets a copy.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
import uuid

from . import images, paths
from .errors import LabError
from .tap import equal

# What a root brings that was made on another machine; "plain" has nothing of that kind.
FSTABS = {"hostile": """\
UUID=11111111-2222-3333-4444-555555555555 / ext4 defaults 0 1
UUID=11111111-2222-3333-4444-666666666666 /usr ext4 defaults 0 1
LABEL=swap none swap sw 0 0
tmpfs /mnt tmpfs size=1m 0 0
""", "plain": ""}

# Says on the console what the root is, tries to write to it, and ends. A kernel command line with
# probe.stay=SECONDS makes it stay on, and say every two seconds which address it has; with
# probe.reboot it ends in a reboot, with probe.alone=SECONDS PID 1 ends it after that time without
# any program of the root's, with probe.panic its kernel dies instead.
PROBE = """\
#!/bin/sh
dmesg -n 1
say() { echo "PROBE $*"; }
addresses() { ip -br -4 address show scope global | while read -r line; do say "address $line"; done; }
echo
say begin
read -r up _ </proc/uptime
say "uptime $up"
while read -r what at kind options _; do
    [ "$at" != / ] || say "root $kind $options"
done </proc/mounts
say "layers $(grep -c ' /run/cci/' /proc/mounts)"
{ echo written >>/proof; } 2>/dev/null && say wrote
sync
while read -r line; do say "fstab $line"; done </etc/fstab
systemctl list-units --failed --no-legend --plain | while read -r unit _; do say "failed $unit"; done
stay=0 end=poweroff
for word in $(cat /proc/cmdline); do case $word in
probe.stay=*) stay=${word#*=} ;;
probe.reboot) end=reboot ;;
probe.alone=*) systemd-run -q -p RuntimeMaxSec=${word#*=} -p FailureAction=poweroff sleep infinity
    say alone
    exit ;;
probe.panic) echo c >/proc/sysrq-trigger ;;
esac; done
addresses
while [ "$stay" -gt 0 ]; do
    sleep 2
    stay=$((stay - 2))
    addresses
done
say end
systemctl $end --no-block
"""
UNIT = """\
[Unit]
After=basic.target network-online.target systemd-networkd.service
[Service]
Type=oneshot
ExecStart=/probe
TimeoutStartSec=infinity
StandardOutput=tty
TTYPath=/dev/ttyS0
"""

# The same without systemd, as PID 1 of a root that is copied in seconds; and whether an earlier boot
# has written there.
SMALL_INIT = """\
#!/bin/sh
exec </dev/ttyS0 >/dev/ttyS0 2>&1
dmesg -n 1
say() { echo "PROBE $*"; }
echo
say begin
while read -r what at kind options _; do
    [ "$at" != / ] || say "root $kind $options"
done </proc/mounts
say "layers $(grep -c ' /run/cci/' /proc/mounts)"
[ ! -e /proof ] || say "found $(grep -c . /proof)"
{ echo written >>/proof; } 2>/dev/null && say wrote
say "files $(ls -R /usr/lib/files | sha256sum)"
say "bytes $(cat /usr/lib/files/*/* 2>/dev/null | sha256sum)"
say end
sync
dmesg -n 7
echo o >/proc/sysrq-trigger
while :; do sleep 1; done
"""
SMALL_PROGRAMS = ["cat", "dash", "dmesg", "grep", "ls", "sha256sum", "sleep", "sync"]

# No test of a root reads these.
TRIM = ["boot", "initrd.lkp", "rootfs.squashfs", "rootfs.squashfs.sha256", "usr/lib/modules",
        "usr/share/perl", "usr/share/zoneinfo", "var/lib/dpkg"]

MIB = 1 << 20
LABEL = "cci root"
PARTLABEL = "cci part"
PARTUUID = "0cc10000-1111-2222-3333-444444444444"
DISK_UUID = "0cc1d15c-0000-4000-8000-000000000001"

# name -> (dracut's arguments, its settings). "full" is what a plain --add cci gives.
INITRAMFS = {
    "lean": (images.LEAN, {"cci_drivers": "virtio"}),
    "lean-https": (images.LEAN, {"cci_drivers": "virtio", "cci_https": "yes"}),
    "lean-net": (images.LEAN, {"cci_drivers": "virtio", "cci_net_roots": "yes"}),
    "lean-shell": (images.LEAN, {"cci_drivers": "virtio", "cci_shell": "yes"}),
    "lean-local": (images.LEAN, {"cci_drivers": "virtio", "cci_local": "yes", "cci_net_roots": "yes",
                                "cci_shell": "yes"}),
    "full": (["--add", "cci"], {"cci_drivers": "virtio"}),
    "full-legacy": (["--add", "cci network-legacy"], {"cci_drivers": "virtio"}),
    "full-networkd": (["--add", "cci systemd-networkd"], {"cci_drivers": "virtio"}),
}


def run(*argv, **options):
    """Runs a program that makes something."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
                          **options)
    if done.returncode != 0:
        raise LabError(f"{' '.join(argv)}: {done.stdout[-3000:].strip()}")
    return done.stdout


def digest(path):
    """SHA-256 of a file, in hexadecimal."""
    whole = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(MIB):
            whole.update(piece)
    return whole.hexdigest()


def _tree_digest(*tops):
    """Of files and all below directories: names and content."""
    whole = hashlib.sha256()
    for top in tops:
        names = [top] if os.path.isfile(top) else sorted(
            os.path.join(d, n) for d, _, fs in os.walk(top) for n in fs)
        for name in names:
            whole.update(f"{name}\n{digest(name)}\n".encode())
    return whole.hexdigest()


def disk_copy(source, directory, name):
    """A copy that a machine may write to."""
    path = os.path.join(directory, name)
    run("cp", "--sparse=always", "--reflink=auto", source, path)
    return path


def disk_file(disk, path, offset=0):
    """The text of a file on an ext4 file system, offset bytes into a disk that no machine uses; None
    where there is none."""
    done = subprocess.run(["debugfs", "-R", f"cat {path}", f"{disk}?offset={offset}"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return None if "File not found" in done.stderr else done.stdout


def disk_names(disk, path):
    """The names in a directory of such a file system."""
    listed = run("debugfs", "-R", f"ls -p {path}", disk)
    return sorted(set(re.findall(r"^/\d+/\d+/\d+/\d+/([^/]+)/", listed, re.MULTILINE)) -
                  {".", ".."})


class Probe:
    """What the root's probe said: a list of values for each word."""

    def __init__(self, console):
        self.said = {}
        self.has_ended = (re.search("^PROBE end$", console, re.MULTILINE) is not None and
                          re.search("reboot: (Power down|Restarting system)", console) is not None)
        for word, value in re.findall(r"^PROBE (\S+) ?(.*)$", console, re.MULTILINE):
            self.said.setdefault(word, []).append(value)

    def all(self, word):
        return self.said.get(word, [])

    def one(self, word):
        equal(len(self.all(word)), 1, f"number of lines PROBE {word}")
        return self.all(word)[0]


class BootSet:
    """Where these things are. Call paths.prepare() before."""

    def __init__(self, directory=None):
        self.directory = directory or os.path.join(paths.BUILD, "integration", "bootset")
        os.makedirs(self.directory, exist_ok=True)
        self.tree = os.path.realpath(paths.image_link())
        self.kernel = os.path.join(self.tree, "boot/vmlinuz")
        self.version = os.listdir(os.path.join(self.tree, "lib/modules"))[0]

    def _keep(self, name, key, make):
        """The path of what make(path) makes; made again when key is another than last time."""
        path = os.path.join(self.directory,
                            f"{name}-{hashlib.sha256(repr(key).encode()).hexdigest()[:12]}")
        with open(os.path.join(self.directory, f".{name}.lock"), "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(path):
                self._remove_old(name, len(os.path.basename(path)))
                make(path + ".new")
                os.rename(path + ".new", path)
        return path

    def _remove_old(self, name, length):
        """What nothing can still use: tests that began yesterday have ended."""
        for old in os.listdir(self.directory):
            path = os.path.join(self.directory, old)
            if old.startswith(name + "-") and len(old) == length and \
                    os.stat(path).st_mtime < time.time() - 24 * 3600:
                os.unlink(path)

    @contextlib.contextmanager
    def _root(self, fstab):
        """The root as a tree, for as long as something is made of it."""
        root = tempfile.mkdtemp(prefix="root-", dir=self.directory)
        try:
            run("cp", "-a", f"{self.tree}/.", root)
            run("rm", "-rf", *(os.path.join(root, name) for name in TRIM))
            units = os.path.join(root, "etc/systemd/system")
            os.makedirs(os.path.join(units, "multi-user.target.wants"), exist_ok=True)
            for path, text in ((f"{root}/etc/fstab", FSTABS[fstab]), (f"{root}/probe", PROBE),
                               (f"{units}/probe.service", UNIT)):
                with open(path, "w", encoding="ascii") as file:
                    file.write(text)
            os.chmod(f"{root}/probe", 0o755)
            os.symlink("../probe.service", f"{units}/multi-user.target.wants/probe.service")
            yield root
        finally:
            shutil.rmtree(root, ignore_errors=True)

    def served(self, fstab="hostile"):
        """The root as a tree that a server may serve, for as long as the context lasts."""
        return self._root(fstab)

    def _root_key(self, fstab, *more):
        return (self.tree, FSTABS[fstab], PROBE, UNIT, TRIM, *more)

    def disk(self, fstab="hostile"):
        """An ext4 file system: LABEL, DISK_UUID."""
        def make(path):
            with self._root(fstab) as root:
                run("mkfs.ext4", "-q", "-F", "-L", LABEL, "-U", DISK_UUID, "-d", root, path, "400M")
        return self._keep(f"disk-{fstab}", self._root_key(fstab, LABEL, DISK_UUID, 400), make)

    def gpt_disk(self, fstab="hostile"):
        """The same in the one partition of a disk: PARTLABEL, PARTUUID."""
        inner = self.disk(fstab)

        def make(path):
            size = os.path.getsize(inner) // 512
            with open(path, "wb") as file:
                file.truncate((size + 4096) * 512)
            run("dd", f"if={inner}", f"of={path}", "bs=1M", "seek=1", "conv=notrunc,sparse")
            table = (f'label: gpt\nstart=2048, size={size}, type=L, name="{PARTLABEL}", '
                     f'uuid={PARTUUID}\n')
            done = subprocess.run(["sfdisk", "-q", "--no-reread", "--no-tell-kernel", path],
                                  input=table, text=True, capture_output=True, check=False)
            if done.returncode != 0:
                raise LabError(f"sfdisk: {done.stderr.strip()}")
        return self._keep(f"gpt-{fstab}", (inner, PARTLABEL, PARTUUID), make)

    @staticmethod
    def _make_image(kind, root, path):
        if kind == "erofs":
            run("mkfs.erofs", "-zlz4", path, root)
        elif kind == "ext4":
            run("mkfs.ext4", "-q", "-F", "-L", LABEL, "-d", root, path, "100M")
        else:
            run("mksquashfs", root, path, "-comp", "zstd", "-Xcompression-level", "3", "-quiet",
                "-no-progress")

    def image(self, kind="squashfs", fstab="hostile"):
        """A squashfs or erofs image."""
        def make(path):
            with self._root(fstab) as root:
                self._make_image(kind, root, path)
        return self._keep(f"image-{kind}-{fstab}", self._root_key(fstab), make)

    def _copy_small(self, root):
        """A shell and little else, with its libraries; files to copy, of all kinds and sizes."""
        arch = f"{os.uname().machine}-linux-gnu"
        for name in ("dev", "proc", "sys", "run", "tmp", "etc", "usr/bin", f"usr/lib/{arch}",
                     "usr/lib64", "usr/lib/files", "sbin"):
            os.makedirs(os.path.join(root, name))
        for name in ("bin", "lib", "lib64"):
            os.symlink(f"usr/{name}", os.path.join(root, name))
        for name in SMALL_PROGRAMS:
            shutil.copy2(os.path.join(self.tree, "usr/bin", name), os.path.join(root, "usr/bin"))
        os.symlink("dash", os.path.join(root, "usr/bin/sh"))
        libraries = os.path.join(self.tree, "usr/lib", arch)
        for name in os.listdir(libraries):
            if re.match(r"(ld-linux-[^.]*|libc|libselinux|libpcre2-8|libtinfo)\.so",
                        name):
                run("cp", "-a", os.path.join(libraries, name), f"{root}/usr/lib/{arch}/")
        run("cp", "-a", f"{self.tree}/usr/lib64/.", f"{root}/usr/lib64/")
        for name in ("systemd", "udev"):
            run("cp", "-a", f"{self.tree}/usr/lib/{name}", f"{root}/usr/lib/files/")
        shutil.copy2(f"{self.tree}/usr/lib/os-release", f"{root}/usr/lib/os-release")
        os.symlink("../usr/lib/os-release", f"{root}/etc/os-release")
        for path, text in (("etc/fstab", FSTABS["hostile"]), ("sbin/init", SMALL_INIT)):
            with open(os.path.join(root, path), "w", encoding="ascii") as file:
                file.write(text)
        os.chmod(f"{root}/sbin/init", 0o755)

    @contextlib.contextmanager
    def small_root(self):
        """The same as a tree, for as long as the context lasts."""
        with tempfile.TemporaryDirectory(prefix="small-", dir=self.directory) as root:
            os.chmod(root, 0o755)
            self._copy_small(root)
            yield root

    def small_image(self, kind="squashfs"):
        """A root without systemd, for tests of how it comes to its place: squashfs, erofs or ext4."""
        def make(path):
            with self.small_root() as root:
                self._make_image(kind, root, path)
        return self._keep(f"small-{kind}", (self.tree, SMALL_INIT, SMALL_PROGRAMS, FSTABS), make)

    @staticmethod
    def empty_disk(directory, name, label):
        """A new, empty ext4 disk, to be written to."""
        path = os.path.join(directory, name)
        run("mkfs.ext4", "-q", "-F", "-L", label, "-U", str(uuid.uuid4()), path, "64M")
        return path

    def initramfs(self, name="lean"):
        """One of INITRAMFS, of the release build's programs."""
        arguments, settings = INITRAMFS[name]
        modules = os.path.join(paths.TOP, "dracut-module")
        programs = [os.path.join(paths.RELEASE, "initramfs", program)
                    for program in paths.INITRAMFS_PROGRAMS]
        packed = list(programs)
        if "cci_https" in settings:
            paths.build_release("initramfs/cci-init-https")
            packed.append(os.path.join(paths.RELEASE, "initramfs/cci-init-https"))

        def make(path):
            with tempfile.TemporaryDirectory(prefix="dracut-", dir=self.directory) as top:
                done = images.dracut(top, modules, *programs,
                                     ["--zstd", "--kmoddir",
                                      os.path.join(self.tree, "lib/modules", self.version)] +
                                     arguments, settings, self.version)
                if done.returncode != 0 or "can't be installed" in done.stdout:
                    raise LabError(f"dracut ({name}): {done.stdout[-3000:]}")
                shutil.move(os.path.join(top, "image"), path)
        key = (self.tree, arguments, settings, _tree_digest(modules, *packed),
               os.stat("/var/lib/dpkg/status").st_mtime_ns
               if os.path.exists("/var/lib/dpkg/status") else 0)
        return self._keep(f"initramfs-{name}", key, make)
