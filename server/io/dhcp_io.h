/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * DHCP on the wire: one socket on UDP port 67 of each interface, one packet socket for clients
 * without an address.
 */
#pragma once

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/macro.h"

struct dhcp_io;
struct dhcp_service;
struct event_base;

#define DHCP_IO_INTERFACES_MAX 64

struct dhcp_io_config {
	const char *const *interfaces; /* names to serve; borrowed for the call of dhcp_io_new */
	size_t n_interfaces;           /* 1..DHCP_IO_INTERFACES_MAX */
};

/* Numbers since the start, for metrics. */
struct dhcp_io_counters {
	uint64_t n_received, n_sent;
	uint64_t n_cut;         /* datagrams longer than any DHCP message */
	uint64_t n_dropped;     /* by the kernel, because we were too slow */
	uint64_t n_unsent;      /* answers that the kernel did not take */
	uint64_t n_broadcast;   /* answers broadcast because the frame could not be sent */
	uint64_t n_unaddressed; /* heard on an interface on which we have no address */
};

/*
 * Serves the interfaces until dhcp_io_free. base and service must live longer. An interface's own
 * addresses are looked up again every few seconds; one that goes away is waited for.
 * Returns 0, or -errno with one line in the log that names the interface and the cause: -ENODEV,
 * -EADDRINUSE (another DHCP server runs), -EACCES, -EPERM.
 */
int dhcp_io_new(struct event_base *base, struct dhcp_service *service,
                const struct dhcp_io_config *config, struct dhcp_io **ret);

/* Stops serving. NULL is fine; returns NULL. */
struct dhcp_io *dhcp_io_free(struct dhcp_io *io);

DEFINE_FREEP(struct dhcp_io, dhcp_io_free);

const struct dhcp_io_counters *dhcp_io_get_counters(const struct dhcp_io *io);
