/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/core/event.h"

#include "lib/base/macro.h"
#include "lib/base/table.h"

static const char *const names[_EVENT_KIND_MAX] = {
	[EVENT_DHCP_DISCOVER] = "dhcp.discover",
	[EVENT_DHCP_OFFER] = "dhcp.offer",
	[EVENT_DHCP_ACK] = "dhcp.ack",
	[EVENT_TFTP_START] = "tftp.start",
	[EVENT_TFTP_DONE] = "tftp.done",
	[EVENT_IPXE_DHCP] = "ipxe.dhcp",
	[EVENT_IPXE_SCRIPT] = "ipxe.script",
	[EVENT_BOOT_REQUEST] = "boot.request",
	[EVENT_BOOT_HOLD] = "boot.hold",
	[EVENT_BOOT_OFFER] = "boot.offer",
	[EVENT_FILE_START] = "file.start",
	[EVENT_FILE_DONE] = "file.done",
	[EVENT_INITRAMFS_START] = "initramfs.start",
	[EVENT_INITRAMFS_ROOT] = "initramfs.root",
	[EVENT_INITRAMFS_OVERLAY] = "initramfs.overlay",
	[EVENT_INITRAMFS_WIPE] = "initramfs.wipe",
	[EVENT_INITRAMFS_DEGRADED] = "initramfs.degraded",
	[EVENT_INITRAMFS_SWITCH] = "initramfs.switch",
	[EVENT_AGENT_HELLO] = "agent.hello",
	[EVENT_JOB_SETUP] = "job.setup",
	[EVENT_JOB_RUNNING] = "job.running",
	[EVENT_JOB_POST] = "job.post",
	[EVENT_UPLOAD_START] = "upload.start",
	[EVENT_UPLOAD_DONE] = "upload.done",
	[EVENT_JOB_FINISHED] = "job.finished",
	[EVENT_HOST_REBOOT] = "host.reboot",
	[EVENT_HOST_POWER] = "host.power",
	[EVENT_JOB_STATE] = "job.state",
	[EVENT_ATTEMPT_STATE] = "attempt.state",
	[EVENT_HOST_STATE] = "host.state",
	[EVENT_RESULTS_REMOVED] = "results.removed",
};

DEFINE_NAME_TABLE(event_kind, names);
