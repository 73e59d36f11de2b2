# SPDX-License-Identifier: MulanPSL-2.0
"""Where things are, and making those that a lab needs."""

import fcntl
import os
import subprocess
import sys

from .errors import LabError

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
CACHE = os.path.join(TOP, ".cache")
SRV = os.path.join(CACHE, "srv")
TFTP = os.path.join(CACHE, "tftp")
BUILD = os.environ.get("CCI_BUILD", os.path.join(TOP, "build"))
# What runs in the guest: no sanitizers there, their libraries are not in the image.
RELEASE = os.path.join(TOP, "build-release")
RELEASE_ARM64 = os.path.join(TOP, "build-arm64")

INITRAMFS_PROGRAMS = ("cci-generator", "cci-init")
AGENT = os.path.join(RELEASE, "agent", "lkp-bootstrap")


def program(name, build=None):
    """The path of ccid, cci or lkp-bootstrap in a build directory (default: $CCI_BUILD)."""
    room = {"ccid": "server", "cci": "cli", "lkp-bootstrap": "agent"}[name]
    path = os.path.join(build or BUILD, room, name)
    if not os.path.exists(path):
        raise LabError(f"{path} is not built: run ninja -C {build or BUILD}")
    return path


def tool(name):
    return os.path.join(TOP, "tools", name)


def _run(*argv):
    done = subprocess.run(argv, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-40:])
        raise LabError(f"{' '.join(argv)} failed ({done.returncode}):\n{tail}")


GUEST_TARGETS = ("agent/lkp-bootstrap", *(f"initramfs/{n}" for n in INITRAMFS_PROGRAMS))


def build_release(*targets):
    """Builds targets (default: all) in the release build directory."""
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, ".build-release"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)        # meson refuses to configure twice at once
        if not os.path.exists(os.path.join(RELEASE, "build.ninja")):
            _run("meson", "setup", RELEASE, TOP, "--buildtype=release")
        _run("ninja", "-C", RELEASE, *targets)


def build_arm64():
    """Builds what runs in 64-bit ARM guests, with the libraries of Debian's packages for them."""
    sysroot = os.path.join(CACHE, "arm64")
    _run(tool("sysroot"), "arm64", sysroot)
    if not os.path.exists(os.path.join(RELEASE_ARM64, "build.ninja")):
        _run("meson", "setup", RELEASE_ARM64, TOP, "--buildtype=release",
             "--cross-file", os.path.join(TOP, "cross", "aarch64.ini"),
             "--cross-file", f"{sysroot}.ini",
             "-Dserver=false", "-Dcli=false", "-Dtests=false")
    _run("ninja", "-C", RELEASE_ARM64, *GUEST_TARGETS)


def agent_unit():
    """The agent's unit file: configured by the build, or as it stands in the source."""
    for directory in (os.path.join(RELEASE, "agent"), os.path.join(TOP, "agent")):
        path = os.path.join(directory, "lkp-bootstrap.service")
        if os.path.exists(path):
            return path
    raise LabError("no lkp-bootstrap.service in the build or the source")


def image_link(arch=None):
    """The current root tree of the test image of an architecture (default: this machine's)."""
    return os.path.join(SRV, "os", "debian", arch or os.uname().machine, "bookworm")


def _make_image(arch, release, *more):
    _run(tool("cci-mkos"), "debian:bookworm", "--arch", arch, *more, "--srv", SRV, "--cache",
         os.path.join(CACHE, "mkos"), "--keep", "2",
         "--agent", os.path.join(release, "agent", "lkp-bootstrap"), "--unit", agent_unit(),
         "--initramfs", os.path.join(release, "initramfs"),
         "--dracut-module", os.path.join(TOP, "dracut-module"))


def prepare(tell=None):
    """Makes what a lab boots, as far as it is not there: agent, image, loaders."""
    tell = tell or (lambda text: print(f"lab: {text}", file=sys.stderr, flush=True))
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, ".prepare"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tell("release build of what runs in machines")
        build_release(*GUEST_TARGETS)
        if not os.path.exists(image_link()):
            tell("making the image (once; minutes)")
        _make_image(os.uname().machine, RELEASE, "--initramfs-with", "net-roots,local")
        _run(tool("loaders"), TFTP)


def prepare_arm64(tell=None):
    """Makes what 64-bit ARM machines boot, as far as it is not there."""
    tell = tell or (lambda text: print(f"lab: {text}", file=sys.stderr, flush=True))
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, ".prepare"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tell("cross build of what runs in arm64 machines")
        build_arm64()
        if not os.path.exists(image_link("aarch64")):
            tell("making the arm64 image (once; minutes)")
        _make_image("aarch64", RELEASE_ARM64)
        _run(tool("loaders"), "--arm64", TFTP)
