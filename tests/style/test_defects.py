#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""docs/compass-ci.md names a test for each defect of Compass-CI, and the tests it names are there."""

import os
import re
import sys

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
N_DEFECTS = 32


def rows():
    """{number: (what is here, what shows it)}"""
    with open(os.path.join(TOP, "docs", "compass-ci.md"), encoding="utf-8") as file:
        found = re.findall(r"^\| (\d+) \| .* \| (.*) \| (.*) \|$", file.read(), re.M)
    return {int(number): (here, shown) for number, here, shown in found}


def complaint(here, shown):
    if shown == "none":
        return "" if here.startswith("none: ") else "no test, and no reason why"
    references = re.findall(r"`([^`:]+): ([^`]+)`", shown)
    for name, words in references:
        path = os.path.join(TOP, "tests", name)
        if not os.path.exists(path):
            return f"there is no tests/{name}"
        with open(path, encoding="utf-8") as file:
            if words not in file.read():
                return f"tests/{name} has no {words!r}"
    return "" if references else "no test is named"


def main():
    table, failed = rows(), 0
    for number in range(1, N_DEFECTS + 1):
        why = complaint(*table[number]) if number in table else "not in the table"
        failed += bool(why)
        print(f"{'not ok' if why else 'ok'} {number} - defect {number}{': ' if why else ''}{why}")
    print(f"1..{N_DEFECTS}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
