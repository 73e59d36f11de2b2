/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A root on a file server as the kernel's mount calls want it: nfs(5) and mount.cifs(8) without
 * their programs. The kernel's NFS client itself asks a server of version 3 for the file handle,
 * and both clients take all they need as options. So no password stands on any program's command
 * line. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "initramfs/plan.h"

#define NET_ROOT_OPTIONS_MAX  32
#define NET_ROOT_ADDRESS_MAX  64 /* "fe80::1%eth0" */
#define NET_ROOT_VERSIONS_MAX 5

struct net_root_option {
	const char *key, *value; /* value NULL: a flag. Both may be secret */
};

struct net_root {
	const char *type; /* "nfs" or "cifs" */
	char source[PLAN_URL_MAX];
	struct net_root_option options[NET_ROOT_OPTIONS_MAX];
	size_t n_options;
	bool read_only, nosuid, nodev, noatime;
	char address[NET_ROOT_ADDRESS_MAX];
	char room[PLAN_NET_OPTIONS_MAX + 64]; /* what the options point into */
};

/* What the machine and the network add to the plan. */
struct net_root_facts {
	const char *server;  /* its name for the source; the plan's unless that has none */
	const char *address; /* of the server, as a number */
	const char *version; /* of NFS: "4.2", "3"; NULL: none is to be added */
	bool read_only;      /* whatever the options say: it is the lower of an overlay */
};

/*
 * Makes the mount. Options that are for mount(8) or systemd alone are left out, and ro and rw,
 * which the plan has heard. Returns NULL, or why it cannot be done, a constant text.
 */
const char *net_root_compose(const struct plan *plan, const struct net_root_facts *facts,
                             struct net_root *ret);

/*
 * Why the options of a plan cannot be used, as far as is known before the network is up; or NULL.
 */
const char *net_root_refuse(const struct plan *plan);

/*
 * The versions of NFS to be tried, in their order, NULL at the end: {NULL} when an option or nfs4:
 * names one and for CIFS, then one mount without an addition is tried. Newest first; only 3 below
 * an overlay on kernels before 5.7, where copying a file of NFSv4 up fails for its ACL
 * (`kernel` is major * 1000 + minor).
 */
void net_root_versions(const struct plan *plan, unsigned kernel,
                       const char *versions[NET_ROOT_VERSIONS_MAX]);

/* The last of ro and rw among the options. False: neither is. */
bool net_root_find_mode(const struct plan *plan, bool *ret_read_only);

/* The TCP port at which the server is looked for: 2049, 445, or what port= says. */
uint16_t net_root_port(const struct plan *plan);
