#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""The sample configurations that cci-mkos --exports writes, each tried: nfs-ganesha and samba run
with them in a namespace and the tree is read back with clients of user space, exportfs reads the
kernel's."""

import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests"))
sys.dont_write_bytecode = True

from lab import exports, namespace, paths, tap  # noqa: E402
from lab.server import fresh  # noqa: E402
from lab.tap import equal  # noqa: E402

TREE = "debian/x86_64/bookworm-2026-01-02-03-04-05"
TEXT = "127.0.0.1 localhost\n"
SECRET = "root:*:19000:0:99999:7:::\n"


def make_tree(srv):
    """A root file system with what is hard to serve: a secret file, links, odd names."""
    root = f"{srv}/os/{TREE}"
    for name in ("etc", "usr/bin", "var/empty"):
        os.makedirs(f"{root}/{name}")
    for name, text, mode in (("etc/hosts", TEXT, 0o644), ("etc/shadow", SECRET, 0o600),
                             ("usr/bin/tool", "#!/bin/sh\n", 0o755),
                             ("etc/dev-disk-by\\x2dlabel.swap", "x", 0o644)):
        with open(f"{root}/{name}", "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(f"{root}/{name}", mode)
    os.symlink("usr/bin", f"{root}/bin")
    os.symlink("bookworm-2026-01-02-03-04-05", f"{srv}/os/debian/x86_64/bookworm")


def run(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
    return done.returncode, done.stdout


def check_nfs(check, version):
    where = f"nfs://127.0.0.1/os/{TREE}"
    with check.check(f"nfs-ganesha: NFSv{version} lists the tree by the name that ccid gives it"):
        status, out = run("nfs-ls", f"{where}?version={version}")
        equal((status, sorted(line.split()[-1] for line in out.splitlines() if line.strip())),
              (0, ["bin", "etc", "usr", "var"]), out)
        status, out = run("nfs-ls", f"{where}/etc?version={version}")
        equal((status, "dev-disk-by\\x2dlabel.swap" in out), (0, True), out)
    with check.check(f"nfs-ganesha: NFSv{version} reads, also what only root may read"):
        for name, text in (("etc/hosts", TEXT), ("etc/shadow", SECRET)):
            equal(run("nfs-cat", f"{where}/{name}?version={version}"), (0, text), name)
    with check.check(f"nfs-ganesha: NFSv{version} writes nothing"):
        status, out = run("nfs-cp", "/etc/hostname", f"{where}/etc/new?version={version}")
        equal((status != 0, os.path.exists(f"/mnt/srv/os/{TREE}/etc/new")), (True, False), out)


def smb(protocol, command):
    return run("smbclient", "--no-pass", "-m", protocol, "--option=client min protocol=NT1",
               "//127.0.0.1/os", "-c", command)


def check_smb(check, protocol):
    directory = TREE.replace("/", "\\")
    with check.check(f"samba: {protocol} lists the tree for a guest"):
        status, out = smb(protocol, f"ls {directory}\\*")
        names = [line.split()[0] for line in out.splitlines() if line.startswith("  ")]
        equal((status, [n for n in ("etc", "usr", "var") if n not in names]), (0, []), out)
    with check.check(f"samba: {protocol} reads, also what only root may read"):
        for name, text in (("hosts", TEXT), ("shadow", SECRET)):
            status, out = smb(protocol, f"get {directory}\\etc\\{name} /dev/stdout")
            equal((status, text in out), (0, True), out)
    with check.check(f"samba: {protocol} writes nothing"):
        status, out = smb(protocol, f"put /etc/hostname {directory}\\etc\\new")
        equal((status != 0 or "DENIED" in out, os.path.exists(f"/mnt/srv/os/{TREE}/etc/new")),
              (True, False), out)


def check_kernel(check, directory):
    """exportfs needs no server: it reads, checks and records."""
    script = (f"touch /etc/exports && mount --bind {directory}/exports /etc/exports && "
              "mount -t tmpfs cci-lab /var/lib/nfs && exportfs -r && cat /var/lib/nfs/etab")
    with check.check("kernel nfsd: exportfs accepts the file without a word"):
        status, out = run("unshare", "--mount", "sh", "-c", script)
        lines = out.splitlines()
        equal((status, len(lines)), (0, 1), out)
        path, options = lines[0].split("\t")
        equal(path, "/mnt/srv/os", "path")
        equal(options.startswith("127.0.0.0/8(ro,"), True, options)
        equal("no_root_squash" in options and "crossmnt" in options, True, options)


def body(check):
    namespace.probe()
    directory = fresh(os.path.join(paths.BUILD, "integration", "exports"))
    namespace.enter()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    make_tree(f"{directory}/srv")
    srv = namespace.bind(f"{directory}/srv", "srv")
    own = namespace.bind(directory, "own")
    with check.check("cci-mkos writes the samples", vital=True):
        exports.write(own, srv, "127.0.0.0/8")
        equal(sorted(os.listdir(own)), ["exports", "ganesha.conf", "smb.conf", "srv"], "files")
    check_kernel(check, own)
    with exports.ganesha(own) as server:
        for version in (4, 3):
            check_nfs(check, version)
        check.note(server.said()[-300:])
    with check.check("samba finds no mistake in its file"):
        status, out = run("testparm", "-s", f"{own}/smb.conf")
        equal((status, "ignoring" in out.lower() or "unknown" in out.lower()), (0, False), out)
    with exports.samba(own):
        for protocol in ("NT1", "SMB3"):
            check_smb(check, protocol)
        with check.check("samba: UNIX extensions bring links and modes"):
            status, out = smb("NT1", f"posix; stat {TREE}/bin")
            equal((status, "symbolic link" in out), (0, True), out)
            status, out = smb("NT1", f"posix; stat {TREE}/etc/shadow")
            equal((status, "0600" in out), (0, True), out)


if __name__ == "__main__":
    tap.main(body)
