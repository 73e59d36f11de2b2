# SPDX-License-Identifier: MulanPSL-2.0
"""What the style checks share: the tree, its rooms, and how a check says what it found."""

import argparse
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
PROGRAMS = ("lib/", "server/", "agent/", "cli/", "initramfs/")


def parser(name, description):
    """An argument parser with what every check takes."""
    made = argparse.ArgumentParser(
        prog=name, description=description,
        epilog="exit status: 0 nothing wrong, 1 something is (one line each), 2 usage")
    made.add_argument("--root", default=TOP, metavar="DIR",
                      help="check that tree instead of the one this program stands in")
    return made


def tracked(root):
    """Paths of the tree, relative: what git tracks or would track; without git, every file."""
    if os.path.exists(os.path.join(root, ".git")):
        done = subprocess.run(
            ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True, check=True)
        names = done.stdout.decode().split("\0")
        return sorted({n for n in names if n and os.path.isfile(os.path.join(root, n))})
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if not f.startswith((".", "build", "__pycache__"))]
        found += [os.path.relpath(os.path.join(folder, f), root) for f in files]
    return sorted(found)


def c_files(root, prefixes=PROGRAMS + ("tests/",)):
    return [n for n in tracked(root) if n.endswith((".c", ".h")) and n.startswith(prefixes)]


def read(root, name):
    with open(os.path.join(root, name), encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def block(root, kind):
    """The lines of ARCHITECTURE.md's fenced block of that kind, as {first word: other words}."""
    text = read(root, "ARCHITECTURE.md")
    found = re.search(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    if not found:
        raise SystemExit(f"ARCHITECTURE.md has no block ```{kind}")
    rows = {}
    for line in found.group(1).splitlines():
        words = line.split()
        if words:
            rows[words[0]] = [w for w in words[1:] if w != "-"]
    return rows


def room_of(name, rooms):
    """The room a file lies in: the longest of `rooms` that is a folder above it; None for none."""
    above = os.path.dirname(name)
    while above:
        if above in rooms:
            return above
        above = os.path.dirname(above)
    return None


def finish(check, faults, n_seen):
    """Prints the faults and ends the program. Nothing seen is a fault too: a check that looks at
    nothing would pass for ever."""
    for fault in faults:
        print(fault)
    if not n_seen:
        print(f"{check}: found nothing to look at")
        sys.exit(1)
    if faults:
        print(f"{check}: {len(faults)} wrong")
        sys.exit(1)
    sys.exit(0)
