# SPDX-License-Identifier: MulanPSL-2.0
"""The body of tools/bench: finds the benchmark by its name."""

import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
sys.path.insert(1, os.path.join(TOP, "tests"))
sys.dont_write_bytecode = True

import fill  # noqa: E402
import initramfs  # noqa: E402
import scheduler  # noqa: E402

BENCHES = {"fill": fill, "initramfs": initramfs, "scheduler": scheduler}


def usage(to):
    print("usage: bench NAME [OPTION...]\n", file=to)
    for name, bench in BENCHES.items():
        print(f"  {name:<12}{bench.SUMMARY}", file=to)
    print("\n`bench NAME --help` tells its options; docs/bench.md how it measures.\n"
          "exit status: 0 every bar is met, 1 one is missed or could not be measured, 2 usage", file=to)


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        usage(sys.stdout if len(sys.argv) > 1 else sys.stderr)
        return 0 if len(sys.argv) > 1 else 2
    if sys.argv[1] not in BENCHES:
        print(f"bench: no benchmark {sys.argv[1]}", file=sys.stderr)
        usage(sys.stderr)
        return 2
    return BENCHES[sys.argv[1]].main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
