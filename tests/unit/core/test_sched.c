/* SPDX-License-Identifier: MulanPSL-2.0 */
/* Which job for which host, and what a boot request is answered. */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/core/boot_decide.h"
#include "server/core/deadlines.h"
#include "server/core/job_match.h"
#include "server/core/sched_decide.h"
#include "server/core/share.h"

static struct host a_host(const char *name)
{
	struct host host = { .n_queues = 0 };

	(void)snprintf(host.name, sizeof(host.name), "%s", name);
	return host;
}

static void groups_are_cut_at_separators_and_numbers(void **state)
{
	static const struct {
		const char *name, *groups[2];
	} cases[] = {
		{ "vm-1", { "vm", NULL } },
		{ "vm-2p8g.host-3", { "vm-2p8g", "vm-2p8g.host" } },
		{ "taishan200-2280-2s48p-256g--a1", { "taishan200-2280-2s48p-256g", NULL } },
		{ "plain", { NULL, NULL } },
		{ "-5", { NULL, NULL } },
		{ "a.b", { "a", NULL } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct slice groups[HOST_GROUPS_MAX];
		unsigned n = host_groups(slice_from_text(cases[i].name), groups);

		for (unsigned k = 0; k < 2; k++) {
			assert_int_equal(k < n, cases[i].groups[k] != NULL);
			if (k < n)
				assert_slice_equal(groups[k], cases[i].groups[k]);
		}
	}
}

static void a_job_matches_by_name_group_or_queue(void **state)
{
	struct host host = a_host("vm-2p8g.x-1");
	struct job_wish wish = { .testbox = SLICE_LITERAL("vm-2p8g"),
		                 .tbox_group = SLICE_LITERAL("vm-2p8g"),
		                 .queues = { SLICE_LITERAL("q") },
		                 .n_queues = 1 };

	assert_int_equal(job_match(&wish, &host), JOB_MATCHES);
	wish.testbox = wish.tbox_group = SLICE_LITERAL("vm-2p8g.x");
	assert_int_equal(job_match(&wish, &host), JOB_MATCHES);
	wish.testbox = wish.tbox_group = SLICE_LITERAL("other");
	assert_int_equal(job_match(&wish, &host), JOB_MATCH_OTHER_HOST);
	(void)snprintf(host.queues[0], sizeof(host.queues[0]), "q");
	host.n_queues = 1;
	assert_int_equal(job_match(&wish, &host), JOB_MATCHES);
	wish.testbox_is_host = true;
	assert_int_equal(job_match(&wish, &host), JOB_MATCH_OTHER_HOST);
}

static void a_host_without_queues_has_its_names_for_queues(void **state)
{
	struct host host = a_host("vm-1");
	struct job_wish wish = { .testbox = SLICE_LITERAL("x"),
		                 .queues = { SLICE_LITERAL("vm") },
		                 .n_queues = 1 };

	assert_int_equal(job_match(&wish, &host), JOB_MATCHES);
}

static void what_is_known_excludes_and_what_is_not_does_not(void **state)
{
	struct host host = a_host("vm-1");
	struct job_wish wish = { .testbox = SLICE_LITERAL("vm-1"),
		                 .arch = SLICE_LITERAL("x86_64") };

	assert_int_equal(job_match(&wish, &host), JOB_MATCHES);
	(void)snprintf(host.arch, sizeof(host.arch), "aarch64");
	assert_int_equal(job_match(&wish, &host), JOB_MATCH_ARCH);
	wish.arch = SLICE_NULL;
	host.flags = HOST_FLAG_DRAIN;
	assert_int_equal(job_match(&wish, &host), JOB_MATCH_BARRED);
	host.flags = HOST_FLAG_DISCOVERED;
	assert_int_equal(job_match(&wish, &host), JOB_MATCHES);
	wish.testbox = SLICE_LITERAL("vm");
	assert_int_equal(job_match(&wish, &host), JOB_MATCH_DISCOVERED);
	host.flags = HOST_FLAG_RESERVED;
	host.reserved_until_steady = 100;
	(void)snprintf(host.reserved_for, sizeof(host.reserved_for), "ann");
	wish.submitter = SLICE_LITERAL("bob");
	wish.steady = 99;
	wish.testbox = SLICE_LITERAL("vm-1");
	assert_int_equal(job_match(&wish, &host), JOB_MATCH_RESERVED);
	wish.steady = 100;
	assert_int_equal(job_match(&wish, &host), JOB_MATCHES);
	wish.steady = 99;
	wish.submitter = SLICE_LITERAL("ann");
	assert_int_equal(job_match(&wish, &host), JOB_MATCHES);
	host.flags = 0;
	wish.failed_here = true;
	assert_int_equal(job_match(&wish, &host), JOB_MATCHES);
	wish.can_go_elsewhere = true;
	assert_int_equal(job_match(&wish, &host), JOB_MATCH_FAILED);
}

static void what_a_job_needs_of_its_machine_is_there_or_not_known(void **state)
{
	struct host host = a_host("vm-1");
	struct job_needs needs = { .memory = 8 };
	struct job_wish wish = { .testbox = SLICE_LITERAL("vm-1"), .needs = &needs };

	host.n_hdd = host.n_ssd = HOST_DISKS_UNKNOWN;
	assert_int_equal(job_match(&wish, &host), JOB_MATCHES);
	host.memory = 7;
	assert_int_equal(job_match(&wish, &host), JOB_MATCH_MEMORY);
	host.memory = 8;
	needs.n_hdd = 2;
	assert_int_equal(job_match(&wish, &host), JOB_MATCHES);
	host.n_hdd = 1;
	assert_int_equal(job_match(&wish, &host), JOB_MATCH_DISKS);
	host.n_hdd = 2;
	needs.n_ssd = 1;
	host.n_ssd = 0;
	assert_int_equal(job_match(&wish, &host), JOB_MATCH_DISKS);
	needs.n_ssd = 0;
	(void)snprintf(needs.tags, sizeof(needs.tags), "gpu,nvme");
	assert_int_equal(job_match(&wish, &host), JOB_MATCH_TAGS);
	(void)snprintf(host.tags, sizeof(host.tags), "fast,gpu,nvme-2");
	assert_int_equal(job_match(&wish, &host), JOB_MATCH_TAGS);
	(void)snprintf(host.tags, sizeof(host.tags), "fast,gpu,nvme");
	assert_int_equal(job_match(&wish, &host), JOB_MATCHES);
	/* what can never change is told before what may */
	host.flags = HOST_FLAG_DRAIN;
	host.memory = 7;
	assert_true(job_match_is_for_ever(job_match(&wish, &host)));
	host.memory = 9;
	assert_false(job_match_is_for_ever(job_match(&wish, &host)));
}

static void priority_then_share_then_rank(void **state)
{
	struct sched_candidate c[] = {
		{ .job = 5, .priority = 0, .rank = 1 },
		{ .job = 6, .priority = 1, .rank = 9, .used = 3 },
		{ .job = 4, .priority = 1, .rank = 10, .used = 2 },
		{ .job = 3, .priority = 1, .rank = 8, .used = 3 },
	};

	assert_int_equal(sched_decide(c, 4, 0), 2);
	c[2].is_refused = true;
	assert_int_equal(sched_decide(c, 4, 1), 3);
	c[3].rank = 9;
	assert_int_equal(sched_decide(c, 4, 2), 3);
	assert_int_equal(sched_decide(c, 4, SCHED_AGED_TURN - 1), 0);
	c[0].is_idle = true;
	assert_int_equal(sched_decide(c, 4, SCHED_AGED_TURN - 1), 3);
	c[1].is_refused = c[3].is_refused = true;
	assert_int_equal(sched_decide(c, 4, 0), 0);
	c[0].is_refused = true;
	assert_int_equal(sched_decide(c, 4, 0), -1);
	assert_int_equal(sched_decide(c, 0, 0), -1);
}

/* L4: what can come before a job by rank was submitted before it, or soon after. */
static void a_priority_is_worth_a_fixed_wait(void **state)
{
	const usec_t t = 1000 * SCHED_AGE_STEP;

	assert_true(sched_rank(t, 3) < sched_rank(t, 2));
	assert_int_equal(sched_rank(t, 3), sched_rank(t - 3 * SCHED_AGE_STEP, 0));
	assert_true(sched_rank(t + 10 * SCHED_AGE_STEP, 9) > sched_rank(t, 0));
}

static void what_somebody_had_fades(void **state)
{
	assert_int_equal(share_fade(1000, 0), 1000);
	assert_int_equal(share_fade(1000, SHARE_HALF_LIFE / 2), 750);
	assert_int_equal(share_fade(1000, SHARE_HALF_LIFE), 500);
	assert_int_equal(share_fade(1000, 3 * SHARE_HALF_LIFE), 125);
	assert_int_equal(share_fade(UINT64_MAX, SHARE_HALF_LIFE), UINT64_MAX / 2);
	assert_int_equal(share_fade(UINT64_MAX, 100 * SHARE_HALF_LIFE), 0);
}

struct boot_case {
	const char *what;
	struct boot_facts facts;
	struct boot_decision want;
};

static const struct boot_case boot_cases[] = {
	{ "no attempt: a job is looked for",
	  { .session = 7, .lease_session = 7 },
	  { BOOT_ANSWER_TAKE, false, false } },
	{ "no attempt, an echo: as well",
	  { .session = 6, .lease_session = 7 },
	  { BOOT_ANSWER_TAKE, false, false } },
	{ "offered, same boot: the same script",
	  { .session = 7,
	    .lease_session = 7,
	    .has_attempt = true,
	    .state = ATTEMPT_OFFERED,
	    .attempt_session = 7 },
	  { BOOT_ANSWER_SAME, false, false } },
	{ "loading, reset on the way: the same script, bound to the new boot",
	  { .session = 8,
	    .lease_session = 8,
	    .has_attempt = true,
	    .state = ATTEMPT_LOADING,
	    .attempt_session = 7 },
	  { BOOT_ANSWER_SAME, false, true } },
	{ "loading, echo of an older boot: the same script, binding kept",
	  { .session = 6,
	    .lease_session = 7,
	    .has_attempt = true,
	    .state = ATTEMPT_LOADING,
	    .attempt_session = 7 },
	  { BOOT_ANSWER_SAME, false, false } },
	{ "offered, no session told: the same script",
	  { .lease_session = 7,
	    .has_attempt = true,
	    .state = ATTEMPT_OFFERED,
	    .attempt_session = 7 },
	  { BOOT_ANSWER_SAME, false, false } },
	{ "booting, same boot (the kernel did not start): the same script",
	  { .session = 7,
	    .lease_session = 7,
	    .has_attempt = true,
	    .state = ATTEMPT_BOOTING,
	    .attempt_session = 7 },
	  { BOOT_ANSWER_SAME, false, false } },
	{ "booting, new boot: it was reset",
	  { .session = 8,
	    .lease_session = 8,
	    .has_attempt = true,
	    .state = ATTEMPT_BOOTING,
	    .attempt_session = 7 },
	  { BOOT_ANSWER_TAKE, true, false } },
	{ "booting, our DHCP saw a new boot: it was reset",
	  { .lease_session = 8,
	    .has_attempt = true,
	    .state = ATTEMPT_BOOTING,
	    .attempt_session = 7 },
	  { BOOT_ANSWER_TAKE, true, false } },
	{ "running, late double of its own boot: waits",
	  { .session = 7,
	    .lease_session = 7,
	    .has_attempt = true,
	    .state = ATTEMPT_RUNNING,
	    .attempt_session = 7 },
	  { BOOT_ANSWER_WAIT, false, false } },
	{ "running, echo of a boot before: waits",
	  { .session = 3,
	    .lease_session = 7,
	    .has_attempt = true,
	    .state = ATTEMPT_RUNNING,
	    .attempt_session = 7 },
	  { BOOT_ANSWER_WAIT, false, false } },
	{ "running, new boot: it was reset",
	  { .session = 8,
	    .lease_session = 8,
	    .has_attempt = true,
	    .state = ATTEMPT_RUNNING,
	    .attempt_session = 7 },
	  { BOOT_ANSWER_TAKE, true, false } },
	{ "uploading, new boot without a lease of ours: it was reset",
	  { .session = 8, .has_attempt = true, .state = ATTEMPT_UPLOADING, .attempt_session = 7 },
	  { BOOT_ANSWER_TAKE, true, false } },
	{ "running, no session told, agent alive: waits",
	  { .lease_session = 9,
	    .has_attempt = true,
	    .state = ATTEMPT_RUNNING,
	    .attempt_session = 7,
	    .silent = LEASE_LENGTH },
	  { BOOT_ANSWER_WAIT, false, false } },
	{ "running, no session told, agent silent: it was reset",
	  { .has_attempt = true, .state = ATTEMPT_RUNNING, .silent = LEASE_LENGTH + 1 },
	  { BOOT_ANSWER_TAKE, true, false } },
	{ "rebooting as announced: its script, bound to the new boot",
	  { .session = 8,
	    .lease_session = 8,
	    .has_attempt = true,
	    .state = ATTEMPT_REBOOTING,
	    .attempt_session = 7 },
	  { BOOT_ANSWER_SAME, false, true } },
	{ "rebooting, echo of the boot before: the script, binding kept",
	  { .session = 7,
	    .lease_session = 8,
	    .has_attempt = true,
	    .state = ATTEMPT_REBOOTING,
	    .attempt_session = 7 },
	  { BOOT_ANSWER_SAME, false, false } },
	{ "crashed, new boot: the dump is over",
	  { .session = 8,
	    .lease_session = 8,
	    .has_attempt = true,
	    .state = ATTEMPT_CRASHED,
	    .attempt_session = 7 },
	  { BOOT_ANSWER_TAKE, true, false } },
	{ "ended: a job is looked for",
	  { .session = 7, .has_attempt = true, .state = ATTEMPT_DONE, .attempt_session = 7 },
	  { BOOT_ANSWER_TAKE, false, false } },
};

static void a_boot_request_is_answered_by_what_it_proves(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(boot_cases); i++) {
		struct boot_decision d = boot_decide(&boot_cases[i].facts);

		if (d.answer != boot_cases[i].want.answer ||
		    d.was_reset != boot_cases[i].want.was_reset ||
		    d.rebind != boot_cases[i].want.rebind)
			fail_msg("%s: got %d %d %d", boot_cases[i].what, d.answer, d.was_reset,
			         d.rebind);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_are_cut_at_separators_and_numbers),
		cmocka_unit_test(a_job_matches_by_name_group_or_queue),
		cmocka_unit_test(a_host_without_queues_has_its_names_for_queues),
		cmocka_unit_test(what_is_known_excludes_and_what_is_not_does_not),
		cmocka_unit_test(what_a_job_needs_of_its_machine_is_there_or_not_known),
		cmocka_unit_test(priority_then_share_then_rank),
		cmocka_unit_test(a_priority_is_worth_a_fixed_wait),
		cmocka_unit_test(what_somebody_had_fades),
		cmocka_unit_test(a_boot_request_is_answered_by_what_it_proves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
