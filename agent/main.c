/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * lkp-bootstrap: options, the log, an exit status.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "lib/base/log.h"
#include "lib/sys/log_sink.h"

static const char usage[] =
	"usage: lkp-bootstrap [--root DIR] [--no-reboot] [--box KIND] [--debug]\n"
	"\n"
	"Runs the job that this boot of a test machine was made for, uploads its results and hands\n"
	"the machine back. Started by lkp-bootstrap.service; see lkp-bootstrap(8).\n"
	"\n"
	"  --root DIR   look for everything below DIR (for tests)\n"
	"  --no-reboot  exit where the machine would be rebooted or powered off\n"
	"  --box KIND   any, cgroup or tree: how the job's processes are held together\n"
	"  --debug      more lines in the log\n"
	"  --version    print the version\n"
	"  --help       print this\n"
	"\n"
	"exit status: 0 the job has ended or there is none, 1 failed (start it again), 2 usage\n";

enum { OPTION_ROOT = 1, OPTION_NO_REBOOT, OPTION_BOX, OPTION_DEBUG, OPTION_VERSION, OPTION_HELP };

static int parse_box(const char *name, enum runner_box *ret)
{
	if (strcmp(name, "any") == 0)
		*ret = RUNNER_BOX_ANY;
	else if (strcmp(name, "cgroup") == 0)
		*ret = RUNNER_BOX_CGROUP;
	else if (strcmp(name, "tree") == 0)
		*ret = RUNNER_BOX_TREE;
	else
		return -1;
	return 0;
}

/* Returns -1 to go on, or the exit status. */
static int parse_options(int argc, char *argv[], struct agent_options *options,
                         enum log_level *level)
{
	static const struct option list[] = {
		{ "root", required_argument, NULL, OPTION_ROOT },
		{ "no-reboot", no_argument, NULL, OPTION_NO_REBOOT },
		{ "box", required_argument, NULL, OPTION_BOX },
		{ "debug", no_argument, NULL, OPTION_DEBUG },
		{ "version", no_argument, NULL, OPTION_VERSION },
		{ "help", no_argument, NULL, OPTION_HELP },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", list, NULL)) != -1) {
		switch (option) {
		case OPTION_ROOT:
			options->root = optarg;
			break;
		case OPTION_NO_REBOOT:
			options->no_reboot = true;
			break;
		case OPTION_BOX:
			if (parse_box(optarg, &options->box) < 0) {
				(void)fprintf(stderr, "--box: expected any, cgroup or tree\n");
				return 2;
			}
			break;
		case OPTION_DEBUG:
			*level = LOG_LEVEL_DEBUG;
			break;
		case OPTION_VERSION:
			(void)puts("lkp-bootstrap " CCI_VERSION);
			return 0;
		case OPTION_HELP:
			(void)fputs(usage, stdout);
			return 0;
		default:
			(void)fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		(void)fputs(usage, stderr);
		return 2;
	}
	return -1;
}

int main(int argc, char *argv[])
{
	struct agent_options options = { .root = "", .box = RUNNER_BOX_ANY };
	enum log_level level = LOG_LEVEL_INFO;
	int r = parse_options(argc, argv, &options, &level);

	if (r >= 0)
		return r;
	log_set_sink(log_sink_stderr, level);
	r = agent_run(&options);
	if (r < 0) {
		log_error("cannot work: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
