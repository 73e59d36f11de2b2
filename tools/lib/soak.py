# SPDX-License-Identifier: MulanPSL-2.0
"""The body of tools/soak: one kind of boot many times over, each looked at, none tried again.

What a kind is: a class with stand() (once, inside the namespace), boot() (raises what was wrong; may
return words about it) and finish() (once, after the last boot).
"""

import argparse
import concurrent.futures
import os
import queue
import shutil
import statistics
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests"))
sys.dont_write_bytecode = True

import soak_local  # noqa: E402

from lab import Lab, LabError, Machine, NotPermitted, Server  # noqa: E402
from lab import accel, namespace, paths  # noqa: E402
from lab.bootset import LABEL, BootSet, Probe, digest, disk_copy  # noqa: E402
from lab.files import Files  # noqa: E402
from lab.server import fresh  # noqa: E402
from lab.tap import equal  # noqa: E402

JOB = """\
suite: soak
testbox: {testbox}
os: debian
os_arch: x86_64
os_version: bookworm
os_mount: http
runtime: 300
script: |
  set -e
  echo written >/written-by-the-job
  echo "root: $(while read -r _ at kind _; do [ "$at" != / ] || echo "$kind"; done </proc/mounts)"
  echo "failed: $(systemctl list-units --failed --no-legend --plain | wc -l)"
"""
JOB_OUTPUT = "root: overlay\nfailed: 0\n"


class Direct:
    """A kernel booted by qemu itself, and a root whose probe says what it is."""

    def __init__(self, options, top):
        self.options, self.top = options, top
        self.boots = self.initrd = self.before = None
        self.lower = []         # one for each machine that runs at the same time

    def stand(self):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        self.boots = BootSet()
        self.initrd = self.boots.initramfs("lean")
        self.lower = [self.make_lower(slot) for slot in range(self.options.jobs)]
        self.before = digest(self.lower[0])

    def boot(self, directory, slot):
        line, options = self.arguments(slot)
        with Machine(None, directory, "direct", kernel=self.boots.kernel, initrd=self.initrd,
                     append=f"console=ttyS0,115200 panic=5 {line} rootovl ro", **options) as machine:
            machine.start().wait_end(self.options.timeout)
            self.check(Probe(machine.console()))

    def check(self, probe):
        if not probe.has_ended:
            raise LabError("the root was not reached, or did not end")
        equal(probe.one("root")[:11], "overlay rw,", "root")
        equal((len(probe.all("wrote")), probe.one("layers")), (1, "0"), "writes, layers in sight")
        equal(probe.all("failed"), [], "failed units")

    def finish(self):
        for lower in self.lower:
            equal(digest(lower), self.before, f"digest of {lower}, which nothing should write to")


class Disk(Direct):
    """an ext4 disk by its label below an overlay, kernel given to qemu, no network"""

    def make_lower(self, slot):
        return disk_copy(self.boots.disk(), self.top, f"disk-{slot}")

    def arguments(self, slot):
        return f'root="LABEL={LABEL}"', {"disks": [self.lower[slot]]}

    def finish(self):
        super().finish()
        for lower in self.lower:
            os.unlink(lower)


class Live(Direct):
    """a squashfs over HTTP below an overlay, kernel given to qemu"""

    def make_lower(self, slot):
        if slot == 0:
            self.files = Files(self.boots.image())
        return self.files.image

    def arguments(self, _slot):
        return (f"root=live:{self.files.url}/root.img cci.root.sha256={self.before}",
                {"network": "user"})

    def check(self, probe):
        super().check(probe)
        equal([a.split()[2] for a in probe.all("address")], ["10.0.2.15/24"], "addresses")


class Http:
    """the whole chain: OVMF's PXE, iPXE, ccid, a squashfs below an overlay, a job and its result"""

    def __init__(self, options, top):
        self.options, self.top = options, top
        self.server = self.lab = self.image = self.before = None

    def stand(self):
        self.lab = Lab()
        self.image = os.path.join(paths.image_link(), "rootfs.squashfs")
        self.before = digest(self.image)
        self.server = Server(self.lab, fresh(os.path.join(self.top, "ccid")), build=paths.RELEASE)
        for slot in range(self.options.jobs):
            self.server.add_host(*self.host(slot))
        self.server.start()

    @staticmethod
    def host(slot):
        return f"vm-soak-{slot}", f"52:54:00:12:34:{0x50 + slot:02x}"

    def boot(self, directory, slot):
        job = self.server.submit(JOB.replace("{testbox}", self.host(slot)[0]))
        with Machine(self.lab, directory, "uefi", number=slot) as machine:
            equal(machine.mac, self.host(slot)[1], "the machine's address")
            machine.start()
            document = self.server.wait_job(job, self.options.timeout)
            equal((document["state"], document.get("verdict")), ("finished", "pass"), f"job {job}")
            with self.server.open(f"/v1/jobs/{job}/log") as answer:
                equal(answer.read().decode(), JOB_OUTPUT, f"output of job {job}")
            machine.wait_end(120)

    def finish(self):
        self.server.stop()
        equal(digest(self.image), self.before, "digest of the image, which nothing should write to")


KINDS = {"disk": Disk, "live": Live, "http": Http, **soak_local.KINDS}


class Soak:
    """The boots of one run, and what came of them."""

    def __init__(self, kind, options, top):
        self.kind, self.options, self.top = kind, options, top
        self.seconds, self.failed = [], []
        self.slots = queue.SimpleQueue()
        for slot in range(options.jobs):
            self.slots.put(slot)

    def one(self, number):
        """Returns (number, seconds, what was wrong or None, words)."""
        directory = os.path.join(self.top, f"boot-{number}")
        os.makedirs(directory)
        slot = self.slots.get()
        begin = time.monotonic()
        wrong, words = None, ""
        try:
            words = self.kind.boot(directory, slot) or ""
        except (LabError, AssertionError, OSError) as error:
            wrong = str(error).splitlines()[0]
        finally:
            self.slots.put(slot)
        took = time.monotonic() - begin
        if wrong is None:
            shutil.rmtree(directory)
        return number, took, wrong, words

    def run(self):
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            try:
                for done in concurrent.futures.as_completed(
                        [pool.submit(self.one, n + 1) for n in range(self.options.count)]):
                    self.count(*done.result())
            except BaseException:       # told to end: what has not begun does not
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def count(self, number, took, wrong, words):
        if wrong is None:
            self.seconds.append(took)
            print(f"  {number:4d}  ok    {took:6.1f} s  {words}".rstrip(), flush=True)
        else:
            self.failed.append(number)
            print(f"  {number:4d}  FAIL  {took:6.1f} s  {wrong}\n"
                  f"              console: {self.console(number)}", flush=True)

    def console(self, number):
        return os.path.relpath(os.path.join(self.top, f"boot-{number}", "vm.serial"))

    def tell(self):
        count = self.options.count
        line = f"{self.options.kind}: {count} boot{'s'[:count != 1]}, {len(self.failed)} failed"
        if self.seconds:
            line += (f"; power-on to end: min {min(self.seconds):.1f}, median "
                     f"{statistics.median(self.seconds):.1f}, max {max(self.seconds):.1f} s")
        print(line, flush=True)


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("expected a number of at least 1")
    return number


def parse():
    kinds = "\n".join(f"  {name:10s} {' '.join(kind.__doc__.split())}" for name, kind in KINDS.items())
    parser = argparse.ArgumentParser(
        prog="soak", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Boots one kind of machine many times over and reports each boot. Looks for\n"
        "what happens once in a while, so nothing is tried again. Consoles of boots that\n"
        "failed stay in build-release/soak/KIND until the next run.\n\nkinds:\n" + kinds,
        epilog="exit status: 0 every boot was as it should be, 1 one was not or nothing could be\n"
        "started, 2 usage")
    parser.add_argument("kind", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--count", type=positive, default=20, metavar="N", help="boots (20)")
    parser.add_argument("--jobs", type=positive, default=1, metavar="N",
                        help="machines at the same time (1); each has two processors")
    parser.add_argument("--timeout", type=positive, default=600, metavar="SECONDS",
                        help="for one boot, until it counts as failed (600)")
    return parser.parse_args()


def main():
    options = parse()
    try:
        namespace.probe()
        paths.build_release("server/ccid")
        paths.prepare(lambda text: print(f"  {text}", flush=True))
        accel.choose()
        top = fresh(os.path.join(paths.RELEASE, "soak", options.kind))
        namespace.enter()
        kind = KINDS[options.kind](options, top)
        kind.stand()
        soak = Soak(kind, options, top)
        soak.run()
        soak.tell()
        kind.finish()
        return 1 if soak.failed else 0
    except (LabError, AssertionError, NotPermitted) as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
