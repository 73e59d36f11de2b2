/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * root= in every form of the seed and of dracut (dracut.cmdline(7)), as one value.
 */
#pragma once

#include "lib/base/bytes.h"

enum root_kind {
	ROOT_NONE,      /* no root= at all: the initramfs is the system */
	ROOT_NFS,       /* nfs:, nfs4:, host:/path, or /dev/nfs with nfsroot= */
	ROOT_CIFS,      /* cifs://[user[:pass]@]server/share[/dir][,options] */
	ROOT_LIVE,      /* live:http://..., live:https://... */
	ROOT_DEVICE,    /* /dev/... */
	ROOT_UUID,      /* UUID= of a file system */
	ROOT_LABEL,     /* LABEL= of a file system */
	ROOT_PARTUUID,  /* PARTUUID= of a partition */
	ROOT_PARTLABEL, /* PARTLABEL= of a partition */
	_ROOT_KIND_MAX,
};

/* "nfs", "cifs", "live" and so on. */
const char *root_kind_to_name(int value);

struct root_spec {
	enum root_kind kind;
	unsigned nfs_version; /* 4 when written as nfs4:, else 0 */
	struct slice server;  /* NFS, CIFS; empty: the DHCP server's */
	struct slice path;    /* NFS: exported directory. CIFS: share[/dir]. DEVICE: the node. LIVE:
	                         the    whole URL. Others: the value behind '=' */
	struct slice options; /* NFS, CIFS: mount options, without the separator */
	struct slice user, password; /* CIFS */
};

enum {
	ROOT_SPEC_UNKNOWN = 1, /* no form we know */
	ROOT_SPEC_BAD = 2,     /* a known form with a part missing or empty */
};

/*
 * Parses the value of root= (and of nfsroot=, empty when absent, which matters only for
 * root=/dev/nfs). The result has views into both. Returns 0 or an outcome above.
 */
int root_spec_parse(struct slice root, struct slice nfsroot, struct root_spec *ret);

/*
 * Appends the value of root= that parses back to the same spec. ROOT_NONE appends nothing.
 * Overflow is seen in `out`.
 */
void root_spec_build(struct bytes *out, const struct root_spec *spec);
