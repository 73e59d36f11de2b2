#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""tools/soak: one boot, one that takes longer than it may, and mistakes on the command line."""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
sys.dont_write_bytecode = True

from lab import namespace, paths, tap  # noqa: E402
from lab.tap import equal  # noqa: E402


def soak(*arguments):
    done = subprocess.run([paths.tool("soak"), *arguments], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout


def must_match(pattern, text):
    match = re.search(pattern, text)
    if not match:
        raise AssertionError(f"{pattern!r} is not in:\n{text}")
    return match


def body(check):
    namespace.probe()
    with check.check("what it cannot do is a mistake of usage"):
        for arguments in (["floppy"], ["disk", "--count", "0"], ["disk", "--jobs", "x"], []):
            equal(soak(*arguments)[0], 2, f"exit status of {arguments}")
    with check.check("one boot"):
        status, said = soak("disk", "--count", "1")
        equal(status, 0, said)
        must_match(r"(?m)^ +1  ok +[0-9.]+ s$", said)
        must_match(r"(?m)^disk: 1 boot, 0 failed; power-on to end: min [0-9.]+, median", said)
    with check.check("a boot that does not end counts, and its console is kept"):
        status, said = soak("disk", "--count", "1", "--timeout", "1")
        equal(status, 1, said)
        must_match(r"FAIL .*still on after 1 s", said)
        console = must_match(r"console: (\S+)", said).group(1)
        equal(os.path.exists(console), True, console)
        must_match(r"(?m)^disk: 1 boot, 1 failed$", said)


tap.main(body)
