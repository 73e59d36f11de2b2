/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/doc/document.h"
#include "lib/sys/file.h"

#define FILE_NAME "cci/config.yaml"
#define FILE_MAX  ((size_t)1 << 20)

static int bad(char error[CONFIG_ERROR_MAX], const char *name, const struct document *doc,
               const char *key, const char *expected)
{
	unsigned line, column;

	(void)document_find_place(doc, key, &line, &column);
	(void)snprintf(error, CONFIG_ERROR_MAX, "%s:%u:%u: %s: %s", name, line, column, key,
	               expected);
	return CONFIG_BAD;
}

/* Returned by take_key when memory is short. */
static const char no_memory[] = "";

/* One key of the file. Returns NULL, what was expected, or no_memory. */
static const char *take_key(struct config *config, const char *key, json_t *value)
{
	const char *text = json_string_value(value);

	if (strcmp(key, "server") == 0) {
		if (!text || url_normalise(text, config->server) != 0)
			return "expected a URL such as http://lab:3000";
		return NULL;
	}
	if (strcmp(key, "token") == 0) {
		if (!text || text[0] == '\0' || strpbrk(text, "\r\n"))
			return "expected a text of one line";
		free(config->token);
		config->token = strdup(text);
		return config->token ? NULL : no_memory;
	}
	if (strcmp(key, "defaults") == 0) {
		if (!json_is_object(value))
			return "expected keys of a job, such as {testbox: vm-2p8g}";
		json_decref(config->defaults);
		config->defaults = json_incref(value);
		return NULL;
	}
	return "no such key; there are server, token and defaults";
}

/* Whether a line says more than a comment does. */
static bool has_content(struct slice text)
{
	while (text.len > 0) {
		struct slice line = text_trim(slice_cut(&text, '\n'));

		if (line.len > 0 && line.data[0] != '#')
			return true;
	}
	return false;
}

int config_read(struct slice text, const char *name, struct config *config,
                char ret_error[CONFIG_ERROR_MAX])
{
	CLEANUP(document_freep) struct document *doc = NULL;
	struct document_error why;
	const char *key, *expected;
	json_t *value;
	int q;

	if (!has_content(text))
		return 0;
	q = document_parse(text, &doc, &why);
	if (q < 0)
		return q;
	if (q != 0) {
		(void)snprintf(ret_error, CONFIG_ERROR_MAX, "%s:%u:%u: %s", name, why.line,
		               why.column, why.text);
		return CONFIG_BAD;
	}
	if (json_is_null(document_root(doc)))
		return 0;
	if (!json_is_object(document_root(doc)))
		return bad(ret_error, name, doc, "", "expected `server: URL` and the like");
	json_object_foreach(document_root(doc), key, value)
	{
		expected = take_key(config, key, value);
		if (expected == no_memory)
			return -ENOMEM;
		if (expected)
			return bad(ret_error, name, doc, key, expected);
	}
	return 0;
}

/* Where the file is: the XDG base directory specification. NULL when nobody knows. */
static char *file_path(void)
{
	const char *base =
		getenv("XDG_CONFIG_HOME"); /* NOLINT(concurrency-mt-unsafe): one thread */
	const char *home = getenv("HOME"); /* NOLINT(concurrency-mt-unsafe): one thread */

	if (base && base[0] == '/')
		return text_format("%s/%s", base, FILE_NAME);
	return home && home[0] ? text_format("%s/.config/%s", home, FILE_NAME) : NULL;
}

static int load_file(struct config *config, char error[CONFIG_ERROR_MAX])
{
	CLEANUP(freep) char *path = file_path();
	struct buffer text = BUFFER_NULL;
	int q;

	if (!path)
		return 0;
	q = file_read_all(AT_FDCWD, path, FILE_MAX, &text);
	if (q == -ENOENT || q == -ENOTDIR)
		return 0;
	if (q < 0) {
		(void)snprintf(error, CONFIG_ERROR_MAX, "%s: %s", path, strerrordesc_np(-q));
		return CONFIG_BAD;
	}
	q = config_read(buffer_slice(&text), path, config, error);
	buffer_deinit(&text);
	if (q == 0 && config->server[0])
		config->server_origin = "~/.config/cci/config.yaml";
	return q;
}

/* Takes the server from a source that speaks. */
static int take_server(struct config *config, const char *text, const char *origin,
                       char error[CONFIG_ERROR_MAX])
{
	if (!text || text[0] == '\0')
		return 0;
	if (url_normalise(text, config->server) != 0) {
		(void)snprintf(error, CONFIG_ERROR_MAX,
		               "%s: %.200s is no server; expected a URL such as http://lab:3000",
		               origin, text);
		return CONFIG_BAD;
	}
	config->server_origin = origin;
	return 0;
}

int config_load(const char *server_option, struct config *ret, char ret_error[CONFIG_ERROR_MAX])
{
	struct config config = CONFIG_NULL;
	const char *server = getenv("CCI_SERVER"); /* NOLINT(concurrency-mt-unsafe): one thread */
	const char *token = getenv("CCI_TOKEN");   /* NOLINT(concurrency-mt-unsafe): one thread */
	int q;

	q = load_file(&config, ret_error);
	if (q == 0)
		q = take_server(&config, server, "$CCI_SERVER", ret_error);
	if (q == 0)
		q = take_server(&config, server_option, "--server", ret_error);
	if (q == 0 && config.server[0] == '\0')
		q = take_server(&config, CONFIG_SERVER_DEFAULT, "the default", ret_error);
	if (q == 0 && token && token[0]) {
		free(config.token);
		config.token = strdup(token);
		q = config.token ? 0 : -ENOMEM;
	}
	if (q != 0) {
		config_deinit(&config);
		return q;
	}
	*ret = config;
	return 0;
}

void config_deinit(struct config *config)
{
	free(config->token);
	json_decref(config->defaults);
	*config = CONFIG_NULL;
}
