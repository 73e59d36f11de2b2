#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""dracut's module cci: its hook under a shell, and images that dracut really builds (without a
kernel's modules, so that none is needed). usage: test_module.py MODULES-DIR GENERATOR CCI-INIT"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests"))
sys.dont_write_bytecode = True

from lab import images  # noqa: E402

MODULES, GENERATOR, CCI_INIT = sys.argv[1:4]
LEAN_MAX = 24_200_000     # unpacked, without kernel modules; with those of virtio the bar is 26 MB


class Hook(unittest.TestCase):
    def run_hook(self, plan, arguments=""):
        """What the hook leaves behind: variables of the shell, and its file."""
        with tempfile.TemporaryDirectory() as top:
            with open(os.path.join(MODULES, "90cci/cci-cmdline.sh"), encoding="utf-8") as file:
                text = file.read()
            text = text.replace("/run/cci/plan", f"{top}/plan").replace("/etc/cmdline.d", top)
            with open(os.path.join(top, "hook.sh"), "w", encoding="utf-8") as file:
                file.write(text)
            if plan is not None:
                with open(os.path.join(top, "plan"), "w", encoding="utf-8") as file:
                    file.write(plan)
            script = f"""
                getarg() {{ case " {arguments} " in *" $1"*) echo found ;; *) return 1 ;; esac; }}
                root=before netroot=nfs CMDLINE=old
                . {top}/hook.sh
                echo "$root,${{rootok-}},${{netroot-}},${{CMDLINE-}}"
                [ ! -e {top}/99-cci.conf ] || cat {top}/99-cci.conf"""
            return subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True,
                                  timeout=20).stdout.split("\n")[:-1]

    def test_it_leaves_other_boots_alone(self):
        self.assertEqual(self.run_hook(None), ["before,,nfs,old"])

    def test_a_root_on_a_disk_needs_no_network(self):
        self.assertEqual(self.run_hook("kind=device\nnetworkd=no\n"), ["cci,1,,old"])

    def test_an_image_needs_dracuts_network(self):
        self.assertEqual(self.run_hook("kind=http\nnetworkd=no\n"),
                         ["cci,1,,", "rd.neednet=1", "ip=dhcp"])
        self.assertEqual(self.run_hook("kind=http\nnetworkd=no\n", "ip=eth0:dhcp"),
                         ["cci,1,,", "rd.neednet=1"])

    def test_networkd_is_enough(self):
        self.assertEqual(self.run_hook("kind=http\nnetworkd=yes\n"), ["cci,1,,old"])


class Image:
    """An image and what is in it."""

    def __init__(self, arguments, settings):
        self.top = tempfile.mkdtemp(prefix="cci-dracut-")
        self.done = images.dracut(self.top, MODULES, GENERATOR, CCI_INIT,
                                  ["--no-kernel", "--no-compress"] + arguments, settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.top)

    def unpack(self):
        root = os.path.join(self.top, "root")
        os.mkdir(root)
        with open(os.path.join(self.top, "image"), "rb") as file:
            subprocess.run(["cpio", "-id", "--quiet"], stdin=file, cwd=root, check=True, timeout=60)
        return root


def names(root):
    return {os.path.relpath(os.path.join(d, n), root) for d, ds, fs in os.walk(root) for n in ds + fs}


def size(root):
    return sum(os.lstat(os.path.join(d, n)).st_size for d, _, fs in os.walk(root) for n in fs)


class Images(unittest.TestCase):
    def build(self, arguments, **settings):
        image = Image(arguments, settings)
        self.addCleanup(image.__exit__)
        self.assertEqual(image.done.returncode, 0, image.done.stdout)
        self.assertNotIn("can't be installed", image.done.stdout)
        root = image.unpack()
        found = names(root)
        self.assertTrue(any(n.endswith("system-generators/cci-generator") for n in found))
        for name in ("usr/bin/cci-init", "etc/initrd-release"):
            self.assertTrue(os.path.lexists(os.path.join(root, name)), name)
        # every program finds its libraries
        for program in ("usr/bin/cci-init", "usr/bin/udevadm"):
            done = subprocess.run(["chroot", root, "/" + program, "--help"], capture_output=True,
                                  text=True, check=False, timeout=30)
            self.assertNotIn("error while loading", done.stderr)
            self.assertNotEqual(done.returncode, 127, done.stderr)
        return root, found

    def test_lean(self):
        root, found = self.build(images.LEAN)
        self.assertFalse({n for n in found if "dracut-" in n and n.endswith(".service")})
        self.assertFalse({n for n in found if "lib/dracut/hooks" in n or "libcurl" in n})
        for name in ("systemd-networkd", "systemd-networkd-wait-online", "network/20-cci.network",
                     "network/99-default.link"):
            self.assertTrue(any(n.endswith("lib/systemd/" + name) for n in found), name)
        self.assertTrue(any(n.endswith("80-net-setup-link.rules") for n in found))
        # networkd is started by a plan, not by itself
        self.assertFalse({n for n in found if ".wants/systemd-networkd" in n})
        self.assertFalse({n for n in found if n.endswith("system/emergency.service")})
        if not {n for n in found if "libasan" in n}:
            self.assertLess(size(root), LEAN_MAX)
        for program in ("usr/lib/systemd/systemd-networkd", "usr/lib/systemd/systemd-journald",
                        "usr/bin/systemctl", "usr/bin/kmod", "usr/bin/mount"):
            path = program if program in found else program.replace("usr/", "", 1)
            done = subprocess.run(["chroot", root, "/" + path, "--version"], capture_output=True,
                                  text=True, check=False, timeout=30)
            self.assertNotIn("error while loading", done.stderr, path)

    def test_lean_with_a_shell(self):
        _, found = self.build(images.LEAN, cci_shell="yes")
        self.assertTrue({n for n in found if n.endswith("system/emergency.service")})
        self.assertIn("usr/bin/dmesg", found)

    @unittest.skipUnless(os.path.exists(CCI_INIT + "-https"), "built without libcurl")
    def test_lean_with_https(self):
        _, plain = self.build(images.LEAN)
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as ca:
            ca.write("whom we trust\n")
            ca.flush()
            root, found = self.build(images.LEAN, cci_https="yes", cci_ca=ca.name)
        with open(os.path.join(root, "etc/cci/ca.pem"), encoding="ascii") as file:
            self.assertEqual(file.read(), "whom we trust\n")
        self.assertTrue({n for n in found if "libcurl" in n})
        # with a /proc: a sanitizer reads its options there
        done = subprocess.run(["unshare", "-m", "sh", "-c", 'mkdir -p "$1/proc" && mount -t proc proc '
                               '"$1/proc" && exec chroot "$1" /usr/bin/cci-init-https --help', "sh", root],
                              capture_output=True, text=True, check=False, timeout=30,
                              env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
        self.assertEqual(done.returncode, 0, done.stderr)
        # what asks for nothing gets nothing
        self.assertFalse({n for n in plain if "cci-init-https" in n or "libssl" in n or "etc/ssl" in n})
        _, found = self.build(images.LEAN, cci_https="yes")
        self.assertIn("etc/ssl/certs/ca-certificates.crt", found)

    def test_https_that_cannot_be_packed_is_refused(self):
        image = Image(images.LEAN, {"cci_https": "yes", "cci_ca": "/no/such/file"})
        self.addCleanup(image.__exit__)
        self.assertNotEqual(image.done.returncode, 0)
        self.assertRegex(image.done.stdout, "cannot read cci_ca=/no/such/file|no .*cci-init-https")

    def test_full(self):
        _, found = self.build(["--add", "cci", "--omit", "plymouth"])
        self.assertTrue({n for n in found if n.endswith("hooks/cmdline/10-cci-cmdline.sh")})
        self.assertTrue({n for n in found if n.endswith("system/dracut-cmdline.service")})
        self.assertTrue({n for n in found if n.endswith("system/emergency.service")})


if __name__ == "__main__":
    if os.geteuid() != 0 or not shutil.which("dracut") or not shutil.which("cpio"):
        print("skipped: needs root, dracut and cpio")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v"])
