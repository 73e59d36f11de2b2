# SPDX-License-Identifier: MulanPSL-2.0
"""NFS and SMB servers of user space in the caller's network namespace: nfs-ganesha with rpcbind, and
samba. Each has a /run of its own, so that nothing of the machine's is met."""

import os
import subprocess

from lab import LabError
from lab.daemon import Daemon

GANESHA = """\
NFS_CORE_PARAM {{
    NFS_Port = {port};
    MNT_Port = {mount_port};
    Protocols = {protocols};
    Enable_NLM = false;
    Enable_RQUOTA = false;
}}
NFSV4 {{
    Graceless = true;
    Only_Numeric_Owners = true;
    RecoveryRoot = {state};
}}
EXPORT_DEFAULTS {{
    SecType = sys;
    Squash = No_Root_Squash;
    Transports = TCP;
    Disable_ACL = true;
}}
EXPORT {{
    Export_Id = 1;
    Path = {read_only};
    Pseudo = {read_only};
    Access_Type = RO;
    Protocols = {protocols};
    FSAL {{ Name = VFS; }}
}}
EXPORT {{
    Export_Id = 2;
    Path = {writable};
    Pseudo = {writable};
    Access_Type = RW;
    Protocols = {protocols};
    FSAL {{ Name = VFS; }}
}}
LOG {{ Default_Log_Level = EVENT; }}
"""

SAMBA = """\
[global]
    interfaces = lo
    bind interfaces only = yes
    smb ports = 445
    disable netbios = yes
    server min protocol = NT1
    unix extensions = yes
    map to guest = Bad User
    passdb backend = tdbsam:{state}/passdb.tdb
    private dir = {state}
    lock directory = {state}
    state directory = {state}
    cache directory = {state}
    pid directory = {state}
    ncalrpc dir = {state}/ncalrpc
    log file = {state}/log
    load printers = no
[os]
    path = {top}
    guest ok = yes
    force user = root
    read only = yes
[mine]
    path = {top}
    valid users = root
    read only = yes
"""


def nfs(directory, read_only, writable, port=2049, protocols="3, 4"):
    """Exports two directories, under their own names; NFSv3 only at the usual port."""
    state = os.path.join(directory, "ganesha")
    os.makedirs(state)
    config = os.path.join(directory, "ganesha.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write(GANESHA.format(port=port, mount_port=20048, state=state, read_only=read_only,
                                  writable=writable, protocols=protocols))
    serve = f"exec ganesha.nfsd -F -f {config} -L STDERR -p /run/ganesha/pid -N EVENT"
    if "3" not in protocols:
        return Daemon("nfs", directory, f"mkdir -p /run/ganesha\n{serve}", [port])
    return Daemon("nfs", directory, f"mkdir -p /run/rpcbind /run/ganesha\nrpcbind -f &\n"
                  f"sleep 0.5\n{serve}", [111, 20048, port])


def smb(directory, top, password):
    """Shares what is in `top`: os for everybody, mine for root with that password."""
    state = os.path.join(directory, "samba")
    os.makedirs(os.path.join(state, "ncalrpc"), mode=0o755)
    config = os.path.join(directory, "smb.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write(SAMBA.format(state=state, top=top))
    done = subprocess.run(["pdbedit", "-s", config, "-a", "-t", "-u", "root"], text=True,
                          input=f"{password}\n{password}\n", capture_output=True, check=False)
    if done.returncode != 0:
        raise LabError(f"pdbedit: {done.stdout}{done.stderr}")
    return Daemon("smb", directory, f"exec smbd -F --no-process-group -s {config} --debug-stdout",
                   [445])
