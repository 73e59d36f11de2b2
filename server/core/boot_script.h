/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * From what is known of a job, its files and its host to the command line and the script of its
 * boot. Pure: the same facts give the same bytes.
 */
#pragma once

#include "lib/doc/job.h"
#include "server/core/host.h"

/* One file on one of the server's ports, or elsewhere. */
struct boot_source {
	const char *url; /* an absolute URL, or a path that begins with '/' */
	uint16_t port;   /* for a path */
};

/* Where the directory /os can be mounted from (nfs, cifs, local). Texts that are empty: not set. */
struct boot_exports {
	uint32_t server;          /* 0: the one that URLs name */
	const char *nfs_path;     /* what the NFS server calls /os */
	const char *nfs_options;  /* of the mount, as `vers=3` */
	const char *cifs_share;   /* what the SMB server calls /os: SHARE[/DIR] */
	const char *cifs_options; /* without guest, which stands there when there is no user */
	const char *cifs_user, *cifs_password;
};

/* What runs the script on the machine. */
enum boot_loader {
	BOOT_LOADER_IPXE,
	BOOT_LOADER_GRUB,
};

struct boot_script_facts {
	enum boot_loader loader;
	const struct job *job;
	const char *job_id, *result_root;
	struct mac mac;
	int64_t session;
	uint32_t server; /* address that URLs name */
	uint16_t api_port;
	struct boot_source kernel;
	const struct boot_source *initrds;
	size_t n_initrds;
	const char *os_path; /* of nfs, cifs, local: URL path of the OS directory, below /os */
	struct boot_exports exports;
	const char *root_image;  /* os_mount http: URL path of the squashfs */
	const char *root_sha256; /* empty: not known */
	uint64_t root_size;
	uint16_t os_port;
	uint64_t memory;                       /* of the host; 0: not known */
	const char *host_disks[JOB_DISKS_MAX]; /* of the host file, when the job names none */
	size_t n_host_disks;
	unsigned pause_sec; /* before the machine asks again after a failure */
};

enum {
	BOOT_SCRIPT_BAD = 1,  /* a value of the job cannot stand in a script or on a command line */
	BOOT_SCRIPT_LONG = 2, /* the script, or the command line, would be too long */
	BOOT_SCRIPT_NO_DISK = 3, /* os_mount local, and neither job nor host name a disk */
};

/* Longest command line: Linux cuts at COMMAND_LINE_SIZE, 2048 with its NUL on x86 and arm64. */
#define BOOT_CMDLINE_MAX 2047

/*
 * Appends the whole script. Returns 0, an outcome above, or -ENOMEM.
 */
int boot_script_build(const struct boot_script_facts *facts, struct bytes *out);

/* Appends the command line alone to an empty builder of at most BOOT_CMDLINE_MAX. */
int boot_script_cmdline(const struct boot_script_facts *facts, struct bytes *out);

/* "http://A:P/boot.ipxe/mac/<mac>[?b=<session>]": where an iPXE asks. */
void boot_script_again(uint32_t server, uint16_t port, struct mac mac, int64_t session,
                       struct bytes *out);
