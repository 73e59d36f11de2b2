/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Answers that wait for one commit, as server/io lets those of one turn wait. A turn takes one or
 * several requests; what it wrote, and with it every answer, is kept, or lost to a full disk or a
 * crash. The rules were held against events before they were kept: of a lost turn they forget them.
 */
#include "tests/sim/sim.h"

#include "server/store/db.h"

void group_begin(struct sim *s)
{
	struct sim_group *g = &s->group;

	if (!g->is_begun) {
		g->is_begun = true;
		g->last_event = s->last_event;
		g->n_attempts = s->n_attempts;
		memcpy(g->attempts, s->attempts, s->n_attempts * sizeof(*g->attempts));
		memcpy(g->jobs, s->jobs, (s->n_jobs + 1) * sizeof(*g->jobs));
		memcpy(g->open_of_host, s->open_of_host, sizeof(g->open_of_host));
	}
	api_group_begin(services_api(s->w->s));
}

/* What the events said since; not what machines did by themselves. */
static void forget(struct sim *s)
{
	struct sim_group *g = &s->group;

	for (size_t i = 0; i < g->n_attempts; i++)
		g->attempts[i].began_life = s->attempts[i].began_life;
	for (size_t i = 0; i <= s->n_jobs; i++)
		g->jobs[i].executed_by = s->jobs[i].executed_by;
	memset(s->attempts, 0, s->n_attempts * sizeof(*s->attempts));
	memcpy(s->attempts, g->attempts, g->n_attempts * sizeof(*g->attempts));
	memcpy(s->jobs, g->jobs, (s->n_jobs + 1) * sizeof(*g->jobs));
	memcpy(s->open_of_host, g->open_of_host, sizeof(g->open_of_host));
	s->last_event = g->last_event;
	s->n_attempts = g->n_attempts;
}

static void send_all(struct sim *s)
{
	struct sim_group *g = &s->group;

	g->is_begun = false;
	for (size_t i = 0; i < g->n; i++)
		sim_send(s, g->replies[i].machine, g->replies[i].life, g->replies[i].message);
	g->n = 0;
}

static void lose_all(struct sim *s, unsigned status)
{
	for (size_t i = 0; i < s->group.n; i++) {
		s->group.replies[i].message->status = status;
		buffer_deinit(&s->group.replies[i].message->body);
	}
	forget(s);
	send_all(s);
}

void group_end(struct sim *s)
{
	api_group_end(services_api(s->w->s));
	if (!api_group_is_open(services_api(s->w->s)))
		send_all(s);
}

void group_reply(struct sim *s, int machine, unsigned life, struct sim_message *message)
{
	struct sim_group *g = &s->group;

	if (!g->is_begun) {
		sim_send(s, machine, life, message);
		return;
	}
	if (g->n == ARRAY_SIZE(g->replies))
		sim_fail(s, "too many answers in one turn");
	g->replies[g->n++] =
		(struct sim_reply){ .machine = machine, .life = life, .message = message };
}

/* A statement for which SQLite takes the whole transaction back, as it does on a full disk; it
 * wants two events in the store. */
static void fill_disk(struct sim *s)
{
	struct sqlite3_stmt *stmt;

	db_group_enter(s->w->db);
	assert_int_equal(db_begin(s->w->db), 0);
	assert_int_equal(db_prepare(s->w->db, "UPDATE OR ROLLBACK events SET id = 1", &stmt), 0);
	assert_int_equal(db_run(s->w->db, stmt), -EEXIST);
	db_rollback(s->w->db);
	db_group_leave(s->w->db);
}

void group_settle(struct sim *s)
{
	if (!s->group.is_begun)
		return;
	if (api_group_is_open(services_api(s->w->s)) && s->last_event > 1 && sim_chance(s, 20)) {
		sim_say(s, "the disk is full");
		s->n_full++;
		fill_disk(s);
	}
	if (api_group_commit(services_api(s->w->s)) < 0)
		lose_all(s, 507);
	else
		send_all(s);
	check_events(s);
}

void group_crash(struct sim *s)
{
	if (s->group.is_begun)
		lose_all(s, 0);
}
