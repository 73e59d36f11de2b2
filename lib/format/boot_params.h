/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What a kernel command line says to us, as values: composed on the server, parsed in the initramfs
 * and by the agent, both from this one file.
 *
 * Meaning of words as dracut's getarg reads them: the last occurrence counts (except for initrd=,
 * where each adds one), a bare word is true, an empty value is absent, 0, no and off are false.
 * Keys: interfaces.md 3; Compass-CI's: compass-ci-protocol.md 4.1 and 6.2.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/usec.h"
#include "lib/format/root_spec.h"

#define BOOT_INITRDS_MAX 64 /* the seed's longest script has 11 */
#define BOOT_DISKS_MAX   16

enum boot_mode { BOOT_MODE_UNSET, BOOT_MODE_RO, BOOT_MODE_RW };
enum boot_onfail { BOOT_ONFAIL_REBOOT, BOOT_ONFAIL_POWEROFF, BOOT_ONFAIL_SHELL, _BOOT_ONFAIL_MAX };

/* All slices are borrowed: views into the line that was parsed, or the composer's own texts. */
struct boot_params {
	struct slice user, job, ip;
	bool rootovl, local;
	enum boot_mode mode;
	struct slice rdinit, prompt_ramdisk;
	struct root_spec root;
	struct slice initrds[BOOT_INITRDS_MAX];
	size_t n_initrds;
	struct slice rootfs_disks[BOOT_DISKS_MAX];
	size_t n_rootfs_disks;
	struct slice crashkernel;
	struct slice os_version, os_lv_size, os_partition;
	struct slice use_root_partition, save_root_partition;
	/* cci.* */
	struct slice root_sha256; /* 64 hexadecimal digits, or empty */
	uint64_t root_size;       /* bytes; 0 when not given */
	struct slice server;      /* http://HOST:PORT */
	struct slice upper;       /* "tmpfs", a device, or empty for tmpfs */
	struct slice upper_size;  /* "50%", "2G"; as mount(8) takes it */
	bool disk_required;
	struct slice wipe;
	bool migrate, debug;
	usec_t timeout;
	enum boot_onfail onfail;
	unsigned retry;
	/* only for composing: words appended as they are, already in command-line form */
	struct slice custom;  /* kernel_custom_params, boot_params of the job */
	struct slice console; /* console=... words */
};

#define BOOT_TIMEOUT_DEFAULT (60 * USEC_PER_SEC)
#define BOOT_RETRY_DEFAULT   3
#define BOOT_PARAMS_NULL                                                                           \
	((struct boot_params){ .timeout = BOOT_TIMEOUT_DEFAULT, .retry = BOOT_RETRY_DEFAULT })

struct boot_params_error {
	struct slice key; /* view into the line */
	struct slice value;
	const char *expected; /* constant text */
};

enum { BOOT_PARAMS_BAD = 1 };

/*
 * Whether a name may stand in rootfs_disk=: a node below /dev/, a tag of what is on the disk
 * (LABEL=, UUID=, PARTLABEL=, PARTUUID=), or the number that it has from its maker (wwn-...). Which
 * characters it has is not looked at.
 */
bool boot_params_is_disk(struct slice name);

/*
 * Cuts the first disk off a list: at a comma, or at a dot before a further disk, which is how
 * Compass-CI's later schedulers join them (/dev/a./dev/b). May be empty.
 */
struct slice boot_params_cut_disk(struct slice *list);

/*
 * Parses a whole command line. Words we do not know are ignored: they are the kernel's or somebody
 * else's. Returns 0, or BOOT_PARAMS_BAD with *ret_error saying which key of ours is wrong and what
 * was expected. *ret has views into line.
 */
int boot_params_from_cmdline(struct slice line, struct boot_params *ret,
                             struct boot_params_error *ret_error);

/*
 * Appends the command line that parses back to the same values, in the order of the seed: common
 * words, custom ones, the root, console, `  initrd=NAME` each, rootfs_disk, crashkernel, cci.* keys
 * that differ from their defaults. Returns 0; BOOT_PARAMS_BAD when a value cannot stand on a
 * command line. Overflow is seen in `out`.
 */
int boot_params_compose(const struct boot_params *params, struct bytes *out);
