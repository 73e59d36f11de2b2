/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/boot_service.h"

#include <errno.h>
#include <stdio.h>

#include "lib/base/macro.h"
#include "server/core/boot_decide.h"
#include "server/core/boot_script.h"
#include "server/proto/grub_script.h"
#include "server/proto/ipxe_script.h"
#include "server/service/boot_offer.h"
#include "server/service/context.h"
#include "server/service/held.h"
#include "server/service/host_service.h"
#include "server/service/power_service.h"
#include "server/service/moves.h"
#include "server/store/attempt_store.h"
#include "server/store/host_store.h"

/* One request on its way through. */
struct request {
	struct services *s;
	struct moment m;
	const struct boot_ask *ask;
	struct host host;
	struct known_machine machine;
	bool has_attempt;
	struct attempt attempt;
	struct buffer *out;
};

int boot_service_first_script(struct boot_service *boot, uint32_t peer, uint32_t local, usec_t now,
                              usec_t wall, struct buffer *out)
{
	struct services *s = boot->services;
	const struct moment m = services_moment(s, now, wall);
	struct known_machine machine = { .session = 0 };
	uint8_t room[1024];
	struct bytes script = BYTES_ON(room);
	char address[IPV4_TEXT_MAX];
	struct subject subject;
	int r;

	r = db_begin(s->db);
	if (r < 0)
		return r;
	r = host_store_machine_at(s->db, peer, &machine);
	if (r >= 0) {
		subject = (struct subject){ .host = machine.name, .mac = machine.mac };
		r = services_event(s, &m, EVENT_IPXE_SCRIPT, &subject, "{s:s}", "file",
		                   "boot.ipxe");
	}
	r = services_finish(s, r);
	if (r < 0)
		return r;
	r = ipxe_script_first(slice_from_text(ipv4_format(boot_offer_server(s, local), address)),
	                      s->config.api_port, machine.session, &script);
	if (r != 0)
		return -EINVAL; /* cannot be: every value is a number */
	buffer_append_slice(out, bytes_slice(&script));
	return buffer_error(out);
}

static int end_reservation(struct request *rq)
{
	if (!(rq->host.flags & HOST_FLAG_RESERVED) || host_is_reserved(&rq->host, rq->m.steady))
		return 0;
	rq->host.flags &= ~(unsigned)HOST_FLAG_RESERVED;
	return host_service_set_flag(&rq->s->hosts, &rq->m, rq->host.name, HOST_FLAG_RESERVED,
	                             false, "");
}

int boot_service_grub_cfg(struct boot_service *boot, uint32_t peer, uint32_t local,
                          struct buffer *out)
{
	struct services *s = boot->services;
	struct known_machine machine = { .session = 0 };
	uint8_t room[1024];
	struct bytes script = BYTES_ON(room);
	char address[IPV4_TEXT_MAX];
	int r;

	r = host_store_machine_at(s->db, peer, &machine);
	if (r < 0)
		return r;
	r = grub_script_first(slice_from_text(ipv4_format(boot_offer_server(s, local), address)),
	                      s->config.api_port, machine.session, &script);
	if (r != 0)
		return -EINVAL; /* cannot be: every value is a number */
	buffer_append_slice(out, bytes_slice(&script));
	return buffer_error(out);
}

static struct subject host_subject(const struct request *rq)
{
	return (struct subject){ .host = rq->host.name, .mac = rq->ask->mac };
}

static int gather(struct request *rq)
{
	struct db *db = rq->s->db;
	int r;

	r = host_service_find_or_discover(&rq->s->hosts, &rq->m, rq->ask->mac, &rq->host);
	if (r < 0)
		return r;
	r = end_reservation(rq);
	if (r >= 0)
		r = host_store_machine_of(db, rq->ask->mac, &rq->machine);
	if (r < 0)
		return r;
	r = attempt_store_find_open_of_host(db, rq->host.name, &rq->attempt);
	rq->has_attempt = r == 0;
	return r < 0 ? r : 0;
}

static struct boot_decision decide(const struct request *rq)
{
	const struct boot_facts facts = {
		.session = rq->ask->session,
		.lease_session = rq->machine.session,
		.has_attempt = rq->has_attempt,
		.state = rq->has_attempt ? rq->attempt.state : ATTEMPT_DONE,
		.attempt_session = rq->has_attempt ? rq->attempt.session : 0,
		.silent = rq->has_attempt ? usec_sub(rq->m.steady, rq->attempt.seen_steady) : 0,
	};

	return boot_decide(&facts);
}

static int record_request(struct request *rq)
{
	const struct subject subject = host_subject(rq);
	char peer[IPV4_TEXT_MAX];
	int r;

	r = services_event(rq->s, &rq->m, EVENT_BOOT_REQUEST, &subject, "{s:s, s:I}", "address",
	                   ipv4_format(rq->ask->peer, peer), "session",
	                   (json_int_t)rq->ask->session);
	if (r == 0)
		r = host_store_see(rq->s->db, rq->host.name, rq->m.wall);
	return r < 0 ? r : power_service_seen(rq->s, &rq->m, rq->host.name);
}

/* The host was reset under its attempt: that one has failed, whatever it did. */
static int end_reset_attempt(struct request *rq)
{
	const struct subject subject = attempt_subject(&rq->attempt);
	int r;

	r = services_event(rq->s, &rq->m, EVENT_HOST_REBOOT, &subject, "{s:s}", "reason",
	                   "unexpected_reset");
	if (r == 0)
		r = move_attempt(rq->s, &rq->m, &rq->attempt, ATTEMPT_EVENT_FAIL,
		                 rq->attempt.state == ATTEMPT_CRASHED ? NULL : "unexpected_reset");
	if (r == 0)
		r = move_host(rq->s, &rq->m, rq->host.name, HOST_EVENT_SEEN);
	rq->has_attempt = false;
	return r;
}

/*
 * Where the machine is: whoever knows the session of its lease, or has its lease's address. Others
 * may see a script, which holds no secret; job.cgz goes to the machine alone.
 */
static uint32_t machine_address(const struct request *rq)
{
	bool knows_session = rq->ask->session != 0 && rq->ask->session == rq->machine.session;

	return rq->machine.address == 0 || knows_session ? rq->ask->peer : rq->machine.address;
}

/* The script of the open attempt again, as it was; a new boot is noted down. */
static int answer_same(struct request *rq, bool rebind)
{
	const struct subject subject = attempt_subject(&rq->attempt);
	int r = 0;

	if (rebind)
		rq->attempt.session = rq->ask->session;
	if (rebind || rq->attempt.address != machine_address(rq)) {
		rq->attempt.address = machine_address(rq);
		r = move_attempt_touch(rq->s, &rq->attempt);
	}
	if (r == 0)
		r = services_event(rq->s, &rq->m, EVENT_BOOT_OFFER, &subject, "{s:I, s:b}",
		                   "session", (json_int_t)rq->ask->session, "again", 1);
	if (r == 0)
		r = attempt_store_script(rq->s->db, rq->attempt.id, rq->out);
	return r > 0 ? -EUCLEAN : r;
}

/* 3 to 10 s, so that machines which came together part. */
static unsigned pause_sec(struct services *s)
{
	return (unsigned)rng_between(&s->rng, 3, 10);
}

/* For who looks at the screen of a machine that gets no job; may stay empty. */
static void wait_note(const struct request *rq, struct bytes *note)
{
	char mac[MAC_TEXT_MAX], address[IPV4_TEXT_MAX];

	if (rq->host.flags & HOST_FLAG_DISCOVERED)
		bytes_printf(note, "unknown machine mac=%s address=%s: register it as a host",
		             mac_format(rq->ask->mac, '-', mac),
		             ipv4_format(rq->ask->peer, address));
	else if (host_flags_bar(rq->host.flags, JOB_KIND_USER))
		bytes_append_text(note, "this host takes no jobs now");
}

static int wait_script(struct request *rq, struct slice note, struct bytes *out)
{
	const struct slice host = slice_from_text(rq->host.name);
	uint8_t url_room[256];
	struct bytes url = BYTES_ON(url_room);
	struct ipxe_wait ipxe = { .host = host, .note = note, .pause_sec = pause_sec(rq->s) };
	const struct grub_wait grub = { host, note, ipxe.pause_sec };

	if (rq->ask->loader == BOOT_LOADER_GRUB)
		return grub_script_wait(&grub, out);
	boot_script_again(boot_offer_server(rq->s, rq->ask->local), rq->s->config.api_port,
	                  rq->ask->mac, rq->ask->session, &url);
	ipxe.again = bytes_slice(&url);
	return ipxe_script_wait(&ipxe, out);
}

static int answer_wait(struct request *rq)
{
	uint8_t room[1024], note_room[256];
	struct bytes script = BYTES_ON(room), note = BYTES_ON(note_room);

	wait_note(rq, &note);
	if (wait_script(rq, bytes_slice(&note), &script) != 0)
		return -EINVAL; /* cannot be: the name of a host is a good word */
	buffer_append_slice(rq->out, bytes_slice(&script));
	return buffer_error(rq->out);
}

/* How long a question may be held: as configured, and no longer than its loader waits. */
static usec_t hold_time(const struct services *s, const struct boot_ask *ask)
{
	return ask->loader == BOOT_LOADER_GRUB
	               ? MIN(s->config.hold, GRUB_HOLD_MAX_SEC * USEC_PER_SEC)
	               : s->config.hold;
}

static int hold_or_wait(struct request *rq, usec_t *ret_hold_until)
{
	const struct subject subject = host_subject(rq);
	usec_t since = rq->ask->is_held ? rq->ask->held_since : rq->m.now;
	usec_t until = usec_add(since, hold_time(rq->s, rq->ask));
	int r = 0;

	if (rq->m.now >= until) {
		r = answer_wait(rq);
		return r < 0 ? r : BOOT_ANSWERED;
	}
	if (!rq->ask->is_held && !rq->has_attempt)
		r = services_event(rq->s, &rq->m, EVENT_BOOT_HOLD, &subject, "{}");
	if (r == 0 && !rq->has_attempt)
		r = move_host(rq->s, &rq->m, rq->host.name, HOST_EVENT_HOLD);
	*ret_hold_until = until;
	return r < 0 ? r : BOOT_HELD;
}

static int take(struct request *rq, usec_t *ret_hold_until)
{
	int r = BOOT_OFFER_NONE;

	if (!rq->ask->is_held)
		r = move_host(rq->s, &rq->m, rq->host.name, HOST_EVENT_SEEN);
	if (r < 0)
		return r;
	r = boot_offer_make(rq->s, &rq->m, &rq->host, rq->ask, machine_address(rq), rq->out);
	if (r != BOOT_OFFER_NONE)
		return r;
	return hold_or_wait(rq, ret_hold_until);
}

static int answer(struct request *rq, usec_t *ret_hold_until)
{
	struct boot_decision decision;
	int r = gather(rq);

	if (r < 0)
		return r;
	decision = decide(rq);
	if (!rq->ask->is_held)
		r = record_request(rq);
	if (r == 0 && decision.was_reset)
		r = end_reset_attempt(rq);
	if (r < 0)
		return r;
	switch (decision.answer) {
	case BOOT_ANSWER_SAME:
		return answer_same(rq, decision.rebind);
	case BOOT_ANSWER_TAKE:
		return take(rq, ret_hold_until);
	case BOOT_ANSWER_WAIT:
	case _BOOT_ANSWER_MAX:
		break;
	}
	return hold_or_wait(rq, ret_hold_until);
}

int boot_service_ask(struct boot_service *boot, const struct boot_ask *ask, usec_t now, usec_t wall,
                     struct buffer *out, usec_t *ret_hold_until)
{
	struct services *s = boot->services;
	struct request rq = { .s = s, .ask = ask, .out = out };
	usec_t until = usec_add(ask->held_since, hold_time(s, ask));
	int r;

	if (ask->is_held && now < until && held_is_current(s, ask->mac)) {
		*ret_hold_until = until;
		return BOOT_HELD;
	}
	rq.m = services_moment(s, now, wall);
	r = db_begin(s->db);
	if (r < 0)
		return r;
	r = services_finish(s, answer(&rq, ret_hold_until));
	if (r == BOOT_HELD)
		held_note(s, ask->mac);
	else
		held_forget(s, ask->mac);
	return r;
}

int boot_service_drop(struct boot_service *boot, struct mac mac, usec_t now, usec_t wall)
{
	struct services *s = boot->services;
	const struct moment m = services_moment(s, now, wall);
	struct host host;
	int r;

	held_forget(s, mac);
	r = db_begin(s->db);
	if (r < 0)
		return r;
	r = host_store_find_by_mac(s->db, mac, &host);
	if (r == 0)
		r = move_host(s, &m, host.name, HOST_EVENT_DROP);
	return services_finish(s, r);
}
