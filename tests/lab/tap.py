# SPDX-License-Identifier: MulanPSL-2.0
"""Test programs that say "ok" and "not ok": one line a check, exit status 0, 1, or 77 for skipped."""

import sys
import time
import traceback

from .errors import LabError, NotPermitted


class Tap:
    """with tap.check("a name"): ... is ok unless the block raises. A failed check that others need
    (vital=True) ends the program."""

    def __init__(self):
        self.n_checks = 0
        self.n_failed = 0
        self.begin = time.monotonic()

    def note(self, text):
        """A line for the log that is no result."""
        for line in str(text).splitlines():
            print(f"# {time.monotonic() - self.begin:6.1f} {line}", flush=True)

    def check(self, name, vital=False):
        return _Check(self, name, vital)

    def report(self, name, good):
        self.n_checks += 1
        self.n_failed += not good
        print(f"{'ok' if good else 'not ok'} {self.n_checks} - {name}", flush=True)


class _Check:
    def __init__(self, tap, name, vital):
        self.tap, self.name, self.vital = tap, name, vital

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None and not issubclass(kind, Exception):
            return False                            # interrupted: not ours
        self.tap.report(self.name, kind is None)
        if kind is None:
            return False
        if issubclass(kind, (LabError, AssertionError)) and str(error):
            self.tap.note(error)
        else:
            self.tap.note("".join(traceback.format_exception(kind, error, trace)))
        if self.vital:
            raise _GiveUp
        return True


class _GiveUp(Exception):
    pass


def equal(got, expected, what=""):
    """Raises AssertionError, with both values, unless they are equal."""
    if got != expected:
        raise AssertionError(f"{what}: got {got!r}, expected {expected!r}")


def main(body):
    """Runs body(tap) and exits."""
    tap = Tap()
    try:
        body(tap)
    except _GiveUp:
        pass
    except NotPermitted as why:
        print(f"1..0 # SKIP {why}", flush=True)
        sys.exit(77)
    except LabError as error:
        tap.report("the lab stands", False)
        tap.note(error)
    print(f"1..{tap.n_checks}", flush=True)
    sys.exit(1 if tap.n_failed or not tap.n_checks else 0)
