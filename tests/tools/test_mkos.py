#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""The archives of cci-mkos: what the kernel unpacks is what was put in, the same way each time."""

import gzip
import importlib.machinery
import importlib.util
import os
import stat
import subprocess
import sys
import tempfile
import types

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests"))
sys.dont_write_bytecode = True

from lab.tap import equal, main  # noqa: E402


def load(name):
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"),
                                                  os.path.join(TOP, "tools", name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


mkos = load("cci-mkos")
cgz, exports = mkos.cgz, mkos.exports


def read(path):
    """The entries of a gzip'd newc archive: [(name, mode, inode, nlink, data)], trailer left out."""
    with gzip.open(path) as file:
        data = file.read()
    assert len(data) % 512 == 0, "not padded to a block"
    entries, at = [], 0
    while True:
        assert data[at:at + 6] == b"070701", f"no header at {at}"
        fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        inode, mode, nlink, mtime, size, namesize = (fields[i] for i in (0, 1, 4, 5, 6, 11))
        name = data[at + 110:at + 110 + namesize - 1].decode()
        body = at + ((110 + namesize + 3) & ~3)
        if name == "TRAILER!!!":
            return entries
        entries.append((name, mode, inode, nlink, mtime, data[body:body + size]))
        at = body + ((size + 3) & ~3)


def make_tree(root):
    for name in ("usr/lib", "etc", "lib/modules/6.1/kernel"):
        os.makedirs(f"{root}/{name}")
    for name, text in (("etc/one", "first"), ("etc/b", "second"), ("usr/lib/x", "")):
        with open(f"{root}/{name}", "w", encoding="ascii") as file:
            file.write(text)
    os.chmod(f"{root}/etc/one", 0o640)
    os.link(f"{root}/etc/one", f"{root}/usr/lib/two")
    os.symlink("usr/lib", f"{root}/lib64")
    os.symlink("nowhere", f"{root}/etc/dangling")


def write(scratch, name, *arguments, **options):
    path = f"{scratch}/{name}"
    with mkos.Archive(path, 1000) as archive:
        archive.add_tree(f"{scratch}/root", *arguments, **options)
    return path


def body(check):
    with tempfile.TemporaryDirectory() as scratch:
        make_tree(f"{scratch}/root")
        path = write(scratch, "all.cgz")
        entries = {entry[0]: entry[1:] for entry in read(path)}
        with check.check("directories come before what is in them, names are sorted"):
            names = [entry[0] for entry in read(path)]
            equal(names, ["lib64", "etc", "etc/b", "etc/dangling", "etc/one", "lib", "lib/modules",
                          "lib/modules/6.1", "lib/modules/6.1/kernel", "usr", "usr/lib",
                          "usr/lib/two", "usr/lib/x"], "names")
        with check.check("modes, links and contents are kept"):
            equal(entries["etc/one"][0], stat.S_IFREG | 0o640, "mode")
            equal(entries["etc/b"][4], b"second", "content")
            equal(entries["lib64"][4], b"usr/lib", "target of a link to a directory")
            equal(entries["etc/dangling"][4], b"nowhere", "target of a dangling link")
        with check.check("the names of one file share number and data"):
            equal(entries["etc/one"][1], entries["usr/lib/two"][1], "inode")
            equal((entries["etc/one"][2], entries["etc/one"][4], entries["usr/lib/two"][4]),
                  (2, b"first", b""), "links and data")
        with check.check("no time is later than the one given"):
            equal({entry[4] for entry in read(path)}, {1000}, "times")
        with check.check("the same tree gives the same bytes"):
            with open(path, "rb") as one, open(write(scratch, "again.cgz"), "rb") as two:
                equal(one.read() == two.read(), True, "archives are equal")
        with check.check("everybody may read it"):
            equal(stat.S_IMODE(os.stat(path).st_mode), 0o644, "mode")
        with check.check("a part of a tree brings no entry above itself"):
            part = read(write(scratch, "part.cgz", "lib/modules/6.1"))
            equal([entry[0] for entry in part], ["lib/modules/6.1", "lib/modules/6.1/kernel"],
                  "names")
        with check.check("what is skipped is left out with all below it"):
            rest = read(write(scratch, "rest.cgz", skip={"lib/modules", "etc/one"}))
            equal([e[0] for e in rest if e[0].startswith(("lib/", "etc/o"))], [], "names")
        with check.check("an archive that failed leaves nothing"):
            try:
                with mkos.Archive(f"{scratch}/bad.cgz", 0) as archive:
                    archive.add(f"{scratch}/absent", "absent")
            except FileNotFoundError:
                pass
            equal([n for n in os.listdir(scratch) if n.startswith("bad")], [], "files")
        with check.check("chosen modules bring what they need"):
            with open(f"{scratch}/modules.dep", "w", encoding="ascii") as file:
                file.write("kernel/fs/xfs/xfs.ko: kernel/lib/libcrc32c.ko\n"
                           "kernel/lib/libcrc32c.ko:\nkernel/sound/beep.ko:\n"
                           "kernel/drivers/net/veth.ko:\nkernel/drivers/net/vethernet.ko:\n")
            equal(sorted(mkos.chosen_modules(scratch)),
                  ["kernel/drivers/net/veth.ko", "kernel/fs/xfs/xfs.ko",
                   "kernel/lib/libcrc32c.ko"], "modules")
        check_agent(check, scratch)
        check_squashfs(check, scratch)
        check_key(check, scratch)
        check_compression(check, scratch)
        check_settings(check)
        check_stray_release(check, scratch)
        check_exports(check, scratch)


def check_agent(check, scratch):
    """Where an initramfs finds the root, it copies what is below custom_bootstrap."""
    options = types.SimpleNamespace(agent=f"{scratch}/agent", unit=f"{scratch}/agent.service")
    for path in (options.agent, options.unit):
        with open(path, "w", encoding="ascii") as file:
            file.write("text")
    plain, below = (read(mkos.pack_agent(options, f"{scratch}/{name}", prefix))
                    for name, prefix in (("plain.cgz", ""), ("below.cgz", "custom_bootstrap/")))
    with check.check("the agent is at its place in an OS image"):
        equal("usr/lib/cci/lkp-bootstrap" in [e[0] for e in plain], True, "the agent is there")
        equal([e[0] for e in plain if "/" not in e[0]], ["etc", "usr"], "directories at the top")
    with check.check("and in custom_bootstrap for a root that is found"):
        equal([e[0] for e in below], ["custom_bootstrap"] + [f"custom_bootstrap/{e[0]}"
                                                             for e in plain], "names")


def check_squashfs(check, scratch):
    tree = f"{scratch}/tree"
    os.makedirs(f"{tree}/boot")
    os.makedirs(f"{tree}/etc")
    for name in ("boot/vmlinuz-6.1", "etc/hosts"):
        with open(f"{tree}/{name}", "w", encoding="ascii") as file:
            file.write(name)
    os.symlink("vmlinuz-6.1", f"{tree}/boot/vmlinuz")
    mkos.make_squashfs(tree, "6.1")
    with check.check("the squashfs has the tree without /boot's content, and everybody may read it"):
        names = mkos.run("unsquashfs", "-l", f"{tree}/rootfs.squashfs").split()
        equal([n for n in names if n.startswith("squashfs-root/")],
              [f"squashfs-root/{n}" for n in ("boot", "etc", "etc/hosts")], "names")
        equal(stat.S_IMODE(os.stat(f"{tree}/rootfs.squashfs").st_mode), 0o644, "mode")
    with check.check("its sum is beside it"):
        equal(mkos.run("sha256sum", "-c", "rootfs.squashfs.sha256", cwd=tree).strip(),
              "rootfs.squashfs: OK", "sha256sum")


def check_key(check, scratch):
    options = types.SimpleNamespace(arch=os.uname().machine, initramfs=f"{scratch}/programs",
                                    initramfs_drivers="common", initramfs_with=[],
                                    initramfs_ca=None,
                                    dracut_module=os.path.join(TOP, "dracut-module"))
    os.mkdir(options.initramfs)
    for name in mkos.INITRAMFS_PROGRAMS:
        with open(f"{options.initramfs}/{name}", "w", encoding="ascii") as file:
            file.write(name)
    with check.check("an initramfs is made anew only when its parts have changed"):
        key = mkos.initramfs_key(options)
        equal(mkos.initramfs_key(options), key, "the same parts")
        with open(f"{options.initramfs}/cci-init", "a", encoding="ascii") as file:
            file.write("new")
        equal(mkos.initramfs_key(options) != key, True, "another program has another key")
        key = mkos.initramfs_key(options)
        options.initramfs_drivers = "virtio"
        equal(mkos.initramfs_key(options) != key, True, "other drivers have another key")


def check_compression(check, scratch):
    os.makedirs(f"{scratch}/kernels/boot")
    for version, text in {"4.19": "CONFIG_RD_GZIP=y\n# CONFIG_RD_ZSTD is not set\n",
                          "6.1": "CONFIG_RD_GZIP=y\nCONFIG_RD_ZSTD=y\n"}.items():
        with open(f"{scratch}/kernels/boot/config-{version}", "w", encoding="ascii") as file:
            file.write(text)
    with check.check("an initramfs is packed as its kernel can read it"):
        equal([mkos.initramfs_compression(f"{scratch}/kernels", version).split()[0]
               for version in ("4.19", "6.1", "3.10")], ["gzip", "zstd", "gzip"], "compression")


def check_settings(check):
    options = mkos.parse(["debian:bookworm", "--initramfs-drivers", "none", "--initramfs-with",
                          "shell,https", "--initramfs-ca", "/ca.pem"])
    with check.check("what the initramfs shall have becomes settings of the dracut module"):
        equal(mkos.initramfs_settings(options),
              {"cci_life": "lean", "cci_drivers": "none", "cci_shell": "yes", "cci_https": "yes",
               "cci_ca": "/ca.pem"}, "settings")
        equal(mkos.initramfs_settings(mkos.parse(["debian:bookworm"])),
              {"cci_life": "lean", "cci_drivers": "common"}, "defaults")
    with check.check("what it cannot have is a mistake"):
        for wrong in (["--initramfs-drivers", "all"], ["--initramfs-with", "shell,net"]):
            done = subprocess.run([os.path.join(TOP, "tools/cci-mkos"), "debian:bookworm", *wrong],
                                  capture_output=True, text=True, check=False)
            equal((done.returncode, wrong[0] in done.stderr), (2, True), done.stderr)
    with check.check("each setting is one that the module reads"):
        with open(os.path.join(TOP, "dracut-module/90cci/module-setup.sh"), encoding="utf-8") as file:
            module = file.read()
        equal([v for v in ("cci_drivers", "cci_shell", "cci_https", "cci_ca") if v not in module],
              [], "settings that the module does not know")


def check_stray_release(check, scratch):
    """With /etc/initrd-release a system takes itself for an initramfs and never starts."""
    tree = f"{scratch}/stray"
    os.makedirs(f"{tree}/etc")
    for name in ("etc/initrd-release", "etc/hosts"):
        with open(f"{tree}/{name}", "w", encoding="ascii") as file:
            file.write(name)
    with check.check("an archive with /etc/initrd-release is not made"):
        try:
            with mkos.Archive(f"{scratch}/stray.cgz", 0) as archive:
                archive.add_tree(tree)
            raise AssertionError("it was made")
        except cgz.Refused as why:
            equal("/etc/initrd-release" in str(why), True, str(why))
        equal(os.path.exists(f"{scratch}/stray.cgz"), False, "the archive")
    listed = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=b"./etc\n./etc/hosts\n",
                            cwd=tree, stdout=subprocess.PIPE, check=True).stdout
    stray = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"],
                           input=b"./etc/initrd-release\n", cwd=tree, stdout=subprocess.PIPE,
                           check=True).stdout
    packed = {"plain": listed + stray, "gzip": gzip.compress(listed) + gzip.compress(stray),
              "zstd": subprocess.run(["zstd", "-qc"], input=listed + stray, stdout=subprocess.PIPE,
                                     check=True).stdout}
    with check.check("one made elsewhere is refused, however it is packed"):
        for kind, data in packed.items():
            path = f"{scratch}/{kind}.cgz"
            with open(path, "wb") as file:
                file.write(data)
            equal(cgz.names(path), ["etc", "etc/hosts", "etc/initrd-release"], f"names in {kind}")
            done = subprocess.run([os.path.join(TOP, "tools/cci-mkos"), "--check-cgz", path],
                                  capture_output=True, text=True, check=False)
            equal((done.returncode, path in done.stderr and "/etc/initrd-release" in done.stderr),
                  (1, True), done.stderr)
    with check.check("a good one passes, a damaged one is told"):
        with open(f"{scratch}/good.cgz", "wb") as file:
            file.write(gzip.compress(listed))
        cgz.check(f"{scratch}/good.cgz")
        for damaged in (listed[:150], b"not an archive", listed[:54] + b"zzzzzzzz" + listed[62:]):
            with open(f"{scratch}/damaged.cgz", "wb") as file:
                file.write(damaged)
            try:
                cgz.check(f"{scratch}/damaged.cgz")
                raise AssertionError(f"{damaged[:20]} passed")
            except cgz.Refused:
                pass


def check_exports(check, scratch):
    with check.check("sample exports name the trees and the clients"):
        files = exports.write(f"{scratch}/exports", "/x/srv", "10.0.0.0/16")
        equal([os.path.basename(path) for path in files], ["exports", "ganesha.conf", "smb.conf"],
              "files")
        for path in files:
            with open(path, encoding="utf-8") as file:
                text = file.read()
            equal(("/x/srv/os" in text, "10.0.0.0/16" in text, "{" in text.split("\n", 2)[2] and
                   "{os}" in text), (True, True, False), path)
    with check.check("a directory or net that cannot stand there is refused"):
        for srv, clients in (("/a b", "*"), ("/srv;", "*"), ("/srv", "everybody"),
                             ("/srv", "10.0.0.1/8")):
            try:
                exports.texts(srv, clients)
                raise AssertionError(f"{srv} {clients} passed")
            except exports.Refused:
                pass


if __name__ == "__main__":
    main(body)
