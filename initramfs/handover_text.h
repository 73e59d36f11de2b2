/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What the initramfs leaves for the system it starts, as texts. Pure.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/buffer.h"

/*
 * Appends resolv.conf(5) lines from a lease of networkd (/run/systemd/netif/leases/N): nameserver
 * for each address of DNS=, search for DOMAINNAME=. What is no address or name is left out: it came
 * from the network. Returns how many servers there were.
 */
unsigned handover_resolv_text(struct slice lease, struct buffer *out);

/*
 * Copies who serves files according to a lease: NEXT_SERVER=, else SERVER_ADDRESS=, the DHCP server
 * itself. False: the lease names nobody.
 */
bool handover_lease_server(struct slice lease, char *to, size_t size);

/* A link that goes on as it is. */
struct handover_link {
	const char *name, *mac;
	const char *address; /* ADDRESS/PREFIX that nobody leased to it; NULL: by DHCP */
};

/*
 * Appends systemd.network(5) text that keeps the address which the link has, and renews a lease:
 * with the same client identifier, so that the server gives the same one.
 */
void handover_network_text(struct buffer *out, const struct handover_link *link);

/*
 * Appends systemd.link(5) text that leaves the link its name: renaming a link that is up fails, and
 * networkd would wait for it for ever.
 */
void handover_link_text(struct buffer *out, const struct handover_link *link);

#define HANDOVER_MACHINE_ID_SIZE 34 /* 32 hexadecimal digits, a newline, a NUL */

/* Writes the machine-id(5) that follows from what identifies this hardware: always the same one. */
void handover_machine_id(struct slice hardware, char text[HANDOVER_MACHINE_ID_SIZE]);
