/* SPDX-License-Identifier: MulanPSL-2.0 */
/* Old results and events go: what the store says at each step, and what a crash between two leaves.
 */
#include "tests/support/services_job.h"

#include <unistd.h>

#include "lib/sys/fd.h"
#include "lib/sys/tree_remove.h"
#include "server/service/context.h"
#include "server/service/retention_service.h"
#include "server/store/event_store.h"
#include "server/store/file_store.h"
#include "server/store/retention_store.h"

#define HOUR (60 * 60 * WORLD_SEC)
#define DAY  (24 * HOUR)
#define AGE  (90 * DAY)
#define ROOT "hello/2026-09-21/vm-1/debian-bookworm-x86_64/lab1.1"
#define JOB  "/v1/jobs/lab1.1"

static void configure(struct world *w, struct retention_rules rules)
{
	w->config.retention = rules;
	world_restart(w);
}

/* A job that has ended, with a file among its results and the remains of a lost attempt. */
static struct agent prepare_ended_job(struct world *w)
{
	struct agent agent = prepare_running_job(w);
	const struct stored_file file = { .name = "big", .size = 3, .sha256 = "00" };
	char lost[512];

	world_put_file(w->results, ROOT "/big", "abc");
	(void)snprintf(lost, sizeof(lost), ROOT ".attempt-%s/old", agent.attempt);
	world_put_file(w->results, lost, "abc");
	assert_int_equal(db_begin(w->db), 0);
	assert_int_equal(file_store_put(w->db, atoll(agent.attempt), &file, w->wall), 0);
	assert_int_equal(db_commit(w->db), 0);
	assert_int_equal(say(w, &agent, "finish", FINISH), 200);
	assert_int_equal(world_get(w, JOB), 200);
	assert_string_equal(world_text(w, "state"), "finished");
	return agent;
}

static struct retention_service *service(struct world *w)
{
	return services_retention(w->s);
}

static bool has(const struct world *w, const char *path)
{
	char whole[512];

	(void)snprintf(whole, sizeof(whole), "%s/%s", w->results, path);
	return access(whole, F_OK) == 0;
}

static const char *results_of(struct world *w)
{
	assert_int_equal(world_get(w, JOB), 200);
	return world_text(w, "results");
}

static int step(struct world *w, struct retention_work *work)
{
	int r;

	w->now += HOUR; /* what is due is due */
	w->wall += HOUR;
	r = retention_service_step(service(w), w->now, w->wall, work);
	assert_true(r >= 0);
	return r;
}

/* All that remover does, and what is left to do comes back. */
static void remove_work(struct world *w, struct retention_work *work)
{
	assert_int_equal(tree_remove_piece(work->dir_fd, work->name, 1000), 0);
	fd_close(&work->dir_fd);
	assert_int_equal(retention_service_removed(service(w), work->job, w->now, w->wall), 0);
}

static void assert_removed(struct world *w, const char *cause)
{
	assert_string_equal(results_of(w), "removed");
	assert_string_equal(world_text(w, "results_cause"), cause);
	assert_string_equal(world_text(w, "state"), "finished");
	assert_int_equal(world_get(w, JOB "/results/"), 410);
	assert_true(world_body_has(w, "were removed"));
	assert_int_equal(world_get(w, JOB "/results/big"), 410);
	assert_int_equal(world_get(w, JOB "/log"), 410);
	assert_false(has(w, "hello")); /* directories left empty go, too */
	assert_true(has(w, ""));
}

static void nothing_goes_without_a_rule(void **state)
{
	struct world *w = *state;
	struct retention_work work;

	(void)prepare_ended_job(w);
	w->now += 100 * AGE;
	assert_int_equal(step(w, &work), 0);
	assert_string_equal(results_of(w), "there");
	assert_true(retention_service_deadline(service(w)) == USEC_INFINITY);
}

static void old_results_go_and_the_job_stays(void **state)
{
	struct world *w = *state;
	struct retention_work work;

	configure(w, (struct retention_rules){ .results_age = AGE });
	(void)prepare_ended_job(w);
	w->now += AGE - 2 * HOUR;
	w->wall += AGE - 2 * HOUR;
	assert_int_equal(step(w, &work), 0);
	assert_int_equal(step(w, &work), RETENTION_REMOVE);
	assert_string_equal(results_of(w), "removing");
	assert_int_equal(world_get(w, JOB "/results/"), 410);
	assert_true(world_body_has(w, "are being removed"));
	assert_false(has(w, ROOT "/big"));
	assert_int_equal(world_post(w, JOB "/keep", ""), 410); /* too late */
	remove_work(w, &work);
	assert_removed(w, "age");
	assert_int_equal(world_get(w, "/metrics"), 200);
	assert_true(world_body_has(w, "\ncci_results_removed_total{cause=\"age\"} 1\n"));
	assert_int_equal(world_get(w, JOB "/events"), 200);
	assert_true(world_body_has(w, "results.removed"));
	assert_int_equal(step(w, &work), 0);
}

/* More than all is to be free: no disk has that. */
static void the_oldest_make_room(void **state)
{
	struct world *w = *state;
	struct retention_work work;

	configure(w, (struct retention_rules){ .room = 101 });
	(void)prepare_ended_job(w);
	assert_int_equal(retention_service_step(service(w), w->now, w->wall, &work), 0);
	assert_string_equal(results_of(w), "there"); /* of just now */
	assert_int_equal(step(w, &work), RETENTION_REMOVE);
	remove_work(w, &work);
	assert_removed(w, "room");
}

static void kept_results_stay(void **state)
{
	struct world *w = *state;
	struct retention_work work;

	configure(w, (struct retention_rules){ .results_age = AGE });
	(void)prepare_ended_job(w);
	assert_int_equal(world_post(w, JOB "/keep", ""), 200);
	assert_string_equal(world_text(w, "results"), "kept");
	w->now += AGE;
	assert_int_equal(step(w, &work), 0);
	assert_true(has(w, ROOT "/big"));
	assert_int_equal(world_do(w, HTTP_METHOD_DELETE, WORLD_ADMIN, JOB "/keep", NULL, NULL),
	                 200);
	assert_int_equal(step(w, &work), RETENTION_REMOVE);
	remove_work(w, &work);
	assert_removed(w, "age");
}

static void strangers_keep_nothing(void **state)
{
	struct world *w = *state;

	(void)prepare_ended_job(w);
	assert_int_equal(world_do(w, HTTP_METHOD_POST, 0x0a000063, JOB "/keep", NULL, NULL), 401);
	assert_string_equal(results_of(w), "there");
}

static void what_runs_is_left_alone(void **state)
{
	struct world *w = *state;
	struct retention_work work;

	configure(w, (struct retention_rules){ .results_age = AGE, .room = 101 });
	(void)prepare_running_job(w);
	w->now += AGE;
	assert_int_equal(step(w, &work), 0);
	assert_true(has(w, ROOT "/job.sh"));
}

/* Nothing was moved yet; moved; partly removed; all removed, and not yet recorded. */
static void come_to(struct world *w, int moment)
{
	struct retention_work work;

	if (moment == 0) {
		assert_int_equal(db_begin(w->db), 0);
		assert_int_equal(
			retention_store_set(w->db, 1, RESULTS_REMOVING, RETENTION_AGE, w->wall), 0);
		assert_int_equal(db_commit(w->db), 0);
		return;
	}
	assert_int_equal(step(w, &work), RETENTION_REMOVE);
	if (moment == 2)
		assert_int_equal(tree_remove_piece(work.dir_fd, work.name, 1), TREE_MORE);
	if (moment == 3)
		assert_int_equal(tree_remove_piece(work.dir_fd, work.name, 1000), 0);
	fd_close(&work.dir_fd);
}

/* SIGKILL at each of the moments between two writes: the next ccid goes on, also without a rule. */
static void a_crash_at_any_moment_leaves_work_for_the_next(void **state)
{
	for (int moment = 0; moment < 4; moment++) {
		struct world *w;
		struct retention_work work;

		assert_int_equal(world_set_up(state), 0);
		w = *state;
		configure(w, (struct retention_rules){ .results_age = AGE });
		(void)prepare_ended_job(w);
		w->now += AGE;
		come_to(w, moment);
		configure(w, (struct retention_rules){ .results_age = 0 });
		assert_string_equal(results_of(w), "removing");
		assert_int_equal(step(w, &work), RETENTION_REMOVE);
		remove_work(w, &work);
		assert_removed(w, "age");
		assert_int_equal(world_tear_down(state), 0);
	}
	*state = NULL;
}

static void what_cannot_be_removed_is_tried_again(void **state)
{
	struct world *w = *state;
	struct retention_work work;

	configure(w, (struct retention_rules){ .results_age = AGE });
	(void)prepare_ended_job(w);
	w->now += AGE;
	assert_int_equal(step(w, &work), RETENTION_REMOVE);
	fd_close(&work.dir_fd);
	retention_service_failed(service(w), work.job, -EACCES, w->now);
	assert_true(retention_service_deadline(service(w)) > w->now + WORLD_SEC);
	assert_string_equal(results_of(w), "removing");
	assert_int_equal(step(w, &work), 0); /* others have their turn */
	assert_int_equal(step(w, &work), RETENTION_REMOVE);
	remove_work(w, &work);
	assert_removed(w, "age");
}

static void old_events_go_in_pieces(void **state)
{
	struct event last[4], event = { .kind = EVENT_JOB_STATE, .fields = "{}" };
	struct world *w = *state;
	struct retention_work work;
	int n_steps = 0;

	configure(w, (struct retention_rules){ .events_age = 30 * DAY });
	event.wall = w->wall;
	assert_int_equal(db_begin(w->db), 0);
	for (int i = 0; i < 1200; i++) {
		/* one is dated ahead by a wrong clock, and keeps none of the others */
		event.wall = i == 0 ? w->wall + 1000 * DAY : w->wall;
		assert_int_equal(event_store_append(w->db, &event), 0);
	}
	assert_int_equal(db_commit(w->db), 0);
	w->now += 29 * DAY;
	w->wall += 29 * DAY;
	assert_int_equal(retention_service_step(service(w), w->now, w->wall, &work), 0);
	event.wall = w->wall;
	assert_int_equal(db_begin(w->db), 0);
	assert_int_equal(event_store_append(w->db, &event), 0);
	assert_int_equal(db_commit(w->db), 0);
	assert_int_equal(event_store_list(w->db, 0, 1100, last, 4), 4); /* all are there */
	w->now += DAY + WORLD_SEC;
	w->wall += DAY + WORLD_SEC;
	do {
		assert_int_equal(retention_service_step(service(w), w->now, w->wall, &work), 0);
		n_steps++;
		w->now = retention_service_deadline(service(w));
	} while (retention_service_deadline(service(w)) <= w->now && n_steps < 5);
	assert_int_equal(n_steps, 5);
	assert_int_equal(event_store_list(w->db, 0, 0, last, 4), 2);
	assert_true(last[1].id == 1201);
	assert_int_equal(world_get(w, "/metrics"), 200);
	assert_true(world_body_has(w, "\ncci_events_pruned_total 1199\n"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(nothing_goes_without_a_rule),
		TEST(old_results_go_and_the_job_stays),
		TEST(the_oldest_make_room),
		TEST(kept_results_stay),
		TEST(strangers_keep_nothing),
		TEST(what_runs_is_left_alone),
		cmocka_unit_test(a_crash_at_any_moment_leaves_work_for_the_next),
		TEST(what_cannot_be_removed_is_tried_again),
		TEST(old_events_go_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
