# SPDX-License-Identifier: MulanPSL-2.0
"""bench fill: a volume filled name by name by cci-init, beside cp -a, in turns."""

import argparse
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import scheduler

SUMMARY = "a volume filled with a system, beside cp -a"
PROGRAM = "tests/bench/bench_fill"
RUN_DIR = "/run/cci"        # where cci-init mounts; private to the mount namespace of the measurement
SOURCES = ("usr/bin", "usr/sbin", "usr/lib/x86_64-linux-gnu", "usr/share/doc", "usr/share/perl",
           "usr/include")
BYTES_MAX = 400 << 20       # of each of them
ROUNDS = 6
BARS = (("processor time, cci-init / cp -a", "cpu", 1.0), ("time, cci-init / cp -a", "wall", 1.1))


def run(*words):
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


def timed(*words):
    """(seconds, seconds of the processor) of a program and its children."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    run(*words)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"wall": time.monotonic() - start,
            "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


@contextlib.contextmanager
def loop_device(directory, name):
    path = os.path.join(directory, name)
    with open(path, "wb") as file:
        file.truncate(4 << 30)
    node = subprocess.run(["losetup", "--find", "--show", path], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()
    try:
        yield node
    finally:
        run("losetup", "--detach", node)


@contextlib.contextmanager
def mounted(node, target, *options):
    os.makedirs(target, exist_ok=True)
    run("mount", *options, node, target)
    try:
        yield target
    finally:
        run("umount", target)


def fill_source(node):
    """What a system is like: programs, libraries, many small files; of this machine's own."""
    run("mkfs.ext4", "-q", "-F", node)
    with mounted(node, RUN_DIR + "/from") as target:
        for path in SOURCES:
            taken, place = 0, os.path.join(target, path)
            os.makedirs(place)
            for entry in sorted(os.scandir("/" + path), key=lambda entry: entry.name):
                size = int(subprocess.run(["du", "-sb", entry.path], check=True, text=True,
                                          stdout=subprocess.PIPE).stdout.split()[0])
                if taken + size <= BYTES_MAX:
                    taken += size
                    run("cp", "-a", entry.path, place)
        usage = os.statvfs(target)
        return {"bytes": (usage.f_blocks - usage.f_bfree) * usage.f_frsize,
                "names": usage.f_files - usage.f_ffree}


def copy_by_cp(source, node):
    script = ('mkfs.ext4 -q -F "$2" && mkdir -p "$3/a" "$3/b" && mount -o ro "$1" "$3/a" &&'
              ' mount "$2" "$3/b" && cp -a "$3/a/." "$3/b/" && sync -f "$3/b" &&'
              ' umount "$3/b" "$3/a"')
    return timed("sh", "-c", script, "sh", source, node, RUN_DIR)


def measure(program, directory):
    copies = {"cp": copy_by_cp, "ours": lambda source, node: timed(program, source, node)}
    os.makedirs(RUN_DIR, exist_ok=True)
    with mounted("tmpfs", RUN_DIR, "-t", "tmpfs"), loop_device(directory, "from") as source, \
            loop_device(directory, "to") as node:
        numbers = {"system": fill_source(source), "times": {"ours": [], "cp": []}}
        for turn in range(ROUNDS):
            for who in sorted(numbers["times"], reverse=turn % 2 == 1):
                numbers["times"][who].append(copies[who](source, node))
    return numbers


def judge(numbers):
    """Rows {"what", "value", "limit", "met"}: medians of the rounds."""
    def median(who, what):
        return statistics.median(one[what] for one in numbers["times"][who])

    rows = []
    for what, key, limit in BARS:
        value = median("ours", key) / median("cp", key)
        rows.append({"what": what, "value": value, "limit": limit, "met": value <= limit})
    return rows


def inside(program, disk):
    with tempfile.TemporaryDirectory(prefix="cci-fill-", dir=disk) as directory:
        print(json.dumps(measure(program, directory)))
    return 0


def main(argv):
    parser = argparse.ArgumentParser(prog="bench fill", description=__doc__)
    parser.add_argument("--json", action="store_true", help="all numbers as JSON")
    parser.add_argument("--disk", metavar="DIR", default="/dev/shm",
                        help="where the two volumes lie, up to 5 GB (/dev/shm, so that no disk is measured)")
    parser.add_argument("--inside", metavar="PROGRAM", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.inside:
        return inside(args.inside, args.disk)
    program = scheduler.build(PROGRAM)
    if program is None:
        return 1
    main_file = os.path.join(os.path.dirname(os.path.realpath(__file__)), "__main__.py")
    done = subprocess.run(["unshare", "--mount", sys.executable, main_file, "fill", "--disk", args.disk,
                           "--inside", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)
    if done.returncode != 0:
        print(done.stderr[-2000:], file=sys.stderr)
        print("bench: not measured: it wants root, and 5 GB at --disk", file=sys.stderr)
        return 1
    numbers = json.loads(done.stdout.splitlines()[-1])
    rows = judge(numbers)
    if args.json:
        print(json.dumps({"numbers": numbers, "bars": rows}, indent=1))
    else:
        system = numbers["system"]
        print(f"a system of {system['bytes'] / 1e9:.2f} GB in {system['names']} names")
        for row in rows:
            print(f"{'ok  ' if row['met'] else 'MISS'} {row['what']:<40} {row['value']:>6.3f}    "
                  f"<= {row['limit']:g}")
    return 0 if all(row["met"] for row in rows) else 1
