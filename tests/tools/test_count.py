#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""How tools/test counts: no failure may hide."""

import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path[:0] = [os.path.join(TOP, "tests"), os.path.join(TOP, "tools", "lib")]
sys.dont_write_bytecode = True

import test as tool  # noqa: E402
from lab.tap import equal, main  # noqa: E402

# (result, output) → (passed, failed, skipped)
CASES = [
    ("a program without lines that ends well is one test", "OK", "hello\n", (1, 0, 0)),
    ("a program without lines that fails is one failure", "FAIL", "", (0, 1, 0)),
    ("lines are counted one by one", "OK", "ok 1 - a\nok 2 - b\n1..2\n", (2, 0, 0)),
    ("failed lines are counted", "FAIL", "ok 1 - a\nnot ok 2 - b\nnot ok 3 - c\n", (1, 2, 0)),
    ("a crash after good lines is a failure", "FAIL", "ok 1 - a\n", (1, 1, 0)),
    ("a time-out is a failure", "TIMEOUT", "ok 1 - a\n", (1, 1, 0)),
    ("a failed line counts even when the program ends well", "OK", "not ok 1 - a\n", (0, 1, 0)),
    ("a skipped program is one skipped test", "SKIP", "1..0 # SKIP no\n", (0, 0, 1)),
    ("a skipped line is skipped", "OK", "ok 1 - a\nnot ok 2 # SKIP b\n", (1, 0, 1)),
    ("words that begin like a result are none", "OK", "okay\n", (1, 0, 0)),
]


def body(check):
    for name, result, output, expected in CASES:
        with check.check(name):
            equal(tool.count({"result": result, "stdout": output}), expected, "count")


if __name__ == "__main__":
    main(body)
