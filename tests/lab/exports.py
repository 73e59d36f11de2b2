# SPDX-License-Identifier: MulanPSL-2.0
"""NFS and SMB servers of a root tree in this network namespace, with the configuration that
`cci-mkos --exports` writes: nfs-ganesha (and the rpcbind that its NFSv3 needs) and samba. Each has
a mount namespace with an empty /run and state of its own, so that nothing of the machine is met."""

import os
import signal
import socket
import subprocess
import time

from . import paths
from .errors import LabError

LIMIT = 60      # seconds until a server must answer


def write(directory, srv, clients="*"):
    """Writes the samples for srv/os into directory."""
    done = subprocess.run([paths.tool("cci-mkos"), "--exports", directory, "--srv", srv, "--clients",
                           clients], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"cci-mkos --exports: {done.stderr.strip()}")


def _answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class _Daemon:
    """A shell script's programs, which begin and end together. Its messages: directory/NAME.log."""

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


def ganesha(directory):
    """NFS by directory/ganesha.conf, at the usual ports."""
    return _Daemon("ganesha", directory, f"""
mount -t tmpfs cci-lab /var/lib/nfs
mkdir -p /run/rpcbind /run/ganesha /var/lib/nfs/ganesha
rpcbind -f &
sleep 0.3
exec ganesha.nfsd -F -f {directory}/ganesha.conf -L STDERR -p /run/ganesha/pid -N EVENT
""", [111, 2049])


def samba(directory):
    """SMB by directory/smb.conf, at the usual port."""
    state = "/run/samba"
    places = " ".join(f"'--option={name}={state}'" for name in (
        "private dir", "lock directory", "state directory", "cache directory", "pid directory"))
    return _Daemon("samba", directory, f"""
mkdir -p {state}/ncalrpc
exec smbd --foreground --no-process-group --debug-stdout --configfile={directory}/smb.conf \\
  {places} '--option=ncalrpc dir={state}/ncalrpc' '--option=passdb backend=tdbsam:{state}/passdb'
""", [445])
