/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What a group holds, as lvm reports it, and the steps that follow: each case is a boot.
 */
#include "tests/support/test.h"

#include "initramfs/volume_plan.h"
#include "lib/base/macro.h"

#define S     "a_b_1_20210518150852"
#define G     "os|cci|107374182400|%s|4194304|0\n"
#define FREE  "107374182400"
#define TIGHT "10737418240" /* 10 GiB: not even one of 20 */

/* 20 GiB each, unless named otherwise. */
#define WHOLE(name)   name "|21474836480|-ri-a-----||cci.whole\n"
#define PART(name)    name "|21474836480|-wi-a-----||cci.part\n"
#define SEALED(name)  name "|21474836480|-ri-a-----||cci.part,cci.whole\n"
#define SNAP(name, o) name "|21474836480|swi-a-s---|" o "|\n"
#define PLAIN(name)   name "|21474836480|-wi-a-----||\n"
#define R_ONLY(name)  name "|21474836480|-ri-a-----||\n"
#define OPEN(name)    name "|21474836480|-wi-ao----||\n"

static const struct plan scratch = { .local = PLAN_LOCAL_SCRATCH,
	                             .volume = "a_b_1",
	                             .source_volume = S,
	                             .volume_size = (uint64_t)20 << 30 };
static const struct plan saved = { .local = PLAN_LOCAL_SAVE,
	                           .volume = "mine",
	                           .source_volume = S,
	                           .volume_size = (uint64_t)20 << 30 };
static const struct plan used = { .local = PLAN_LOCAL_SCRATCH,
	                          .volume = "a_b_1",
	                          .source_volume = "base",
	                          .source_must_be = true,
	                          .volume_size = (uint64_t)20 << 30 };
static const struct plan kept = { .local = PLAN_LOCAL_KEPT,
	                          .volume = "mine",
	                          .volume_size = (uint64_t)20 << 30 };
static const struct plan kept_must = { .local = PLAN_LOCAL_KEPT,
	                               .volume = "mine",
	                               .source_must_be = true,
	                               .volume_size = (uint64_t)20 << 30 };
static const struct plan migrating = { .local = PLAN_LOCAL_SCRATCH,
	                               .volume = "a_b_1",
	                               .source_volume = S,
	                               .migrate = true,
	                               .volume_size = (uint64_t)20 << 30 };

#define NEW_SOURCE                                                                                 \
	"create " S ".part; fill " S ".part; seal-ro " S ".part; rename " S ".part " S "; "
#define SCRATCH "snapshot a_b_1 " S "; use a_b_1"

static const struct {
	const char *name;
	const struct plan *plan;
	const char *group, *free, *volumes;
	int outcome;
	const char *steps; /* or what is said */
	bool needs_disks;
} boots[] = {
	{ "the first boot", &scratch, G, FREE, "", 0, NEW_SOURCE SCRATCH, true },
	{ "the second", &scratch, G, FREE, WHOLE(S) SNAP("a_b_1", S), 0, "remove a_b_1; " SCRATCH,
	  false },
	{ "a cut before the copy ended", &scratch, G, FREE, PART(S ".part"), 0,
	  "fill " S ".part; seal-ro " S ".part; rename " S ".part " S "; " SCRATCH, true },
	{ "a cut between seal and name", &scratch, G, FREE, SEALED(S ".part"), 0,
	  "seal-ro " S ".part; rename " S ".part " S "; " SCRATCH, true },
	{ "the same, without the other tag", &scratch, G, FREE, WHOLE(S ".part"), 0,
	  "seal-ro " S ".part; rename " S ".part " S "; " SCRATCH, true },
	{ "a cut between name and tag", &scratch, G, FREE, SEALED(S), 0, SCRATCH, false },
	{ "a part that is not ours", &scratch, G, FREE, PLAIN(S ".part"), VOLUME_PLAN_TAKEN,
	  "volume " S ".part is not of our making", true },
	{ "whole by the original", &scratch, "os||107374182400|%s|4194304|0\n", FREE, R_ONLY(S), 0,
	  SCRATCH, false },
	{ "half by the original", &scratch, "os||107374182400|%s|4194304|0\n", FREE, PLAIN(S), 0,
	  "rename " S " " S ".unfinished; " NEW_SOURCE SCRATCH, true },
	{ "half by the original, twice", &scratch, "os||107374182400|%s|4194304|0\n", FREE,
	  PLAIN(S) PLAIN(S ".unfinished"), VOLUME_PLAN_TAKEN,
	  "volumes " S " and " S
	  ".unfinished are both half copied by the original; cci.migrate would permit to remove "
	  "them",
	  true },
	{ "half by the original, ours to remove", &migrating, "os||107374182400|%s|4194304|0\n",
	  FREE, PLAIN(S), 0, "remove " S "; " NEW_SOURCE SCRATCH, true },
	{ "the scratch is in use", &scratch, G, FREE, WHOLE(S) OPEN("a_b_1"), VOLUME_PLAN_TAKEN,
	  "volume a_b_1 is in use", false },
	/* room */
	{ "the oldest sources go", &scratch, G, TIGHT,
	  WHOLE("c_d_1_20200101000000") SNAP("c_d_1", "c_d_1_20200101000000")
	          WHOLE("c_d_1_20190101000000") PART("x_y_1_20200101000000.part") PLAIN("mine"),
	  0,
	  "remove x_y_1_20200101000000.part; " NEW_SOURCE
	  "remove c_d_1; remove c_d_1_20200101000000; " SCRATCH,
	  true },
	{ "not those that others need", &scratch, G, TIGHT,
	  WHOLE(S) WHOLE("c_d_1_20200101000000") SNAP("other", "c_d_1_20200101000000"),
	  VOLUME_PLAN_SPACE,
	  "group os has 10240 MiB free, 20480 MiB are needed; a smaller os_lv_size= or one more "
	  "disk would help",
	  false },
	{ "not those of the original", &scratch, "os||107374182400|%s|4194304|0\n", TIGHT,
	  R_ONLY(S) WHOLE("c_d_1_20200101000000"), VOLUME_PLAN_SPACE,
	  "group os has 10240 MiB free, 20480 MiB are needed; a smaller os_lv_size=, one more disk, "
	  "or cci.migrate (then old sources may go) would help",
	  false },
	{ "nor what the original made, when the group is ours", &migrating, G, TIGHT,
	  WHOLE(S) R_ONLY("c_d_1_20200101000000"), VOLUME_PLAN_SPACE,
	  "group os has 10240 MiB free, 20480 MiB are needed; a smaller os_lv_size= or one more "
	  "disk would help",
	  false },
	/* names of the user's */
	{ "save", &saved, G, FREE, WHOLE(S), 0,
	  "create mine.part; copy mine.part " S "; seal mine.part; rename mine.part mine; use mine",
	  true },
	{ "save again", &saved, G, FREE, WHOLE(S) PLAIN("mine"), 0,
	  "create mine.part; copy mine.part " S
	  "; seal mine.part; remove mine; rename mine.part mine; use mine",
	  false },
	{ "save again, without room for both", &saved, G, TIGHT, WHOLE(S) PLAIN("mine"), 0,
	  "remove mine; create mine.part; copy mine.part " S
	  "; seal mine.part; rename mine.part mine; use mine",
	  false },
	{ "save after a cut", &saved, G, FREE, WHOLE(S) PART("mine.part"), 0,
	  "remove mine.part; create mine.part; copy mine.part " S
	  "; seal mine.part; rename mine.part mine; use mine",
	  true },
	{ "use", &used, G, FREE, PLAIN("base"), 0, "snapshot a_b_1 base; use a_b_1", false },
	{ "use what is not there", &used, G, FREE, WHOLE(S), VOLUME_PLAN_ABSENT,
	  "there is no volume base to use", false },
	{ "a partition of one's own", &kept, G, FREE, "", 0,
	  "create mine.part; fill mine.part; seal mine.part; rename mine.part mine; use mine",
	  true },
	{ "the same, there", &kept, G, FREE, PLAIN("mine"), 0, "use mine", false },
	{ "the same name twice", &kept_must, G, FREE, PLAIN("mine"), 0, "use mine", false },
	{ "the same name twice, not there", &kept_must, G, FREE, "", VOLUME_PLAN_ABSENT,
	  "there is no volume mine to use", false },
	/* no group, or not all of it */
	{ "no group", &scratch, "", FREE, "", VOLUME_PLAN_SPACE,
	  "there is no volume group os, and no disk that it could be made on", true },
	{ "no group, to use", &used, "", FREE, "", VOLUME_PLAN_ABSENT,
	  "there is no volume group os", false },
	{ "a disk is gone", &scratch, "os|cci|107374182400|%s|4194304|1\n", FREE, WHOLE(S),
	  VOLUME_PLAN_SPACE, "1 disks of group os are not there", false },
};

static void write_steps(const struct volume_plan *plan, struct bytes *out)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct volume_step *step = &plan->steps[i];

		bytes_printf(out, "%s%s%s %s%s%s", i > 0 ? "; " : "",
		             volume_op_to_name((int)step->op), step->is_read_only ? "-ro" : "",
		             step->name, step->to[0] ? " " : "", step->to);
		if (step->op == VOLUME_REMOVE)
			assert_non_null(step->why);
		if (step->op == VOLUME_CREATE || step->op == VOLUME_SNAPSHOT)
			assert_int_equal(step->size, (uint64_t)20 << 30);
	}
	bytes_append_u8(out, '\0');
}

static void every_boot_has_its_steps(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(boots); i++) {
		static struct volume_plan plan;
		static struct lvm_group group;
		char head[128], text[4096];
		struct bytes steps = BYTES_ON(text);
		int r;

		(void)snprintf(head, sizeof(head), boots[i].group, boots[i].free);
		assert_int_equal(lvm_report_group(slice_from_text(head), &group), 0);
		assert_int_equal(lvm_report_volumes(slice_from_text(boots[i].volumes), &group), 0);
		r = volume_plan_decide(boots[i].plan, &group, &plan);
		write_steps(&plan, &steps);
		if (r != boots[i].outcome || strcmp(r == 0 ? text : plan.why, boots[i].steps) != 0)
			fail_msg("%s: %d, %s (%s), expected %s", boots[i].name, r, text, plan.why,
			         boots[i].steps);
		if (volume_plan_needs_disks(boots[i].plan, &group) != boots[i].needs_disks)
			fail_msg("%s: disks", boots[i].name);
	}
}

/* Nothing but a rename gives a lasting volume its name, and only after its seal. */
static void a_name_comes_after_the_seal(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(boots); i++) {
		static struct volume_plan plan;
		static struct lvm_group group;
		char head[128];

		(void)snprintf(head, sizeof(head), boots[i].group, boots[i].free);
		(void)lvm_report_group(slice_from_text(head), &group);
		(void)lvm_report_volumes(slice_from_text(boots[i].volumes), &group);
		if (volume_plan_decide(boots[i].plan, &group, &plan) != 0)
			continue;
		for (size_t k = 0; k < plan.n_steps; k++) {
			const struct volume_step *step = &plan.steps[k];

			if (step->op == VOLUME_CREATE || step->op == VOLUME_FILL ||
			    step->op == VOLUME_COPY)
				assert_non_null(strstr(step->name, LVM_PART));
			if (step->op == VOLUME_RENAME && strstr(step->name, LVM_PART)) {
				size_t before = k;

				while (before > 0 && plan.steps[before - 1].op == VOLUME_REMOVE)
					before--;
				assert_true(before > 0);
				assert_int_equal(plan.steps[before - 1].op, VOLUME_SEAL);
			}
		}
	}
}

static void reports_that_are_none_are_refused(void **state)
{
	static const char *const groups[] = {
		"os|cci|1|1|4194304\n",     "os|cci|1|x|4194304|0\n", "os|cci|1|1|0|0\n",
		"home|cci|1|1|4194304|0\n", "os||1|1|4194304|0|x\n",  "WARNING: os is odd\n",
		"os||1|1|1|0\nos||1|1|1|0",
	};
	static const char *const volumes[] = { "a|1|-wi-a-----|\n", "a|x|-wi-a-----||\n",
		                               "a|1|-wi||\n", "|1|-wi-a-----||\n" };
	struct lvm_group group;
	char name[LVM_NAME_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (lvm_report_group(slice_from_text(groups[i]), &group) == 0)
			fail_msg("%s", groups[i]);
	for (size_t i = 0; i < ARRAY_SIZE(volumes); i++) {
		group = (struct lvm_group){ .exists = true };
		if (lvm_report_volumes(slice_from_text(volumes[i]), &group) == 0)
			fail_msg("%s", volumes[i]);
	}
	assert_int_equal(
		lvm_report_group_of(SLICE_LITERAL("  /dev/a|os\n  /dev/b|\n"), "/dev/b", name), 0);
	assert_string_equal(name, "");
	assert_int_equal(lvm_report_group_of(SLICE_LITERAL("/dev/a|os\n"), "/dev/a", name), 0);
	assert_string_equal(name, "os");
	assert_int_equal(lvm_report_group_of(SLICE_LITERAL("/dev/a|os\n"), "/dev/c", name),
	                 LVM_REPORT_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_boot_has_its_steps),
		cmocka_unit_test(a_name_comes_after_the_seal),
		cmocka_unit_test(reports_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
