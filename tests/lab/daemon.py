# SPDX-License-Identifier: MulanPSL-2.0
"""Servers that a test runs beside ccid, in the caller's network namespace."""

import os
import signal
import socket
import subprocess
import time

from .errors import LabError

LIMIT = 60      # seconds until a server must answer


def _answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Daemon:
    """A shell script's programs, which begin and end together, in a mount namespace with an empty
    /run, so that nothing of the machine's is met. Its messages: directory/NAME.log."""

    def __init__(self, name, directory, script, ports):
        self.log = os.path.join(directory, f"{name}.log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "sh", "-ec", f"mount -t tmpfs cci-lab /run\n{script}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            self._wait(name, ports)
        except LabError:
            self.stop()
            raise

    def _wait(self, name, ports):
        end = time.monotonic() + LIMIT
        for port in ports:
            while not _answers(port):
                if self.process.poll() is not None:
                    raise LabError(f"{name} ended at once:\n{self.said()}")
                if time.monotonic() > end:
                    raise LabError(f"{name} does not answer at port {port}:\n{self.said()}")
                time.sleep(0.1)

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()[-3000:]

    def pause(self):
        """All of it stands still, as a server does whose machine hangs."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
