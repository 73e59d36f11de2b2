/* SPDX-License-Identifier: MulanPSL-2.0 */
/* Power as the API, the machines and a restart see it; the commands themselves are played. */
#include "tests/support/services_job.h"

#include "server/service/power_service.h"

static struct power_method methods[] = {
	{ .host = "vm-1",
	  .command = { "/p" },
	  .n_command = 1,
	  .wait = 300 * WORLD_SEC,
	  .limit = 30 * WORLD_SEC },
};

static int set_up(void **state)
{
	struct world *w;
	int r = world_set_up(state);

	w = *state;
	w->config.power = methods;
	w->config.n_power = ARRAY_SIZE(methods);
	world_restart(w);
	return r;
}

/* What the process for power commands is given now: its action, or "". */
static const char *order(struct world *w)
{
	static struct power_order given;
	const char *word = given.command.words;

	if (power_service_take(services_power(w->s), w->now, w->wall, &given) != 0)
		return "";
	assert_string_equal(given.host, "vm-1");
	return word + strlen(word) + 1; /* behind "/p" */
}

static void done(struct world *w, const char *error)
{
	assert_int_equal(power_service_done(services_power(w->s), w->now, w->wall, "vm-1", error),
	                 0);
}

static const char *host(struct world *w, const char *member)
{
	assert_int_equal(world_get(w, "/v1/hosts/vm-1"), 200);
	return world_text(w, member);
}

/* Waits for the next order as long as the server says it takes. */
static const char *next_order(struct world *w)
{
	usec_t due = power_service_deadline(services_power(w->s));

	assert_true(due != USEC_INFINITY);
	if (due > w->now)
		world_wait(w, due - w->now);
	return order(w);
}

static void a_machine_that_misses_its_deadline_is_cycled_and_gets_its_job_again(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_job(w);

	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_string_equal(order(w), "");
	world_wait(w, 121 * WORLD_SEC); /* the offer was not taken */
	assert_string_equal(host(w, "power.phase"), "due");
	assert_string_equal(host(w, "power.cause"), "offer_not_taken");
	assert_string_equal(order(w), ""); /* a pause first */
	assert_string_equal(next_order(w), "cycle");
	assert_string_equal(order(w), ""); /* once */
	done(w, NULL);
	assert_string_equal(host(w, "power.phase"), "awaited");
	assert_string_equal(host(w, "power.last.action"), "cycle");
	world_dhcp(w, &agent.machine, 200);
	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_string_equal(host(w, "power.phase"), "idle");
	assert_string_equal(state_of(w, &agent), "active");
	assert_string_equal(world_text(w, "attempts.1.state"), "offered");
}

static bool has_flag(struct world *w, const char *name)
{
	const json_t *flag;
	size_t i;

	(void)host(w, "name");
	json_array_foreach(world_member(w, "flags"), i,
	                   flag) if (strcmp(json_string_value(flag), name) == 0) return true;
	return false;
}

static void one_that_never_comes_is_broken_and_its_job_waits(void **state)
{
	static const char *const want[] = { "cycle", "cycle", "off", "on" };
	struct world *w = *state;
	struct agent agent = prepare_job(w);

	assert_int_equal(world_boot(w, &agent.machine), 200);
	world_wait(w, 121 * WORLD_SEC);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_string_equal(next_order(w), want[i]);
		world_restart(w); /* tries outlive the server, and a cut one is made again */
		assert_string_equal(order(w), want[i]);
		done(w, NULL);
		assert_false(has_flag(w, "broken"));
		if (i != 2)
			world_wait(w, 301 * WORLD_SEC);
	}
	assert_true(has_flag(w, "broken"));
	assert_true(strstr(host(w, "reason"), "3 power cycles did not bring it back") != NULL);
	assert_string_equal(order(w), "");
	assert_string_equal(state_of(w, &agent), "queued"); /* and is charged with nothing */
	world_dhcp(w, &agent.machine, 300);
	assert_int_equal(world_boot(w, &agent.machine), 0); /* no job for a broken host */
	assert_int_equal(world_do(w, HTTP_METHOD_DELETE, WORLD_ADMIN, "/v1/hosts/vm-1/flags/broken",
	                          NULL, NULL),
	                 200);
	assert_int_equal(world_boot(w, &agent.machine), 200);
}

static void a_command_that_fails_is_told_and_tried_again(void **state)
{
	struct world *w = *state;

	(void)prepare_job(w);
	assert_int_equal(world_post(w, "/v1/hosts/vm-1/power", "{\"action\":\"off\"}"), 200);
	assert_string_equal(world_text(w, "power.phase"), "due");
	for (int i = 0; i < POWER_TRIES; i++) {
		assert_string_equal(next_order(w), "off");
		done(w, "status 1: no route");
		assert_string_equal(host(w, "power.last.error"), "status 1: no route");
	}
	assert_string_equal(host(w, "power.phase"), "idle");
	assert_false(has_flag(w, "broken"));
	assert_int_equal(world_get(w, "/v1/events"), 200);
	assert_true(world_body_has(w, "host.power"));
	assert_true(world_body_has(w, "no route"));
}

static void what_cannot_be_asked_is_refused(void **state)
{
	static const char target[] = "/v1/hosts/vm-1/power", cycle[] = "{\"action\":\"cycle\"}";
	struct world *w = *state;
	struct agent agent = prepare_job(w);

	assert_int_equal(world_post(w, target, "{\"action\":\"burn\"}"), 400);
	assert_int_equal(world_post(w, target, "nonsense: ["), 400);
	assert_int_equal(world_post(w, target, ""), 400);
	assert_int_equal(world_post(w, "/v1/hosts/absent/power", cycle), 404);
	assert_int_equal(world_do(w, HTTP_METHOD_POST, 0x0a000099, target, cycle, NULL), 401);
	world_register(w, "vm-2", (struct mac){ { 2, 0, 0, 0, 0, 9 } });
	assert_int_equal(world_post(w, "/v1/hosts/vm-2/power", cycle), 409);
	assert_int_equal(world_get(w, "/v1/hosts/vm-2"), 200);
	assert_true(json_is_null(world_member(w, "power")));
	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_int_equal(world_post(w, target, cycle), 409); /* under a job */
	assert_string_equal(order(w), "");
	assert_int_equal(world_post(w, target, "{\"action\":\"cycle\",\"force\":true}"), 200);
	assert_string_equal(order(w), "cycle");
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(a_machine_that_misses_its_deadline_is_cycled_and_gets_its_job_again),
		IN_A_WORLD(one_that_never_comes_is_broken_and_its_job_waits),
		IN_A_WORLD(a_command_that_fails_is_told_and_tried_again),
		IN_A_WORLD(what_cannot_be_asked_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
