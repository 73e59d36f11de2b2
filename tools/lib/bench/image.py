# SPDX-License-Identifier: MulanPSL-2.0
"""What is booted: kernel, root and the initramfs of each variant, all from the test image's kernel
and from one set of its modules. Kept in .cache/bench as long as what they are made of is the same."""

import hashlib
import os
import shutil
import subprocess
import tempfile

from lab import images, paths

HERE = os.path.dirname(os.path.realpath(__file__))
PLACE = os.path.join(paths.CACHE, "bench")
LABEL = "benchroot"

# Kernel modules that any variant may pack: a virtio machine, the file systems, and what stock
# dracut's live root is made of. Each variant takes those it asks for.
MODULES = """
virtio_pci virtio_mmio virtio_net virtio_blk virtio_scsi sd_mod sr_mod cdrom overlay loop squashfs
erofs ext4 isofs af_packet dm-mod dm-snapshot dm-mirror autofs4 efivarfs af_alg algif_hash
sha256_generic sha512_generic crc32c_generic crc32c-intel crc32-pclmul nls_iso8859-1 nls_cp437
nls_ascii nls_utf8 vfat fuse
""".split()

# Of the test image, what no boot up to switch-root looks at: what is left is a small root of about
# 31 MB, as the one whose numbers the bars are from.
ROOT_WITHOUT = ["boot/*", "rootfs.squashfs*", "initrd.lkp", "usr/lib/modules/*", "usr/share/perl*",
                "usr/lib/x86_64-linux-gnu/perl*", "usr/bin/perl*", "var/lib/dpkg/*", "usr/share/*",
                "usr/lib/x86_64-linux-gnu/gconv/*"]

# What any stock dracut with systemd has.
STOCK = "dash bash systemd systemd-initrd dracut-systemd base fs-lib udev-rules"
# What ours packs with cci_drivers=virtio; dracut's own module for drivers would bring all of MODULES.
STOCK_DRIVERS = ["--add-drivers", "virtio_pci virtio_mmio virtio_net virtio_blk virtio_scsi sd_mod "
                 "overlay loop squashfs erofs ext4 af_packet"]
VARIANTS = {
    "stock-live": {
        "what": "dracut dmsquash-live + livenet + overlayfs, network-legacy",
        "root": "http",
        "dracut": ["-m", f"{STOCK} network-legacy network url-lib livenet dmsquash-live dm overlayfs",
                   *STOCK_DRIVERS],
        "line": "root=live:{url} rd.live.image rd.live.overlay.overlayfs=1 rd.neednet=1 ip=dhcp",
    },
    "stock-disk": {
        "what": "dracut rootfs-block + overlayfs",
        "root": "disk",
        "dracut": ["-m", f"{STOCK} rootfs-block overlayfs", *STOCK_DRIVERS],
        "line": f"root=LABEL={LABEL} ro rd.live.overlay.overlayfs=1",
    },
    "lean-http": {
        "what": "ours, lean, with virtio drivers",
        "root": "http",
        "dracut": images.LEAN,
        "line": "root=live:{url} rootovl ro",
    },
    "lean-disk": {
        "what": "the same image",
        "root": "disk",
        "dracut": images.LEAN,
        "line": f"root=LABEL={LABEL} rootovl ro",
    },
    "full-http": {
        "what": "ours beside what dracut --add cci brings",
        "root": "http",
        "dracut": ["--add", "cci", "--omit", "plymouth"],
        "line": "root=live:{url} rootovl ro",
    },
}


def _run(argv, **kwargs):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False, **kwargs)
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-25:])
        raise RuntimeError(f"{' '.join(argv)} failed ({done.returncode}):\n{tail}")
    return done.stdout


def _digest(*items):
    """Of strings, and of files by their content."""
    digest = hashlib.sha256()
    for item in items:
        if os.path.isabs(item) and os.path.isfile(item):
            with open(item, "rb") as file:
                item = hashlib.sha256(file.read()).hexdigest()
        digest.update(item.encode() + b"\0")
    return digest.hexdigest()[:16]


def _made(name, make, *inputs):
    """PLACE/name, made by make(path) unless it is there and of the same inputs."""
    path, stamp = os.path.join(PLACE, name), os.path.join(PLACE, f".{name}.key")
    key = _digest(*inputs)
    try:
        with open(stamp, encoding="ascii") as file:
            if file.read() == key and os.path.exists(path):
                return path
    except FileNotFoundError:
        pass
    os.makedirs(PLACE, exist_ok=True)
    if os.path.isdir(path):
        shutil.rmtree(path)
    make(path)
    with open(stamp, "w", encoding="ascii") as file:
        file.write(key)
    return path


class Things:
    """Kernel, modules, root image, disk and probe; made as far as they are not there."""

    def __init__(self, tell):
        self.tell = tell
        if not os.path.exists(paths.image_link()):
            paths.prepare(tell)
        paths.build_release("server/ccid", *(f"initramfs/{n}" for n in paths.INITRAMFS_PROGRAMS))
        self.tree = os.path.realpath(paths.image_link())
        self.kernel = os.path.join(self.tree, "boot/vmlinuz")
        self.version = os.path.basename(os.readlink(self.kernel)).removeprefix("vmlinuz-")
        self.modules = _made("modules", self._make_modules, self.tree, *MODULES)
        self.root = _made("root.sqfs", self._make_root, self.tree, *ROOT_WITHOUT)
        self.disk = _made("root.ext4", self._make_disk, self.tree, *ROOT_WITHOUT)
        self.probe = _made("probe.cpio", self._make_probe, os.path.join(HERE, "probe.c"),
                           os.path.realpath(__file__))

    def _make_modules(self, path):
        """A tree of the chosen modules and what they need, as depmod and dracut expect one."""
        self.tell(f"modules of {self.version}")
        source = os.path.join(self.tree, "usr/lib/modules", self.version)
        target = os.path.join(path, "lib/modules", self.version)
        depends = {}
        with open(os.path.join(source, "modules.dep"), encoding="ascii") as file:
            for line in file:
                name, _, rest = line.partition(":")
                depends[name] = rest.split()
        wanted = {m.replace("-", "_") for m in MODULES}
        chosen = {n for n in depends
                  if os.path.basename(n).removesuffix(".ko").replace("-", "_") in wanted}
        for name in sorted(chosen):
            chosen |= set(depends[name])
        lists = [n for n in os.listdir(source)
                 if n.startswith(("modules.builtin", "modules.order")) and not n.endswith(".bin")]
        for name in sorted(chosen) + lists:
            os.makedirs(os.path.dirname(os.path.join(target, name)), exist_ok=True)
            shutil.copy2(os.path.join(source, name), os.path.join(target, name))
        _run(["depmod", "-b", path, self.version])

    def _make_root(self, path):
        self.tell("the root image")
        _run(["mksquashfs", self.tree, path, "-noappend", "-no-progress", "-quiet", "-comp", "zstd",
              "-Xcompression-level", "15", "-wildcards", "-e", *ROOT_WITHOUT])

    def _make_disk(self, path):
        self.tell("the disk")
        with tempfile.TemporaryDirectory(dir=PLACE) as top:
            tree = os.path.join(top, "tree")
            _run(["unsquashfs", "-no-progress", "-quiet", "-d", tree, self.root])
            _run(["mkfs.ext4", "-q", "-F", "-L", LABEL, "-d", tree, path, "500M"])

    def _make_probe(self, path):
        """A cpio of the probe and the drop-in that starts it at the end."""
        with tempfile.TemporaryDirectory(dir=PLACE) as top:
            drop_in = os.path.join(top, "etc/systemd/system/initrd-switch-root.service.d")
            os.makedirs(drop_in)
            os.mkdir(os.path.join(top, "bench-trace"))
            with open(os.path.join(drop_in, "bench.conf"), "w", encoding="ascii") as file:
                file.write("[Service]\nExecStartPre=/bench-probe end\n")
            compiler = "musl-gcc" if shutil.which("musl-gcc") else "cc"
            _run([compiler, "-static", "-Os", "-s", "-o", os.path.join(top, "bench-probe"),
                  os.path.join(HERE, "probe.c")])
            with open(path, "wb") as out:
                names = subprocess.run(["find", ".", "-mindepth", "1"], cwd=top, check=True,
                                       stdout=subprocess.PIPE).stdout
                subprocess.run(["cpio", "-o", "-H", "newc", "--quiet", "-R", "0:0"], cwd=top,
                               input=names, stdout=out, check=True)

    def initramfs(self, variant):
        """Builds a variant's image; returns {"path", "files", "unpacked", "zstd"}, sizes in bytes."""
        arguments = VARIANTS[variant]["dracut"]
        same = [n for n in VARIANTS if VARIANTS[n]["dracut"] == arguments]
        inputs = [os.path.realpath(__file__), os.path.join(self.modules, "lib/modules", self.version,
                                                           "modules.dep")]
        modules = os.path.join(paths.TOP, "dracut-module")
        for name in ("90cci", "99zcci-lean"):
            folder = os.path.join(modules, name)
            inputs += [os.path.join(folder, n) for n in sorted(os.listdir(folder))]
        built = os.path.join(paths.RELEASE, "initramfs")
        programs = [os.path.join(built, n) for n in paths.INITRAMFS_PROGRAMS]

        def make(path):
            self.tell(f"initramfs {same[0]}")
            with tempfile.TemporaryDirectory(dir=PLACE) as top:
                done = images.dracut(
                    top, modules, *programs,
                    ["--no-compress", "--kmoddir",
                     os.path.join(self.modules, "lib/modules", self.version)] + arguments,
                    {"cci_drivers": "virtio"}, self.version)
                if done.returncode != 0:
                    raise RuntimeError(f"dracut failed for {variant}:\n{done.stdout[-3000:]}")
                os.mkdir(path)
                os.rename(os.path.join(top, "image"), os.path.join(path, "image"))
            _run(["zstd", "-q", "-19", "-T2", os.path.join(path, "image")])
        path = _made(f"image-{same[0]}", make, *inputs, *programs, *arguments)
        listing = _run(["cpio", "-tvn", "--quiet", "-F", os.path.join(path, "image")]).splitlines()
        rows = [line.split() for line in listing]
        return {
            "path": os.path.join(path, "image.zst"),
            "files": sum(row[0].startswith("-") for row in rows if row),
            "unpacked": sum(int(row[4]) for row in rows if row and row[0].startswith("-")),
            "zstd": os.path.getsize(os.path.join(path, "image.zst")),
        }
