# SPDX-License-Identifier: MulanPSL-2.0
"""bench scheduler: claims, lists and starts of the scheduler, measured by a release build of
tests/bench/bench_scheduler."""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import scheduler_bars

SUMMARY = "claims, lists and starts of the scheduler with ten thousand jobs"
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
BUILD = os.path.join(TOP, ".cache", "bench", "release")
PROGRAM = "tests/bench/bench_scheduler"
TURN = 64       # requests that share a commit


def build(name):
    """The path of that program of tests/bench, or None when it does not build."""
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        steps = [["meson", "setup", BUILD, TOP, "--buildtype=release"]]
    else:
        steps = []
    steps.append(["ninja", "-C", BUILD, name])
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True)
        if done.returncode != 0:
            print(f"bench: {' '.join(step)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}",
                  file=sys.stderr)
            return None
    return os.path.join(BUILD, name)


def measure(program, disk, memory):
    """All measurements by name. `memory` is a directory that costs no disk."""
    def run(*words):
        done = subprocess.run([program, *(str(word) for word in words)], stdout=subprocess.PIPE,
                              text=True, timeout=600, check=True)
        return json.loads(done.stdout)

    return {
        "peer": run("peer", disk, 300),
        "few": run("claims", memory, 100, 0, 1),
        "many": run("claims", memory, 10000, 0, 1),
        "full": run("claims", memory, 10000, 90000, 1),
        "single": run("claims", disk, 1000, 0, 1),
        "group": run("claims", disk, 1000, 0, TURN),
        "list": run("list", memory, 10000),
        "start": run("start", disk, 1000000),
    }


def show(rows):
    for row in rows:
        mark = {True: "ok  ", False: "MISS", None: "    "}[row["met"]]
        limit = f"{row['relation']} {row['limit']:g} {row['unit']}".strip() if row["limit"] else ""
        print(f"{mark} {row['what']:<58} {row['value']:>9.3f} {row['unit']:<8} {limit}")


def main(argv):
    parser = argparse.ArgumentParser(prog="bench scheduler", description=__doc__)
    parser.add_argument("--json", action="store_true", help="all numbers as JSON")
    parser.add_argument("--disk", metavar="DIR", default=os.path.join(TOP, ".cache", "bench"),
                        help="where the durable ones write (.cache/bench)")
    args = parser.parse_args(argv)
    program = build(PROGRAM)
    if program is None:
        return 1
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()
    try:
        numbers = measure(program, args.disk, memory)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, ValueError) as error:
        print(f"bench: not measured: {error}", file=sys.stderr)
        return 1
    rows = scheduler_bars.judge(numbers)
    if args.json:
        print(json.dumps({"numbers": numbers, "bars": rows}, indent=1))
    else:
        show(rows)
    return 0 if all(row["met"] is not False for row in rows) else 1
