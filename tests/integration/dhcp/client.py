# SPDX-License-Identifier: MulanPSL-2.0
"""A DHCP client on a packet socket: it sees the very frames, and answers no ARP unless told to."""

import os
import select
import socket
import struct
import time

BROADCAST = b"\xff" * 6
COOKIE = b"\x63\x82\x53\x63"
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip(text):
    return socket.inet_aton(text)


def datagram(source, destination, source_port, destination_port, payload):
    """IPv4 and UDP around payload, the UDP checksum left out (which IPv4 allows)."""
    udp = struct.pack(">4H", source_port, destination_port, 8 + len(payload), 0) + payload
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0)
    head += ip(source) + ip(destination)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + udp


class Answer:
    """A frame with a DHCP answer in it, taken apart and checked."""

    def __init__(self, frame):
        self.to, self.sender = frame[:6], frame[6:12]
        packet = frame[14:]
        size = struct.unpack_from(">H", packet, 2)[0]
        head, packet = packet[:20], packet[:size]
        self.head_is_good = checksum(head) == 0
        self.source = socket.inet_ntoa(head[12:16])
        self.destination = socket.inet_ntoa(head[16:20])
        self.ports = struct.unpack_from(">HH", packet, 20)
        pseudo = head[12:20] + struct.pack(">BBH", 0, 17, size - 20)
        self.has_checksum = packet[26:28] != b"\0\0"
        self.udp_is_good = checksum(pseudo + packet[20:]) == 0
        message = packet[28:]
        self.length = len(message)
        self.xid, _, self.flags = struct.unpack_from(">IHH", message, 4)
        self.ciaddr, self.yiaddr, self.siaddr, self.giaddr = (
            socket.inet_ntoa(message[i:i + 4]) for i in (12, 16, 20, 24))
        self.chaddr = message[28:34]
        self.file = message[108:236].split(b"\0")[0].decode()
        self.options, self.codes = {}, []
        rest = message[240:]
        while rest and rest[0] != 255:
            if rest[0] == 0:
                rest = rest[1:]
                continue
            code, length = rest[0], rest[1]
            self.options[code] = self.options.get(code, b"") + rest[2:2 + length]
            self.codes.append(code)
            rest = rest[2 + length:]
        self.type = self.options[53][0]


class Card:
    """One network card, known by its address, on an interface of ours."""

    def __init__(self, interface, mac):
        self.mac = bytes.fromhex(mac.replace(":", ""))
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((interface, 0))
        self.n_arp = 0          # requests for an address, seen while waiting
        self.address = None     # answers ARP for it

    def close(self):
        self.socket.close()

    def message(self, kind, xid, options=b"", flags=0, ciaddr="0.0.0.0", giaddr="0.0.0.0", hops=0):
        head = struct.pack(">BBBBIHH", 1, 1, 6, hops, xid, 0, flags)
        head += ip(ciaddr) + bytes(8) + ip(giaddr) + self.mac + bytes(10 + 192) + COOKIE
        return head + bytes([53, 1, kind]) + options + b"\xff"

    def send(self, payload, source="0.0.0.0", destination="255.255.255.255", to=BROADCAST,
             source_port=68):
        frame = to + self.mac + b"\x08\x00"
        self.socket.send(frame + datagram(source, destination, source_port, 67, payload))

    def _answer_arp(self, frame):
        if self.address is None or frame[38:42] != ip(self.address):
            return
        reply = frame[6:12] + self.mac + b"\x08\x06" + struct.pack(">HHBBH", 1, 0x800, 6, 4, 2)
        self.socket.send(reply + self.mac + ip(self.address) + frame[22:28] + frame[28:32])

    def frames(self, seconds):
        """Frames that come in within that time, our own left out."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return
            frame, where = self.socket.recvfrom(4096)
            if where[2] == socket.PACKET_OUTGOING:
                continue
            if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1":
                self.n_arp += 1
                self._answer_arp(frame)
            yield frame

    def receive(self, xid, seconds=5):
        """The next DHCP answer with that xid, or None."""
        for frame in self.frames(seconds):
            if frame[12:14] != b"\x08\x00" or len(frame) < 282 or frame[23] != 17:
                continue
            answer = Answer(frame)
            if answer.ports[0] == 67 and answer.xid == xid:
                return answer
        return None

    def ask(self, kind, options=b"", seconds=5, xid=None, **fields):
        if xid is None:
            xid = int.from_bytes(os.urandom(4), "big")
        self.send(self.message(kind, xid, options, **fields))
        return self.receive(xid, seconds)

    def lease(self, options=b"", **fields):
        """DISCOVER, OFFER, REQUEST, ACK. Returns both answers."""
        xid = int.from_bytes(os.urandom(4), "big")
        offer = self.ask(DISCOVER, options, xid=xid, **fields)
        if offer is None:
            return None, None
        ack = self.ask(REQUEST, options + b"\x32\4" + ip(offer.yiaddr) + b"\x36\4" +
                       offer.options[54], xid=xid, **fields)
        return offer, ack
