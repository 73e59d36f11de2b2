# SPDX-License-Identifier: MulanPSL-2.0
"""What cci-mkos needs to make an image for an architecture that this machine is not.

Programs of the tree (debootstrap's second half, its apt) run by qemu's user emulation, which the
kernel starts for them while an entry of ours stands in binfmt_misc. That entry counts for the whole
machine: whoever registers it takes it away, and the next run takes away what a killed one left.
dracut runs as this machine's own program and packs another tree than this system's: its emulation
would take minutes.
"""

import os
import shutil
import subprocess

QEMU = {"aarch64": "qemu-aarch64-static"}
LOADER = {"aarch64": "/lib/ld-linux-aarch64.so.1"}

# The first 20 octets of a program, and which of their bits count: 64-bit, little-endian, its kind
# (executable or shared), its machine (elf(5)).
_MAGIC = {"aarch64": rb"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"}
_MASK = rb"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"

_BINFMT = "/proc/sys/fs/binfmt_misc"
_PREFIX = "cci-mkos-"

# dracut asks pkg-config for these, which speaks of this system; and where that is not installed it
# takes an empty answer for the root directory.
_PLACES = """\
systemdutildir=/usr/lib/systemd
systemdutilconfdir=/etc/systemd
systemdsystemunitdir=/usr/lib/systemd/system
systemdsystemconfdir=/etc/systemd/system
systemdcatalog=/usr/lib/systemd/catalog
systemdnetwork=/usr/lib/systemd/network
systemdnetworkconfdir=/etc/systemd/network
systemdntpunits=/usr/lib/systemd/ntp-units.d
systemdntpunitsconfdir=/etc/systemd/ntp-units.d
systemdportable=/usr/lib/systemd/portable
systemdportableconfdir=/etc/systemd/portable
systemduser=/usr/lib/systemd/user
systemduserconfdir=/etc/systemd/user
udevdir=/usr/lib/udev
udevconfdir=/etc/udev
udevrulesdir=/usr/lib/udev/rules.d
udevrulesconfdir=/etc/udev/rules.d
tmpfilesdir=/usr/lib/tmpfiles.d
tmpfilesconfdir=/etc/tmpfiles.d
sysctld=/usr/lib/sysctl.d
sysctlconfdir=/etc/sysctl.d
sysusers=/usr/lib/sysusers.d
sysusersconfdir=/etc/sysusers.d
modulesload=/usr/lib/modules-load.d
modulesloadconfdir=/etc/modules-load.d
environment=/usr/lib/environment.d
environmentconfdir=/etc/environment.d
depmodd=/usr/lib/depmod.d
depmodconfdir=/etc/depmod.d
"""

# Lists the libraries of a program of the tree, as ldd does for one of this system.
_LDD = """\
#!/bin/sh
exec {qemu} -L {top} {top}{loader} --list "$1"
"""


class NotPossible(Exception):
    """A message for the user: what is missing here."""


def _magic(arch):
    return _MAGIC[arch].decode("unicode_escape").encode("latin-1")


def _qemu(arch):
    program = shutil.which(QEMU[arch])
    if program is None:
        raise NotPossible(f"programs of {arch} cannot run here: {QEMU[arch]} is not installed "
                          "(Debian: qemu-user-static)")
    return program


def check_program(arch, path):
    """Refuses what this machine's compiler made."""
    with open(path, "rb") as file:
        machine = file.read(20)[18:20]
    if machine != _magic(arch)[18:20]:
        raise NotPossible(f"{path} is no program of {arch}: build it for that (docs/arm64.md)")


# --- running its programs -----------------------------------------------------------------------


def _read(path):
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read()


def _stands(arch):
    """Whether an entry that is not of a cci-mkos runs programs of arch, in any chroot too."""
    magic = _magic(arch).hex()
    for name in os.listdir(_BINFMT):
        if name in ("register", "status") or name.startswith(_PREFIX):
            continue
        lines = _read(f"{_BINFMT}/{name}").splitlines()
        flags = next((line for line in lines if line.startswith("flags:")), "")
        if lines[:1] == ["enabled"] and f"magic {magic}" in lines and "F" in flags:
            return True
    return False


def _remove_dead():
    for name in os.listdir(_BINFMT):
        pid = name.rpartition(".")[2]
        if name.startswith(_PREFIX) and not os.path.exists(f"/proc/{pid}"):
            unregister(f"{_BINFMT}/{name}")


def register(arch):
    """Lets the kernel run programs of arch; to be called in a mount namespace of one's own. Returns
    the entry for unregister(), or None where another one stands already."""
    program = _qemu(arch)
    if not os.path.exists(f"{_BINFMT}/register"):
        done = subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", _BINFMT],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        if done.returncode != 0:
            raise NotPossible(f"programs of {arch} cannot run here: the kernel has no binfmt_misc "
                              f"(CONFIG_BINFMT_MISC), or it is not permitted: {done.stdout.strip()}")
    _remove_dead()
    if _stands(arch):
        return None
    name = f"{_PREFIX}{arch}.{os.getpid()}"
    # F: qemu is opened now, so that it is found in a chroot that does not have it.
    line = b":%s:M::%s:%s:%s:F" % (name.encode(), _MAGIC[arch], _MASK, program.encode())
    try:
        with open(f"{_BINFMT}/register", "wb", buffering=0) as file:
            file.write(line)
    except OSError as error:
        raise NotPossible(f"programs of {arch} cannot run here: binfmt_misc: "
                          f"{error.strerror}") from None
    return f"{_BINFMT}/{name}"


def unregister(entry):
    """Takes the entry away; None is fine."""
    if entry is None:
        return
    try:
        with open(entry, "wb", buffering=0) as file:
            file.write(b"-1")
    except FileNotFoundError:
        pass


# --- packing its initramfs ----------------------------------------------------------------------


def prepare_dracut(arch, tree, scratch, programs, ca, dracut_base):
    """Makes scratch/sysroot: the tree, with dracut's base directory (copied by dracut_base(DIR)), our
    programs and ca (certificates, or None) in its /mnt. Returns that directory, and dracut's arguments and environment for
    packing it; dracut takes no file, nor the kernel's modules, by another path than below it. What
    is mounted ends with scratch."""
    top, extra, confdir = f"{scratch}/sysroot", f"{scratch}/extra", f"{scratch}/conf.d"
    for directory in (top, extra):
        os.mkdir(directory)
    shutil.copytree(programs, f"{extra}/programs")
    dracut_base(f"{extra}/dracut")
    # a program of this machine, which has no business there
    with open(f"{extra}/dracut/dracut-util", "w", encoding="ascii") as file:
        file.write("#!/bin/sh\n")
    with open(f"{confdir}/places.conf", "w", encoding="ascii") as file:
        file.write(_PLACES)
    with open(f"{scratch}/ldd", "w", encoding="ascii") as file:
        file.write(_LDD.format(qemu=_qemu(arch), top=top, loader=LOADER[arch]))
    os.chmod(f"{scratch}/ldd", 0o755)
    for source, target in ((tree, top), (extra, f"{top}/mnt")):
        subprocess.run(["mount", "--bind", source, target], check=True)
    settings = {"dracutbasedir": f"{top}/mnt/dracut", "DRACUT_ARCH": arch,
                "DRACUT_LDD": f"{scratch}/ldd", "cci_programs": "/mnt/programs"}
    if ca:
        shutil.copyfile(ca, f"{extra}/ca.pem")
        settings["cci_ca"] = f"{top}/mnt/ca.pem"
    return top, ["--sysroot", top], settings
