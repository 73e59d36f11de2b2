# SPDX-License-Identifier: MulanPSL-2.0
"""A directory that stands for an initramfs: the verbs run in it by chroot, in a mount and a network
namespace which the whole test program has entered."""

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile

from lab.errors import NotPermitted

BUILD = os.environ.get("CCI_BUILD", os.path.join(os.path.dirname(__file__), "../../../build"))
HTTPS = os.path.join(BUILD, "initramfs/cci-init-https")
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000


def run(*argv, **options):
    """Runs a program of the outside; its output is shown when it fails."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)}: {done.stdout}")
    return done.stdout


def enter_namespaces():
    """Mounts, loop devices' mounts among them, and the network end with this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS | CLONE_NEWNET) != 0:
        raise NotPermitted(f"unshare: {os.strerror(ctypes.get_errno())}")
    libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)
    run("ip", "link", "set", "lo", "up")


class Result:
    """How a verb ended: status, what it said, and what it left in /run/cci/state."""

    def __init__(self, status, said, state):
        self.status, self.said = status, said
        self.state = dict(line.split("=", 1) for line in state.splitlines())
        self.cause = self.state.get("cause")

    def must_do(self):
        if self.status != 0:
            raise AssertionError(f"exit status {self.status}: {self.said}")
        return self

    def must_fail(self, cause):
        if self.status != 1 or self.cause != cause:
            raise AssertionError(f"exit status {self.status}, cause {self.cause}, expected {cause}: "
                                 f"{self.said}")
        return self


class Box:
    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="cci-initramfs-")
        run("mount", "-t", "tmpfs", "cci-box", self.root)
        run("mount", "--make-shared", self.root)        # as systemd makes what it runs in
        for name in ["dev", "proc", "sys"]:
            os.mkdir(f"{self.root}/{name}")
            run("mount", "--rbind", f"/{name}", f"{self.root}/{name}")
        for name in ["bin", "sbin", "lib", "lib64", "lib32"]:
            if os.path.isdir(f"/usr/{name}"):
                self.bind_program_files(f"usr/{name}")
            if os.path.islink(f"/{name}"):
                os.symlink(f"usr/{name}", f"{self.root}/{name}")
        for name in ["etc", "run", "sysroot", "tmp"]:
            os.mkdir(f"{self.root}/{name}")
        run("mount", "-t", "tmpfs", "cci-run", f"{self.root}/run")
        os.makedirs(f"{self.root}/run/cci")
        shutil.copy(os.path.join(BUILD, "initramfs/cci-init"), f"{self.root}/cci-init")
        if os.path.exists(HTTPS):
            shutil.copy(HTTPS, f"{self.root}/usr/bin/cci-init-https")

    def bind_program_files(self, name):
        """What the machine has there, and whatever a test puts beside it."""
        for directory in [name, f".upper/{name}", f".work/{name}"]:
            os.makedirs(f"{self.root}/{directory}")
        run("mount", "-t", "overlay", "cci-box", "-o",
            f"lowerdir=/{name},upperdir={self.root}/.upper/{name},workdir={self.root}/.work/{name}",
            f"{self.root}/{name}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        run("umount", "-R", "-l", self.root)
        os.rmdir(self.root)

    def path(self, name):
        return f"{self.root}/{name.lstrip('/')}"

    def exists(self, name):
        return os.path.lexists(self.path(name))

    def write(self, name, content, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(self.path(name), mode)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def mounted(self, name):
        return os.path.ismount(self.path(name))

    def plan(self, **keys):
        keys = {"timeout": 2000000, "retry": 1, "onfail": "reboot", "debug": "yes", "upper": "tmpfs",
                "upper_size": "16M", "overlay": "yes", "deploy": "yes"} | keys
        self.write("run/cci/plan", "".join(f"{k}={v}\n" for k, v in keys.items()))

    def verb(self, name, seconds=60):
        done = subprocess.run([f"{self.root}/cci-init" if name == "--help" else "/cci-init", name],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=seconds, env={"PATH": "/usr/sbin:/usr/bin",
                                                    "ASAN_OPTIONS": "detect_leaks=0"},
                              preexec_fn=lambda: (os.chroot(self.root), os.chdir("/")))
        state = self.path("run/cci/state")
        text = ""
        if os.path.exists(state):
            with open(state, encoding="utf-8") as file:
                text = file.read()
        return Result(done.returncode, done.stdout, text)


def make_root(path):
    """A tree that looks like a system."""
    for name in ["usr/lib", "etc", "proc", "sys", "dev", "var"]:
        os.makedirs(f"{path}/{name}")
    os.symlink("usr/lib", f"{path}/lib")
    for name, text in {"usr/lib/os-release": "ID=test\n", "etc/hello": "hello\n",
                       "etc/fstab": "UUID=no / ext4 rw 0 1\ntmpfs /mnt tmpfs rw 0 0\n"}.items():
        with open(f"{path}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    os.symlink("../usr/lib/os-release", f"{path}/etc/os-release")


def make_image(kind, tree, to):
    if kind == "squashfs":
        run("mksquashfs", tree, to, "-noappend", "-quiet", "-no-progress")
    elif kind == "erofs":
        run("mkfs.erofs", to, tree)
    else:
        with open(to, "wb") as file:
            file.truncate(8 << 20)
        run("mkfs.ext4", "-q", "-L", "cci-test-root", "-d", tree, to)


def main(body):
    """For lab.tap.main: in namespaces, and not at all where they are not permitted."""
    def inner(tap):
        if os.geteuid() != 0:
            raise NotPermitted("not root")
        enter_namespaces()
        body(tap)
    from lab import tap as taps
    sys.stdout.flush()
    taps.main(inner)


def run_checks(checks, can=lambda name: True):
    """A body for main: those (name, check) that hold one of the words of the command line, or all."""
    def body(tap):
        wanted = sys.argv[1:]
        for name, check in checks:
            if can(name) and (not wanted or any(word in name for word in wanted)):
                with tap.check(name):
                    check(tap)
    return body
