/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/cci.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/problem.h"
#include "cli/url.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"

#define WIDTH_DEFAULT 80
#define WIDTH_MAX     1000

static const char *environment(const char *name)
{
	const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): one thread */

	return value ? value : "";
}

static size_t find_width(void)
{
	struct winsize size;
	uint64_t columns;

	if (text_parse_u64(slice_from_text(environment("COLUMNS")), WIDTH_MAX, &columns) == 0 &&
	    columns > 0)
		return columns;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return WIDTH_DEFAULT;
}

void cci_find_terminal(struct terminal *ret)
{
	bool is_out = isatty(STDOUT_FILENO);

	(void)setlocale(LC_CTYPE, ""); /* NOLINT(concurrency-mt-unsafe): one thread */
	*ret = (struct terminal){
		.is_out = is_out,
		.is_err = isatty(STDERR_FILENO),
		.has_out_colour = is_out && environment("NO_COLOR")[0] == '\0' &&
		                  strcmp(environment("TERM"), "dumb") != 0,
		.is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.out_width = is_out ? find_width() : 0,
	};
}

void cci_say(const char *format, ...)
{
	va_list args;

	/* stderr is the last place: nobody is left to tell that it failed */
	va_start(args, format);
	(void)fputs("cci: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
	va_end(args);
}

int cci_usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fputs("cci: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
	va_end(args);
	return CCI_EXIT_USAGE;
}

int cci_trouble(const char *what, int error)
{
	if (error != -EPIPE)
		cci_say("%s: %s", what, strerrordesc_np(-error));
	return CCI_EXIT_INFRA;
}

int cci_print(struct buffer *out)
{
	int r = buffer_error(out);

	if (r == 0)
		r = fd_write_all(STDOUT_FILENO, out->data, out->len);
	buffer_deinit(out);
	return r < 0 ? cci_trouble("cannot write the output", r) : CCI_EXIT_PASS;
}

int cci_print_table(const struct cci *cci, struct format_table *table)
{
	struct buffer out = BUFFER_NULL;

	if (format_table_write(table, &out, cci->terminal.out_width, cci->terminal.has_out_colour) <
	    0)
		out.failed = true;
	format_table_deinit(table);
	return cci_print(&out);
}

int cci_print_json(const struct cci *cci, const json_t *document)
{
	struct buffer out = BUFFER_NULL;
	size_t flags = JSON_ENCODE_ANY | (cci->terminal.is_out ? JSON_INDENT(2) : JSON_COMPACT);
	char *text = json_dumps(document, flags);

	if (!text)
		return cci_trouble("cannot write JSON", -ENOMEM);
	buffer_printf(&out, "%s\n", text);
	free(text);
	return cci_print(&out);
}

static void say_unreachable(const struct cci *cci, const char *prefix,
                            const struct client_answer *answer)
{
	cci_say("%sthe server %s (from %s) is out of reach: %s", prefix, client_base(cci->client),
	        cci->config.server_origin, answer->reason);
	cci_say("is ccid running there? another server: --server URL or CCI_SERVER=URL");
}

int cci_refused(const struct cci *cci, const char *what, int outcome,
                const struct client_answer *answer)
{
	CLEANUP(freep) char *prefix = text_format("%s%s", what, what[0] ? ": " : "");
	struct buffer text = BUFFER_NULL;
	json_t *problem;
	const char *advice;

	if (outcome < 0)
		return cci_trouble(what, outcome);
	if (outcome == CLIENT_UNREACHABLE) {
		say_unreachable(cci, prefix ? prefix : "", answer);
		return CCI_EXIT_UNREACHABLE;
	}
	if (outcome == CLIENT_LOST) {
		cci_say("%sthe connection to %s broke: %s", prefix ? prefix : "",
		        client_base(cci->client), answer->reason);
		return CCI_EXIT_UNREACHABLE;
	}
	problem = problem_parse(buffer_slice(&answer->body));
	problem_describe(&text, answer->status, problem, buffer_slice(&answer->body));
	cci_say("%s%s", prefix ? prefix : "", text.data ? (const char *)text.data : "");
	advice = problem_advice(answer->status);
	if (advice)
		cci_say("%s", advice);
	json_decref(problem);
	buffer_deinit(&text);
	return (int)exit_status_of_http(answer->status);
}

int cci_call_json(struct cci *cci, const char *what, const struct client_call *call, json_t **ret)
{
	CLEANUP(client_answer_deinit) struct client_answer answer = CLIENT_ANSWER_NULL;
	json_t *document;
	int outcome = client_perform(cci->client, call, &answer);

	if (outcome != CLIENT_DONE || answer.status < 200 || answer.status >= 300)
		return cci_refused(cci, what, outcome, &answer);
	document = json_loadb(answer.body.data ? (const char *)answer.body.data : "",
	                      answer.body.len, JSON_DECODE_ANY, NULL);
	if (!document) {
		cci_say("%s: %s does not speak as ccid does (no JSON); is it the right server?",
		        what, client_base(cci->client));
		return CCI_EXIT_INFRA;
	}
	*ret = document;
	return CCI_EXIT_PASS;
}

int cci_get_json(struct cci *cci, const char *what, const char *path, json_t **ret)
{
	const struct client_call call = { .path = path };

	return path ? cci_call_json(cci, what, &call, ret) : cci_trouble(what, -ENOMEM);
}

static char *build_path(const char *before, struct slice component, const char *rest)
{
	struct buffer path = BUFFER_NULL;

	buffer_append_text(&path, before);
	url_append_component(&path, component);
	buffer_append_text(&path, rest);
	if (buffer_error(&path) < 0) {
		buffer_deinit(&path);
		return NULL;
	}
	return (char *)path.data; /* NUL-terminated by the buffer */
}

char *cci_job_path(const char *id, const char *rest)
{
	return build_path("/v1/jobs/", url_job_id(id), rest);
}

char *cci_host_path(const char *name, const char *rest)
{
	return build_path("/v1/hosts/", slice_from_text(name), rest);
}
