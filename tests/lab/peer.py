# SPDX-License-Identifier: MulanPSL-2.0
"""Another computer on the lab's bridge, without a machine: a network namespace that this process
steps into and out of."""

import contextlib
import ctypes
import os
import subprocess
import time

from .errors import LabError

CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def _set_namespace(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise LabError(f"setns: {os.strerror(ctypes.get_errno())}")


class Peer:
    """with peer.inside(): sockets and programs begun there speak from the peer's address."""

    def __init__(self, lab, address="172.31.0.50", number=0):
        self.address = address
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "infinity"])
        self.own = os.open("/proc/self/ns/net", os.O_RDONLY)
        path = f"/proc/{self.holder.pid}/ns/net"
        end = time.monotonic() + 5
        while os.readlink(path) == os.readlink("/proc/self/ns/net"):
            if time.monotonic() > end:
                raise LabError("unshare -n does not come up")
            time.sleep(0.01)
        self.theirs = os.open(path, os.O_RDONLY)
        near = f"peer{number}"
        self._run("ip", "link", "add", near, "type", "veth", "peer", "name", "net0", "netns",
                  str(self.holder.pid))
        self._run("ip", "link", "set", near, "master", lab.BRIDGE, "up")
        with self.inside():
            self._run("ip", "addr", "add", f"{address}/24", "dev", "net0")
            self._run("ip", "link", "set", "net0", "up")
            self._run("ip", "link", "set", "lo", "up")

    @staticmethod
    def _run(*argv):
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"{' '.join(argv)}: {done.stdout.strip()}")

    @contextlib.contextmanager
    def inside(self):
        _set_namespace(self.theirs)
        try:
            yield self
        finally:
            _set_namespace(self.own)
