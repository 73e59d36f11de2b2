/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "agent/identity.h"
#include "lib/base/macro.h"

static void command_line_names_job_and_user(void **state)
{
	static const struct {
		const char *cmdline, *job, *user;
	} cases[] = {
		/* the two machines of the seed */
		{ "vmlinuz-4.19 user=lkp job=/lkp/scheduled/job.yaml ip=dhcp rootovl ro "
		  "rdinit=/sbin/init prompt_ramdisk=0 initrd=20210609.0.cgz crashkernel=512M\n",
		  "/lkp/scheduled/job.yaml", "lkp" },
		{ "", "/lkp/scheduled/job.yaml", "lkp" },
		{ "job= user=", "/lkp/scheduled/job.yaml", "lkp" },
		{ "job=relative.yaml", "/lkp/scheduled/job.yaml", "lkp" },
		{ "job=/a.yaml user=me job=/b/c.yaml", "/b/c.yaml", "me" },
		{ "xjob=/a.yaml job", "/lkp/scheduled/job.yaml", "lkp" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct identity_words words;

		identity_read_words(slice_from_text(cases[i].cmdline), &words);
		assert_string_equal(words.job, cases[i].job);
		assert_string_equal(words.user, cases[i].user);
	}
}

static void an_archive_of_a_job_is_recognised(void **state)
{
	static const struct {
		const char *cmdline;
		bool is_named;
	} cases[] = {
		{ "a initrd=20210609.0.cgz  initrd=job.cgz  initrd=x.cgz", true },
		{ "initrd=EFI\\job.cgz", true },
		{ "initrd=/boot/job.cgz", true },
		{ "initrd=myjob.cgz", false },
		{ "initrd=job.cgz.old xinitrd=job.cgz job=/job.cgz", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct identity_words words;

		identity_read_words(slice_from_text(cases[i].cmdline), &words);
		assert_int_equal(words.names_archive, cases[i].is_named);
	}
}

static void words_too_long_are_ignored(void **state)
{
	struct identity_words words;
	char cmdline[PATH_MAX + 100];

	memset(cmdline, 'x', sizeof(cmdline));
	memcpy(cmdline, "job=/", 5);
	cmdline[sizeof(cmdline) - 1] = '\0';
	identity_read_words(slice_from_text(cmdline), &words);
	assert_string_equal(words.job, IDENTITY_JOB_DEFAULT);
}

static void job2sh_is_for_lkp_unless_it_says_otherwise(void **state)
{
	static const struct {
		const char *yaml;
		bool is_for_lkp;
	} cases[] = {
		{ "", false },
		{ "suite: x\nscript: |\n  job2sh: in a script\n", false },
		{ "suite: x\njob2sh:\n  run_job:\n    - x\n", true },
		{ "job2sh:\n  run_job:\n    - x\nagent: cci\n", false },
		{ "agent:   cci  \r\njob2sh:\n", false },
		{ "agent: lkp\njob2sh:\n", true },
		{ "job2sh:\n  agent: cci\n", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(identity_is_for_lkp(slice_from_text(cases[i].yaml)),
		                 cases[i].is_for_lkp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_line_names_job_and_user),
		cmocka_unit_test(an_archive_of_a_job_is_recognised),
		cmocka_unit_test(words_too_long_are_ignored),
		cmocka_unit_test(job2sh_is_for_lkp_unless_it_says_otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
