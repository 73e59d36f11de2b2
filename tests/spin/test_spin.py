#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""The protocol of attempts, checked by spin: every interleaving it reaches in its time keeps S4 and S7,
and each seeded defect is found."""

import os
import shutil
import subprocess
import sys
import tempfile

MODEL = os.path.join(os.path.dirname(os.path.realpath(__file__)), "attempt.pml")
SECONDS = 45        # what is not exhausted by then has been looked at depth first that far
DEFECTS = ("NO_SESSION", "NO_FENCE", "EARLY_START", "ANSWER_BEFORE_COMMIT", "NO_BOOT_ID",
           "LATE_HELLO")


def check(defect):
    """(whether a violation was found, words of pan). defect: "" for the model as it is."""
    with tempfile.TemporaryDirectory() as directory:
        option = [f"-D{defect}"] if defect else []
        subprocess.run(["spin", "-a", *option, MODEL], cwd=directory, check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run(["gcc", "-O1", "-w", "-DSAFETY", "-DCOLLAPSE", "-DMEMLIM=1024", "-o", "pan",
                        "pan.c"], cwd=directory, check=True)
        pan = subprocess.Popen(["./pan", "-n", "-m300000"], cwd=directory, stdout=subprocess.PIPE,
                               text=True)
        try:
            words = pan.communicate(timeout=SECONDS)[0]
        except subprocess.TimeoutExpired:
            pan.kill()
            words = pan.communicate()[0]
        return "assertion violated" in words, words


def main():
    if not shutil.which("spin"):
        print("1..0 # SKIP spin is not installed: tools/deps")
        return 77
    failed = 0
    for number, defect in enumerate(("", *DEFECTS), 1):
        found, words = check(defect)
        good = found == bool(defect)
        name = f"{defect} is found" if defect else "no rule is broken"
        print(f"{'ok' if good else 'not ok'} {number} - {name}", flush=True)
        if not good:
            print("\n".join(f"# {line}" for line in words.splitlines()[:20]))
            print("# see it: spin -a, gcc pan.c, ./pan, then spin -t -p, all with that -D")
        failed += not good
    print(f"1..{1 + len(DEFECTS)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
