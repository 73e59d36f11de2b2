# SPDX-License-Identifier: MulanPSL-2.0
"""KVM where a guest really runs, else TCG: found out by trying, once per boot of this machine. A
guest of another architecture is always emulated."""

import os
import subprocess
import tempfile

from . import paths

# A boot sector that counts to 2^26, then tells the debug-exit device 0x10: qemu exits with
# (0x10 << 1) | 1. A processor does it in a tenth of a second. A host that cannot run a guest's code
# as it is (/dev/kvm on some cloud machines) interprets it, which takes a minute; such a host does not
# get through a kernel's boot at all.
#   mov ecx, 1 << 26; dec ecx; jnz $-2; mov al, 0x10; out 0xf4, al; hlt; jmp $-1
_SECTOR = bytes([0x66, 0xB9, 0, 0, 0, 4, 0x66, 0x49, 0x75, 0xFC,
                 0xB0, 0x10, 0xE6, 0xF4, 0xF4, 0xEB, 0xFD]).ljust(510, b"\0") + b"\x55\xaa"
_RAN = 33


def _guest_runs(accel):
    """Whether a guest gets through a short loop within a few seconds."""
    with tempfile.NamedTemporaryFile(suffix=".img") as disk:
        disk.write(_SECTOR)
        disk.flush()
        argv = ["qemu-system-x86_64", "-nodefaults", "-display", "none", "-no-reboot", "-m", "64",
                "-machine", "pc", "-accel", accel, "-cpu", "host" if accel == "kvm" else "max",
                "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                "-drive", f"file={disk.name},format=raw,if=ide,readonly=off"]
        try:
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=8, check=False)
        except (subprocess.TimeoutExpired, OSError):
            return False
        return done.returncode == _RAN


def choose(arch=os.uname().machine):
    """Returns qemu's options for accelerator and processor; $CCI_ACCEL (kvm, tcg) decides when
    set."""
    if arch != os.uname().machine:
        # The newest processor's pointer authentication makes emulation several times slower.
        return ["-accel", "tcg,thread=multi", "-cpu", "cortex-a72" if arch == "aarch64" else "max"]
    accel = os.environ.get("CCI_ACCEL") or _remembered()
    if accel == "kvm":
        return ["-accel", "kvm", "-cpu", "host"]
    # 5-level page tables make emulation much slower.
    return ["-accel", "tcg,thread=multi", "-cpu", "max,-la57"]


def _remembered():
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    note = os.path.join(paths.CACHE, "accel")
    try:
        with open(note, encoding="ascii") as file:
            known, accel = file.read().split()
        if known == boot:
            return accel
    except (OSError, ValueError):
        pass
    usable = os.access("/dev/kvm", os.R_OK | os.W_OK) and _guest_runs("kvm")
    accel = "kvm" if usable else "tcg"
    os.makedirs(paths.CACHE, exist_ok=True)
    with open(note, "w", encoding="ascii") as file:
        file.write(f"{boot} {accel}\n")
    return accel
