# SPDX-License-Identifier: MulanPSL-2.0
"""A ccid that serves nothing of the machine's, only what a test puts there."""

import os
import re

from .server import Server


class OwnServer(Server):
    """A ccid whose every root is the test's own."""

    def _write_config(self):
        own = self.directory
        for name in ("os", "initrd", "tftp"):
            os.makedirs(f"{own}/srv/{name}", exist_ok=True)
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"""\
listen: {{interfaces: [{self.lab.BRIDGE}], workers: 2}}
state: {own}/state
results: {own}/result
results_free: 0
files: {{/os: {own}/srv/os, /initrd: {own}/srv/initrd}}
dhcp:
  subnets:
    - {{net: {self.lab.NETWORK}, range: {self.lab.RANGE}, lease: 1h}}
tftp: {{root: {own}/srv/tftp}}
boot: {{hold: {self.hold}}}
lab: lab1
hosts: {own}/hosts.d
api: {{open_to: [127.0.0.0/8, {self.lab.ADDRESS}/32]}}
""")

    def put(self, path, content):
        full = f"{self.directory}/srv/{path}"
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content)

    def mark(self):
        """A place in the log: its end now."""
        return os.path.getsize(self.log)

    def check_log(self, pattern, mark=0):
        """A line written since then matches."""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            file.seek(mark)
            if not any(re.search(pattern, line) for line in file):
                raise AssertionError(f"no line with {pattern!r} in the log:\n{self.log_tail()}")
