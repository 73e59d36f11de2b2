#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""What bad input and bad luck get from a running ccid: paths with tricks, by TFTP and by HTTP on
every port; a missing image; a full disk. Each is refused or waited for, said in one line, and no
accepted job is lost."""

import os
import socket
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", ".."), os.path.join(HERE, "..", "tftp")]

from lab import Lab, namespace, paths, tap, tmpfs  # noqa: E402
from lab.own_server import OwnServer  # noqa: E402
from lab.peer import Peer  # noqa: E402
from lab.robot import JOB, Robot, ask  # noqa: E402
from lab.tap import equal  # noqa: E402

from client import ERROR, Client, request  # noqa: E402

SECRET = b"not for you"
MIB = 1 << 20
WAITS = ("queued", "waiting")
FULL = r"(?i)no space left|disk.*full|full.*disk|ENOSPC"
MAC = "52:54:00:12:34:70"

TFTP_BAD = (b"../secret", b"/../../secret", b"/tftpboot/../../secret", b"..\\secret",
            b"%2e%2e/secret", b"%252e%252e/secret", b"\xc0\xae\xc0\xae/secret")
HTTP_BAD = {"/../secret": "parent", "/os/../secret": "parent", "/os/../../secret": "parent",
            "/os/..%2f..%2fsecret": "parent", "/os/%2e%2e/secret": "parent",
            "/os/%2E./secret": "parent", "/os/%252e%252e/secret": "trick", "/os/a%00": "nul",
            "/os/%c0%ae%c0%ae/secret": "trick", "/os/..%5csecret": "backslash",
            "/os\\..\\secret": "backslash", "/os/%": "bad_escape", "/os/%0d%0aX": "control",
            "/result/../secret": "parent", "/result/%2e%2e/secret": "parent"}
PORTS = (3000, 8000, 8800, 3080)


def make_tree(server):
    server.put("os/vmlinuz", b"kernel")
    server.put("tftp/loader", b"loader")
    for place in (server.directory, f"{server.directory}/srv"):
        with open(f"{place}/secret", "wb") as file:
            file.write(SECRET)
    for root in ("os", "tftp"):
        os.symlink("../secret", f"{server.directory}/srv/{root}/out")
        os.symlink(f"{server.directory}/secret", f"{server.directory}/srv/{root}/far-out")
        os.mkfifo(f"{server.directory}/srv/{root}/fifo")


def raw_get(address, port, target):
    """GET with the target as it is, which no library sends; returns (status, everything)."""
    with socket.create_connection((address, port), timeout=10) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"
                           .encode("latin-1"))
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return int(answer.split(b" ", 2)[1]), answer


def over_http(check, server):
    address = server.lab.ADDRESS
    with check.check("HTTP: what is there is served"):
        equal(raw_get(address, 8000, "/os/vmlinuz")[0], 200, "status")
        equal(raw_get(address, 8000, "//os/./vmlinuz")[0], 200, "status, folded")
    for port in PORTS:
        with check.check(f"HTTP: paths with tricks are refused on port {port}"):
            for target in HTTP_BAD:
                status, answer = raw_get(address, port, target)
                equal(SECRET in answer, False, f"{target}: the secret")
                equal(400 <= status < 500, True, f"{target}: {status}")
    with check.check("HTTP: links out of the root, a FIFO, a directory are refused"):
        for name in ("out", "far-out", "fifo", ""):
            status, answer = raw_get(address, 8000, f"/os/{name}")
            equal(status, 403, name)
            equal(SECRET in answer, False, "the secret")
        for reason in ("outside", "not_regular"):
            server.check_log(rf"refused.*{reason}.*/os/")


def over_tftp(check, server, peer):
    def refused(name, code):
        with Client(server.lab.ADDRESS) as client:
            answer = client.ask(request(name))
            equal((answer.opcode, answer.code), (ERROR, code), repr(name))

    with peer.inside():
        with check.check("TFTP: what is there is served, through a worker"):
            with Client(server.lab.ADDRESS) as client:
                equal(client.fetch("loader"), b"loader", "content")
        with check.check("TFTP: boot.ipxe, with and without a slash in front"):
            for name in ("boot.ipxe", "/boot.ipxe"):
                with Client(server.lab.ADDRESS) as client:
                    script = client.fetch(name, blksize=1432, tsize=0).decode()
                    equal(script.startswith("#!ipxe\n"), True, script)
                    equal("/boot.ipxe/mac/" in script, True, script)
        with check.check("TFTP: names with tricks, links out of the root, a FIFO are refused"):
            for name in (*TFTP_BAD, b"out", b"far-out", b"fifo"):
                refused(name, 2)
            for reason in ("bad_path", "outside", "not_regular"):
                server.check_log(rf"TFTP request refused.*peer={peer.address}.*{reason}")
        with check.check("TFTP: a missing loader is ERROR 1, and a line that names it"):
            refused("ipxe/absent.efi", 1)
            server.check_log(r'TFTP request refused.*file="ipxe/absent.efi".*absent')


def metric(server, name, **labels):
    """The sum of a counter's lines that have these labels."""
    total = 0
    for line in ask(f"{server.url}/metrics").body.decode().splitlines():
        if line.startswith(f"cci_{name}{{") or line.startswith(f"cci_{name} "):
            if all(f'{key}="{value}"' in line for key, value in labels.items()):
                total += int(line.rsplit(" ", 1)[1])
    return total


def counted(check, server):
    with check.check("every path with a trick is counted, by port and by reason"):
        expected = {("tftp", "parent"): 3, ("tftp", "backslash"): 1, ("tftp", "trick"): 3}
        for reason in HTTP_BAD.values():
            for by, n_ports in (("api", 1), ("files", 2), ("upload", 1)):
                expected[by, reason] = expected.get((by, reason), 0) + n_ports
        end = time.monotonic() + 5          # workers tell once a second
        for (by, reason), count in expected.items():
            while (got := metric(server, "paths_refused_total", by=by, reason=reason)) != count:
                if time.monotonic() > end:
                    equal(got, count, f"{by} {reason}")
                time.sleep(0.1)
    with check.check("links out, FIFOs and directories are counted"):
        for by in ("tftp", "files"):
            equal(metric(server, "files_refused_total", by=by, reason="outside"), 2, by)
        equal(metric(server, "files_refused_total", by="tftp", reason="not_regular"), 1, "FIFO")
        equal(metric(server, "files_refused_total", by="files", reason="not_regular"), 2,
              "FIFO, directory")




def missing_image(check, server, peer, robot):
    with check.check("missing image: a strict job is refused, and told what is not there"):
        answer = ask(f"{server.url}/v1/jobs", "POST", JOB + "strict: true\n",
                     {"Content-Type": "application/yaml"})
        equal(answer.status, 400, repr(answer))
        equal("bookworm" in answer.body.decode(), True, repr(answer))
    with check.check("missing image: another job is accepted, and waits for that reason",
                     vital=True):
        job = server.submit(JOB)
        with peer.inside():
            script = robot.boot_script()
        equal("job.cgz" in script, False, script)
        document = server.job(job)
        equal(document["state"] in WAITS, True, document["state"])
        equal("bookworm" in (document["reason"] or ""), True, str(document["reason"]))
    with check.check("missing image: by HTTP 404, and a line that names it"):
        equal(raw_get(server.lab.ADDRESS, 8000, "/os/debian/x86_64/bookworm/boot/vmlinuz")[0], 404,
              "status")
        server.check_log(r"/os/debian/x86_64/bookworm/boot/vmlinuz")
    server.put("os/debian/x86_64/bookworm/boot/vmlinuz", b"kernel")
    server.put("initrd/osimage/debian/x86_64/bookworm/current", b"image")
    with check.check("the image comes, but no room for results: the job waits for that"):
        with peer.inside(), Filler(f"{server.directory}/result/filler"):
            equal("job.cgz" in robot.boot_script(), False, "an offer")
        equal("No space left" in server.job(job)["reason"], True, str(server.job(job)))
    with check.check("room comes too: the job is offered", vital=True):
        with peer.inside():
            script = robot.boot()
        equal("/os/debian/x86_64/bookworm/boot/vmlinuz" in script, True, script)
    return job


class Filler:
    """A file that takes all the room of its disk but `leave` bytes."""

    def __init__(self, path, leave=0):
        self.path, self.leave = path, leave

    def __enter__(self):
        state = os.statvfs(os.path.dirname(self.path))
        with open(self.path, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, state.f_bavail * state.f_frsize - self.leave)
        return self

    def __exit__(self, *_):
        os.unlink(self.path)


def full_results(check, server, peer, robot, job):
    blob = bytes(range(256)) * (3 * MIB // 256)
    with peer.inside():
        with check.check("full disk: the agent is welcome", vital=True):
            equal(robot.hello().status, 200, "hello")
        with check.check("full disk: an upload that does not fit is 507, and said in the log"):
            mark = server.mark()
            with Filler(f"{server.directory}/result/filler", leave=MIB):
                equal(robot.put("blob", blob).status, 507, "status")
                at = robot.offset("blob")
                equal(0 <= at <= MIB, True, f"offset {at}")
            server.check_log(FULL, mark)
        with check.check("full disk: with room again the upload goes on where it stood"):
            at = robot.offset("blob")
            equal(robot.put("blob", blob[at:], at).status, 201, "status")
        with check.check("full disk: the job ends with its result whole"):
            robot.finish({"blob": blob})
            document = server.wait_job(job, 30)
            equal((document["state"], document["verdict"]), ("finished", "pass"), "verdict")
            with open(f"{server.result_path(document)}/blob", "rb") as file:
                equal(file.read() == blob, True, "content")


def full_state(check, server):
    """The database's disk: it is filled to the last byte, so that no page more can be written."""
    def submit():
        return ask(f"{server.url}/v1/jobs", "POST", JOB + "x: " + "y" * 3000 + "\n",
                   {"Content-Type": "application/yaml"})

    before, mark = [server.submit(JOB)], server.mark()
    with Filler(f"{server.directory}/state/filler"):
        with check.check("full state disk: jobs are refused with 507, and said in the log"):
            for _ in range(300):            # what the database has reserved goes first
                answer = submit()
                if answer.status != 201:
                    break
                before.append(answer.json()["id"])
            equal(answer.status, 507, repr(answer))
            server.check_log(FULL, mark)
        with check.check("full state disk: reading goes on, nothing accepted is lost"):
            for job in before:
                equal(server.job(job)["state"] in WAITS, True, job)
    with check.check("full state disk: with room again jobs are accepted"):
        before.append(server.submit(JOB))
    with check.check("and all of it is there after a restart"):
        server.stop()
        server.start()
        for job in before:
            equal(server.job(job)["state"] in WAITS, True, job)


def body(check):
    paths.program("ccid")
    namespace.probe()
    namespace.enter()
    with tempfile.TemporaryDirectory(prefix="cci-refuse-") as directory, \
            tmpfs.mounted(f"{directory}/state", "8m"), tmpfs.mounted(f"{directory}/result", "32m"):
        inside(check, directory)


def inside(check, directory):
    lab = Lab()
    peer = Peer(lab)
    server = OwnServer(lab, directory, hold="1s")
    server.add_host("robot-1", MAC)
    make_tree(server)
    robot = Robot(server, MAC)
    with server:
        with check.check("ccid answers", vital=True):
            server.start()
        over_http(check, server)
        over_tftp(check, server, peer)
        counted(check, server)
        job = missing_image(check, server, peer, robot)
        full_results(check, server, peer, robot, job)
        full_state(check, server)
        with check.check("ccid ends when told, without a complaint"):
            server.stop()
            equal(server.sanitizer_reports(), [], "reports of the sanitizers")


if __name__ == "__main__":
    tap.main(body)
