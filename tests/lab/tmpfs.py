# SPDX-License-Identifier: MulanPSL-2.0
"""A disk of a certain size, in memory, as long as a test needs it."""

import contextlib
import ctypes
import os

from .errors import LabError

MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def mounted(directory, size):
    """with mounted(directory, "32m"): it is there, and a tmpfs."""
    os.makedirs(directory, exist_ok=True)
    if _libc.mount(b"tmpfs", directory.encode(), b"tmpfs", ctypes.c_ulong(0),
                   f"size={size},mode=755".encode()) != 0:
        raise LabError(f"mount tmpfs: {os.strerror(ctypes.get_errno())}")
    try:
        yield directory
    finally:
        _libc.umount2(directory.encode(), MNT_DETACH)
