# SPDX-License-Identifier: MulanPSL-2.0
"""NFS and SMB servers of user space in the caller's network namespace: nfs-ganesha with rpcbind, and
samba. Each has a /run of its own, so that nothing of the machine's is met."""

import os
import re
import signal
import socket
import subprocess
import time

from lab import LabError

GANESHA = """\
NFS_CORE_PARAM {{
    NFS_Port = {port};
    MNT_Port = {mount_port};
    Protocols = 3, 4;
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
    Protocols = 3, 4;
    FSAL {{ Name = VFS; }}
}}
EXPORT {{
    Export_Id = 2;
    Path = {writable};
    Pseudo = {writable};
    Access_Type = RW;
    Protocols = {writable_protocols};
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


class _Daemon:
    """Programs that a shell starts together and that end together."""

    def __init__(self, name, directory, script, ports):
        self.log = os.path.join(directory, f"{name}.log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "-m", "sh", "-c", f"mount -t tmpfs cci-run /run && {script}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + 40
        for port in ports:
            while not _listens(port):
                if time.monotonic() > end or self.process.poll() is not None:
                    said = self.said()
                    self.stop()
                    raise LabError(f"{name} does not answer at port {port}: {said}")
                time.sleep(0.1)

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()[-3000:]

    def stop(self):
        """Ends all of it, at once."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def _listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def nfs(directory, read_only, writable, writable_protocols="3, 4"):
    """Exports two directories, under their own names."""
    state = os.path.join(directory, "ganesha")
    os.makedirs(state)
    config = os.path.join(directory, "ganesha.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write(GANESHA.format(port=2049, mount_port=20048, state=state, read_only=read_only,
                                  writable=writable, writable_protocols=writable_protocols))
    return _Daemon("nfs", directory,
                   "mkdir -p /run/rpcbind /run/ganesha && rpcbind -f & "
                   f"sleep 0.5; exec ganesha.nfsd -F -f {config} -L STDERR -p /run/ganesha/pid "
                   "-N EVENT", [111, 20048, 2049])


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
    return _Daemon("smb", directory, f"exec smbd -F --no-process-group -s {config} --debug-stdout",
                   [445])


def requests(daemon, pattern):
    """Lines of a server's log that match."""
    return re.findall(pattern, daemon.said(), re.MULTILINE)
