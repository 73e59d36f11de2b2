# SPDX-License-Identifier: MulanPSL-2.0
"""Boots of the initramfs in virtual machines, each a story with an end, two side by side. The kernel
is booted by qemu itself; the guests' network is qemu's own, inside a network namespace."""

import concurrent.futures
import fnmatch
import itertools
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests"))
sys.dont_write_bytecode = True

from lab import LabError, Machine, NotPermitted  # noqa: E402
from lab import namespace, paths, tap  # noqa: E402
from lab.bootset import BootSet, Probe  # noqa: E402
from lab.files import GATEWAY, Files  # noqa: E402,F401
from lab.server import fresh  # noqa: E402

LIMIT = 900             # generous: a slow machine is no failure
GUESTS = 2              # side by side
NEEDED = ["dracut", "qemu-system-x86_64", "mkfs.ext4", "mkfs.erofs", "mksquashfs", "sfdisk", "cpio"]


class Story:
    """What one boot has: a directory, the things to boot from, a machine like no other's."""

    numbers = itertools.count()

    def __init__(self, name, top, boots):
        self.name, self.boots = name, boots
        self.directory = os.path.join(top, name)
        os.makedirs(self.directory)
        self.machine = None

    def start(self, line, initramfs="lean", lab=None, files=None, **options):
        """Powers the machine on; it is off at the story's end. files, {path: text}, come in an
        archive behind the initramfs. A busy emulator is no reason to distrust its timer; unless
        line says otherwise, devices and the network have all the time that they need."""
        if "cci.timeout=" not in line:
            line += f" cci.timeout={LIMIT}s"
        options.setdefault("number", next(self.numbers) % 100)
        initrd = self.boots.initramfs(initramfs)
        if files:
            initrd = self._append(initrd, files)
        self.machine = Machine(
            lab, self.directory, "direct", name="vm", smp=1, kernel=self.boots.kernel,
            initrd=initrd,
            append=f"console=ttyS0,115200 panic=5 no_timer_check {line}", **options)
        return self.machine.start()

    def _append(self, initrd, files):
        top, both = os.path.join(self.directory, "archive"), os.path.join(self.directory, "initrd")
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(top, path)), exist_ok=True)
            with open(os.path.join(top, path), "w", encoding="ascii") as file:
                file.write(text)
        shutil.copy(initrd, both)
        with open(both, "ab") as file:
            file.write(bytes(-file.tell() % 4))     # where the kernel looks for the next one
            file.flush()
            subprocess.run("find . -mindepth 1 | cpio -o -H newc --quiet", shell=True, cwd=top,
                           stdout=file, check=True)
        shutil.rmtree(top)
        return both

    def boot(self, line, initramfs="lean", **options):
        """Runs the machine to its end; returns what its console said."""
        self.start(line, initramfs, **options).wait_end(LIMIT)
        return self.machine.console()

    def root(self, line, initramfs="lean", failed=(), **options):
        """The same of a boot that reaches its root, whose probe is returned."""
        self.boot(line, initramfs, **options)
        return self.probe(failed)

    def probe(self, failed=()):
        """What was said in the root, by a machine that has ended. failed: the units that such a root
        lets fail."""
        probe = Probe(self.machine.console())
        if not probe.has_ended:
            raise LabError(f"the root was not reached, or did not end:\n{self.machine.tail(80)}")
        tap.equal(set(probe.all("failed")) - set(failed), set(), "failed units")
        return probe

    def must_say(self, pattern):
        """Something that the console must have shown."""
        if not re.search(pattern, self.machine.console()):
            raise AssertionError(f"{pattern!r} was not said:\n{self.machine.tail(80)}")

    def must_not_say(self, pattern):
        match = re.search(pattern, self.machine.console())
        if match:
            raise AssertionError(f"{match.group(0)!r} was said:\n{self.machine.tail(80)}")

    def finish(self):
        if self.machine:
            self.machine.stop()
        shutil.rmtree(os.path.join(self.directory, "disks"), ignore_errors=True)

    def shared(self):
        """A directory of all stories of a file."""
        path = os.path.join(os.path.dirname(self.directory), "shared")
        os.makedirs(path, exist_ok=True)
        return path

    def disks(self):
        """A directory for disks that this story writes to."""
        path = os.path.join(self.directory, "disks")
        os.makedirs(path, exist_ok=True)
        return path


def check_kept_fstab(probe):
    """A hostile fstab on a root that is written: the lines are all there, and no boot waits for them."""
    lines = probe.all("fstab")
    tap.equal(len(lines), 4, "lines of fstab")
    for line in lines:
        if "/usr" in line or "swap" in line:
            tap.equal("nofail" in line, True, line)


def _tell(tell, top, boots, *more):
    story = Story(tell.__name__, top, boots)
    try:
        tell(story, *more)
    finally:
        story.finish()


def stand(check, name):
    """What every file of stories begins with; returns (an empty directory, the boot set)."""
    lacking = [program for program in NEEDED if not shutil.which(program)]
    if lacking:
        raise NotPermitted(f"lacking {', '.join(lacking)}")
    namespace.probe()
    paths.prepare(check.note)
    directory = fresh(os.path.join(paths.BUILD, "integration", name))
    namespace.enter()
    return directory, BootSet()


def tell_all(check, stories, top, boots, *more):
    """Tells those that the arguments name by patterns of their words, or all: {words: function(story,
    *more)}."""
    chosen = {words: tell for words, tell in stories.items()
              if not sys.argv[1:] or any(fnmatch.fnmatch(words, f"*{p}*") for p in sys.argv[1:])}
    with concurrent.futures.ThreadPoolExecutor(GUESTS) as pool:
        told = [(words, pool.submit(_tell, tell, top, boots, *more))
                for words, tell in chosen.items()]
        try:
            for words, future in told:
                with check.check(words):
                    future.result()
        except BaseException:       # told to end: what has not begun does not
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def main(name, stories):
    """Runs the stories, {words: function(story)}; arguments are patterns of the words."""
    def body(check):
        top, boots = stand(check, name)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        tell_all(check, stories, top, boots)
    tap.main(body)
