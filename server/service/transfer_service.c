/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/transfer_service.h"

#include <stdio.h>

#include "lib/base/text.h"
#include "server/service/attempt_service.h"
#include "server/service/context.h"
#include "server/service/moves.h"
#include "server/store/attempt_store.h"
#include "server/store/host_store.h"

/* Who fetches: by its lease, else by the address an open attempt was given to. */
struct party {
	struct known_machine machine;
	bool has_attempt;
	struct attempt attempt;
};

static int find_party(struct services *s, uint32_t peer, struct party *ret)
{
	struct party party = { .has_attempt = false };
	int r = host_store_machine_at(s->db, peer, &party.machine);

	if (r < 0)
		return r;
	if (party.machine.name[0])
		r = attempt_store_find_open_of_host(s->db, party.machine.name, &party.attempt);
	else
		r = attempt_store_find_open_at(s->db, peer, &party.attempt);
	if (r < 0)
		return r;
	party.has_attempt = r == 0;
	*ret = party;
	return 0;
}

static struct subject subject_of(const struct party *party)
{
	if (party->has_attempt)
		return attempt_subject(&party->attempt);
	return (struct subject){ .host = party->machine.name, .mac = party->machine.mac };
}

static enum event_kind kind_of(const struct transfer *t)
{
	if (t->is_tftp)
		return t->phase == TRANSFER_START ? EVENT_TFTP_START : EVENT_TFTP_DONE;
	return t->phase == TRANSFER_START ? EVENT_FILE_START : EVENT_FILE_DONE;
}

static int record(struct services *s, const struct moment *m, const struct transfer *t,
                  const struct subject *subject)
{
	char path[400];

	(void)text_escape(path, sizeof(path), t->path);
	if (t->phase == TRANSFER_START)
		return services_event(s, m, kind_of(t), subject, "{s:s, s:I, s:I}", "file", path,
		                      "offset", (json_int_t)t->offset, "size", (json_int_t)t->size);
	return services_event(s, m, kind_of(t), subject, "{s:s, s:I, s:I, s:f, s:b}", "file", path,
	                      "bytes", (json_int_t)t->bytes, "size", (json_int_t)t->size, "seconds",
	                      (double)t->elapsed / (double)USEC_PER_SEC, "aborted",
	                      (int)t->is_aborted);
}

static int report(struct services *s, const struct moment *m, const struct transfer *t)
{
	struct subject subject;
	struct party party;
	int r = find_party(s, t->peer, &party);

	if (r < 0)
		return r;
	subject = subject_of(&party);
	r = record(s, m, t, &subject);
	if (r < 0 || t->is_tftp || !party.has_attempt)
		return r;
	if (t->phase == TRANSFER_START)
		return attempt_service_file_start(s, m, &party.attempt);
	if (t->is_aborted || t->offset + t->bytes < t->size)
		return 0;
	return attempt_service_file_done(s, m, &party.attempt, t->path);
}

int transfer_service_report(struct transfer_service *transfers, const struct transfer *t,
                            usec_t now, usec_t wall)
{
	struct services *s = transfers->services;
	const struct moment m = services_moment(s, now, wall);
	int r = db_begin(s->db);

	if (r < 0)
		return r;
	return services_finish(s, report(s, &m, t));
}
