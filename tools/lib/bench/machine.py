# SPDX-License-Identifier: MulanPSL-2.0
"""One boot of an initramfs under qemu -icount, up to switch-root, and what the probe said of it.

With shift=0 an instruction of the guest is a nanosecond of its clock, so its seconds are
instructions and not this machine's speed. sleep=off would make idle time jump while a disk is read;
it is never used."""

import os
import re
import shutil
import subprocess
import tempfile

from lab import Lab, paths
from lab import server as ccid

ICOUNT = ["-accel", "tcg,thread=single", "-icount", "shift=0", "-smp", "1"]
LIMIT_SEC = 900         # a slow machine is no failure


class BootError(Exception):
    """A boot that did not reach switch-root; the text ends with its console."""


class Network:
    """A network of our own (only inside lab.namespace.enter()): ccid gives addresses and serves
    the root image. with Network(...) as network: network.url, network.options()."""

    def __init__(self, root):
        self.lab = Lab()
        self.top = tempfile.mkdtemp(prefix="cci-bench-")
        os.chmod(self.top, 0o755)
        self.server = ccid.Server(self.lab, self.top, build=paths.RELEASE)
        shutil.copyfile(root, os.path.join(self.top, "kernel/root.img"))
        self.url = f"http://{self.lab.ADDRESS}:8000/kernel/root.img"

    def options(self):
        """A virtio card on a tap device of its own."""
        return ["-netdev", f"tap,id=net,ifname={self.lab.add_tap()},script=no,downscript=no",
                "-device", "virtio-net-pci,netdev=net,romfile="]

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *trouble):
        try:
            self.server.__exit__(*trouble)
        finally:
            shutil.rmtree(self.top, ignore_errors=True)


def _counters(said, moment):
    found = re.search(rf"^{moment} uptime=([0-9.]+) cpu=(\d+) processes=(\d+)$", said, re.MULTILINE)
    if not found:
        raise BootError(f"the probe did not reach its {moment}")
    return float(found.group(1)), int(found.group(2)), int(found.group(3))


def _read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def boot(kernel, initrds, line, options=(), trace=False):
    """Boots once. Returns {"cpu": s, "processes": n, "elapsed": s, "before": s until PID 1 began,
    "stages": {name: s}, "trace": text}."""
    with tempfile.TemporaryDirectory(prefix="cci-bench-") as top:
        initrd, said, console = (os.path.join(top, n) for n in ("initrd", "said", "console"))
        with open(initrd, "wb") as out:
            for path in initrds:
                with open(path, "rb") as file:
                    shutil.copyfileobj(file, out)
                out.write(b"\0" * (-out.tell() % 512))
        argv = ["qemu-system-x86_64", "-machine", "pc", "-cpu", "max,-la57", "-m", "1024", *ICOUNT,
                "-display", "none", "-nodefaults", "-monitor", "none", "-no-reboot",
                "-kernel", kernel, "-initrd", initrd,
                "-append", "console=ttyS0,115200 panic=5 rdinit=/bench-probe "
                f"{'bench.trace ' if trace else ''}{line}",
                "-serial", f"file:{console}", "-debugcon", f"file:{said}", *options]
        try:
            subprocess.run(argv, stdin=subprocess.DEVNULL, timeout=LIMIT_SEC, check=True)
            text = _read(said)
            before, after = _counters(text, "begin"), _counters(text, "end")
        except (subprocess.SubprocessError, BootError) as trouble:
            tail = "\n".join(_read(console).splitlines()[-30:]) if os.path.exists(console) else ""
            raise BootError(f"{trouble}; its console ends with\n{tail}") from None
        if os.environ.get("CCI_BENCH_KEEP"):
            shutil.copytree(top, os.environ["CCI_BENCH_KEEP"], dirs_exist_ok=True)
    head, _, trace_text = text.partition("\ntrace\n")
    return {
        "before": before[0],
        "elapsed": after[0] - before[0],
        "cpu": (after[1] - before[1]) / 100,
        "processes": after[2] - before[2] - 1,      # the probe's end is one
        "stages": {name: int(ms) / 1000 for name, ms in re.findall(r"^(\w+) (\d+)$", head,
                                                                    re.MULTILINE)},
        "trace": trace_text,
    }
