/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A host: a test machine by name, with its network addresses and what is known of its hardware.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/usec.h"
#include "lib/format/netaddr.h"
#include "server/core/host_machine.h"

#define HOST_NAME_MAX_LEN 64 /* with its NUL; EVENT_HOST_MAX is the same */
#define HOST_ARCH_MAX     16
#define HOST_REASON_MAX   128
#define HOST_OWNER_MAX    132
#define HOST_QUEUES_MAX   16
#define HOST_QUEUE_MAX    96
#define HOST_MACS_MAX     16
#define HOST_TAGS_MAX     256

#define HOST_DISKS_UNKNOWN (-1)

/* What a job needs of a machine beside its name and architecture; zeros and "" need nothing. */
struct job_needs {
	uint64_t memory;          /* bytes */
	unsigned n_hdd, n_ssd;    /* partitions to use */
	char tags[HOST_TAGS_MAX]; /* "a,b": sorted, each once */
};

struct host {
	char name[HOST_NAME_MAX_LEN];
	enum host_state state;
	unsigned flags;                    /* enum host_flag */
	char reason[HOST_REASON_MAX];      /* of drain and its like */
	char arch[HOST_ARCH_MAX];          /* empty: not known */
	uint64_t memory;                   /* bytes; 0: not known */
	int n_hdd, n_ssd;                  /* partitions to use; HOST_DISKS_UNKNOWN */
	char tags[HOST_TAGS_MAX];          /* "a,b": sorted, each once */
	char reserved_for[HOST_OWNER_MAX]; /* a submitter; with HOST_FLAG_RESERVED */
	usec_t reserved_until_steady;
	unsigned checks_passed; /* health jobs in a row */
	usec_t seen_wall;       /* 0: never */
	char queues[HOST_QUEUES_MAX][HOST_QUEUE_MAX];
	unsigned n_queues; /* 0: its name and its groups stand for them */
};

/* Whether somebody has it for himself at that moment (steady). */
static inline bool host_is_reserved(const struct host *host, usec_t steady)
{
	return (host->flags & HOST_FLAG_RESERVED) && host->reserved_until_steady > steady;
}

/* A name of a host may stand in a file name, a URL and an iPXE script. */
bool host_name_is_good(struct slice name);

/*
 * The groups of a host: its name up to the first `.` or `--`, and its name without a trailing
 * `-<digits>`. What equals the name itself or another group is left out.
 * Returns how many there are (0..2); views into name.
 */
#define HOST_GROUPS_MAX 2
unsigned host_groups(struct slice name, struct slice ret_groups[HOST_GROUPS_MAX]);

/*
 * Name of a host nobody registered: sched-<lab>-<mac with dashes>. Returns 0, or HOST_BAD when it
 * does not fit.
 */
enum { HOST_BAD = 1 };
int host_discovered_name(const char *lab, struct mac mac, char to[HOST_NAME_MAX_LEN]);

/* The typed part of a host file (Compass-CI's keys; compass-ci-protocol.md 3.6). */
struct host_document {
	char arch[HOST_ARCH_MAX];
	uint64_t memory;
	int n_hdd, n_ssd; /* HOST_DISKS_UNKNOWN when it does not say */
	char tags[HOST_TAGS_MAX];
	struct mac macs[HOST_MACS_MAX];
	unsigned n_macs;
	uint32_t address; /* that DHCP keeps for the first of them; 0: any */
	char queues[HOST_QUEUES_MAX][HOST_QUEUE_MAX];
	unsigned n_queues;
};

struct host_document_error {
	char key[64]; /* of the wrong value; "" for the document as a whole */
	char text[160];
};

/*
 * Reads a host's document: arch, memory (`256G`), mac_addr, hdd_partitions and ssd_partitions (or
 * nr_hdd_partitions, nr_ssd_partitions), and ours: queues and tags (lists or comma lists), address
 * (IPv4). rootfs_disk is checked; other keys are left alone. Returns 0, or HOST_BAD
 * with *ret_error filled.
 */
int host_document_parse(const json_t *doc, struct host_document *ret,
                        struct host_document_error *ret_error);
