#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""A lease that is shorter than the machine stays on: ccid lends an address, the initramfs takes it and
hands it over, and the new root renews it. The machine has the same address from then to the end."""

import socket
import struct
import threading

import stories
from lab import Lab, Server
from lab.errors import LabError
from lab.files import Files
from lab.tap import equal
from stories import LIMIT

LEASE = 60          # seconds; the first renewal is due after half of them
STAY = 80
ETH_P_ALL = 3
DHCPREQUEST = 3
MAGIC = bytes([99, 130, 83, 99])


def dhcp_type(options):
    """Option 53 (RFC 2132, 9.6)."""
    while options and options[0] != 255:
        if options[0] == 0:
            options = options[1:]
        elif options[0] == 53:
            return options[2]
        else:
            options = options[2 + options[1]:]
    return 0


class Wire:
    """Reads what clients send to the DHCP server: (MAC, message type, ciaddr)."""

    def __init__(self, interface):
        self.seen = []
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.bind((interface, 0))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            frame = self.socket.recv(2048)
            if frame[12:14] != b"\x08\x00" or frame[23] != 17:
                continue
            udp = frame[14 + 4 * (frame[14] & 15):]
            bootp = udp[8:]
            if struct.unpack("!H", udp[2:4])[0] == 67 and bootp[236:240] == MAGIC:
                self.seen.append((bootp[28:34].hex(":"), dhcp_type(bootp[240:]),
                                  socket.inet_ntoa(bootp[12:16])))

    def renewals(self, mac):
        """How many requests came from an address that its owner already had."""
        return sum(1 for client, kind, address in self.seen
                   if client == mac and kind == DHCPREQUEST and address != "0.0.0.0")


class Network:
    """One for all stories: a bridge, ccid, the image."""

    lock = threading.Lock()
    it = None

    def __init__(self, story):
        self.lab = Lab()
        self.wire = Wire(self.lab.BRIDGE)
        self.server = Server(self.lab, story.shared(), lease=f"{LEASE}s").start()
        self.files = Files(story.boots.image(), self.lab.ADDRESS, self.lab.ADDRESS)

    @classmethod
    def get(cls, story):
        with cls.lock:
            cls.it = cls.it or cls(story)
            return cls.it


def outlive(story, initramfs, number):
    net = Network.get(story)
    machine = story.start(f"root=live:{net.files.url}/root.img rootovl ro probe.stay={STAY}",
                          initramfs, lab=net.lab, number=number)
    machine.wait_for("PROBE uptime", LIMIT)
    before = net.wire.renewals(machine.mac)
    machine.wait_end(LIMIT)
    probe = story.probe()
    addresses = {line.split()[2] for line in probe.all("address")}
    if len(addresses) != 1 or len(probe.all("address")) < STAY // 4:
        raise LabError(f"the address did not stay: {probe.all('address')}")
    equal(probe.one("root")[:11], "overlay rw,", "root")
    if net.wire.renewals(machine.mac) - before < 1:
        raise LabError(f"no renewal in {STAY} s: {net.wire.seen}")
    mine = [entry for entry in net.wire.seen if entry[0] == machine.mac]
    equal({address for _, _, address in mine} - {"0.0.0.0"},
          {address.split("/")[0] for address in addresses}, "addresses on the wire")


def lean(story):
    outlive(story, "lean", 0)


def legacy(story):
    outlive(story, "full-legacy", 1)


stories.main("initramfs-lease", {
    "networkd's lease, from the lean image": lean,
    "dhclient's lease, from a full image": legacy,
})
