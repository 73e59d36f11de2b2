/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "server/config.h"

const char options_help[] =
	"ccid: DHCP, TFTP, HTTP and the scheduler of a test lab, in one daemon\n"
	"\n"
	"  ccid [--config FILE]            run; stays in the foreground, logs to stderr\n"
	"  ccid [--config FILE] --check    read the configuration, say what is wrong, exit 0 or 1\n"
	"  ccid [--config FILE] --print-config\n"
	"                                  print the configuration with every default\n"
	"  ccid [--config FILE] backup TO  copy the store into the file TO, also while ccid runs\n"
	"\n"
	"  -c, --config FILE   configuration; default " CONFIG_FILE_DEFAULT "\n"
	"  -d, --debug         log every packet\n"
	"  -h, --help          this text\n"
	"  -V, --version       the version\n"
	"\n"
	"SIGHUP reads the host files again; SIGTERM ends in order. See ccid(8), ccid.yaml(5).\n";

enum { OPTION_CHECK = 256, OPTION_PRINT_CONFIG, OPTION_WORKER, OPTION_POWER };

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", no_argument, NULL, OPTION_CHECK },
	{ "print-config", no_argument, NULL, OPTION_PRINT_CONFIG },
	{ "worker", no_argument, NULL, OPTION_WORKER },
	{ "power", no_argument, NULL, OPTION_POWER },
	{ "debug", no_argument, NULL, 'd' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int parse_words(int argc, char *const argv[], struct options *o)
{
	if (argc == 0)
		return 0;
	if (strcmp(argv[0], "backup") != 0) {
		(void)fprintf(stderr, "ccid: unknown word '%s'; see ccid --help\n", argv[0]);
		return OPTIONS_BAD;
	}
	if (argc != 2) {
		(void)fprintf(stderr, "ccid: backup takes one file name: ccid backup TO\n");
		return OPTIONS_BAD;
	}
	o->verb = OPTIONS_BACKUP;
	o->backup = argv[1];
	return 0;
}

int options_parse(int argc, char *argv[], struct options *ret)
{
	struct options o = { .verb = OPTIONS_RUN, .config = CONFIG_FILE_DEFAULT };
	int c, r;

	while ((c = getopt_long(argc, argv, "c:dhV", long_options, NULL)) !=
	       -1) { /* NOLINT(concurrency-mt-unsafe): one thread */
		switch (c) {
		case 'c':
			o.config = optarg;
			break;
		case 'd':
			o.debug = true;
			break;
		case 'h':
			o.verb = OPTIONS_HELP;
			break;
		case 'V':
			o.verb = OPTIONS_VERSION;
			break;
		case OPTION_CHECK:
			o.verb = OPTIONS_CHECK;
			break;
		case OPTION_PRINT_CONFIG:
			o.verb = OPTIONS_PRINT_CONFIG;
			break;
		case OPTION_WORKER:
			o.verb = OPTIONS_WORKER;
			break;
		case OPTION_POWER:
			o.verb = OPTIONS_POWER;
			break;
		default:
			return OPTIONS_BAD; /* getopt has said what */
		}
	}
	r = parse_words(argc - optind, argv + optind, &o);
	if (r != 0)
		return r;
	*ret = o;
	return 0;
}
