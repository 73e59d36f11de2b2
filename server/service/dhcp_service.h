/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The DHCP server without its sockets: a batch of packets in, a batch of answers out, one
 * transaction between.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/usec.h"
#include "server/core/dhcp_config.h"
#include "server/core/dhcp_decide.h"
#include "server/core/dhcp_route.h"

#define DHCP_BATCH_MAX 32 /* packets a commit: more gains little (0.7 ms either way) */

struct db;
struct dhcp_service;

/* A packet as it came in. */
struct dhcp_arrival {
	struct slice packet; /* payload of UDP; borrowed for the call */
	unsigned ifindex;    /* of the interface it came in at */
	uint32_t local;      /* our address there, in one of our subnets if there is one */
	size_t mtu;          /* of that interface */
};

/* An answer to be sent. */
struct dhcp_departure {
	unsigned ifindex; /* out of this interface, whatever routes say */
	uint32_t source;  /* our address there */
	struct dhcp_route route;
	size_t len;
	uint8_t data[DHCP_REPLY_SIZE_MAX];
};

/* Numbers since the start, for metrics. */
struct dhcp_counters {
	uint64_t malformed[_DHCP_QUERY_OUTCOME_MAX]; /* by reason; [0] counts the good ones */
	uint64_t received[_DHCP_TYPE_MAX];           /* good packets by type */
	uint64_t sent[_DHCP_TYPE_MAX];               /* OFFER, ACK, NAK */
	uint64_t reasons[_DHCP_REASON_MAX];          /* why packets got no answer, or a NAK */
	uint64_t n_oversized;                        /* answers that did not fit */
	uint64_t n_failed;                           /* batches the store could not take */
};

/*
 * Makes the server over an open database. config and db are borrowed until dhcp_service_free.
 * `seed` keys hashes and makes boot sessions: any unpredictable number. now and wall are the two
 * clocks of this moment. Returns 0 or -errno. Cost: O(leases + addresses).
 */
int dhcp_service_new(const struct dhcp_config *config, struct db *db, uint64_t seed, usec_t now,
                     usec_t wall, struct dhcp_service **ret);

/* NULL is fine; returns NULL. */
struct dhcp_service *dhcp_service_free(struct dhcp_service *service);

/*
 * Takes another configuration (borrowed like the first). Leases stay, offers are forgotten.
 * Returns 0, or -errno with the old one still in force.
 */
int dhcp_service_reload(struct dhcp_service *service, const struct dhcp_config *config, usec_t now);

/*
 * Answers n ≤ DHCP_BATCH_MAX packets: leases and events are written in one transaction, which is on
 * the disk when this returns; so answers may leave. departures[] has room for n.
 *
 * An iPXE REQUEST of a new round (another xid than that of the session its lease has) begins a new
 * boot session in the lease. Events: dhcp.discover, dhcp.offer and dhcp.ack of firmware, ipxe.dhcp
 * of iPXE, with their fields address, arch and file; a question repeated makes none, nor does an
 * OS.
 *
 * Returns 0 with *ret_n answers, or -errno: then nothing was written and nothing may be sent;
 * clients ask again by themselves.
 */
int dhcp_service_handle(struct dhcp_service *service, const struct dhcp_arrival arrivals[],
                        size_t n, usec_t now, usec_t wall, struct dhcp_departure departures[],
                        size_t *ret_n);

/*
 * Which of an interface's addresses speaks for us there: the first in one of our subnets, else the
 * first. 0 when there are none.
 */
uint32_t dhcp_service_choose_local(const struct dhcp_service *service, const uint32_t addresses[],
                                   size_t n);

const struct dhcp_counters *dhcp_service_get_counters(const struct dhcp_service *service);
