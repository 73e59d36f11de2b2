/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Two clocks: leases are kept by the wall clock, because they outlive the process, but the time
 * that passes is measured by the monotonic one; when somebody sets the wall clock the leases move
 * along.
 */
#include "server/service/dhcp_service.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/base/text.h"
#include "server/core/dhcp_pool.h"
#include "server/service/dhcp_record.h"
#include "server/store/lease_store.h"

#define CLOCK_STEP (2 * USEC_PER_SEC) /* a larger difference is no drift: the clock was set */
#define LOAD_BATCH 256

struct dhcp_service {
	const struct dhcp_config *config;
	struct db *db;
	struct dhcp_pool *pool;
	struct rng rng;
	uint64_t seed[2];
	usec_t base_now, base_wall; /* lease time is base_wall + (now - base_now) */
	usec_t full_logged; /* monotonic; when "no address is left" was said last; 0: never */
	bool arch_logged[UINT8_MAX + 1]; /* architectures that were called unknown */
	bool subnet_logged;
	struct dhcp_counters counters;
};

DEFINE_FREEP(struct dhcp_service, dhcp_service_free);

/* One packet on its way through. */
struct exchange {
	const struct dhcp_arrival *arrival;
	usec_t now, lease_now;
	struct dhcp_query query;
	struct lease_key key;
	struct dhcp_facts facts;
	struct dhcp_decision decision;
	bool is_repeated; /* an OFFER that was made before */
};

static usec_t lease_time(const struct dhcp_service *s, usec_t now)
{
	return usec_add(s->base_wall, usec_sub(now, s->base_now));
}

/* From the end of a lease in lease time to the monotonic clock of the pool. */
static usec_t pool_end(const struct dhcp_service *s, usec_t expires_wall, usec_t now)
{
	if (expires_wall == LEASE_FOR_EVER)
		return USEC_INFINITY;
	return usec_add(now, usec_sub(expires_wall, lease_time(s, now)));
}

static int load_leases(const struct dhcp_service *s, struct dhcp_pool *pool, usec_t now)
{
	struct lease *leases = malloc(LOAD_BATCH * sizeof(*leases));
	int64_t after = -1;
	int n;

	if (!leases)
		return -ENOMEM;
	do {
		n = lease_store_list(s->db, after, leases, LOAD_BATCH);
		for (int i = 0; i < n; i++) {
			dhcp_pool_take(pool, leases[i].address, &leases[i].key,
			               pool_end(s, leases[i].expires_wall, now));
			after = leases[i].address;
		}
	} while (n == LOAD_BATCH);
	free(leases);
	return n < 0 ? n : 0;
}

/* A pool as the store says; offers are forgotten. */
static int rebuild_pool(struct dhcp_service *s, const struct dhcp_config *config, usec_t now)
{
	CLEANUP(dhcp_pool_freep) struct dhcp_pool *pool = NULL;
	int r;

	r = dhcp_pool_new(config, s->seed, &pool);
	if (r < 0)
		return r;
	r = load_leases(s, pool, now);
	if (r < 0)
		return r;
	s->pool = dhcp_pool_free(s->pool);
	s->pool = steal_ptr(&pool);
	return 0;
}

int dhcp_service_new(const struct dhcp_config *config, struct db *db, uint64_t seed, usec_t now,
                     usec_t wall, struct dhcp_service **ret)
{
	CLEANUP(dhcp_service_freep) struct dhcp_service *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	rng_init(&s->rng, seed);
	s->seed[0] = rng_next(&s->rng);
	s->seed[1] = rng_next(&s->rng);
	s->config = config;
	s->db = db;
	s->base_now = now;
	s->base_wall = wall;
	r = rebuild_pool(s, config, now);
	if (r < 0)
		return r;
	*ret = steal_ptr(&s);
	return 0;
}

struct dhcp_service *dhcp_service_free(struct dhcp_service *service)
{
	if (!service)
		return NULL;
	dhcp_pool_free(service->pool);
	free(service);
	return NULL;
}

int dhcp_service_reload(struct dhcp_service *service, const struct dhcp_config *config, usec_t now)
{
	int r = rebuild_pool(service, config, now);

	if (r < 0)
		return r;
	service->config = config;
	memset(service->arch_logged, 0, sizeof(service->arch_logged));
	service->subnet_logged = false;
	return 0;
}

uint32_t dhcp_service_choose_local(const struct dhcp_service *service, const uint32_t addresses[],
                                   size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (dhcp_config_subnet(service->config, addresses[i]))
			return addresses[i];
	return n > 0 ? addresses[0] : 0;
}

const struct dhcp_counters *dhcp_service_get_counters(const struct dhcp_service *service)
{
	return &service->counters;
}

/* --- facts --- */

static enum dhcp_hold look(const struct dhcp_service *s, const struct exchange *x, uint32_t address)
{
	return dhcp_pool_look(s->pool, address, &x->key, x->facts.reserved, x->now);
}

static int gather(struct dhcp_service *s, struct exchange *x)
{
	struct dhcp_facts *f = &x->facts;
	int r;

	*f = (struct dhcp_facts){ .local = x->arrival->local };
	f->subnet = dhcp_client_subnet(s->config, &x->query, f->local);
	if (!f->subnet)
		return 0;
	x->key = dhcp_client_key(s->config, &x->query);
	f->reserved = dhcp_config_reservation(s->config, f->subnet, x->query.mac);
	r = lease_store_find(s->db, &x->key, &f->lease);
	if (r < 0)
		return r;
	f->has_lease = r == 0;
	f->is_bound = f->has_lease && f->lease.expires_wall > x->lease_now;
	dhcp_pool_exclude(s->pool, f->local);
	f->offered = dhcp_pool_offered(s->pool, &x->key, x->now);
	f->hold_reserved = look(s, x, f->reserved);
	f->hold_lease = f->has_lease ? look(s, x, f->lease.address) : DHCP_HOLD_OUTSIDE;
	f->hold_asked = look(s, x, dhcp_asked_address(&x->query));
	if (x->query.type == DHCP_DISCOVER)
		f->candidate = dhcp_pool_choose(s->pool, f->subnet, &x->key, x->now);
	return 0;
}

/* --- effects --- */

static int64_t new_session(struct dhcp_service *s)
{
	int64_t session;

	do
		session = (int64_t)(rng_next(&s->rng) & INT64_MAX);
	while (session == 0);
	return session;
}

static int apply_ack(struct dhcp_service *s, struct exchange *x)
{
	const struct dhcp_decision *d = &x->decision;
	struct lease lease = x->facts.lease; /* all zero when there was none */
	int r;

	lease.key = x->key;
	lease.mac = x->query.mac;
	lease.address = d->address;
	lease.seen_wall = x->lease_now;
	lease.expires_wall = d->lease_sec == UINT32_MAX
	                             ? LEASE_FOR_EVER
	                             : x->lease_now + d->lease_sec * USEC_PER_SEC;
	if (x->query.has_arch) {
		lease.has_arch = true;
		lease.arch = x->query.arch;
	}
	if (x->query.hostname.len > 0)
		(void)text_copy(lease.hostname, sizeof(lease.hostname), x->query.hostname);
	if (d->is_new_boot) {
		lease.session = new_session(s);
		lease.session_xid = x->query.message.xid;
	}
	r = lease_store_apply(s->db, &lease);
	if (r < 0)
		return r;
	if (x->facts.hold_lease == DHCP_HOLD_MINE && x->facts.lease.address != d->address)
		dhcp_pool_release(s->pool, x->facts.lease.address);
	dhcp_pool_take(s->pool, d->address, &x->key, pool_end(s, lease.expires_wall, x->now));
	x->facts.lease = lease;
	return 0;
}

static int apply(struct dhcp_service *s, struct exchange *x)
{
	const struct dhcp_decision *d = &x->decision;
	int r = 0;

	switch (d->action) {
	case DHCP_DO_OFFER:
		x->is_repeated = dhcp_pool_offer(s->pool, d->address, &x->key, x->query.message.xid,
		                                 usec_add(x->now, DHCP_OFFER_HOLD));
		break;
	case DHCP_DO_ACK:
		return apply_ack(s, x);
	case DHCP_DO_RELEASE:
		r = lease_store_release(s->db, &x->key, d->address, x->lease_now);
		dhcp_pool_release(s->pool, d->address);
		break;
	case DHCP_DO_PARK:
		r = lease_store_remove(s->db, &x->key, d->address);
		dhcp_pool_park(s->pool, d->address, usec_add(x->now, DHCP_PARK_TIME));
		break;
	case DHCP_DO_WITHDRAW:
		dhcp_pool_withdraw(s->pool, &x->key);
		break;
	case DHCP_DO_NOTHING:
	case DHCP_DO_INFORM:
	case DHCP_DO_NAK:
	case _DHCP_ACTION_MAX:
		break;
	}
	return r < 0 ? r : 0; /* an absent lease is as good as one removed */
}

/* --- what a person should know --- */

static void tell_full(struct dhcp_service *s, const struct exchange *x, const char *mac)
{
	if (s->full_logged && x->now - s->full_logged < USEC_PER_MINUTE)
		return;
	s->full_logged = x->now;
	log_error("DHCP: no address is left to give mac=%s", mac);
}

static void tell_subnet(struct dhcp_service *s, const struct exchange *x, const char *mac)
{
	char local[IPV4_TEXT_MAX];

	if (s->subnet_logged)
		return;
	s->subnet_logged = true;
	log_warning("DHCP: a client is in none of dhcp.subnets: not answered mac=%s local=%s", mac,
	            ipv4_format(x->arrival->local, local));
}

static void tell_arch(struct dhcp_service *s, const struct exchange *x, const char *mac)
{
	bool *logged = &s->arch_logged[MIN(x->query.arch, (uint16_t)UINT8_MAX)];

	if (!x->query.has_arch) {
		log_debug("DHCP: firmware names no architecture mac=%s", mac);
		return;
	}
	if (*logged)
		return;
	*logged = true;
	log_warning("DHCP: no loader for this architecture (boot.loaders), address only arch=%u "
	            "mac=%s",
	            x->query.arch, mac);
}

static void tell(struct dhcp_service *s, const struct exchange *x)
{
	const struct dhcp_decision *d = &x->decision;
	char mac[MAC_TEXT_MAX], address[IPV4_TEXT_MAX];

	(void)mac_format(x->query.mac, ':', mac);
	if (d->reason == DHCP_REASON_POOL_FULL)
		tell_full(s, x, mac);
	if (d->reason == DHCP_REASON_NO_SUBNET)
		tell_subnet(s, x, mac);
	if (d->reason == DHCP_REASON_RESERVED || d->action == DHCP_DO_PARK)
		log_warning("DHCP: somebody else uses the address of a client mac=%s address=%s",
		            mac, ipv4_format(d->address, address));
	if (d->is_unknown_arch)
		tell_arch(s, x, mac);
	log_debug("DHCP: %s from %s mac=%s xid=%08x action=%s reason=%s address=%s file=%s",
	          dhcp_type_to_name((int)x->query.type), dhcp_stage_to_name((int)x->query.stage),
	          mac, x->query.message.xid, dhcp_action_to_name((int)d->action),
	          dhcp_reason_to_name((int)d->reason), ipv4_format(d->address, address),
	          d->reply.boot_file);
}

/* --- answers --- */

static bool has_answer(enum dhcp_action action)
{
	return action == DHCP_DO_OFFER || action == DHCP_DO_ACK || action == DHCP_DO_INFORM ||
	       action == DHCP_DO_NAK;
}

static void answer(struct dhcp_service *s, const struct exchange *x,
                   struct dhcp_departure departures[], size_t *n)
{
	struct dhcp_departure *to = &departures[*n];
	const struct dhcp_reply *reply = &x->decision.reply;
	struct bytes out = BYTES_ON(to->data);
	size_t limit;

	if (!has_answer(x->decision.action))
		return;
	limit = dhcp_reply_limit(&x->query, x->arrival->mtu);
	if (dhcp_reply_build(&x->query, reply, limit, &out) != 0) {
		s->counters.n_oversized++;
		return;
	}
	to->ifindex = x->arrival->ifindex;
	to->source = x->arrival->local;
	to->route = dhcp_route_choose(&x->query, reply->type, reply->yiaddr);
	to->len = out.len;
	s->counters.sent[reply->type]++;
	(*n)++;
}

static int handle_one(struct dhcp_service *s, struct exchange *x,
                      struct dhcp_departure departures[], size_t *n)
{
	int r = dhcp_query_parse(x->arrival->packet, &x->query);

	s->counters.malformed[r]++;
	if (r != 0) {
		log_debug("DHCP: packet dropped: %s", dhcp_query_outcome_to_name(r));
		return 0;
	}
	s->counters.received[x->query.type]++;
	x->is_repeated = false;
	r = gather(s, x);
	if (r < 0)
		return r;
	dhcp_decide(s->config, &x->query, &x->facts, &x->decision);
	if (x->decision.reason != DHCP_REASON_NONE)
		s->counters.reasons[x->decision.reason]++;
	r = apply(s, x);
	if (r < 0)
		return r;
	r = x->is_repeated ? 0 : dhcp_record(s->db, &x->query, &x->decision, x->now, x->lease_now);
	if (r < 0)
		return r;
	tell(s, x);
	answer(s, x, departures, n);
	return 0;
}

/* Somebody set the wall clock: what was to last an hour lasts an hour. */
static int follow_clock(struct dhcp_service *s, usec_t now, usec_t wall)
{
	int64_t delta = (int64_t)(wall - lease_time(s, now));
	int r;

	if (delta < (int64_t)CLOCK_STEP && delta > -(int64_t)CLOCK_STEP)
		return 0;
	r = lease_store_shift(s->db, delta);
	if (r < 0)
		return r;
	s->base_now = now;
	s->base_wall = wall;
	log_info("DHCP: the clock was set, leases moved along seconds=%lld",
	         (long long)delta / (long long)USEC_PER_SEC);
	return 0;
}

/* Nothing was written: the pool must not remember what the store does not. */
static void give_up(struct dhcp_service *s, usec_t now)
{
	s->counters.n_failed++;
	db_rollback(s->db);
	/* without memory the pool stays too cautious: it holds addresses that nobody has */
	(void)rebuild_pool(s, s->config, now);
}

int dhcp_service_handle(struct dhcp_service *service, const struct dhcp_arrival arrivals[],
                        size_t n, usec_t now, usec_t wall, struct dhcp_departure departures[],
                        size_t *ret_n)
{
	struct exchange x = { .now = now };
	size_t n_answers = 0;
	int r;

	assert(n <= DHCP_BATCH_MAX);
	r = follow_clock(service, now, wall);
	if (r < 0)
		return r;
	x.lease_now = lease_time(service, now);
	r = db_begin(service->db);
	if (r < 0) {
		service->counters.n_failed++;
		return r;
	}
	for (size_t i = 0; i < n && r == 0; i++) {
		x.arrival = &arrivals[i];
		r = handle_one(service, &x, departures, &n_answers);
	}
	if (r == 0)
		r = db_commit(service->db);
	if (r < 0) {
		give_up(service, now);
		return r;
	}
	*ret_n = n_answers;
	return 0;
}
