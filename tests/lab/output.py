# SPDX-License-Identifier: MulanPSL-2.0
"""What a program that runs has written into a file that it was given."""

import os


def read(file):
    """All of it so far. The program writes at an offset that this process shares: seeking here would
    let it write over what it has written."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode()
