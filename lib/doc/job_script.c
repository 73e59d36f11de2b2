/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The parts of job.sh in the order they stand in it.
 */
#include "lib/doc/job_script.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"

#define DEPTH_MAX 64 /* as deep as a document may be */

void job_script_quote(struct buffer *out, struct slice text)
{
	bool bare = text.len > 0;

	for (size_t i = 0; i < text.len && bare; i++)
		bare = char_is_digit((char)text.data[i]);
	if (bare) {
		buffer_append_slice(out, text);
		return;
	}
	buffer_append_text(out, "'");
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\'')
			buffer_append_text(out, "'\\''");
		else
			buffer_append(out, text.data + i, 1);
	}
	buffer_append_text(out, "'");
}

static bool is_variable(const char *key)
{
	/* what is not for the job, and what a shell may not be told: it would stop there */
	static const char *const never[] = {
		"script", "my_token", "secrets",   "job2sh",   "UID",           "EUID",
		"PPID",   "OPTIND",   "SHELLOPTS", "BASHOPTS", "BASH_VERSINFO",
	};

	if (!char_is_alpha(key[0]) && key[0] != '_')
		return false;
	for (const char *p = key; *p; p++)
		if (!char_is_alnum(*p) && *p != '_')
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (strcmp(key, never[i]) == 0)
			return false;
	return true;
}

/* Appends the text of a value: scalars as they are, lists by newlines. */
static void append_value(struct buffer *out, const json_t *value, unsigned depth)
{
	size_t start = out->len;
	const json_t *member;
	size_t i;

	switch (json_typeof(value)) {
	case JSON_STRING:
		buffer_append(out, json_string_value(value), json_string_length(value));
		return;
	case JSON_INTEGER:
		buffer_printf(out, "%lld", (long long)json_integer_value(value));
		return;
	case JSON_REAL:
		buffer_printf(out, "%.15g", json_real_value(value));
		return;
	case JSON_TRUE:
		buffer_append_text(out, "true");
		return;
	case JSON_FALSE:
		buffer_append_text(out, "false");
		return;
	case JSON_NULL:
	case JSON_OBJECT:
		return;
	case JSON_ARRAY:
		break;
	}
	json_array_foreach(value, i, member)
	{
		if (json_is_object(member) || json_is_null(member) || depth >= DEPTH_MAX)
			continue;
		if (out->len > start)
			buffer_append_text(out, "\n");
		append_value(out, member, depth + 1);
	}
}

/* Calls `append` for each field that becomes a variable, with its value as text. */
static void each_variable(struct buffer *out, const json_t *fields,
                          void (*append)(struct buffer *out, const char *key, struct slice value))
{
	struct buffer text = BUFFER_NULL;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)fields, key, value)
	{
		if (!is_variable(key))
			continue;
		text.len = 0;
		append_value(&text, value, 0);
		/* a NUL cannot be in a shell variable */
		if (text.len > 0 && slice_find(buffer_slice(&text), 0, 0) == text.len)
			append(out, key, buffer_slice(&text));
		out->failed |= text.failed;
	}
	buffer_deinit(&text);
}

static void append_export(struct buffer *out, const char *key, struct slice value)
{
	buffer_printf(out, "\texport %s=", key);
	job_script_quote(out, value);
	buffer_append_text(out, "\n");
}

static void append_check_set(struct buffer *out, const char *key, struct slice value)
{
	buffer_printf(out, "\tcheck_set_var %s ", key);
	job_script_quote(out, value);
	buffer_append_text(out, "\n");
}

static void append_variables(struct buffer *out, const json_t *fields)
{
	buffer_append_text(out, "export_top_env()\n{\n");
	each_variable(out, fields, append_export);
	buffer_append_text(out, "\n\t[ -n \"$LKP_SRC\" ] || "
	                        "export LKP_SRC=/lkp/${user:-lkp}/src\n}\n\n");
	/*
	 * Not readonly as Compass-CI's: an export or `export_top_env` after it would end the shell.
	 */
	buffer_append_text(out, "# check_set_var NAME VALUE: sets it unless job_vars names others\n"
	                        "check_set_var()\n{\n"
	                        "\tcase \" ${job_vars:-$1} \" in\n"
	                        "\t*\" $1 \"*) eval \"$1=\\$2\" ;;\n"
	                        "\tesac\n}\n\n"
	                        "read_job_vars()\n{\n\tjob_vars=\"$*\"\n");
	each_variable(out, fields, append_check_set);
	buffer_append_text(out, "\tunset job_vars\n}\n\n");
}

/* Lines of a function: null is an empty line, nested lists are flattened, a line may hold more. */
static void append_lines(struct buffer *out, const json_t *value, unsigned depth)
{
	const json_t *member;
	size_t i;

	if (json_is_array(value)) {
		json_array_foreach(value, i, member)
		{
			if (depth < DEPTH_MAX)
				append_lines(out, member, depth + 1);
		}
		return;
	}
	if (!json_is_object(value))
		append_value(out, value, depth);
	buffer_append_text(out, "\n");
}

static void append_job2sh(struct buffer *out, const json_t *job2sh)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)job2sh, key, value)
	{
		if (json_is_null(value))
			continue;
		append_lines(out, value, 0);
		buffer_append_text(out, "\n");
	}
}

/* Whether some line of text is exactly this one. */
static bool has_line(struct slice text, const char *line)
{
	while (text.len > 0)
		if (text_equal(slice_cut(&text, '\n'), line))
			return true;
	return false;
}

/*
 * A script becomes a file of its own, so that whatever stands in it, job.sh itself can be sourced.
 * It runs under the interpreter of its #! line, else under sh.
 */
static void append_script(struct buffer *out, struct slice script)
{
	bool has_interpreter = slice_has_prefix(script, SLICE_LITERAL("#!"));
	char end[40] = "end_of_script";

	for (unsigned i = 1; has_line(script, end); i++)
		(void)snprintf(end, sizeof(end), "end_of_script_%u", i);
	buffer_append_text(out, "run_job()\n{\n"
	                        "\techo $$ >\"${TMP:=/tmp}/run-job.pid\"\n"
	                        "\texport_top_env\n");
	buffer_printf(out, "\tcat >\"$TMP/script\" <<'%s' || return\n", end);
	buffer_append_slice(out, script);
	if (script.len > 0 && script.data[script.len - 1] != '\n')
		buffer_append_text(out, "\n");
	buffer_printf(out, "%s\n", end);
	if (has_interpreter)
		buffer_append_text(out, "\tchmod 0755 \"$TMP/script\" || return\n"
		                        "\t\"$TMP/script\"\n}\n\n");
	else
		buffer_append_text(out, "\tsh \"$TMP/script\"\n}\n\n");
}

void job_script_build(struct buffer *out, const json_t *fields)
{
	const json_t *job2sh = json_object_get(fields, "job2sh");
	const json_t *script = json_object_get(fields, "script");

	buffer_append_text(out, "#!/bin/sh\n\n");
	append_variables(out, fields);
	buffer_append_text(out, "define_files()\n{\n\texport define_files=\n}\n\n");
	if (json_is_string(script))
		append_script(out,
		              slice_make(json_string_value(script), json_string_length(script)));
	else
		append_job2sh(out, job2sh);
	buffer_append_text(out, "\"$@\"\n");
}
