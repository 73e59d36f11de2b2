/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A service's verb reads the plan that the generator left, and nothing else.
 */
#include "initramfs/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "initramfs/deploy.h"
#include "initramfs/disk.h"
#include "initramfs/fetch.h"
#include "initramfs/guard.h"
#include "initramfs/layers.h"
#include "initramfs/paths.h"
#include "initramfs/plan_file.h"
#include "initramfs/print_plan.h"
#include "initramfs/report.h"
#include "initramfs/tell.h"
#include "initramfs/tls_link.h"
#include "initramfs/tls_program.h"
#include "lib/sys/file.h"

static const struct verb {
	const char *name, *help;
	int (*step)(const struct plan *plan); /* a service */
	bool reports;                         /* may tell the server something */
	int (*run)(int argc, char *argv[]);   /* a command */
} verbs[] = {
	{ "fetch", "bring the root image into memory", fetch_image, false, NULL },
	{ "disk", "make the root on a disk", disk_make, true, NULL },
	{ "layers", "mount the root: lower, upper, overlay", layers_make, false, NULL },
	{ "deploy", "fit the new root for this machine", deploy, true, NULL },
	{ "report", "tell the server why the boot failed", report_failure, true, NULL },
	{ "guard", "end a boot whose units could not be made", NULL, false, guard_main },
	{ "print-plan", "explain what a kernel command line would do", NULL, false,
	  print_plan_main },
};

static int usage(FILE *to, int status)
{
	(void)fprintf(to, "usage: cci-init VERB [ARGUMENT...]\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		(void)fprintf(to, "  %-12s%s\n", verbs[i].name, verbs[i].help);
	(void)fprintf(
		to,
		"\nAll but print-plan are run by systemd in the initramfs; what they do stands in %s.\n",
		CCI_PLAN_FILE);
	return status;
}

static int load_plan(struct plan *ret)
{
	struct buffer text = BUFFER_NULL;
	unsigned line;
	int r;

	r = file_read_all(AT_FDCWD, CCI_PLAN_FILE, PLAN_FILE_MAX, &text);
	if (r < 0) {
		buffer_deinit(&text);
		return tell_failure(CAUSE_PLAN, "cannot read %s: %s", CCI_PLAN_FILE, strerror(-r));
	}
	r = plan_read(buffer_slice(&text), ret, &line);
	buffer_deinit(&text);
	if (r != 0)
		return tell_failure(CAUSE_PLAN, "%s:%u cannot be understood", CCI_PLAN_FILE, line);
	return 0;
}

static int run_step(const struct verb *verb)
{
	struct plan plan = { .kind = PLAN_NONE };
	int r;

	tell_begin(verb->name, false);
	r = load_plan(&plan);
	if (r < 0)
		return 1;
	tell_begin(verb->name, plan.debug);
	/* where that is not there, the report says so */
	if (verb->reports && !tls_link_exists() && report_wants_tls(&plan))
		(void)tls_program_become(verb->name);
	if (access(CCI_STAGES_FILE, F_OK) < 0)
		tell_stage("start");
	return verb->step(&plan) < 0 ? 1 : 0;
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

int verbs_run(int argc, char *argv[])
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const struct verb *verb = NULL;

	if (argc > 0)
		verb = find_verb(slash ? slash + 1 : argv[0]);
	if (!verb) {
		if (argc < 2)
			return usage(stderr, 2);
		argc--;
		argv++;
		verb = find_verb(argv[0]);
	}
	if (!verb && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0))
		return usage(stdout, 0);
	if (!verb)
		return usage(stderr, 2);
	if (verb->run)
		return verb->run(argc, argv);
	return argc > 1 ? usage(stderr, 2) : run_step(verb);
}
