/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What a machine that asks "what do I boot?" is told. /boot.ipxe/mac/<mac> comes here through the
 * API; the first script, boot.ipxe, through TFTP as well.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/usec.h"
#include "lib/format/netaddr.h"
#include "server/core/boot_script.h"

struct boot_service;

/*
 * Appends the boot.ipxe for the client at `peer`, which came in at our address `local`: it chains
 * to /boot.ipxe/mac/${mac:hexhyp}?b=<session>, waits and tries again on failure. The session is
 * that of the peer's lease (bumped by dhcp_service at each new iPXE DHCP round), so that a boot
 * request asked again is told from a new boot. Records ipxe.script. Returns 0 or -errno.
 */
int boot_service_first_script(struct boot_service *boot, uint32_t peer, uint32_t local, usec_t now,
                              usec_t wall, struct buffer *out);

/*
 * The same for GRUB: grub.cfg, which asks /boot.grub/mac/${net_default_mac}?b=<session> in a loop;
 * the session is that of the firmware's own DHCP round. Records nothing: its transfer is an event.
 */
int boot_service_grub_cfg(struct boot_service *boot, uint32_t peer, uint32_t local,
                          struct buffer *out);

/* A machine's question. */
struct boot_ask {
	struct mac mac;
	int64_t session;         /* `b=` of the query; 0: none */
	enum boot_loader loader; /* which asks, and gets a script it can run */
	uint32_t peer, local;
	bool is_held; /* asked again for a request that was held */
	usec_t held_since;
};

enum {
	BOOT_ANSWERED = 0,
	BOOT_HELD = 1, /* nothing yet: keep the request until *ret_hold_until at most */
};

/*
 * Answers: the script of a job, taken in this moment and committed before it is handed out; the
 * same script again; or, when it has been held long enough, a script that waits. An unknown machine
 * is registered. Returns an outcome above with out filled when BOOT_ANSWERED, or -errno.
 */
int boot_service_ask(struct boot_service *boot, const struct boot_ask *ask, usec_t now, usec_t wall,
                     struct buffer *out, usec_t *ret_hold_until);

/* The client of a held request went away. Returns 0 or -errno. */
int boot_service_drop(struct boot_service *boot, struct mac mac, usec_t now, usec_t wall);
