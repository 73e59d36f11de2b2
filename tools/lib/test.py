# SPDX-License-Identifier: MulanPSL-2.0
"""The body of tools/test: build, run every test, end with one line: N passed, N failed, N skipped.

What counts is the single test: a line "ok" or "not ok" of those programs that print them (cmocka's
and the integration tests), else the program itself.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BUILD = os.path.join(TOP, "build")
RESULT = re.compile(r"^(not ok|ok)\b(.*)$", re.MULTILINE)


def step(text):
    print(f"\n=== {text}", flush=True)


def must(*argv):
    """Runs a command whose failure ends everything."""
    done = subprocess.run(argv, cwd=TOP, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        print(f"test: {' '.join(argv)} failed ({done.returncode})", file=sys.stderr)
        sys.exit(1)


def build():
    step("build")
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        must("meson", "setup", BUILD, "--native-file", "build-dev.ini")
    must("ninja", "-C", BUILD)


def run_suites(name, *selection):
    """Runs meson test; returns the records of its log, one a program."""
    step(f"tests: {name}")
    log = os.path.join(BUILD, "meson-logs", f"{name}.json")
    if os.path.exists(log):
        os.unlink(log)
    env = {**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"}
    subprocess.run(["meson", "test", "-C", BUILD, "--no-rebuild", "--print-errorlogs", "--logbase",
                    name, *selection], cwd=TOP, stdin=subprocess.DEVNULL, env=env, check=False)
    if not os.path.exists(log):
        print(f"test: meson test wrote no {log}", file=sys.stderr)
        sys.exit(1)
    with open(log, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def count(record):
    """(passed, failed, skipped) of one program."""
    text = record.get("stdout", "") + "\n" + record.get("stderr", "")
    passed = failed = skipped = 0
    for word, rest in RESULT.findall(text):
        if "# SKIP" in rest:
            skipped += 1
        elif word == "ok":
            passed += 1
        else:
            failed += 1
    result = record["result"]
    if result in ("SKIP",) and not failed:
        return passed, 0, skipped or 1
    if result in ("OK", "EXPECTEDFAIL"):
        # A program that printed "not ok" and still ended well is not to be trusted.
        return (passed, failed, skipped) if passed + failed + skipped else (1, 0, 0)
    return passed, failed or 1, skipped


def main():
    parser = argparse.ArgumentParser(
        prog="test", description="Installs what is needed, builds, runs every test, and ends with "
        "the line 'N passed, N failed, N skipped'. Safe to repeat; leaves build directories and "
        ".cache behind, nothing else.",
        epilog="exit status: 0 all passed, 1 something failed or did not build, 2 usage")
    parser.add_argument("--quick", action="store_true",
                        help="leave out the integration suite (virtual machines)")
    parser.add_argument("--no-deps", action="store_true", help="do not look for missing packages")
    options = parser.parse_args()

    begin = time.monotonic()
    build()
    records = run_suites("default", "--no-suite", "integration")
    if not options.quick:
        step("what the virtual machines boot")
        sys.path.insert(0, os.path.join(TOP, "tests"))
        from lab import LabError, paths
        try:
            paths.prepare()
            paths.prepare_arm64()
        except LabError as error:
            print(f"test: {error}", file=sys.stderr)    # the suite will fail, and say so
        records += run_suites("integration", "--suite", "integration")

    totals = [0, 0, 0]
    bad = []
    for record in records:
        numbers = count(record)
        totals = [a + b for a, b in zip(totals, numbers)]
        if numbers[1]:
            bad.append(record["name"])
    step(f"{len(records)} programs in {time.monotonic() - begin:.0f} s")
    for name in bad:
        print(f"failed: {name}")
    print(f"{totals[0]} passed, {totals[1]} failed, {totals[2]} skipped")
    return 1 if totals[1] or not records else 0


if __name__ == "__main__":
    sys.exit(main())
