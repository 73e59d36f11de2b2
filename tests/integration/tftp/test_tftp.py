#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""TFTP with real clients over a real (virtual) wire: curl, busybox, atftp, tftp-hpa, what the
firmwares in our captures say, and clients that misbehave."""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", ".."))

from lab import LabError, namespace, output, tap  # noqa: E402
from lab.tap import equal  # noqa: E402

from client import DATA, ERROR, OACK, WRQ, Client, request  # noqa: E402

SERVER, SERVER2, CLIENT = "172.31.9.1", "172.31.9.2", "172.31.9.100"
SIZES = (0, 1, 511, 512, 513, 1432 * 3, 1468 * 8, 300001)


def run(*argv, expect=0, timeout=60, **more):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False, **more)
    if expect is not None and done.returncode != expect:
        raise LabError(f"{' '.join(argv)}: exit {done.returncode}:\n{done.stdout.strip()}")
    return done


class Wire:
    """The test is one end, in its namespace; the server's end is in a namespace of its own."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "infinity"])
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self.holder.pid}/ns/net") == own:
            time.sleep(0.01)
        run("ip", "link", "set", "lo", "up")
        with open("/proc/sys/net/ipv4/icmp_ratelimit", "w", encoding="ascii") as file:
            file.write("0")     # each closed port is told, however many were before it
        self.connect()

    def connect(self):
        pid = str(self.holder.pid)
        run("ip", "link", "add", "client0", "type", "veth", "peer", "name", "lab0", "netns", pid)
        run("ip", "addr", "add", f"{CLIENT}/24", "dev", "client0")
        run("ip", "link", "set", "client0", "up")
        for command in (f"addr add {SERVER}/24 dev lab0", f"addr add {SERVER2}/24 dev lab0",
                        "link set lab0 up", "link set lo up"):
            run(*self.inside(), "ip", *command.split())

    def inside(self):
        return ["nsenter", "-t", str(self.holder.pid), "-n"]


class Server:
    """One tftp_serve; `lines` are what it reported, `counters` what it counted, once it ended."""

    def __init__(self, wire, directory, *limits):
        self.out = tempfile.TemporaryFile("w+")
        self.err = tempfile.TemporaryFile("w+")
        argv = [*wire.inside(), sys.argv[1], "lab0", f"{directory}/root", *map(str, limits)]
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.out,
                                        stderr=self.err)
        self.lines, self.counters, self.log = [], {}, ""
        end = time.monotonic() + 20
        while not output.read(self.out).startswith("ready"):
            if self.process.poll() is not None or time.monotonic() > end:
                raise LabError(f"tftp_serve does not come up: {output.read(self.err)}")
            time.sleep(0.01)

    def reports(self):
        return [line.split() for line in output.read(self.out).splitlines()[1:]
                if not line.startswith("counters")]

    def wait_report(self, *words, after=0, timeout=10):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            for line in self.reports()[after:]:
                if all(word in line for word in words):
                    return line
            time.sleep(0.02)
        raise LabError(f"no report with {words}: {self.reports()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(20)
        text = output.read(self.out).splitlines()
        self.log = output.read(self.err)
        if status != 0:
            raise LabError(f"tftp_serve ended with {status}:\n{self.log}")
        self.counters = dict(word.split("=") for word in text[-1].split()[1:])

    def count(self, name):
        return int(self.counters[name])


def make_files(directory):
    """Files of known content; returns {name: content}."""
    root = f"{directory}/root"
    dice = random.Random(1)
    files = {f"size-{size}": dice.randbytes(size) for size in SIZES}
    files["ipxe/bin-x86_64-efi/snp.efi"] = dice.randbytes(173792)
    files["large"] = dice.randbytes(512 * 70001 + 3)        # block numbers wrap
    for name, content in files.items():
        os.makedirs(os.path.dirname(f"{root}/{name}"), exist_ok=True)
        with open(f"{root}/{name}", "wb") as file:
            file.write(content)
    with open(f"{directory}/secret", "w", encoding="ascii") as file:
        file.write("not for you")
    os.symlink("../secret", f"{root}/out")
    os.symlink("/etc/hostname", f"{root}/far-out")
    os.symlink("ipxe/bin-x86_64-efi/snp.efi", f"{root}/snponly.efi")
    os.mkfifo(f"{root}/fifo")
    return files


def same(directory, content, what):
    with open(f"{directory}/got", "rb") as file:
        got = file.read()
    os.unlink(f"{directory}/got")
    equal((len(got), hashlib.sha256(got).hexdigest()),
          (len(content), hashlib.sha256(content).hexdigest()), what)


def curl(directory, name, *options):
    return run("curl", "-sS", "-o", f"{directory}/got", *options, f"tftp://{SERVER}/{name}")


def with_real_clients(check, directory, files):
    small = [name for name in files if name != "large"]
    with check.check("curl, block sizes 512, 1468, 8192, none, no options"):
        for options in ([], ["--tftp-blksize", "1468"], ["--tftp-blksize", "8192"],
                        ["--tftp-no-options"]):
            for name in small:
                if files[name] or options == ["--tftp-no-options"]:     # curl takes no tsize of 0
                    curl(directory, name, *options)
                    same(directory, files[name], f"{name} {options}")
    with check.check("curl: more than 65535 blocks"):
        curl(directory, "large")
        same(directory, files["large"], "large")
    if shutil.which("busybox"):
        with check.check("busybox tftp"):
            for name in small:
                for size in ("512", "1432"):
                    run("busybox", "tftp", "-g", "-b", size, "-l", f"{directory}/got", "-r", name,
                        SERVER)
                    same(directory, files[name], name)
    if shutil.which("atftp"):
        with check.check("atftp: tsize, blksize, timeout, windowsize"):
            for name in small:
                run("atftp", "--option", "tsize 0", "--option", "blksize 1428", "--option",
                    "timeout 2", "-g", "-r", name, "-l", f"{directory}/got", SERVER)
                same(directory, files[name], name)
        with check.check("atftp: more than 65535 blocks in windows of 16"):
            run("atftp", "--option", "windowsize 16", "-g", "-r", "large", "-l",
                f"{directory}/got", SERVER)
            same(directory, files["large"], "large")
    if shutil.which("tftp"):
        with check.check("tftp-hpa"):
            for name in small:
                run("tftp", "-m", "binary", SERVER, "-c", "get", name, f"{directory}/got")
                same(directory, files[name], name)


def with_firmware(check, server, files):
    """Word for word what the captures show (option order and all)."""
    firmware = files["ipxe/bin-x86_64-efi/snp.efi"]
    with check.check("OVMF: the aborted first read"):
        with Client(SERVER, port=1828) as client:
            answer = client.ask(request("snponly.efi", tsize=0, blksize=1468, windowsize=4))
            equal(answer.opcode, OACK, "answer")
            equal(answer.options, {"tsize": "173792", "blksize": "1468", "windowsize": "4"},
                  "options")
            client.error(8, "User aborted the transfer")
            equal(client.silent_for(1.5), True, "silence after the ERROR")
    with check.check("OVMF: the second read, from another port"):
        with Client(SERVER, port=1829) as client:
            got = client.fetch("snponly.efi", blksize=1468, windowsize=4)
            equal(got == firmware, True, "content")
    with check.check("the probe is no transfer, the read is one, and well"):
        server.wait_report("done", "snponly.efi", "173792", "well")
        starts = [line for line in server.reports() if "snponly.efi" in line]
        equal([line[0] for line in starts], ["start", "done"], "reports")
    for name in ("boot.ipxe", "/boot.ipxe"):
        with check.check(f"iPXE: {name}, made for this peer"):
            with Client(SERVER) as client:
                script = f"#!ipxe\n# peer {CLIENT} local {SERVER}\n"
                answer = client.ask(request(name, blksize=1432, tsize=0))
                equal(answer.options, {"blksize": "1432", "tsize": str(len(script))}, "options")
                client.ack(0)
                answer = client.receive()
                equal((answer.opcode, answer.block, answer.data.decode()), (DATA, 1, script),
                      "first block")
                client.ack(1)
                equal(client.silent_for(1.5), True, "silence after the end")
    with check.check("names of old ROMs: /tftpboot/, 0xFF behind the name"):
        for name in (b"/tftpboot/size-513", b"//size-513", b"size-513\xff", b"size-513\xff\xff x"):
            with Client(SERVER) as client:
                equal(client.fetch(name), files["size-513"], repr(name))


def refused(name, code, mode="octet", opcode=1):
    with Client(SERVER) as client:
        answer = client.ask(request(name, mode=mode, opcode=opcode))
        equal((answer.opcode, answer.code), (ERROR, code), repr(name))
        equal(answer.source, (SERVER, 69), "who refuses")
        equal(client.silent_for(0.1), True, "one answer only")


BAD = (b"../secret", b"/../secret", b"ipxe/../../secret", b"..", b"/tftpboot/../../secret",
       b"..\\secret", b"ipxe\\..\\..\\secret", b"%2e%2e/secret", b"%2e%2e%2fsecret",
       b"%252e%252e/secret", b"..%00", b"\xc0\xae\xc0\xae/secret", b"a\nb", b"a\x1b[2J")


def refusals(check, wire, directory):
    with Server(wire, directory) as server:
        with check.check("names with tricks: ERROR 2"):
            for name in BAD:
                refused(name, 2)
        with check.check("links out of the root, a FIFO, a directory: ERROR 2"):
            for name in ("out", "far-out", "fifo", "ipxe", "/", "."):
                refused(name, 2)
        with check.check("what is not there: ERROR 1"):
            for name in ("absent", "size-1/x", "autoexec.ipxe", "secret", f"{directory}/secret"):
                refused(name, 1)
        with check.check("a NUL ends the name, what follows is no mode: ERROR 4"):
            refused(b"size-1\0/../size-1", 4)
        with check.check("writing: ERROR 2; netascii: ERROR 4"):
            refused("size-1", 2, opcode=WRQ)
            refused("new", 2, opcode=WRQ)
            refused("size-1", 4, mode="netascii")
            equal(os.path.exists(f"{directory}/root/new"), False, "the file")
        with check.check("what is no request is not answered"):
            with Client(SERVER, timeout=0.2) as client:
                for raw in (b"", b"\0", b"\0\1", b"\0\1abc", b"\0\4\0\1", b"\0\3\0\1abc",
                            b"\xff" * 600, b"\0\1" + b"a" * 2000):
                    client.socket.sendto(raw, (SERVER, 69))
                equal(client.silent_for(0.3), True, "silence")
    with check.check("all of them were counted"):
        equal(server.count("bad_path"), len(BAD), "bad_path")
        equal(server.count("outside"), 2, "outside")
        equal(server.count("not_regular"), 4, "not_regular")
        equal(server.count("absent"), 5, "absent")
        equal(server.count("malformed"), 8, "malformed")
        equal(server.count("refused"), len(BAD) + 2 + 4 + 5 + 4, "refused")
    with check.check("the log says who and why, and nothing of a peer's unescaped"):
        for word in ("reason=bad_path", "reason=outside", f"peer={CLIENT}", "TFTP write refused"):
            equal(word in server.log, True, word)
        equal("\x1b" in server.log, False, "escape in the log")


def bad_wire(check, directory, files):
    content = files["ipxe/bin-x86_64-efi/snp.efi"]
    with check.check("blocks get lost: one in eleven, in windows of 1, 4, 16"):
        dice = random.Random(2)
        for window in (1, 4, 16):
            with Client(SERVER) as client:
                got = client.fetch("snponly.efi", blksize=1468, windowsize=window, utimeout=20000,
                                   lose=lambda: dice.random() < 1 / 11)
                equal(got == content, True, f"content, window {window}")
    with check.check("the same request twice: one transfer"):
        with Client(SERVER) as client:
            raw = request("size-300001", blksize=1000)
            client.socket.sendto(raw, (SERVER, 69))
            answer = client.ask(raw)
            equal(answer.opcode, OACK, "answer")
            equal(client.silent_for(0.5), True, "no second OACK")
            client.ack(0)
            equal(client.receive().block, 1, "the first block")
            client.error(0, "enough")
    with check.check("another request from the same port: the old transfer is over"):
        with Client(SERVER) as client:
            client.ask(request("size-300001"))
            first = client.tid
            answer = client.ask(request("size-513"))
            equal(answer.source != first, True, "a TID of its own")
            equal(answer.data, files["size-513"][:512], "content")
            client.tid = first
            client.ack(1)
            client.tid = answer.source
            client.ack(1)
            equal(client.receive().data, files["size-513"][512:], "the rest")
            client.ack(2)
    with check.check("a stranger does not disturb a transfer"):
        with Client(SERVER) as client, Client(SERVER) as stranger:
            client.ask(request("size-513"))
            stranger.tid = client.tid
            for _ in range(3):
                stranger.error(0, "stop")
                stranger.ack(1)
            client.ack(1)
            equal(client.receive().data, files["size-513"][512:], "the rest")
            client.ack(2)
    with check.check("repeated ACKs do not double what is sent"):
        with Client(SERVER) as client:
            client.ask(request("size-300001"))
            for _ in range(5):
                client.ack(1)
            equal(client.receive().block, 2, "the next block")
            equal(client.silent_for(0.5), True, "it came once")
            client.error(0, "enough")
    with check.check("the answer comes from the address that was asked"):
        with Client(SERVER2) as client:
            equal(client.fetch("size-513"), files["size-513"], "content")
            equal(client.tid[0], SERVER2, "source")
        with Client(SERVER2) as client:
            equal(client.ask(request("absent")).source, (SERVER2, 69), "source of the refusal")
    with check.check("a replaced file is served new at once"):
        for content in (b"first", b"other", b"third and longer"):
            with open(f"{directory}/root/new.tmp", "wb") as file:
                file.write(content)
            os.rename(f"{directory}/root/new.tmp", f"{directory}/root/replaced")
            with Client(SERVER) as client:
                equal(client.fetch("replaced"), content, "content")


def rack(check, directory, files):
    with check.check("forty clients at once"):
        clients = []
        for i in range(40):
            argv = ["curl", "-sS", "--max-time", "60", "--tftp-blksize", "1468", "-o",
                    f"{directory}/rack-{i}", f"tftp://{SERVER}/snponly.efi"]
            clients.append(subprocess.Popen(argv, stdin=subprocess.DEVNULL))
        equal([client.wait(90) for client in clients], [0] * 40, "exit states")
        for i in range(40):
            with open(f"{directory}/rack-{i}", "rb") as file:
                equal(file.read() == files["ipxe/bin-x86_64-efi/snp.efi"], True, "content")


def gone(check, server):
    with check.check("a client whose port is closed is known to be gone"):
        before = len(server.reports())
        client = Client(SERVER)
        client.ask(request("size-300001", utimeout=200000))
        client.ack(0)
        client.socket.close()
        line = server.wait_report("done", "size-300001", "aborted", after=before)
        equal(line[1], CLIENT, "who")


def made_anew(check, wire, directory, files):
    with check.check("an interface made anew is served again"):
        run("ip", "link", "del", "client0")
        wire.connect()
        end = time.monotonic() + 20     # the server looks every few seconds
        name = "ipxe/bin-x86_64-efi/snp.efi"
        while True:
            with Client(SERVER, timeout=0.5) as client:
                try:
                    equal(client.ask(request("absent")).code, 1, "an answer")
                    break
                except TimeoutError:
                    if time.monotonic() > end:
                        raise
        curl(directory, name)
        same(directory, files[name], name)


def limits(check, wire, directory, files):
    with Server(wire, directory, 3, 100000) as server:
        with check.check("the limit of transfers is told, and passes"):
            held = [Client(SERVER) for _ in range(3)]
            for client in held:
                equal(client.ask(request("size-513")).opcode, DATA, "answer")
            with Client(SERVER) as client:
                answer = client.ask(request("size-513"))
                equal((answer.opcode, answer.code), (ERROR, 0), "the fourth")
                equal("too many" in answer.message, True, answer.message)
            for client in held:
                client.ack(1)
                client.receive()
                client.ack(2)
                client.socket.close()
            end = time.monotonic() + 5      # the last ACKs are on their way
            while True:
                with Client(SERVER) as client:
                    answer = client.ask(request("size-513", tsize=0))
                    if answer.opcode == OACK:
                        client.error(8, "enough")
                        break
                equal(time.monotonic() < end, True, "still busy")
        with check.check("a file larger than the cache is refused in words"):
            with Client(SERVER) as client:
                equal(client.ask(request("size-300001", tsize=0)).options["tsize"], "300001",
                      "its size is known")
                client.ack(0)
                answer = client.receive()
                equal((answer.opcode, answer.code), (ERROR, 0), "answer")
                equal("too large" in answer.message, True, answer.message)
        with check.check("what fits is served, one after the other"):
            for name in ("size-513", "size-4296", "size-11744", "size-513"):
                with Client(SERVER) as client:
                    equal(client.fetch(name), files[name], name)
    with check.check("the limits were counted"):
        equal((server.count("busy") >= 1, server.count("sessions")), (True, 0), "busy, sessions")


def body(check):
    namespace.probe()
    namespace.enter()
    directory = tempfile.mkdtemp(prefix="cci-tftp-")
    try:
        os.mkdir(f"{directory}/root")
        inside(check, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def inside(check, directory):
    wire = Wire()
    files = make_files(directory)
    with Server(wire, directory) as server:
        with_real_clients(check, directory, files)
        with_firmware(check, server, files)
        bad_wire(check, directory, files)
        rack(check, directory, files)
        gone(check, server)
        made_anew(check, wire, directory, files)
    with check.check("no transfer is left, none failed or timed out"):
        for name in ("sessions", "failed", "timed_out", "busy"):
            equal(server.count(name), 0, name)
    refusals(check, wire, directory)
    limits(check, wire, directory, files)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print("usage: test_tftp.py TFTP_SERVE", file=sys.stderr)
        sys.exit(2)
    tap.main(body)
