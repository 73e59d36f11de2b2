/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * ccid: options, configuration, and then server.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/heap.h"
#include "lib/sys/log_sink.h"
#include "server/config.h"
#include "server/io/power_helper.h"
#include "server/io/worker_main.h"
#include "server/options.h"
#include "server/server.h"
#include "server/service/services.h"
#include "server/store/db_backup.h"

/* One line on stderr, status 1: nothing was started. */
static int refuse(const char *text)
{
	(void)fprintf(stderr, "ccid: %s\n", text);
	return EXIT_FAILURE;
}

static int refuse_errno(const char *what, int r)
{
	(void)fprintf(stderr, "ccid: %s: %s\n", what,
	              strerror(-r)); /* NOLINT(concurrency-mt-unsafe): one thread */
	return EXIT_FAILURE;
}

static int load(const struct options *options, struct config *ret)
{
	struct config_error error;
	int r = config_load(options->config, ret, &error);

	if (r < 0)
		return refuse_errno(options->config, r);
	return r == 0 ? EXIT_SUCCESS : refuse(error.text);
}

static int check(const struct config *config)
{
	char error[SERVICES_ERROR_MAX];
	int r = services_check_hosts(config->hosts, error);

	if (r == 0 && config->tokens[0])
		r = services_check_tokens(config->tokens, error);
	if (r < 0)
		return refuse_errno(config->hosts, r);
	return r == 0 ? EXIT_SUCCESS : refuse(error);
}

static int print_config(const struct config *config)
{
	struct buffer out = BUFFER_NULL;
	int r = config_print(config, &out);

	if (r == 0 && fwrite(out.data, 1, out.len, stdout) != out.len)
		r = -errno;
	buffer_deinit(&out);
	return r == 0 ? EXIT_SUCCESS : refuse_errno("stdout", r);
}

static int backup(const struct config *config, const char *to)
{
	CLEANUP(freep) char *from = text_format("%s/ccid.sqlite", config->state);
	int r = from ? db_backup(from, to) : -ENOMEM;

	return r == 0 ? EXIT_SUCCESS : refuse_errno(to, r);
}

static int serve(const struct config *config, const char *config_path)
{
	struct server *server = NULL;
	char error[SERVER_ERROR_MAX];
	int r = server_new(config, config_path, &server, error);

	if (r > 0)
		return refuse(error);
	if (r == 0)
		r = server_run(server);
	server_free(server);
	return r == 0 ? EXIT_SUCCESS : refuse_errno("ended", r);
}

static int run(const struct options *options)
{
	static struct config config; /* too large for the stack */
	int status;

	switch (options->verb) {
	case OPTIONS_HELP:
		return fputs(options_help, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	case OPTIONS_VERSION:
		return puts("ccid " CCI_VERSION) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	case OPTIONS_WORKER:
		return worker_main() < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	case OPTIONS_POWER:
		return power_helper_main() < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	case OPTIONS_RUN:
	case OPTIONS_CHECK:
	case OPTIONS_PRINT_CONFIG:
	case OPTIONS_BACKUP:
		break;
	}
	status = load(options, &config);
	if (status != EXIT_SUCCESS)
		return status;
	if (options->verb == OPTIONS_CHECK)
		return check(&config);
	if (options->verb == OPTIONS_PRINT_CONFIG)
		return print_config(&config);
	if (options->verb == OPTIONS_BACKUP)
		return backup(&config, options->backup);
	return serve(&config, options->config);
}

int main(int argc, char *argv[])
{
	struct options options;

	heap_keep();
	if (options_parse(argc, argv, &options) != 0)
		return EXIT_FAILURE;
	log_set_sink(log_sink_stderr, options.debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	return run(&options);
}
