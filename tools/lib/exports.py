# SPDX-License-Identifier: MulanPSL-2.0
"""Sample configurations for the servers of the root trees: kernel nfsd, nfs-ganesha, samba.

Each serves SRV/os read-only, to root as root: a root file system has files that only root may read,
and machines have no other user yet. The names are those of ccid.yaml's defaults (`exports:`) where
the server can have another name than the directory's.
"""

import ipaddress
import os
import re

KERNEL = """\
# SPDX-License-Identifier: MulanPSL-2.0
# The kernel's NFS server, NFSv3 and NFSv4: to /etc/exports.d/cci.exports, then `exportfs -ra`.
# It knows a directory by its own name only. ccid.yaml:
#
#   exports: {{nfs: {{path: {os}}}}}
#
# Read-only; for roots that jobs write to (rw without rootovl) an export with rw of their own.
{os} {clients}(ro,no_root_squash,no_subtree_check,crossmnt,sec=sys)
"""

GANESHA = """\
# SPDX-License-Identifier: MulanPSL-2.0
# nfs-ganesha, NFSv3 and NFSv4: to /etc/ganesha/ganesha.conf. ccid.yaml needs nothing: by default it
# names {os} as /os, and so does this. NFSv3 needs rpcbind to run, and mounts by TCP without locks:
#
#   exports: {{nfs: {{options: "vers=3,nolock,tcp"}}}}

NFS_CORE_PARAM {{
	Protocols = 3, 4;
	# NFSv3 by the name that NFSv4 has
	mount_path_pseudo = true;
	Enable_NLM = false;
	Enable_RQUOTA = false;
}}

NFSV4 {{
	# nobody writes or locks: nothing to wait for after a restart
	Graceless = true;
	# names of users are numbers: a root file system has its own
	Only_Numeric_Owners = true;
}}

EXPORT {{
	Export_Id = 1;
	Path = {os};
	Pseudo = /os;
	Protocols = 3, 4;
	Transports = TCP;
	SecType = sys;
	Squash = No_Root_Squash;
	Disable_ACL = true;
	Access_Type = None;
	CLIENT {{
		Clients = {clients};
		Access_Type = RO;
	}}
	FSAL {{
		Name = VFS;
	}}
}}
"""

SAMBA = """\
# SPDX-License-Identifier: MulanPSL-2.0
# samba: to /etc/samba/smb.conf, or its parts into the one there. ccid.yaml needs nothing: by default
# it names the share os, as guest.
#
# SMB 1 with UNIX extensions is the one that brings links, modes and owners of a root file system.
# With `server min protocol = SMB3` machines get plain files only (exports: {{cifs: {{options:
# "ro,vers=3.1.1"}}}}): enough to read trees, not to boot one.

[global]
	server role = standalone server
	server min protocol = NT1
	unix extensions = yes
	map to guest = Bad User
	disable netbios = yes
	smb ports = 445
	load printers = no
	printcap name = /dev/null
	disable spoolss = yes
	log level = 1

[os]
	path = {os}
	read only = yes
	guest ok = yes
	guest only = yes
	# files that only root may read are part of a root file system
	force user = root
	{hosts}
	# names and links as they are
	wide links = no
	mangled names = no
	case sensitive = yes
	hide dot files = no
	store dos attributes = no
	map archive = no
	ea support = no
	oplocks = no
"""


class Refused(Exception):
    """A directory or net that cannot stand in these files; the text says why."""


def _check(srv, clients):
    srv = os.path.abspath(srv)
    if not re.fullmatch(r"[A-Za-z0-9/._+-]+", srv):
        raise Refused(f"{srv}: a directory to export may have letters, digits and /._+- only")
    if clients != "*":
        try:
            ipaddress.ip_network(clients)
        except ValueError as error:
            raise Refused(f"--clients {clients}: {error}; expected * or a net as 10.0.0.0/16") \
                from None
    return os.path.join(srv, "os")


def texts(srv, clients="*"):
    """The files by their names."""
    directory = _check(srv, clients)
    hosts = "# hosts allow = 10.0.0.0/16" if clients == "*" else f"hosts allow = {clients}"
    return {"exports": KERNEL.format(os=directory, clients=clients),
            "ganesha.conf": GANESHA.format(os=directory, clients=clients),
            "smb.conf": SAMBA.format(os=directory, hosts=hosts)}


def write(directory, srv, clients="*"):
    """Writes them; returns their paths. Only files of these names are touched."""
    files = texts(srv, clients)
    os.makedirs(directory, exist_ok=True)
    paths = []
    for name, text in files.items():
        path = os.path.join(directory, name)
        with open(f"{path}.tmp", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(f"{path}.tmp", path)
        paths.append(path)
    return paths
