/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/power_service.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/service/host_service.h"
#include "server/store/host_store.h"

#define DUE_MAX 16 /* a round; the next one comes at once when there are more */

static const struct power_method *method_of(const struct services *s, const char *host)
{
	return power_method_find(s->config.power, s->config.n_power, host);
}

/* FNV-1a: hosts that failed together are not cycled together. */
static uint64_t seed_of(const char *host)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *host; host++)
		hash = (hash ^ (uint8_t)*host) * UINT64_C(0x100000001b3);
	return hash;
}

static int find(struct services *s, const char *host, struct power_record *ret)
{
	int r = power_store_find(s->db, host, ret);

	if (r != POWER_STORE_ABSENT)
		return r;
	*ret = (struct power_record){ .power = { .phase = POWER_IDLE } };
	(void)snprintf(ret->host, sizeof(ret->host), "%s", host);
	return 0;
}

static int mark_broken(struct services *s, const struct moment *m,
                       const struct power_record *record)
{
	char reason[HOST_REASON_MAX];
	int r;

	(void)snprintf(reason, sizeof(reason),
	               record->last_error[0] ? "%u power cycles failed (%.40s)"
	                                     : "%u power cycles did not bring it back (%.40s)",
	               record->power.tries, record->cause);
	log_warning("host is broken host=%s reason=%s", record->host, reason);
	r = host_service_set_flag(&s->hosts, m, record->host, HOST_FLAG_BROKEN, true, reason);
	return MIN(r, 0); /* deleted meanwhile: nobody to mark */
}

/* Lets core/power decide about an event, and writes what follows. Returns 0, 1 (nothing changed) or
 * -errno. */
static int decide(struct services *s, const struct moment *m, struct power_record *record,
                  struct power_facts facts)
{
	const struct power_method *method = method_of(s, record->host);
	int outcome, r;

	facts.steady = m->steady;
	facts.seed = seed_of(record->host);
	facts.wait = method ? method->wait : 0;
	outcome = power_decide(&record->power, &facts);
	if (outcome == 0)
		return 1;
	r = power_store_put(s->db, record);
	s->has_news = true; /* the io room looks again */
	if (r < 0 || outcome != POWER_IS_BROKEN)
		return r;
	return mark_broken(s, m, record);
}

int power_service_missed(struct services *s, const struct moment *m, const char *host,
                         const char *cause)
{
	struct power_record record;
	int r;

	if (!method_of(s, host))
		return 0;
	r = find(s, host, &record);
	if (r < 0)
		return r;
	if (record.power.phase == POWER_IDLE)
		(void)snprintf(record.cause, sizeof(record.cause), "%s", cause);
	return MIN(decide(s, m, &record, (struct power_facts){ .event = POWER_EVENT_MISSED }), 0);
}

int power_service_seen(struct services *s, const struct moment *m, const char *host)
{
	struct power_record record;
	int r;

	if (s->config.n_power == 0)
		return 0;
	r = power_store_find(s->db, host, &record);
	if (r != 0)
		return MIN(r, 0);
	return MIN(decide(s, m, &record, (struct power_facts){ .event = POWER_EVENT_SEEN }), 0);
}

/* Tells each record of that phase and moment about the event. */
static int tell_all(struct services *s, const struct moment *m, enum power_phase phase,
                    usec_t steady, enum power_event event)
{
	struct power_record due[DUE_MAX];
	int n, r = 0;

	do {
		n = power_store_list(s->db, phase, steady, due, DUE_MAX);
		for (int i = 0; i < n && r == 0; i++)
			r = decide(s, m, &due[i], (struct power_facts){ .event = event });
	} while (n == DUE_MAX && r == 0);
	return n < 0 ? n : MIN(r, 0);
}

int power_service_timeout(struct services *s, const struct moment *m)
{
	return tell_all(s, m, POWER_AWAITED, m->steady, POWER_EVENT_TIME);
}

int power_service_take_up(struct services *s, const struct moment *m)
{
	return tell_all(s, m, POWER_RUNNING, USEC_INFINITY, POWER_EVENT_LOST);
}

int power_service_ask(struct services *s, const struct moment *m, const char *host,
                      enum power_action action)
{
	struct power_record record;
	int r;

	if (!method_of(s, host))
		return POWER_SERVICE_NONE;
	r = find(s, host, &record);
	if (r < 0)
		return r;
	(void)snprintf(record.cause, sizeof(record.cause), "asked");
	return MIN(decide(s, m, &record,
	                  (struct power_facts){ .event = POWER_EVENT_ASKED, .goal = action }),
	           0);
}

int power_service_next_wait(struct services *s, usec_t *ret)
{
	return power_store_next(s->db, POWER_AWAITED, ret);
}

static int record_end(struct services *s, const struct moment *m, const struct power_record *record)
{
	const struct subject subject = { .host = record->host };
	const char *action = power_action_to_name((int)record->last_action);
	char error[POWER_ERROR_MAX];

	(void)text_escape(error, sizeof(error), slice_from_text(record->last_error));
	if (error[0])
		log_warning("power could not be switched host=%s action=%s try=%u error=%s",
		            record->host, action, record->power.tries, error);
	else
		log_notice("power was switched host=%s action=%s try=%u cause=%s", record->host,
		           action, record->power.tries, record->cause);
	return services_event(s, m, EVENT_HOST_POWER, &subject, "{s:s, s:i, s:s, s:s*}", "action",
	                      action, "try", (int)record->power.tries, "cause", record->cause,
	                      "error", error[0] ? error : NULL);
}

static int end(struct services *s, const struct moment *m, const char *host, const char *error)
{
	struct power_record record;
	int r = power_store_find(s->db, host, &record);

	if (r != 0)
		return MIN(r, 0); /* the host was deleted meanwhile */
	record.last_action = record.power.action;
	record.last_wall = m->wall;
	(void)snprintf(record.last_error, sizeof(record.last_error), "%s", error ? error : "");
	r = record_end(s, m, &record);
	if (r == 0)
		r = power_store_put(s->db, &record);
	if (r < 0)
		return r;
	r = decide(s, m, &record,
	           (struct power_facts){ .event = error ? POWER_EVENT_FAILED : POWER_EVENT_DONE });
	return MIN(r, 0);
}

int power_service_done(struct power_service *power, usec_t now, usec_t wall, const char *host,
                       const char *error)
{
	struct services *s = power->services;
	const struct moment m = services_moment(s, now, wall);
	int r = db_begin(s->db);

	return r < 0 ? r : services_finish(s, end(s, &m, host, error));
}

static int make_order(struct services *s, const struct power_record *record,
                      struct power_order *ret)
{
	const struct power_method *method = method_of(s, record->host);
	struct mac mac = { .octet = { 0 } };
	int n;

	if (!method)
		return POWER_SERVICE_NONE; /* the configuration was changed */
	n = host_store_macs(s->db, record->host, &mac, 1);
	if (n < 0)
		return n;
	memcpy(ret->host, record->host, sizeof(ret->host));
	ret->limit = method->limit;
	return power_command_make(method, record->power.action, mac, &ret->command) == 0
	               ? 0
	               : POWER_SERVICE_NONE;
}

static int take(struct services *s, const struct moment *m, struct power_order *ret)
{
	struct power_record record;
	int n, r;

	while ((n = power_store_list(s->db, POWER_DUE, m->steady, &record, 1)) == 1) {
		r = decide(s, m, &record, (struct power_facts){ .event = POWER_EVENT_TAKEN });
		if (r == 0)
			r = make_order(s, &record, ret);
		if (r <= 0)
			return r;
		r = end(s, m, record.host, "ccid.yaml does not say how");
		if (r < 0)
			return r;
	}
	return n < 0 ? n : POWER_SERVICE_NOTHING;
}

int power_service_take(struct power_service *power, usec_t now, usec_t wall,
                       struct power_order *ret)
{
	struct services *s = power->services;
	const struct moment m = services_moment(s, now, wall);
	int r;

	if (power_service_deadline(power) > now)
		return POWER_SERVICE_NOTHING;
	r = db_begin(s->db);
	return r < 0 ? r : services_finish(s, take(s, &m, ret));
}

usec_t power_service_deadline(struct power_service *power)
{
	struct services *s = power->services;
	usec_t steady = USEC_INFINITY;

	if (s->config.n_power == 0)
		return USEC_INFINITY;
	if (power_store_next(s->db, POWER_DUE, &steady) < 0)
		return usec_add(s->start_now, USEC_PER_SEC); /* soon: the store is in trouble */
	return services_to_now(s, steady);
}
