#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""DHCP and router advertisements on real interfaces: frames, real clients, a killed server.

usage: test_dhcp.py DHCP_SERVE"""

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", ".."))
sys.dont_write_bytecode = True

from integration.dhcp.client import (ACK, BROADCAST, DECLINE, DISCOVER, INFORM, NAK, OFFER,  # noqa: E402
                                     RELEASE, REQUEST, Card, ip)
from lab import namespace, tap  # noqa: E402
from lab.errors import LabError  # noqa: E402
from lab.tap import equal  # noqa: E402

SERVER, PEER = "cci0", "cci1"
ADDRESS = "172.31.0.1"
NET, FIRST, LAST = "172.31.0.0/24", "172.31.0.100", "172.31.0.103"
RESERVED_MAC, RESERVED = "52:54:00:00:00:99", "172.31.0.20"

PXE = (b"\x5d\2\0\7" + b"\x3c\x20PXEClient:Arch:00007:UNDI:003016" + b"\x61\x11" + bytes(17) +
       b"\x37\7\1\3\6\x2b\x3c\x42\x43")
IPXE = PXE + b"\x4d\4iPXE" + b"\xaf\3\x13\1\1"


def run(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"{' '.join(argv)}: {done.stdout.strip()}")
    return done.stdout


class Serve:
    """The server under test over one database."""

    def __init__(self, program, directory):
        self.argv = [program, SERVER, os.path.join(directory, "db"), NET, FIRST, LAST,
                     f"{RESERVED_MAC}={RESERVED}"]
        self.log = open(os.path.join(directory, "log"), "ab")       # for all of its lives
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline().strip()
        if line != "ready":
            raise LabError(f"the server said {line!r} and ended {self.process.wait()}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        """Returns its counters."""
        self.process.terminate()
        text = self.process.stdout.read()
        equal(self.process.wait(), 0, "exit status of the server")
        return json.loads(text)


class Elsewhere:
    """Another network namespace, with the far end of a second pair of interfaces."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "600"])
        while os.readlink(f"/proc/{self.holder.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            if self.holder.poll() is not None:
                raise LabError("unshare --net failed")
            time.sleep(0.01)
        run("ip", "link", "set", "far0", "netns", str(self.holder.pid))
        self.run("ip", "link", "set", "far0", "up")

    def argv(self, *argv):
        return ["nsenter", "-t", str(self.holder.pid), "-n", *argv]

    def run(self, *argv):
        return run(*self.argv(*argv))

    def close(self):
        self.holder.kill()
        self.holder.wait()


def make_links():
    """The server's bridge with two ports: one to cards of ours, one to another namespace."""
    for name in ("all", "default"):
        path = f"/proc/sys/net/ipv6/conf/{name}/accept_dad"
        if os.path.exists(path):
            with open(path, "w", encoding="ascii") as file:
                file.write("0")
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", SERVER, "type", "bridge", "forward_delay", "0")
    run("ip", "link", "add", PEER, "type", "veth", "peer", "name", "port0")
    run("ip", "link", "add", "far0", "type", "veth", "peer", "name", "port1")
    run("ip", "addr", "add", f"{ADDRESS}/24", "dev", SERVER)
    for port in ("port0", "port1"):
        run("ip", "link", "set", port, "master", SERVER)
    for name in (SERVER, PEER, "port0", "port1"):
        run("ip", "link", "set", name, "up")


def check_answer(answer, kind, mac):
    if answer is None:
        raise AssertionError("no answer")
    equal(answer.type, kind, "message type")
    equal(answer.chaddr, mac, "chaddr")
    equal(answer.ports, (67, 68), "ports")
    equal(answer.options[54], ip(ADDRESS), "server identifier")
    equal(answer.source, ADDRESS, "source address")
    equal(answer.head_is_good, True, "IP checksum holds")
    if answer.length < 300:
        raise AssertionError(f"{answer.length} bytes: below the minimum of BOOTP")


def frames_without_arp(card):
    offer, ack = card.lease(PXE)
    for answer, kind in ((offer, OFFER), (ack, ACK)):
        check_answer(answer, kind, card.mac)
        equal(answer.to, card.mac, "frame goes to the card")
        equal(answer.destination, answer.yiaddr, "datagram goes to the address given")
        equal(answer.has_checksum and answer.udp_is_good, True, "UDP checksum holds")
        equal(answer.file, "ipxe/bin-x86_64-efi/snponly.efi", "boot file")
        equal(answer.siaddr, ADDRESS, "next server")
        equal(answer.options[60], b"PXEClient", "option 60")
        equal(answer.options[43], b"\6\1\x08\xff", "option 43")
        equal(answer.options[97], bytes(17), "option 97")
    equal(card.n_arp, 0, "ARP requests for an address nobody has yet")
    return ack.yiaddr


def broadcasts(card):
    offer, ack = card.lease(PXE, flags=0x8000)
    for answer, kind in ((offer, OFFER), (ack, ACK)):
        check_answer(answer, kind, card.mac)
        equal(answer.to, BROADCAST, "frame goes to all")
        equal(answer.destination, "255.255.255.255", "datagram goes to all")
        equal(answer.flags, 0x8000, "flags")


def ipxe_after_firmware(card, address):
    offer, ack = card.lease(IPXE)
    for answer, kind in ((offer, OFFER), (ack, ACK)):
        check_answer(answer, kind, card.mac)
        equal(answer.yiaddr, address, "the address its firmware had")
        equal(answer.file, "boot.ipxe", "boot file")
        equal(answer.options[175], b"\xb0\1\1\xff", "no-pxedhcp")
        equal(60 in answer.options, False, "option 60 is not for iPXE")


def relayed(card):
    card.address = "172.31.0.50"        # the relay; it answers ARP
    xid = 0x52454c41
    relay = b"\x52\x06\1\4port"
    card.send(card.message(DISCOVER, xid, b"\x37\1\3" + relay, giaddr=card.address, hops=1,
                           flags=0), source=card.address, destination=ADDRESS, source_port=67)
    answer = card.receive(xid)
    card.address = None
    if answer is None:
        raise AssertionError("no answer")
    equal(answer.type, OFFER, "message type")
    equal(answer.destination, "172.31.0.50", "to the relay")
    equal(answer.ports, (67, 67), "ports")
    equal(answer.giaddr, "172.31.0.50", "giaddr")
    equal(answer.options[82], b"\1\4port", "option 82")
    equal(answer.codes[-1], 82, "the last option")


def refusals(card, other, address):
    """A foreign address is refused by broadcast; what is not ours to answer is not answered."""
    nak = card.ask(REQUEST, b"\x32\4" + ip("10.9.9.9"))
    check_answer(nak, NAK, card.mac)
    equal(nak.to, BROADCAST, "a NAK goes to all")
    nak = other.ask(REQUEST, b"\x32\4" + ip(address) + b"\x36\4" + ip(ADDRESS))
    check_answer(nak, NAK, other.mac)
    equal(card.ask(DISCOVER, b"\x0c\xff", seconds=0.3), None, "a malformed packet's answer")
    equal(card.ask(REQUEST, b"\x36\4" + ip("172.31.0.9") + b"\x32\4" + ip(address), seconds=0.3),
          None, "answer to another server's client")


def solicited(card):
    """iPXE's router solicitation ends its wait at once."""
    source = socket.inet_pton(socket.AF_INET6, "fe80::5054:ff:fe00:1")
    target = socket.inet_pton(socket.AF_INET6, "ff02::2")
    body = b"\x85\0\0\0\0\0\0\0" + b"\1\1" + card.mac
    pseudo = source + target + struct.pack(">II", len(body), 58)
    from integration.dhcp.client import checksum
    body = body[:2] + struct.pack(">H", checksum(pseudo + body)) + body[4:]
    head = struct.pack(">IHBB", 0x60000000, len(body), 58, 255) + source + target
    card.socket.send(b"\x33\x33\0\0\0\2" + card.mac + b"\x86\xdd" + head + body)
    for frame in card.frames(5):
        if frame[12:14] != b"\x86\xdd" or frame[20] != 58 or frame[54] != 134:
            continue
        equal(frame[21], 255, "hop limit")
        equal(frame[22:24], b"\xfe\x80", "from a link-local address")
        equal(struct.unpack_from(">H", frame, 60)[0], 0, "router lifetime")
        equal(frame[59], 0, "no DHCPv6")
        body = frame[54:54 + struct.unpack_from(">H", frame, 18)[0]]
        pseudo = frame[22:54] + struct.pack(">II", len(body), 58)
        equal(checksum(pseudo + body), 0, "checksum")
        return
    raise AssertionError("no router advertisement")


def survives_kill(serve, cards, address):
    """No address goes to two clients, though the server died right after its ACK."""
    serve.kill()
    serve.start()
    given = {address: 0}
    for number, card in enumerate(cards[1:], 1):
        _, ack = card.lease()
        check_answer(ack, ACK, card.mac)
        equal(ack.yiaddr in given, False, f"{ack.yiaddr} is given twice")
        given[ack.yiaddr] = number
        serve.kill()
        serve.start()
    for number, card in enumerate(cards):
        offer = card.ask(DISCOVER)
        check_answer(offer, OFFER, card.mac)
        equal(given[offer.yiaddr], number, "each has its own address still")


UDHCPC_SCRIPT = """#!/bin/sh
echo "$1 $ip $siaddr $boot_file" >>{log}
case $1 in
bound) ip addr add $ip/24 dev $interface ;;
deconfig) ip addr flush dev $interface ;;
esac
"""


def wait_for(path, text, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with open(path, encoding="utf-8") as file:
            content = file.read()
        if text in content:
            return content
        time.sleep(0.02)
    raise AssertionError(f"no {text!r} in {content!r}")


def udhcpc(directory, elsewhere):
    """busybox's client: gets a lease, renews it by unicast, releases it."""
    busybox = shutil.which("busybox")
    log, script = (os.path.join(directory, name) for name in ("udhcpc.log", "udhcpc.sh"))
    with open(script, "w", encoding="ascii") as file:
        file.write(UDHCPC_SCRIPT.format(log=log))
    os.chmod(script, 0o755)
    open(log, "w", encoding="ascii").close()
    elsewhere.run("ip", "link", "set", "far0", "address", RESERVED_MAC)
    client = subprocess.Popen(elsewhere.argv(busybox, "udhcpc", "-f", "-n", "-i", "far0", "-s",
                                             script, "-O", "bootfile"),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(log, f"bound {RESERVED}")
        client.send_signal(signal.SIGUSR1)
        wait_for(log, f"renew {RESERVED}")
        client.send_signal(signal.SIGUSR2)
        content = wait_for(log, "deconfig", 5)
        equal("nak" in content, False, "no NAK")
    finally:
        client.kill()
        client.wait()


def body(report):
    if len(sys.argv) != 2:
        raise LabError("usage: test_dhcp.py DHCP_SERVE")
    program = os.path.realpath(sys.argv[1])
    namespace.enter()
    directory = tempfile.mkdtemp(prefix="cci-dhcp-")
    try:
        checks(report, program, directory)
    finally:
        if report.n_failed:
            with open(os.path.join(directory, "log"), encoding="utf-8", errors="replace") as file:
                report.note("".join(file.readlines()[-60:]))
        shutil.rmtree(directory)


def checks(report, program, directory):
    with report.check("the network stands", vital=True):
        make_links()
        elsewhere = Elsewhere()
    serve = Serve(program, directory)
    cards = [Card(PEER, f"52:54:00:00:00:0{n}") for n in range(1, 5)]
    address = None
    with report.check("the server listens", vital=True):
        serve.start()
    with report.check("a second server is told that the port is taken"):
        done = subprocess.run([program, SERVER, ":memory:", NET, FIRST, LAST],
                              capture_output=True, text=True, timeout=20, check=False)
        equal(done.returncode, 1, "exit status")
        equal("port 67 of cci0 is taken" in done.stderr, True, done.stderr)
    with report.check("an interface that is not there is named"):
        done = subprocess.run([program, "nosuch0", ":memory:", NET, FIRST, LAST],
                              capture_output=True, text=True, timeout=20, check=False)
        equal("there is no interface nosuch0" in done.stderr, True, done.stderr)
    with report.check("a card without an address gets unicast frames, without ARP", vital=True):
        address = frames_without_arp(cards[0])
    with report.check("the broadcast flag is obeyed"):
        broadcasts(cards[0])
    with report.check("iPXE gets the script and the same address"):
        ipxe_after_firmware(cards[0], address)
    with report.check("a relay gets its option 82 back"):
        relayed(cards[1])
    with report.check("what is not the client's is refused or ignored"):
        refusals(cards[0], cards[1], address)
    with report.check("INFORM is answered to the client's address"):
        cards[2].address = "172.31.0.60"
        answer = cards[2].ask(INFORM, ciaddr="172.31.0.60")
        check_answer(answer, ACK, cards[2].mac)
        equal(answer.destination, "172.31.0.60", "destination")
        equal(51 in answer.options, False, "a lease time")
        cards[2].address = None
    with report.check("a router solicitation is answered"):
        solicited(cards[0])
    with report.check("leases outlive a killed server, and no address is given twice"):
        survives_kill(serve, cards, address)
    with report.check("a full range is silent; a release makes room; a decline does not"):
        late = Card(PEER, "52:54:00:00:00:77")
        equal(late.ask(DISCOVER, seconds=0.5), None, "an offer from a full range")
        cards[1].send(cards[1].message(DECLINE, 1, b"\x32\4" + ip(lease_of(cards[1]))))
        equal(late.ask(DISCOVER, seconds=0.5), None, "an offer of a declined address")
        cards[0].send(cards[0].message(RELEASE, 1, ciaddr=address))
        offer, ack = late.lease()
        check_answer(ack, ACK, late.mac)
        equal(offer.yiaddr, address, "the address that was released")
    with report.check("udhcpc gets its reservation, renews by unicast, releases"):
        udhcpc(directory, elsewhere)
    with report.check("an interface made anew is served again, router advertisements too"):
        made_anew(cards, late)
    with report.check("the server ends well"):
        counters = serve.stop()
        report.note(counters)
        equal(counters["broadcast"], 0, "frames that could not be sent")
        equal(counters["dropped"], 0, "packets the kernel dropped")
    elsewhere.close()


def lease_of(card):
    return card.ask(DISCOVER).yiaddr


def made_anew(cards, late):
    run("ip", "link", "del", SERVER)
    run("ip", "link", "add", SERVER, "type", "bridge", "forward_delay", "0")
    run("ip", "addr", "add", f"{ADDRESS}/24", "dev", SERVER)
    run("ip", "link", "set", "port0", "master", SERVER)
    run("ip", "link", "set", SERVER, "up")
    end = time.monotonic() + 20
    while time.monotonic() < end:       # the server looks every few seconds
        offer = late.ask(DISCOVER, seconds=0.5)
        if offer is not None:
            check_answer(offer, OFFER, late.mac)
            solicited(late)
            return
    raise AssertionError("nobody answers on the new interface")


if __name__ == "__main__":
    tap.main(body)
