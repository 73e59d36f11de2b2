# SPDX-License-Identifier: MulanPSL-2.0
"""A box beside a server that misbehaves, and a plan that names an image there."""

import hashlib
import random

from box import Box
from fault_server import Server, State
from lab.tap import equal

DATA = random.Random(3).randbytes(300000)
SHA256 = hashlib.sha256(DATA).hexdigest()


def true(condition, what):
    if not condition:
        raise AssertionError(what)


class Fetch:
    """A box, a server with those faults, and a plan to fetch DATA."""

    def __init__(self, *faults, data=DATA, tls=None, **plan):
        self.state = State(data, *faults)
        self.tls, self.extra = tls, plan

    def __enter__(self):
        self.server = Server(self.state, self.tls and self.tls.context)
        self.box = Box()
        if self.tls:
            self.box.write("etc/cci/ca.pem", self.tls.certificate)
        plan = {"kind": "http", "url": f"{self.server.url}/os/root.img", "sha256": SHA256,
                "size": len(DATA)} | self.extra
        self.box.plan(**{k: v for k, v in plan.items() if v is not None})
        return self

    def __exit__(self, *_):
        self.server.stop()
        self.box.__exit__()

    def fetch(self):
        return self.box.verb("fetch")

    def must_fetch(self):
        result = self.fetch().must_do()
        equal(self.box.read("run/cci/img/root.img") == DATA, True, "the bytes")
        true(not self.box.exists("run/cci/state"), "a failure is remembered")
        return result

    @property
    def ranges(self):
        return [(asked, condition) for _, asked, condition in self.state.gets]
