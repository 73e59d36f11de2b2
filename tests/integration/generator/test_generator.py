#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""cci-generator as systemd runs it: for every command line of tests/golden/plan/lines, into real
directories. usage: test_generator.py GENERATOR LINES"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

GENERATOR, LINES = sys.argv[1], sys.argv[2]
URL = "root=live:http://10.0.0.1/r.sqfs rootovl"
MAX_SYSCALLS = 400      # of an instrumented build; a plain one needs about 120


def cases():
    with open(LINES, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                name, facts, *rest = line.rstrip("\n").split(" ", 2)
                yield name.lstrip("*"), facts.split(","), rest[0] if rest else ""


def put(path, text=""):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def tree(directory):
    """Every file below it: name → content, link or None for a directory."""
    found = {}
    for folder, folders, files in os.walk(directory):
        for name in folders + files:
            path = os.path.join(folder, name)
            key = os.path.relpath(path, directory)
            if os.path.islink(path):
                found[key] = ("link", os.readlink(path))
            elif os.path.isdir(path):
                found[key] = None
            else:
                with open(path, "rb") as file:
                    found[key] = ("file", file.read())
    return found


class World:
    """A prefix for what the generator looks at, and its three directories. All archives have
    arrived, unless job is false."""

    def __init__(self, facts=("networkd",), release=True, job=True):
        self.top = tempfile.mkdtemp(prefix="cci-generator-")
        self.root = os.path.join(self.top, "root")
        self.kmsg = os.path.join(self.root, "dev/kmsg")
        self.early = os.path.join(self.top, "early")
        put(self.kmsg)
        if release:
            put(os.path.join(self.root, "etc/initrd-release"))
        if job:
            put(os.path.join(self.root, "lkp/scheduled/job.sh"))
        if "networkd" in facts:
            put(os.path.join(self.root, "lib/systemd/system/systemd-networkd.service"))
        if "shell" in facts:
            put(os.path.join(self.root, "lib/systemd/system/emergency.service"))
        if "https" in facts:
            put(os.path.join(self.root, "usr/bin/cci-init-https"))
        for name in ("normal", "early", "late"):
            os.mkdir(os.path.join(self.top, name))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.top)

    def command(self):
        return [GENERATOR] + [os.path.join(self.top, n) for n in ("normal", "early", "late")]

    def environment(self, line, in_initrd=None):
        env = {"CCI_GENERATOR_ROOT": self.root, "SYSTEMD_PROC_CMDLINE": line}
        if in_initrd is not None:
            env["SYSTEMD_IN_INITRD"] = in_initrd
        env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        return env

    def run(self, line, in_initrd=None):
        return subprocess.run(self.command(), env=self.environment(line, in_initrd), timeout=30,
                              capture_output=True, text=True, check=False)

    def said(self):
        with open(self.kmsg, encoding="utf-8") as file:
            return file.read()

    def plan(self):
        return os.path.join(self.root, "run/cci/plan")


class Trees(unittest.TestCase):
    def test_a_second_run_changes_nothing(self):
        n_ours = 0
        for name, facts, line in cases():
            with self.subTest(name), World(facts) as world:
                self.assertEqual(world.run(line).returncode, 0)
                first = tree(world.early), tree(os.path.join(world.root, "run")) \
                    if os.path.exists(world.plan()) else None
                self.assertEqual(world.run(line).returncode, 0)
                again = tree(world.early), tree(os.path.join(world.root, "run")) \
                    if os.path.exists(world.plan()) else None
                self.assertEqual(first, again)
                for other in ("normal", "late"):
                    self.assertEqual(tree(os.path.join(world.top, other)), {})
                n_ours += bool(first[0])
        self.assertGreater(n_ours, 50)

    def test_a_boot_of_somebody_else_leaves_no_trace(self):
        for line in ("", "root=/dev/sda1 ro quiet", "rootovl ro rdinit=/sbin/init",
                     "root=nfs:10.0.0.1:/x ip=dhcp"):
            with self.subTest(line), World(release="rdinit" not in line) as world:
                before = tree(world.top)
                done = world.run(line)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
                self.assertEqual(tree(world.top), before)

    def test_the_plan_is_for_root_alone(self):
        with World() as world:
            world.run("root=cifs://me:secret@10.0.0.1/os rootovl")
            self.assertEqual(os.stat(world.plan()).st_mode & 0o777, 0o600)
            self.assertNotIn("secret", world.said())
            for name, content in tree(world.early).items():
                self.assertNotIn("secret", str(content), name)

    def test_where_units_cannot_be_written_there_is_no_plan(self):
        with World() as world:
            os.rmdir(world.early)
            self.assertEqual(world.run(URL).returncode, 1)
            self.assertFalse(os.path.exists(world.plan()))
            self.assertRegex(world.said(), "<3>cci-generator: .*early: No such file")
        with World() as world:          # half of them: a file stands where a directory must be
            put(os.path.join(world.early, "network-online.target.wants"))
            self.assertEqual(world.run(URL).returncode, 1)
            self.assertFalse(os.path.exists(world.plan()))
        with World() as world:
            put(os.path.join(world.root, "run/cci"))
            self.assertEqual(world.run(URL).returncode, 1)
            self.assertRegex(world.said(), "<3>cci-generator: /run/cci/plan: ")

    def test_outside_of_an_initramfs_nothing_happens(self):
        for release, said, acts in ((False, None, False), (True, None, True), (False, "1", True),
                                    (True, "0", False), (True, "", True), (False, "yes", True)):
            with self.subTest(f"{release} {said}"), World(release=release) as world:
                self.assertEqual(world.run(URL, said).returncode, 0)
                self.assertEqual(bool(tree(world.early)), acts)
                self.assertEqual(os.path.exists(world.plan()), acts)

    def test_a_stray_initrd_release_is_shouted_about(self):
        with World() as world:
            self.assertEqual(world.run("rootovl ro rdinit=/sbin/init").returncode, 0)
            self.assertRegex(world.said(), r"^<3>cci-generator: rdinit= without root=.*"
                                           r"/etc/initrd-release")
            self.assertEqual(tree(world.early), {})

    def test_the_log_says_what_was_decided(self):
        with World() as world:
            world.run(URL)
            self.assertEqual(world.said(), "<6>cci-generator: http root live:http://10.0.0.1/r.sqfs"
                                           " below an overlay\n")
        with World() as world:
            world.run(URL + " cci.retry=x cci.onfail=poweroff")
            self.assertIn("<3>cci-generator: refused: cci.retry=x: expected", world.said())
            self.assertIn("end with poweroff", world.said())
        with World() as world:
            world.run(URL + " cci.onfail=shell")
            self.assertIn("no emergency shell", world.said())

    def test_archives_are_accounted_for(self):
        line = URL + "  initrd=initramfs.lkp-6.1.img  initrd=job.cgz  initrd=other.cgz cci.debug"
        account = "run/cci/initrds"
        with World() as world:
            put(os.path.join(world.root, "usr/bin/cci-init"))
            world.run(line)
            with open(os.path.join(world.root, account), encoding="ascii") as file:
                self.assertEqual(file.read(), "here initramfs.lkp-6.1.img\nhere job.cgz\n"
                                              "unknown other.cgz\n")
            self.assertNotIn("did not arrive", world.said())
        with World() as world:
            world.run(URL)
            self.assertFalse(os.path.exists(os.path.join(world.root, account)))

    def test_a_boot_without_its_job_is_refused(self):
        with World(job=False) as world:
            world.run(URL + "  initrd=job.cgz cci.onfail=poweroff")
            self.assertIn("<3>cci-generator: initrd=job.cgz did not arrive\n", world.said())
            self.assertIn("<3>cci-generator: refused: initrd=job.cgz: it did not arrive",
                          world.said())
            with open(world.plan(), encoding="ascii") as file:
                self.assertIn("refused=initrd=job.cgz", file.read())
        with World(job=False) as world:     # a person's own boot brings none
            world.run(URL)
            self.assertNotIn("refused", world.said())

    def test_a_directory_that_cannot_be_written_is_an_error(self):
        with World() as world:
            os.rmdir(world.early)
            self.assertEqual(world.run(URL).returncode, 1)
            self.assertIn("early: No such file", world.said())

    def test_wrong_usage_is_refused(self):
        done = subprocess.run([GENERATOR, "/tmp"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("usage:", done.stderr)


class Cost(unittest.TestCase):
    def test_it_needs_the_c_library_alone(self):
        if not shutil.which("readelf"):
            self.skipTest("no readelf")
        out = subprocess.run(["readelf", "-d", GENERATOR], capture_output=True, text=True,
                             check=True).stdout
        needed = set(re.findall(r"NEEDED.*\[(.*)\]", out))
        instruments = {n for n in needed if re.match(r"lib(asan|ubsan|clang_rt)", n)}
        allowed = {"libc.so.6", "libc.so", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
        if instruments:
            allowed |= {"libm.so.6", "libgcc_s.so.1"}
        self.assertEqual(needed - instruments - allowed, set())

    def test_it_starts_no_process(self):
        if not shutil.which("strace"):
            self.skipTest("no strace")
        for line in (URL, "root=LABEL=x rootovl cci.upper=/dev/vdb", "root=/dev/vda", URL + "=("):
            with self.subTest(line), World() as world:
                log = os.path.join(world.top, "strace")
                env = world.environment(line)
                env["ASAN_OPTIONS"] = "detect_leaks=0"      # which would start a thread
                done = subprocess.run(["strace", "-f", "-o", log] + world.command(), env=env,
                                      timeout=60, capture_output=True, check=False)
                if b"ptrace" in done.stderr:
                    self.skipTest("no ptrace here")
                self.assertEqual(done.returncode, 0)
                with open(log, encoding="utf-8") as file:
                    calls = [m.group(1) for m in re.finditer(r"^\d+ +(\w+)\(", file.read(), re.M)]
                self.assertEqual(calls.count("execve"), 1)      # strace's own start
                self.assertFalse({"fork", "vfork", "clone", "clone3", "execveat", "socket"}
                                 & set(calls))
                self.assertLess(len(calls), MAX_SYSCALLS)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
