#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""The initramfs in a virtual machine: dracut's lean image with our module, the kernel booted by qemu
itself, and a root with a fstab of some other machine. The guest's network is qemu's own, inside a
network namespace. Needs the test image that tests/lab makes (see tests/integration/test_boot.py)."""

import hashlib
import http.server
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
sys.path[:0] = [os.path.join(TOP, "tests"), os.path.join(TOP, "tests/integration/dracut")]
sys.dont_write_bytecode = True

import images  # noqa: E402
from lab import accel, paths  # noqa: E402

LIMIT = 400     # a slow machine is no failure
GATEWAY = "http://10.0.2.2"     # what the guest calls this namespace's loopback
FSTAB = """UUID=11111111-2222-3333-4444-555555555555 / ext4 defaults 0 1
UUID=11111111-2222-3333-4444-666666666666 /usr ext4 defaults 0 1
LABEL=swap none swap sw 0 0
tmpfs /mnt tmpfs size=1m 0 0
"""
PROBE = """[Unit]
After=basic.target network-online.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo; echo PROBE-BEGIN; grep " / " /proc/mounts; grep -c " /run/cci/" /proc/mounts; \\
    touch /proof && echo wrote; ip -br -4 address; echo; cat /etc/fstab; echo PROBE-END; \\
    systemctl poweroff --no-block'
StandardOutput=tty
TTYPath=/dev/ttyS0
"""


class Server(http.server.ThreadingHTTPServer):
    """The image at /root.img, anything else 404; remembers what was posted."""

    def __init__(self, image):
        self.image, self.asked, self.posted = image, [], []
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path=""):
        return f"{GATEWAY}:{self.server_address[1]}{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path != "/root.img":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(os.path.getsize(self.server.image)))
        self.end_headers()
        with open(self.server.image, "rb") as file:
            shutil.copyfileobj(file, self.wfile)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.server.posted.append((self.path, urllib.parse.parse_qs(body)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") \
            else hashlib.sha256(file.read()).hexdigest()


class Boots(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.mkdtemp(prefix="cci-root-")
        cls.addClassCleanup(shutil.rmtree, cls.top, ignore_errors=True)
        tree = os.path.realpath(paths.image_link())
        cls.kernel = os.path.join(tree, "boot/vmlinuz")
        kernels = os.listdir(os.path.join(tree, "lib/modules"))
        cls.make_root(tree)
        cls.make_initramfs(kernels[0], os.path.join(tree, "lib/modules", kernels[0]))

    @classmethod
    def make_root(cls, tree):
        root = os.path.join(cls.top, "root")
        subprocess.run(["cp", "-a", tree, root], check=True)
        shutil.rmtree(os.path.join(root, "boot"))
        wants = os.path.join(root, "etc/systemd/system/multi-user.target.wants")
        os.makedirs(wants, exist_ok=True)
        for path, text in (("etc/fstab", FSTAB), ("etc/systemd/system/probe.service", PROBE)):
            with open(os.path.join(root, path), "w", encoding="ascii") as file:
                file.write(text)
        os.symlink("../probe.service", os.path.join(wants, "probe.service"))
        cls.disk, cls.image = os.path.join(cls.top, "disk"), os.path.join(cls.top, "image")
        subprocess.run(["mkfs.ext4", "-q", "-F", "-L", "cci root", "-d", root, cls.disk, "800M"],
                       check=True)
        subprocess.run(["mksquashfs", root, cls.image, "-comp", "zstd", "-Xcompression-level", "3",
                        "-quiet", "-no-progress"], check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(root)

    @classmethod
    def make_initramfs(cls, kernel, modules):
        paths.build_release("initramfs/cci-generator", "initramfs/cci-init")
        top = os.path.join(cls.top, "dracut")
        os.mkdir(top)
        built = os.path.join(paths.RELEASE, "initramfs")
        done = images.dracut(top, os.path.join(TOP, "dracut-module"),
                             os.path.join(built, "cci-generator"), os.path.join(built, "cci-init"),
                             ["--zstd", "--kmoddir", modules] + images.LEAN,
                             {"cci_drivers": "virtio"}, kernel)
        if done.returncode != 0:
            raise AssertionError(done.stdout)
        cls.initramfs = os.path.join(top, "image")

    def boot(self, line, *options):
        """Runs the machine to its end. Returns what its console said."""
        console = os.path.join(self.top, self.id().rsplit(".", 1)[1])
        argv = ["qemu-system-x86_64", "-machine", "pc", "-m", "1024", "-display", "none", "-no-reboot",
                "-nodefaults", "-monitor", "none", "-kernel", self.kernel, "-initrd", self.initramfs,
                "-append", f"console=ttyS0,115200 panic=5 {line}", "-serial", f"file:{console}",
                *accel.choose(), *options]
        try:
            subprocess.run(argv, stdin=subprocess.DEVNULL, timeout=LIMIT, check=True)
        finally:
            with open(console, encoding="utf-8", errors="replace") as file:
                self.console = file.read().replace("\r", "")
        return self.console

    def probe(self):
        self.assertIn("PROBE-END", self.console, self.console[-6000:])
        said = self.console.split("PROBE-BEGIN\n", 1)[1].split("PROBE-END", 1)[0].split("\n")
        said = [line for line in said if not re.match(r"\[ *\d+\.\d+\]", line)]   # the kernel's
        self.assertIn("reboot: Power down", self.console)
        return said

    def with_disk(self):
        return "-drive", f"file={self.disk},format=raw,if=virtio"

    NETWORK = ("-nic", "user,model=virtio")

    def test_a_disk_below_an_overlay(self):
        before = digest(self.disk)
        self.boot('root="LABEL=cci root" rootovl ro', *self.with_disk())
        said = self.probe()
        self.assertRegex(said[0], r"^\S+ / overlay rw,.*lowerdir=/run/cci/lower")
        self.assertEqual(said[1], "0")      # the layers cannot be seen
        self.assertEqual(said[2], "wrote")
        self.assertIn("tmpfs /mnt tmpfs size=1m 0 0", said)
        self.assertFalse([line for line in said if "UUID=1111" in line or "LABEL=swap" in line])
        self.assertEqual(digest(self.disk), before)
        self.assertNotIn("systemd-networkd.service", self.console.split("Switch Root")[0])

    def test_an_image_below_an_overlay(self):
        server = Server(self.image)
        self.addCleanup(server.server_close)
        self.boot(f"root=live:{server.url('/root.img')} rootovl ro cci.root.sha256={digest(self.image)} "
                  f"cci.root.size={os.path.getsize(self.image)}", *self.NETWORK)
        said = self.probe()
        self.assertRegex(said[0], r"^\S+ / overlay rw,")
        self.assertEqual(said[1:3], ["0", "wrote"])
        self.assertTrue([line for line in said if " UP " in line and "10.0.2.15/24" in line], said)
        self.assertEqual(server.asked, ["/root.img"])

    def test_an_image_that_is_not_there(self):
        server = Server(self.image)
        self.addCleanup(server.server_close)
        self.boot(f"root=live:{server.url('/gone.img')} rootovl cci.retry=1 cci.server={server.url()}",
                  *self.NETWORK)
        self.assertNotIn("PROBE-BEGIN", self.console)
        self.assertRegex(self.console, r"fetch: .*404")
        self.assertIn("reboot: Restarting system", self.console)
        self.assertEqual(len(server.posted), 1, server.posted)
        self.assertTrue(server.posted[0][0].startswith("/v1/boots/"), server.posted)

    def test_a_disk_that_is_not_there(self):
        server = Server(self.image)
        self.addCleanup(server.server_close)
        self.boot(f"root=LABEL=absent rootovl cci.timeout=5s cci.onfail=poweroff "
                  f"cci.server={server.url()}", *self.NETWORK)
        self.assertIn("Timed out waiting for device", self.console)
        self.assertIn("reboot: Power down", self.console)
        self.assertEqual(len(server.posted), 1, server.posted)

    def test_a_line_that_is_refused(self):
        self.boot("root=10.0.0.1:/os/x rootovl ro cci.timeout=2s", "-nic", "none")
        self.assertRegex(self.console, r"root=nfs: this version mounts no such root yet")
        self.assertIn("reboot: Restarting system", self.console)


def main():
    lacking = [n for n in ("dracut", "qemu-system-x86_64", "mkfs.ext4", "mksquashfs", "unshare", "cpio")
               if not shutil.which(n)]
    if lacking or not os.path.exists(paths.image_link()):
        print(f"skipped: lacking {', '.join(lacking) or 'the test image (tests/integration/test_boot.py makes it)'}")
        return 77
    if "CCI_IN_NAMESPACE" not in os.environ:
        if subprocess.run(["unshare", "-n", "true"], stderr=subprocess.DEVNULL, check=False).returncode:
            print("skipped: no network namespace")
            return 77
        os.environ["CCI_IN_NAMESPACE"] = "1"
        os.execvp("unshare", ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh",
                              sys.executable] + sys.argv)
    unittest.main(argv=[sys.argv[0], "-v"] + sys.argv[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
