/* SPDX-License-Identifier: MulanPSL-2.0 */
/* Who gets a machine: needs, shares, age, idle jobs; what nobody can ever run; why a job waits. */
#include "tests/support/services_agent.h"

#include "server/core/sched_decide.h"

#define JOB                                                                                        \
	"suite: hello\ntestbox: vm\nos: debian\nos_arch: x86_64\nos_version: bookworm\n"           \
	"os_mount: initramfs\nruntime: 60\nscript: x\n"

static void submit(struct world *w, const char *job)
{
	if (world_post(w, "/v1/jobs", job) != 201)
		fail_msg("%.*s", (int)w->answer.body.len, (char *)w->answer.body.data);
}

/* Number of the job that the machine gets and ends; 0: none. */
static int work(struct world *w, struct agent *agent)
{
	const char *at;

	world_dhcp(w, &agent->machine, agent->machine.session + 1000);
	if (world_boot(w, &agent->machine) != 200)
		return 0;
	at = strstr((char *)w->answer.body.data, "job id=");
	assert_non_null(at);
	(void)snprintf(agent->job, sizeof(agent->job), "%.*s", (int)strcspn(at + 7, ","), at + 7);
	fetch_job(w, agent);
	assert_int_equal(say(w, agent, "hello", HELLO), 200);
	world_wait(w, 30 * WORLD_SEC);
	assert_int_equal(say(w, agent, "finish", FINISH), 200);
	return atoi(agent->job + strlen("lab1."));
}

static struct agent begin(struct world *w, const char *document)
{
	struct agent agent = { .machine = world_machine(w, 1) };

	world_register(w, "vm-1", agent.machine.mac);
	assert_int_equal(
		world_do(w, HTTP_METHOD_PUT, WORLD_ADMIN, "/v1/hosts/vm-1", document, NULL), 200);
	return agent;
}

static void a_flood_of_one_does_not_keep_others_away(void **state)
{
	struct world *w = *state;
	struct agent agent = begin(w, "{}");
	int n_bob = 0;

	for (int i = 0; i < 20; i++)
		submit(w, JOB "my_account: ann\n");
	assert_int_equal(work(w, &agent), 1);
	for (int i = 0; i < 4; i++)
		submit(w, JOB "my_account: bob\n"); /* 21 to 24 */
	for (int i = 0; i < 8; i++)
		n_bob += work(w, &agent) > 20;
	assert_in_range(n_bob, 3, 4);
}

static void the_higher_priority_goes_first_and_age_has_its_turns(void **state)
{
	struct world *w = *state;
	struct agent agent = begin(w, "{}");
	int old_at = -1;

	submit(w, JOB);
	world_wait(w, 10 * SCHED_AGE_STEP);
	for (int i = 0; i < 8; i++)
		submit(w, JOB "priority: 9\n");
	for (int i = 0; i < 8 && old_at < 0; i++)
		if (work(w, &agent) == 1)
			old_at = i;
	assert_int_equal(old_at, SCHED_AGED_TURN - 1);
}

static void idle_jobs_run_when_there_is_nothing_else(void **state)
{
	struct world *w = *state;
	struct agent agent = begin(w, "{}");

	submit(w, JOB "subqueue: idle\npriority: 9\n");
	submit(w, JOB);
	assert_int_equal(work(w, &agent), 2);
	assert_int_equal(work(w, &agent), 1);
}

static void a_machine_gets_what_it_can_run(void **state)
{
	struct world *w = *state;
	struct agent agent = begin(w, "{\"memory\": \"4G\", \"nr_hdd_partitions\": 2,"
	                              " \"tags\": [\"gpu\"], \"mac_addr\":"
	                              " [\"52-54-00-12-34-01\"]}");

	submit(w, JOB "memory_minimum: 8G\n");
	submit(w, JOB "disk: 4HDD\n");
	submit(w, JOB "need_tags: [gpu, fast]\n");
	submit(w, JOB "memory_minimum: 4G\ndisk: 2HDD\nneed_tags: gpu\n");
	assert_int_equal(work(w, &agent), 4);
	assert_int_equal(work(w, &agent), 0);
}

static void what_no_host_can_run_is_told_at_once(void **state)
{
	static const struct {
		const char *job, *field, *warning;
	} cases[] = {
		{ JOB "memory_minimum: 8G\n", "memory_minimum", "less memory than 8G" },
		{ JOB "disk: 4HDD\n", "disk", "fewer disks than 4HDD" },
		{ JOB "need_tags: fast\n", "need_tags", "not all the tags fast" },
		{ JOB "arch: riscv64\n", "os_arch", "not of arch riscv64" },
		{ JOB "tbox_group: none\nqueue: none\n", NULL, NULL },
	};
	struct world *w = *state;
	char strict[512];

	(void)begin(w, "{\"memory\": \"4G\", \"nr_hdd_partitions\": 2, \"arch\": \"x86_64\"}");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		submit(w, cases[i].job);
		if (!cases[i].field) {
			assert_null(world_member(w, "warning"));
			continue;
		}
		assert_non_null(strstr(world_text(w, "warning"), cases[i].warning));
		if (strcmp(cases[i].field, "os_arch") == 0)
			continue; /* its image is not there either, and is told first */
		(void)snprintf(strict, sizeof(strict), "%sstrict: true\n", cases[i].job);
		assert_int_equal(world_post(w, "/v1/jobs", strict), 400);
		assert_string_equal(world_text(w, "field"), cases[i].field);
	}
	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/why"), 200);
	assert_non_null(strstr(world_text(w, "reason"), "less memory"));
	assert_int_equal(world_post(w, "/v1/hosts/vm-1/drain", NULL), 200);
	submit(w, JOB); /* drained is not for ever */
	assert_null(world_member(w, "warning"));
}

/* More than a request tries: the one that can be booted is found by the next. */
static void jobs_that_miss_a_file_do_not_hide_others(void **state)
{
	struct world *w = *state;
	struct agent agent = begin(w, "{}");
	int got = 0;

	for (int i = 0; i < 100; i++)
		submit(w, "suite: s\ntestbox: vm\nos: debian\nos_arch: x86_64\nos_version: none\n"
		          "script: x\n");
	submit(w, JOB);
	for (int i = 0; i < 3 && !got; i++)
		got = work(w, &agent);
	assert_int_equal(got, 101);
}

#define T(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_flood_of_one_does_not_keep_others_away),
		T(the_higher_priority_goes_first_and_age_has_its_turns),
		T(idle_jobs_run_when_there_is_nothing_else),
		T(a_machine_gets_what_it_can_run),
		T(what_no_host_can_run_is_told_at_once),
		T(jobs_that_miss_a_file_do_not_hide_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
