#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""The bars of the lean initramfs, by tools/bench with a single boot: sizes, processes and instructions
until switch-root. Nothing here depends on how fast this machine is. Needs the test image that tests/lab
makes (see tests/integration/test_boot.py)."""

import json
import os
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests"))
sys.dont_write_bytecode = True

from lab import paths  # noqa: E402

VARIANT = "lean-disk"   # what it weighs, the same image over HTTP weighs as well


def main():
    lacking = [n for n in ("dracut", "qemu-system-x86_64", "mkfs.ext4", "mksquashfs", "cpio", "zstd")
               if not shutil.which(n)]
    if os.geteuid() != 0 or lacking or not os.path.exists(paths.image_link()):
        print(f"skipped: needs root, the test image, and {', '.join(lacking) or 'nothing else'}")
        return 77
    done = subprocess.run([sys.executable, os.path.join(TOP, "tools/lib/bench"), "initramfs", "--json",
                           "--no-profile", "--variant", VARIANT], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1) or not done.stdout:
        print(f"not ok - tools/bench ended with {done.returncode}")
        return 1
    rows = [row for row in json.loads(done.stdout)["bars"] if row["met"] is not None]
    for row in rows:
        print(f"{'ok' if row['met'] else 'not ok'} - {row['what']}, {row['variant']}: "
              f"{row['value']:.2f} of {row['limit']} {row['unit']}")
    # CPU, processes, and two sizes: fewer would mean that nothing was measured
    if len(rows) < 4:
        print(f"not ok - only {len(rows)} bars were measured")
        return 1
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
