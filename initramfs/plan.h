/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What this boot is to do about its root, decided once by the generator from the kernel command
 * line: a plain value that units.h turns into units and plan_file.h into /run/cci/plan. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "initramfs/lvm_names.h"
#include "lib/base/bytes.h"
#include "lib/base/usec.h"
#include "lib/format/boot_params.h"

enum plan_kind {
	PLAN_NONE,   /* refused before its root was understood: only `refused` counts */
	PLAN_HTTP,   /* an image, fetched whole into memory, then mounted */
	PLAN_DEVICE, /* a file system on a block device */
	PLAN_NFS,    /* a directory of a file server */
	PLAN_CIFS,
	_PLAN_KIND_MAX,
};

/* `local`: what is made of the root on the machine's own disks (compass-ci-protocol.md 6.4). */
enum plan_local {
	PLAN_LOCAL_NONE,
	PLAN_LOCAL_SCRATCH, /* a snapshot of the source, new at each boot */
	PLAN_LOCAL_SAVE,    /* a copy of the source under a name of the user's, new at each boot */
	PLAN_LOCAL_KEPT,    /* os_partition=, or the same name to use and to save: as it is */
	_PLAN_LOCAL_MAX,
};

/* "none", "http", "device" and so on; the other way -1 when unknown. */
const char *plan_kind_to_name(int value);
int plan_kind_from_name(struct slice name);

/* "reboot", "poweroff", "shell"; the other way -1 when unknown. */
const char *plan_onfail_to_name(int value);
int plan_onfail_from_name(struct slice name);

/* "none", "scratch", "save", "kept"; the other way -1 when unknown. */
const char *plan_local_to_name(int value);
int plan_local_from_name(struct slice name);

/* Where writes go. */
enum plan_upper { PLAN_UPPER_TMPFS, PLAN_UPPER_DEVICE, _PLAN_UPPER_MAX };

const char *plan_upper_to_name(int value);
int plan_upper_from_name(struct slice name);

#define PLAN_URL_MAX         1024
#define PLAN_DEVICE_MAX      240 /* the name of its unit is bounded too: unit_name.h */
#define PLAN_CAUSE_MAX       320
#define PLAN_DISKS_MAX       1024
#define PLAN_NET_OPTIONS_MAX 768

/* Every text is NUL-terminated, without control characters; "" is absent. */
struct plan {
	enum plan_kind kind;
	char refused[PLAN_CAUSE_MAX]; /* why nothing may be mounted: the first unit (layers) says
	                                 this and fails, so that it is reported and ends */
	char source[PLAN_URL_MAX];    /* what root= said, for people */
	/* http */
	char url[PLAN_URL_MAX];
	char sha256[65]; /* lower case; "": unchecked */
	uint64_t size;   /* bytes; 0: unknown */
	/* device: the node, /dev/disk/by-label/... for LABEL= and its like */
	char device[PLAN_DEVICE_MAX];
	/* nfs, cifs */
	char net_server[256]; /* as written; "": the one that the lease of the network names */
	char net_path[PLAN_URL_MAX];
	char net_options[PLAN_NET_OPTIONS_MAX];
	char net_user[128], net_password[256];
	unsigned nfs_version; /* 4 for nfs4:, else 0 */
	/* local */
	enum plan_local local;
	char volume[LVM_NAME_MAX];        /* of group os, that is the root; "": no volume, but... */
	char partition[PLAN_DEVICE_MAX];  /* ... this node, which must be there */
	char source_volume[LVM_NAME_MAX]; /* what it is made from; "" when it is made from root= */
	bool source_must_be;              /* use_root_partition=: never made, only used */
	uint64_t volume_size;
	char disks[PLAN_DISKS_MAX]; /* rootfs_disk=, with commas */
	bool disk_required, migrate;
	bool is_new; /* said by the verb that made it: the root is new with this boot */
	char wipe[PLAN_DEVICE_MAX]; /* cci.wipe= */
	/* where it goes */
	bool overlay;   /* rootovl: lower, upper and work below /run/cci, overlay on /sysroot; else
	                   the root itself is on /sysroot */
	bool read_only; /* without overlay: how the root itself is mounted. A lower always is */
	enum plan_upper upper;
	char upper_device[PLAN_DEVICE_MAX];
	char upper_size[32]; /* tmpfs size=; "50%" unless told */
	/* when something goes wrong */
	char server[256]; /* http://HOST:PORT; "": from the attempt file */
	usec_t timeout;   /* wait for devices and for the network; at least a second */
	unsigned retry;   /* tries after the first */
	enum boot_onfail onfail;
	bool has_shell; /* emergency.service is in the image, so onfail=shell can be kept */
	bool debug;
	/* who brings up the network: networkd, started by our units; else dracut's own modules */
	bool networkd;
};

/* What the generator looks at besides the command line. */
struct plan_facts {
	bool networkd;  /* systemd-networkd is in the image */
	bool shell;     /* emergency.service is in the image */
	bool https;     /* cci-init-https is in the image */
	bool lacks_job; /* job.cgz is named on the line and did not arrive */
};

/*
 * Whether the same root below a tmpfs is as good as one on a disk: nothing of what the boot writes
 * was to last, nobody named a volume to be used, and cci.disk= is not `required`.
 */
bool plan_may_do_without_disk(const struct plan *plan);

/*
 * PLAN_NOT_OURS: nothing on the line asks for us: no rootovl, local, root=live:http, job= or cci.*
 * beside a root, or no root= at all (the initramfs is the system). *ret is not written.
 * PLAN_REFUSED: it asks for us, but cannot be done; *ret is a plan with `refused` set, whose units
 * report the cause and end the boot as cci.onfail says.
 */
enum { PLAN_NOT_OURS = 1, PLAN_REFUSED = 2 };

/* Decides from parsed parameters; PLAN_NOT_OURS only for a line without root=. */
int plan_decide(const struct boot_params *params, const struct plan_facts *facts, struct plan *ret);

/*
 * Parses and decides. A line that boot_params refuses is read again without the wrong keys, so that
 * cci.server, cci.onfail and the like still count.
 */
int plan_from_cmdline(struct slice line, const struct plan_facts *facts, struct plan *ret);

/*
 * Whether the line is that of an initramfs which is the whole system (rdinit= and no root=): with
 * /etc/initrd-release beside it systemd would wait for a root for ever.
 */
bool plan_is_stray_initrd(struct slice line);
