/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The name under which this machine's state (its lease, its open files) stands at servers of NFS 4.
 */
#pragma once

/*
 * Gives the kernel's client a name of this machine's own, "cci-MAC-UUID". Without one a client is
 * known by its host name, which is localhost on every machine that boots, and a server takes two
 * such machines for one that has restarted: each puts an end to the other's sessions, for ever (RFC
 * 8881, 2.4; Documentation/filesystems/nfs/client-identifier.rst). A name that the command line
 * gives (nfs.nfs4_unique_id=) is left alone. Where it fails, that is said.
 */
void nfs_client_name(void);
