/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What a DHCP client is told: facts in, decision out (RFC 2131 section 4.3). We are the only server
 * of our subnets and so may say no; where a machine that runs would lose its address for no reason,
 * we say yes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/usec.h"
#include "server/core/dhcp_config.h"
#include "server/core/dhcp_pool.h"
#include "server/core/lease.h"
#include "server/proto/dhcp_query.h"
#include "server/proto/dhcp_reply.h"

/* What is known of a client and of the addresses it may be about. */
struct dhcp_facts {
	const struct dhcp_subnet *subnet; /* of the client; NULL: none of ours */
	uint32_t local;    /* our address on the arrival interface: next server, and server id */
	uint32_t reserved; /* for its MAC in that subnet; 0: none */
	bool has_lease;    /* of its key, now or formerly */
	bool is_bound;     /* and that lease has not ended */
	struct lease lease;
	uint32_t offered;   /* what we hold for it since its DISCOVER; 0: nothing */
	uint32_t candidate; /* DISCOVER: a free address; 0: none is left */
	/* who holds those addresses; the one asked for is dhcp_asked_address() */
	enum dhcp_hold hold_reserved, hold_lease, hold_asked;
};

enum dhcp_action {
	DHCP_DO_NOTHING,
	DHCP_DO_OFFER,
	DHCP_DO_ACK,    /* write the lease first */
	DHCP_DO_INFORM, /* ACK without a lease */
	DHCP_DO_NAK,
	DHCP_DO_RELEASE,
	DHCP_DO_PARK,     /* DECLINE: the address is used by somebody we do not know */
	DHCP_DO_WITHDRAW, /* it took another server's offer: ours is free again */
	_DHCP_ACTION_MAX,
};

/* Why: for counters and logs. */
enum dhcp_reason {
	DHCP_REASON_NONE,      /* as asked */
	DHCP_REASON_OFF,       /* mode off */
	DHCP_REASON_NO_SUBNET, /* the client is in none of ours */
	DHCP_REASON_POOL_FULL,
	DHCP_REASON_OTHER_SERVER,
	DHCP_REASON_NO_RECORD,    /* never heard of it: silence (RFC 2131 section 4.3.2) */
	DHCP_REASON_WRONG_SUBNET, /* NAK: it has moved */
	DHCP_REASON_TAKEN,        /* NAK: somebody else has that address */
	DHCP_REASON_NOT_ITS_OWN,  /* NAK, or an ignored RELEASE or DECLINE */
	DHCP_REASON_RESERVED,     /* DECLINE of a reserved address: it stays, a person must look */
	DHCP_REASON_NO_ADDRESS,   /* a message that names no address where it must */
	_DHCP_REASON_MAX,
};

const char *dhcp_action_to_name(int value);
int dhcp_action_from_name(struct slice name);
const char *dhcp_reason_to_name(int value);
int dhcp_reason_from_name(struct slice name);

struct dhcp_decision {
	enum dhcp_action action;
	enum dhcp_reason reason;
	uint32_t address;        /* it is about; 0: none */
	uint32_t lease_sec;      /* ACK, OFFER */
	bool is_new_boot;        /* ACK of a round of firmware or iPXE without a boot session yet */
	bool is_unknown_arch;    /* it wants to boot, and we have nothing for it */
	struct dhcp_reply reply; /* OFFER, ACK, INFORM, NAK */
};

/* Who the client is by the configured policy. */
struct lease_key dhcp_client_key(const struct dhcp_config *config, const struct dhcp_query *query);

/* The subnet a client is in: by its relay's word, its relay, its own address when it has one, the
 * interface it was heard on (RFC 2131 section 4.3.1, RFC 3527). NULL: none of ours. */
const struct dhcp_subnet *dhcp_client_subnet(const struct dhcp_config *config,
                                             const struct dhcp_query *query, uint32_t local);

/* The address a message is about: option 50, else ciaddr; 0 for none. */
uint32_t dhcp_asked_address(const struct dhcp_query *query);

/* Decides. Always fills *ret. */
void dhcp_decide(const struct dhcp_config *config, const struct dhcp_query *query,
                 const struct dhcp_facts *facts, struct dhcp_decision *ret);
