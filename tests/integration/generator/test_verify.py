#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""systemd itself reads what cci-generator made of every command line of tests/golden/plan/lines,
beside the units of this machine's systemd. usage: test_verify.py GENERATOR LINES"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

GENERATOR, LINES = sys.argv[1], sys.argv[2]
UNITS = next((d for d in ("/usr/lib/systemd/system", "/lib/systemd/system") if os.path.isdir(d)), None)


def cases():
    with open(LINES, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                name, facts, *rest = line.rstrip("\n").split(" ", 2)
                yield name.lstrip("*"), facts.split(","), rest[0] if rest else ""


class Root:
    """A root whose systemd is this machine's, with the generated units before all others."""

    def __enter__(self):
        self.top = tempfile.mkdtemp(prefix="cci-verify-")
        self.system = os.path.join(self.top, "usr/lib/systemd/system")
        self.early = os.path.join(self.top, "etc/systemd/system")
        shutil.copytree(UNITS, self.system, symlinks=True)
        os.symlink("usr/lib", os.path.join(self.top, "lib"))
        os.makedirs(os.path.join(self.top, "dev"))
        os.makedirs(os.path.join(self.top, "usr/bin"))
        for program in ("usr/bin/cci-init", "usr/lib/systemd/systemd-networkd-wait-online"):
            shutil.copy("/bin/true", os.path.join(self.top, program))
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.top)

    def generate(self, facts, line):
        shutil.rmtree(self.early, ignore_errors=True)
        os.makedirs(self.early)
        unit = os.path.join(self.system, "systemd-networkd.service")
        if not os.path.exists(unit) and "networkd" in facts:
            with open(unit, "w", encoding="utf-8") as file:
                file.write("[Service]\nExecStart=/usr/bin/cci-init\n")
        env = {"CCI_GENERATOR_ROOT": self.top, "SYSTEMD_PROC_CMDLINE": line, "SYSTEMD_IN_INITRD": "1"}
        subprocess.run([GENERATOR, "/nowhere", self.early, "/nowhere"], env=env, check=True,
                       stderr=subprocess.DEVNULL, timeout=30)
        return sorted(n for n in os.listdir(self.early) if n.endswith((".service", ".mount")))

    def verify(self, units):
        """What systemd has to say against them."""
        done = subprocess.run(["systemd-analyze", "verify", f"--root={self.top}", "--man=no",
                               "--generators=no", "initrd.target"] + units,
                              capture_output=True, text=True, timeout=60, check=False)
        said = [line for line in done.stderr.splitlines()
                if any(word in line for word in ("cci-", "sysroot", "z-cci", "initrd", "cycle"))]
        return done.returncode, said


class Verify(unittest.TestCase):
    def test_systemd_finds_nothing_wrong(self):
        n_verified = 0
        with Root() as root:
            for name, facts, line in cases():
                with self.subTest(name):
                    units = root.generate(facts, line)
                    if units:
                        self.assertEqual(root.verify(units), (0, []))
                        n_verified += 1
        self.assertGreater(n_verified, 50)

    def test_systemd_would_find_it(self):
        with Root() as root:
            units = root.generate(["networkd"], "root=LABEL=x rootovl")
            path = os.path.join(root.early, "cci-layers.service")
            with open(path, encoding="utf-8") as file:
                text = file.read()
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace("TimeoutStartSec=", "TimeoutStartSecs="))
            self.assertTrue(root.verify(units)[1])
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace("[Service]", "After=initrd-root-fs.target\n[Service]"))
            self.assertTrue(any("cycle" in line for line in root.verify(units)[1]))


if __name__ == "__main__":
    if not shutil.which("systemd-analyze") or not UNITS:
        print("skipped: systemd-analyze is absent")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v"])
