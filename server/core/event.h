/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One event: what happened, to whom, when. The table of these is the audit, the live stream and the
 * picture of a boot (interfaces.md 7).
 */
#pragma once

#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/usec.h"
#include "lib/format/netaddr.h"

enum event_kind {
	EVENT_DHCP_DISCOVER, /* by firmware; iPXE's own rounds are EVENT_IPXE_DHCP */
	EVENT_DHCP_OFFER,
	EVENT_DHCP_ACK,
	EVENT_TFTP_START,
	EVENT_TFTP_DONE,
	EVENT_IPXE_DHCP,
	EVENT_IPXE_SCRIPT,
	EVENT_BOOT_REQUEST,
	EVENT_BOOT_HOLD,
	EVENT_BOOT_OFFER,
	EVENT_FILE_START,
	EVENT_FILE_DONE,
	EVENT_INITRAMFS_START,
	EVENT_INITRAMFS_ROOT,
	EVENT_INITRAMFS_OVERLAY,
	EVENT_INITRAMFS_WIPE,     /* a disk is about to be cleared, as cci.wipe= permits */
	EVENT_INITRAMFS_DEGRADED, /* no disk could be used; the root is below a tmpfs */
	EVENT_INITRAMFS_SWITCH,
	EVENT_AGENT_HELLO,
	EVENT_JOB_SETUP,
	EVENT_JOB_RUNNING,
	EVENT_JOB_POST,
	EVENT_UPLOAD_START,
	EVENT_UPLOAD_DONE,
	EVENT_JOB_FINISHED,
	EVENT_HOST_REBOOT,
	EVENT_HOST_POWER, /* its power was switched, or that was tried */
	/* moves of the machines */
	EVENT_JOB_STATE,
	EVENT_ATTEMPT_STATE,
	EVENT_HOST_STATE,
	EVENT_RESULTS_REMOVED, /* of a job that ended long ago */
	_EVENT_KIND_MAX,
};

/* "dhcp.discover" and so on. */
const char *event_kind_to_name(int value);
int event_kind_from_name(struct slice name);

#define EVENT_HOST_MAX   64
#define EVENT_FIELDS_MAX 512

struct event {
	int64_t id; /* rises by one or more with each event; 0 until it is stored */
	enum event_kind kind;
	usec_t wall, mono;
	char host[EVENT_HOST_MAX];     /* empty when not known */
	struct mac mac;                /* all zero when not known */
	int64_t job, attempt;          /* 0 when none */
	char fields[EVENT_FIELDS_MAX]; /* a JSON object as text: {"file":"...","bytes":1} */
};
