/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Which server, with which token, and what the user's jobs have in common. Sources, first one that
 * speaks: the option --server, the environment, the file, the default.
 */
#pragma once

#include <jansson.h>

#include "cli/url.h"
#include "lib/base/bytes.h"

#define CONFIG_SERVER_DEFAULT "http://127.0.0.1:3000"
#define CONFIG_ERROR_MAX      400

struct config {
	char server[URL_MAX];
	const char *server_origin; /* "--server", "$CCI_SERVER", ... : for messages */
	char *token;               /* NULL when there is none */
	json_t *defaults;          /* keys for jobs of `cci run`; NULL when there are none */
};

#define CONFIG_NULL ((struct config){ .server = "" })

enum { CONFIG_BAD = 1 };

/*
 * Reads the text of a configuration file (`server:`, `token:`, `defaults:`) into *config, which the
 * caller deinits. name is the file's, for messages. Pure.
 * Returns 0, CONFIG_BAD with ret_error ("FILE:LINE:COLUMN: KEY: what was expected"), or -ENOMEM.
 */
int config_read(struct slice text, const char *name, struct config *config,
                char ret_error[CONFIG_ERROR_MAX]);

/*
 * Gathers the configuration: server_option is the value of --server or NULL. A missing file is no
 * mistake. Returns as config_read; *ret is for config_deinit.
 */
int config_load(const char *server_option, struct config *ret, char ret_error[CONFIG_ERROR_MAX]);
void config_deinit(struct config *config);
