# SPDX-License-Identifier: MulanPSL-2.0
"""A virtual machine that boots from the network, as a rack machine does, or from a kernel given."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import uuid

from . import accel
from .errors import LabError

_CODE = {"x86_64": ["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/edk2/ovmf/OVMF_CODE.fd",
                    "/usr/share/OVMF/OVMF_CODE.fd"],
         "aarch64": ["/usr/share/AAVMF/AAVMF_CODE.fd",
                     "/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw"]}
_VARS = {"x86_64": ["/usr/share/OVMF/OVMF_VARS_4M.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd",
                    "/usr/share/OVMF/OVMF_VARS.fd"],
         "aarch64": ["/usr/share/AAVMF/AAVMF_VARS.fd",
                     "/usr/share/edk2/aarch64/vars-template-pflash.raw"]}
_BOARD = {"x86_64": "q35", "aarch64": "virt"}


def _first(candidates):
    for path in candidates:
        if os.path.exists(path):
            return path
    raise LabError(f"none of {', '.join(candidates)} is there: run tools/deps")


class Machine:
    """One qemu of architecture arch (x86_64, aarch64). firmware: "uefi" (OVMF or AAVMF, and its own
    PXE), "bios" (SeaBIOS and qemu's iPXE ROM), or "direct" (kernel and initrd given, no firmware
    network); the last two x86 only.

    Without a lab, network says what its card is connected to, in qemu's words ("user", or "hubport"
    for a line on which nobody answers), or None for no card. disks are raw images, each a path or
    a pair of path and serial number. variables: a file for OVMF's variables, which outlives the
    machine; with "direct" it makes OVMF load the kernel.

    The guest's reboot ends qemu unless reboots is true. Files in directory: NAME.serial, NAME.qmp,
    NAME.vars, NAME.qemu (qemu's own messages).
    """

    def __init__(self, lab, directory, firmware, name="vm", number=0, reboots=False, memory=1024,
                 smp=2, kernel=None, initrd=None, append="", network=None, disks=(), variables=None,
                 arch="x86_64"):
        self.lab = lab
        self.arch = arch
        self.name = name
        self.firmware = firmware
        self.mac = f"52:54:00:12:34:{0x50 + number:02x}"
        self.uuid = str(uuid.uuid5(uuid.NAMESPACE_OID, "cci-lab-" + self.mac))
        self.directory = directory
        self.reboots = reboots
        self.memory = memory
        self.smp = smp
        self.direct = {"kernel": kernel, "initrd": initrd, "append": append}
        self.serial = os.path.join(directory, f"{name}.serial")
        self.netdev = f"tap,ifname={lab.add_tap()},script=no,downscript=no" if lab else network
        self.disks = disks
        self.variables = variables
        self.process = None
        self.started = None

    def _file(self, suffix):
        return os.path.join(self.directory, f"{self.name}.{suffix}")

    def _ovmf_options(self):
        variables = self.variables or self._file("vars")
        if not self.variables or not os.path.exists(variables):
            shutil.copy(_first(_VARS[self.arch]), variables)    # fresh, so that runs are equal
        code = _first(_CODE[self.arch])
        # an emulated ARM processor has no random numbers: every program that wants some would wait
        random = ["-device", "virtio-rng-pci"] if self.arch == "aarch64" else []
        return [*random, "-machine", _BOARD[self.arch],
                "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={code}",
                "-drive", f"if=pflash,format=raw,unit=1,file={variables}"]

    def _firmware_options(self):
        card = f"virtio-net-pci,netdev=n0,mac={self.mac},bootindex=1"
        if self.firmware == "bios":
            # graphics=off: firmware and iPXE write to the serial line.
            return ["-machine", "pc,graphics=off", "-device", card]
        if self.firmware == "direct":
            return [*(self._ovmf_options() if self.variables else ["-machine", "pc"]),
                    *(["-device", card] if self.netdev else []),
                    "-kernel", self.direct["kernel"], "-initrd", self.direct["initrd"],
                    "-append", self.direct["append"]]
        return [*self._ovmf_options(), "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n",
                # romfile= (empty) keeps qemu's iPXE ROM away: OVMF's own PXE runs.
                "-device", card + ",romfile="]

    def command(self):
        """qemu's command line."""
        argv = [f"qemu-system-{self.arch}", "-nodefaults", "-display", "none", "-monitor", "none",
                "-name", self.name, "-uuid", self.uuid, "-m", str(self.memory),
                "-smp", str(self.smp),
                "-chardev", f"stdio,id=s0,signal=off,logfile={self.serial}",
                "-serial", "chardev:s0",
                "-qmp", f"unix:{self._file('qmp')},server=on,wait=off"]
        if self.netdev:
            kind, _, more = self.netdev.partition(",")
            argv += ["-netdev", ",".join(filter(None, [kind, "id=n0", more]))]
        for n, disk in enumerate(self.disks):
            path, serial = disk if isinstance(disk, tuple) else (disk, "")
            argv += ["-drive", f"file={path},format=raw,if=none,id=disk{n}", "-device",
                     f"virtio-blk-pci,drive=disk{n}" + (f",serial={serial}" if serial else "")]
        if not self.reboots:
            argv.append("-no-reboot")
        return argv + accel.choose(self.arch) + self._firmware_options()

    def start(self):
        """Powers the machine on."""
        os.makedirs(self.directory, exist_ok=True)
        open(self.serial, "wb").close()
        with open(self._file("qemu"), "wb") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.PIPE,
                                            stdout=subprocess.DEVNULL, stderr=log)
        self.started = time.monotonic()
        return self

    def running(self):
        return self.process is not None and self.process.poll() is None

    def console(self):
        """All serial output so far, as text without terminal control sequences."""
        with open(self.serial, "rb") as file:
            text = file.read().decode("utf-8", "replace")
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", text)

    def tail(self, lines=40):
        shown = [line for line in self.console().splitlines() if line.strip()]
        return "\n".join(f"  | {line}" for line in shown[-lines:])

    def wait_for(self, pattern, timeout):
        """Waits until the serial output matches; returns the match."""
        end = time.monotonic() + timeout
        while True:
            alive = self.running()
            match = re.search(pattern, self.console())
            if match:
                return match
            if not alive or time.monotonic() > end:
                why = f"not seen in {timeout} s" if alive else "machine ended first"
                raise LabError(f"{self.name}: {pattern!r}: {why}; its console ends:\n{self.tail()}")
            time.sleep(0.05)

    def type(self, text):
        """Types on the serial line."""
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def wait_end(self, timeout):
        """Waits for the guest to power off or (unless reboots) to reboot."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.name}: still on after {timeout} s; its console ends:\n"
                           f"{self.tail()}") from None
        if self.process.returncode != 0:
            with open(self._file("qemu"), encoding="utf-8", errors="replace") as file:
                raise LabError(f"{self.name}: qemu exited {self.process.returncode}: "
                               f"{file.read().strip()}")

    def qmp(self, command, **arguments):
        """Sends one QMP command and returns its answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(self._file("qmp"))
            stream = connection.makefile("rw", encoding="utf-8")
            stream.readline()                               # the greeting
            for name, given in (("qmp_capabilities", {}), (command, arguments)):
                stream.write(json.dumps({"execute": name, "arguments": given}) + "\n")
                stream.flush()
                answer = {}
                while "return" not in answer and "error" not in answer:
                    answer = json.loads(stream.readline())  # events come in between
                if "error" in answer:
                    raise LabError(f"{self.name}: {name}: {answer['error'].get('desc')}")
        return answer["return"]

    def reset(self):
        """As pressing the reset button; ends qemu unless reboots."""
        self.qmp("system_reset")

    def stop(self):
        """Pulls the plug."""
        if self.running():
            self.process.kill()
        if self.process is not None:
            self.process.wait()
            self.process.stdin.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
