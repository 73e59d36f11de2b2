# SPDX-License-Identifier: MulanPSL-2.0
"""A TFTP client that does as it is told: to say what a firmware says, to lose what a cable loses."""

import socket
import struct

RRQ, WRQ, DATA, ACK, ERROR, OACK = 1, 2, 3, 4, 5, 6


def request(name, mode="octet", opcode=RRQ, **options):
    if isinstance(name, str):
        name = name.encode()
    words = [name, mode.encode()]
    for key, value in options.items():
        words += [key.encode(), str(value).encode()]
    return struct.pack(">H", opcode) + b"".join(word + b"\0" for word in words)


class Packet:
    """A packet of the server's, taken apart."""

    def __init__(self, raw, source):
        self.raw, self.source = raw, source
        self.opcode = struct.unpack_from(">H", raw)[0]
        self.block = self.code = None
        self.options, self.data, self.message = {}, b"", ""
        if self.opcode == DATA:
            self.block, self.data = struct.unpack_from(">H", raw, 2)[0], raw[4:]
        elif self.opcode == ERROR:
            self.code = struct.unpack_from(">H", raw, 2)[0]
            self.message = raw[4:].split(b"\0")[0].decode()
        elif self.opcode == OACK:
            words = [word.decode() for word in raw[2:].split(b"\0")[:-1]]
            self.options = dict(zip(words[::2], words[1::2]))

    def __repr__(self):
        return f"opcode {self.opcode} from {self.source}: {self.raw[2:40]!r}"


class Client:
    """One UDP port."""

    def __init__(self, server, address=None, port=0, timeout=4):
        self.server = server
        self.tid = None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((address or "0.0.0.0", port))
        self.socket.settimeout(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, raw):
        """Sends a request and returns the first answer; later packets go to where it came from."""
        self.socket.sendto(raw, (self.server, 69))
        packet = self.receive()
        self.tid = packet.source
        return packet

    def receive(self, timeout=None):
        if timeout is not None:
            self.socket.settimeout(timeout)
        return Packet(*self.socket.recvfrom(65536))

    def silent_for(self, seconds):
        """Whether nothing comes for that long."""
        before = self.socket.gettimeout()
        try:
            self.receive(seconds)
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(before)

    def send(self, raw):
        self.socket.sendto(raw, self.tid)

    def ack(self, block):
        self.send(struct.pack(">HH", ACK, block & 0xFFFF))

    def error(self, code, message):
        self.send(struct.pack(">HH", ERROR, code) + message.encode() + b"\0")

    def fetch(self, name, lose=None, **options):
        """A whole file, after RFC 7440. lose() says whether the block that just came is lost."""
        packet = self.ask(request(name, **options))
        size, window = 512, 1
        if packet.opcode == OACK:
            size = int(packet.options.get("blksize", size))
            window = int(packet.options.get("windowsize", window))
            self.ack(0)
            packet = self.receive()
        content, block, in_window = [], 0, 0
        while True:
            if packet.opcode != DATA:
                raise AssertionError(f"{name}: {packet}")
            if not (lose and lose()):
                if packet.block == (block + 1) & 0xFFFF:
                    block, in_window = block + 1, in_window + 1
                    content.append(packet.data)
                    if in_window == window or len(packet.data) < size:
                        self.ack(block)
                        in_window = 0
                    if len(packet.data) < size:
                        return b"".join(content)
                else:
                    self.ack(block)
                    in_window = 0
            packet = self.receive()
