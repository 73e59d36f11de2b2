# SPDX-License-Identifier: MulanPSL-2.0
"""NFS and SMB servers of a root tree in this network namespace, with the configuration that
`cci-mkos --exports` writes: nfs-ganesha (and the rpcbind that its NFSv3 needs) and samba. Each has
a mount namespace with an empty /run and state of its own, so that nothing of the machine is met."""

import subprocess

from . import paths
from .daemon import Daemon
from .errors import LabError


def write(directory, srv, clients="*"):
    """Writes the samples for srv/os into directory."""
    done = subprocess.run([paths.tool("cci-mkos"), "--exports", directory, "--srv", srv, "--clients",
                           clients], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"cci-mkos --exports: {done.stderr.strip()}")


def ganesha(directory):
    """NFS by directory/ganesha.conf, at the usual ports."""
    return Daemon("ganesha", directory, f"""
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
    return Daemon("samba", directory, f"""
mkdir -p {state}/ncalrpc
exec smbd --foreground --no-process-group --debug-stdout --configfile={directory}/smb.conf \\
  {places} '--option=ncalrpc dir={state}/ncalrpc' '--option=passdb backend=tdbsam:{state}/passdb'
""", [445])
