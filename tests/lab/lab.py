# SPDX-License-Identifier: MulanPSL-2.0
"""The network of a lab: one bridge with the server's addresses, a tap device for each machine."""

import os
import subprocess

from .errors import LabError, NotPermitted


def _ip(*argv):
    done = subprocess.run(["ip", *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"ip {' '.join(argv)}: {done.stdout.strip()}")
    return done.stdout


def _sysctl(name, value):
    with open("/proc/sys/" + name, "w", encoding="ascii") as file:
        file.write(str(value))


class Lab:
    """The network; only inside namespace.enter(), which also takes it away."""

    BRIDGE = "br0"
    ADDRESS = "172.31.0.1"
    NETWORK = "172.31.0.0/24"
    RANGE = "172.31.0.100-172.31.0.199"
    ADDRESS6 = "fd00:cc1::1"

    def __init__(self):
        if len(os.listdir("/sys/class/net")) > 1 + len(_tunnels()):
            raise NotPermitted("not in a network namespace of our own")
        self.n_taps = 0
        # Addresses are usable at once: nobody else can have them.
        if os.path.exists("/proc/sys/net/ipv6"):
            for name in ("all", "default"):
                _sysctl(f"net/ipv6/conf/{name}/accept_dad", 0)
        _ip("link", "set", "lo", "up")
        # Without forward_delay 0 a bridge swallows the first DISCOVERs of a machine.
        _ip("link", "add", self.BRIDGE, "type", "bridge", "forward_delay", "0")
        _ip("addr", "add", f"{self.ADDRESS}/24", "dev", self.BRIDGE)
        if os.path.exists("/proc/sys/net/ipv6"):
            _ip("addr", "add", f"{self.ADDRESS6}/64", "dev", self.BRIDGE, "nodad")
        _ip("link", "set", self.BRIDGE, "up")
        self.add_tap()      # a port, so that the bridge has a carrier before any machine runs

    def add_tap(self):
        """Makes a tap device on the bridge and returns its name."""
        name = f"tap{self.n_taps}"
        self.n_taps += 1
        _ip("tuntap", "add", name, "mode", "tap")
        _ip("link", "set", name, "master", self.BRIDGE)
        _ip("link", "set", name, "up")
        return name


def _tunnels():
    """Devices that the kernel puts into every new namespace."""
    known = {"sit0", "tunl0", "gre0", "gretap0", "erspan0", "ip6tnl0", "ip6gre0", "ip_vti0",
             "ip6_vti0", "teql0", "bonding_masters"}
    return known & set(os.listdir("/sys/class/net"))
