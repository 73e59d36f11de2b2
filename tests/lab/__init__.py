# SPDX-License-Identifier: MulanPSL-2.0
"""A test lab in namespaces of its own: a network, virtual machines, a ccid.

Used by tests/integration and tools/demo:

    paths.prepare()         release build, image, loaders (needs the outside network the first time)
    namespace.enter()       from here on the network is ours alone, and dies with this process
    lab = Lab(); server = Server(lab, directory); machine = Machine(lab, directory, "uefi")

Standard library only.
"""

from .errors import LabError, NotPermitted
from .lab import Lab
from .machine import Machine
from .server import Server

__all__ = ["Lab", "LabError", "Machine", "NotPermitted", "Server"]
