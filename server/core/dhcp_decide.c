/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/core/dhcp_decide.h"

#include "lib/base/macro.h"
#include "lib/base/table.h"
#include "server/core/dhcp_boot.h"

static const char *const action_names[_DHCP_ACTION_MAX] = {
	[DHCP_DO_NOTHING] = "nothing", [DHCP_DO_OFFER] = "offer",
	[DHCP_DO_ACK] = "ack",         [DHCP_DO_INFORM] = "inform",
	[DHCP_DO_NAK] = "nak",         [DHCP_DO_RELEASE] = "release",
	[DHCP_DO_PARK] = "park",       [DHCP_DO_WITHDRAW] = "withdraw",
};

DEFINE_NAME_TABLE(dhcp_action, action_names);

static const char *const reason_names[_DHCP_REASON_MAX] = {
	[DHCP_REASON_NONE] = "none",
	[DHCP_REASON_OFF] = "off",
	[DHCP_REASON_NO_SUBNET] = "no_subnet",
	[DHCP_REASON_POOL_FULL] = "pool_full",
	[DHCP_REASON_OTHER_SERVER] = "other_server",
	[DHCP_REASON_NO_RECORD] = "no_record",
	[DHCP_REASON_WRONG_SUBNET] = "wrong_subnet",
	[DHCP_REASON_TAKEN] = "taken",
	[DHCP_REASON_NOT_ITS_OWN] = "not_its_own",
	[DHCP_REASON_RESERVED] = "reserved",
	[DHCP_REASON_NO_ADDRESS] = "no_address",
};

DEFINE_NAME_TABLE(dhcp_reason, reason_names);

struct lease_key dhcp_client_key(const struct dhcp_config *config, const struct dhcp_query *query)
{
	struct lease_key key;

	if (config->key == DHCP_KEY_MAC || query->client_id.len == 0)
		return lease_key_from_mac(query->mac);
	/* A longer one was sent in parts; its first 255 bytes tell clients apart well enough. */
	key.len = (uint8_t)MIN(query->client_id.len, (size_t)LEASE_KEY_MAX);
	memcpy(key.octet, query->client_id.data, key.len);
	return key;
}

uint32_t dhcp_asked_address(const struct dhcp_query *query)
{
	return query->requested ? query->requested : query->message.ciaddr;
}

const struct dhcp_subnet *dhcp_client_subnet(const struct dhcp_config *config,
                                             const struct dhcp_query *query, uint32_t local)
{
	const struct dhcp_subnet *own = NULL;

	if (query->link)
		return dhcp_config_subnet(config, query->link);
	if (query->message.giaddr)
		return dhcp_config_subnet(config, query->message.giaddr);
	/* Renewing goes round the relay. */
	if (query->message.ciaddr)
		own = dhcp_config_subnet(config, query->message.ciaddr);
	return own ? own : dhcp_config_subnet(config, local);
}

static void settle(struct dhcp_decision *d, enum dhcp_action action, enum dhcp_reason reason)
{
	d->action = action;
	d->reason = reason;
}

static const char *nak_text(enum dhcp_reason reason)
{
	switch (reason) {
	case DHCP_REASON_WRONG_SUBNET:
		return "address of another network";
	case DHCP_REASON_TAKEN:
		return "address is not available";
	default:
		return "address is not yours";
	}
}

static void nak(const struct dhcp_query *query, enum dhcp_reason reason, struct dhcp_decision *d)
{
	d->action = DHCP_DO_NAK;
	d->reason = reason;
	d->address = dhcp_asked_address(query);
	d->reply.type = DHCP_NAK;
	d->reply.message = nak_text(reason);
}

/* Fills the answer that gives an address, or only options (lease_sec 0). */
static void fill_reply(const struct dhcp_config *config, const struct dhcp_query *query,
                       const struct dhcp_facts *facts, struct dhcp_decision *d)
{
	const struct dhcp_subnet *subnet = facts->subnet;
	struct dhcp_reply *reply = &d->reply;

	reply->prefix = subnet->net.prefix;
	reply->router = subnet->router;
	reply->n_dns = MIN(subnet->n_dns, (size_t)DHCP_REPLY_DNS_MAX);
	for (size_t i = 0; i < reply->n_dns; i++)
		reply->dns[i] = subnet->dns[i];
	reply->next_server = config->boot_server ? config->boot_server : facts->local;
	d->is_unknown_arch = dhcp_boot_file(config, query, reply->next_server, reply->boot_file,
	                                    sizeof(reply->boot_file)) == DHCP_BOOT_UNKNOWN;
}

static void give(const struct dhcp_config *config, const struct dhcp_query *query,
                 const struct dhcp_facts *facts, enum dhcp_action action, uint32_t address,
                 struct dhcp_decision *d)
{
	d->action = action;
	d->address = address;
	d->lease_sec = facts->subnet->lease_sec;
	d->reply.type = action == DHCP_DO_OFFER ? DHCP_OFFER : DHCP_ACK;
	d->reply.yiaddr = address;
	d->reply.lease_sec = d->lease_sec;
	fill_reply(config, query, facts, d);
	d->is_new_boot = action == DHCP_DO_ACK && query->stage != DHCP_STAGE_OS &&
	                 (!facts->has_lease || facts->lease.session == 0 ||
	                  facts->lease.session_xid != query->message.xid);
}

static bool is_in_subnet(const struct dhcp_facts *facts, uint32_t address)
{
	return address != 0 && ipv4_net_contains(facts->subnet->net, address);
}

/* Whether its reservation can be given now: nobody else sits on it. */
static bool reservation_is_free(const struct dhcp_facts *facts)
{
	switch (facts->hold_reserved) {
	case DHCP_HOLD_OTHER:
	case DHCP_HOLD_PARKED:
	case DHCP_HOLD_RESERVED:
		return false;
	case DHCP_HOLD_FREE:
	case DHCP_HOLD_MINE:
	case DHCP_HOLD_OUTSIDE:
	case _DHCP_HOLD_MAX:
		break;
	}
	return facts->reserved != 0;
}

static bool is_free_or_mine(enum dhcp_hold hold)
{
	return hold == DHCP_HOLD_FREE || hold == DHCP_HOLD_MINE;
}

/* The first of: reservation, current lease, offer not yet taken up, former lease, the address it
 * asks for, a new one. 0: none. */
static uint32_t choose_address(const struct dhcp_query *query, const struct dhcp_facts *facts)
{
	const struct lease *lease = &facts->lease;
	bool lease_fits = facts->has_lease && is_in_subnet(facts, lease->address);

	if (reservation_is_free(facts))
		return facts->reserved;
	if (lease_fits && facts->is_bound && facts->hold_lease == DHCP_HOLD_MINE)
		return lease->address;
	if (is_in_subnet(facts, facts->offered))
		return facts->offered;
	if (lease_fits && is_free_or_mine(facts->hold_lease))
		return lease->address;
	if (is_in_subnet(facts, query->requested) && is_free_or_mine(facts->hold_asked))
		return query->requested;
	return facts->candidate;
}

static void decide_discover(const struct dhcp_config *config, const struct dhcp_query *query,
                            const struct dhcp_facts *facts, struct dhcp_decision *d)
{
	uint32_t address = choose_address(query, facts);

	if (address == 0)
		settle(d, DHCP_DO_NOTHING, DHCP_REASON_POOL_FULL);
	else
		give(config, query, facts, DHCP_DO_OFFER, address, d);
}

/*
 * Whether the client may have the address it names. Returns 0, or the reason for a NAK, or
 * DHCP_REASON_NO_RECORD when the address is in our subnet but not ours to give or to refuse.
 */
static enum dhcp_reason judge(const struct dhcp_facts *facts, uint32_t asked)
{
	if (!is_in_subnet(facts, asked))
		return DHCP_REASON_WRONG_SUBNET;
	if (asked == facts->reserved && reservation_is_free(facts))
		return DHCP_REASON_NONE;
	switch (facts->hold_asked) {
	case DHCP_HOLD_FREE:
	case DHCP_HOLD_MINE:
		return DHCP_REASON_NONE;
	case DHCP_HOLD_OTHER:
	case DHCP_HOLD_PARKED:
	case DHCP_HOLD_RESERVED:
		return DHCP_REASON_TAKEN;
	case DHCP_HOLD_OUTSIDE:
	case _DHCP_HOLD_MAX:
		break;
	}
	/* outside the ranges: of an old configuration, until it ends */
	return facts->has_lease && facts->is_bound && facts->lease.address == asked
	               ? DHCP_REASON_NONE
	               : DHCP_REASON_NO_RECORD;
}

/* It chose one of the offers it got; after a restart we may have forgotten ours. */
static void decide_selecting(const struct dhcp_config *config, const struct dhcp_query *query,
                             const struct dhcp_facts *facts, uint32_t server_id,
                             struct dhcp_decision *d)
{
	uint32_t asked = dhcp_asked_address(query);
	enum dhcp_reason reason;

	if (query->server_id != server_id) {
		settle(d, DHCP_DO_WITHDRAW, DHCP_REASON_OTHER_SERVER);
		return;
	}
	reason = judge(facts, asked);
	if (reason == DHCP_REASON_NONE)
		give(config, query, facts, DHCP_DO_ACK, asked, d);
	else
		nak(query, reason == DHCP_REASON_NO_RECORD ? DHCP_REASON_TAKEN : reason, d);
}

/* It remembers an address from before its reboot. */
static void decide_init_reboot(const struct dhcp_config *config, const struct dhcp_query *query,
                               const struct dhcp_facts *facts, struct dhcp_decision *d)
{
	uint32_t asked = query->requested;
	enum dhcp_reason reason = judge(facts, asked);

	if (reason == DHCP_REASON_WRONG_SUBNET)
		nak(query, reason, d);
	else if (!facts->has_lease && !facts->reserved)
		settle(d, DHCP_DO_NOTHING, DHCP_REASON_NO_RECORD);
	else if (asked != facts->reserved && !(facts->has_lease && asked == facts->lease.address))
		nak(query, DHCP_REASON_NOT_ITS_OWN, d);
	else if (reason != DHCP_REASON_NONE)
		nak(query, DHCP_REASON_TAKEN, d);
	else
		give(config, query, facts, DHCP_DO_ACK, asked, d);
}

/*
 * RENEWING or REBINDING: it uses that address now. One we have no record of but which is free is
 * given: a lost database must not take the network from machines in the middle of a job.
 */
static void decide_renewing(const struct dhcp_config *config, const struct dhcp_query *query,
                            const struct dhcp_facts *facts, struct dhcp_decision *d)
{
	uint32_t asked = query->message.ciaddr;
	enum dhcp_reason reason = judge(facts, asked);

	if (reason == DHCP_REASON_NONE)
		give(config, query, facts, DHCP_DO_ACK, asked, d);
	else if (reason == DHCP_REASON_NO_RECORD)
		settle(d, DHCP_DO_NOTHING, reason);
	else
		nak(query, reason, d);
}

static void decide_request(const struct dhcp_config *config, const struct dhcp_query *query,
                           const struct dhcp_facts *facts, uint32_t server_id,
                           struct dhcp_decision *d)
{
	if (query->server_id)
		decide_selecting(config, query, facts, server_id, d);
	else if (query->message.ciaddr)
		decide_renewing(config, query, facts, d);
	else if (query->requested)
		decide_init_reboot(config, query, facts, d);
	else
		settle(d, DHCP_DO_NOTHING, DHCP_REASON_NO_ADDRESS);
}

static bool has_address(const struct dhcp_facts *facts, uint32_t address)
{
	return facts->has_lease && facts->is_bound && facts->lease.address == address;
}

static void decide_decline(const struct dhcp_query *query, const struct dhcp_facts *facts,
                           struct dhcp_decision *d)
{
	d->address = query->requested;
	if (query->requested == 0)
		settle(d, DHCP_DO_NOTHING, DHCP_REASON_NO_ADDRESS);
	else if (!has_address(facts, query->requested) && facts->offered != query->requested)
		settle(d, DHCP_DO_NOTHING, DHCP_REASON_NOT_ITS_OWN);
	else if (query->requested == facts->reserved)
		settle(d, DHCP_DO_NOTHING, DHCP_REASON_RESERVED);
	else
		settle(d, DHCP_DO_PARK, DHCP_REASON_TAKEN);
}

static void decide_release(const struct dhcp_query *query, const struct dhcp_facts *facts,
                           struct dhcp_decision *d)
{
	d->address = query->message.ciaddr;
	if (has_address(facts, query->message.ciaddr))
		settle(d, DHCP_DO_RELEASE, DHCP_REASON_NONE);
	else
		settle(d, DHCP_DO_NOTHING, DHCP_REASON_NOT_ITS_OWN);
}

static void decide_inform(const struct dhcp_config *config, const struct dhcp_query *query,
                          const struct dhcp_facts *facts, struct dhcp_decision *d)
{
	if (query->message.ciaddr == 0) {
		settle(d, DHCP_DO_NOTHING, DHCP_REASON_NO_ADDRESS);
		return;
	}
	d->action = DHCP_DO_INFORM;
	d->address = query->message.ciaddr;
	d->reply.type = DHCP_ACK;
	fill_reply(config, query, facts, d);
}

void dhcp_decide(const struct dhcp_config *config, const struct dhcp_query *query,
                 const struct dhcp_facts *facts, struct dhcp_decision *ret)
{
	uint32_t server_id = query->server_override ? query->server_override : facts->local;

	*ret = (struct dhcp_decision){ .reply.server_id = server_id };
	if (config->mode == DHCP_MODE_OFF) {
		settle(ret, DHCP_DO_NOTHING, DHCP_REASON_OFF);
		return;
	}
	if (!facts->subnet) {
		settle(ret, DHCP_DO_NOTHING, DHCP_REASON_NO_SUBNET);
		return;
	}
	switch (query->type) {
	case DHCP_DISCOVER:
		decide_discover(config, query, facts, ret);
		break;
	case DHCP_REQUEST:
		decide_request(config, query, facts, server_id, ret);
		break;
	case DHCP_DECLINE:
		decide_decline(query, facts, ret);
		break;
	case DHCP_RELEASE:
		decide_release(query, facts, ret);
		break;
	case DHCP_INFORM:
		decide_inform(config, query, facts, ret);
		break;
	case DHCP_OFFER:
	case DHCP_ACK:
	case DHCP_NAK:
	case _DHCP_TYPE_MAX:
		break; /* dhcp_query_parse lets none of these through */
	}
}
