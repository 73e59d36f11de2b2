/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Lines key=value; no more of a language than that, so that any shell can read it too.
 */
#include "lib/format/attempt_file.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"

static const struct {
	const char *key;
	size_t offset;
} attempt_keys[] = {
	{ "server", offsetof(struct attempt_file, server) },
	{ "job", offsetof(struct attempt_file, job) },
	{ "attempt", offsetof(struct attempt_file, attempt) },
	{ "token", offsetof(struct attempt_file, token) },
	{ "host", offsetof(struct attempt_file, host) },
	{ "upload", offsetof(struct attempt_file, upload) },
};

/* Values go into URLs and headers: one printable word each. */
static bool is_word(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] <= 0x20 || s.data[i] >= 0x7f)
			return false;
	return true;
}

/* An id is one component of a path: it starts with a letter, a digit or '_'. */
static bool is_id(const char *text)
{
	if (!char_is_alnum(text[0]) && text[0] != '_')
		return false;
	for (const char *c = text; *c; c++)
		if (!char_is_alnum(*c) && !strchr("_.+:@-", *c))
			return false;
	return true;
}

static int attempt_line(struct slice line, struct attempt_file *file)
{
	struct slice key;

	line = text_trim(line);
	if (line.len == 0 || line.data[0] == '#')
		return 0;
	key = slice_cut(&line, '=');
	for (size_t i = 0; i < ARRAY_SIZE(attempt_keys); i++)
		if (text_equal(key, attempt_keys[i].key)) {
			if (!is_word(line) || text_copy((char *)file + attempt_keys[i].offset,
			                                ATTEMPT_VALUE_MAX, line) != 0)
				return ATTEMPT_FILE_BAD;
		}
	return 0;
}

int attempt_file_parse(struct slice text, struct attempt_file *ret)
{
	struct attempt_file file = { .server = "" };
	size_t len;
	int n;

	while (text.len > 0)
		if (attempt_line(slice_cut(&text, '\n'), &file) != 0)
			return ATTEMPT_FILE_BAD;
	len = strlen(file.server);
	while (len > 0 && file.server[len - 1] == '/')
		file.server[--len] = '\0';
	if (len == 0 || !file.token[0] || !is_id(file.attempt))
		return ATTEMPT_FILE_BAD;
	if (!file.upload[0]) {
		n = snprintf(file.upload, sizeof(file.upload), "%s/v1/attempts/%s/files/",
		             file.server, file.attempt);
		if (n < 0 || (size_t)n >= sizeof(file.upload))
			return ATTEMPT_FILE_BAD;
	}
	*ret = file;
	return 0;
}

void attempt_file_build(struct buffer *out, const struct attempt_file *file)
{
	for (size_t i = 0; i < ARRAY_SIZE(attempt_keys); i++)
		buffer_printf(out, "%s=%s\n", attempt_keys[i].key,
		              (const char *)file + attempt_keys[i].offset);
}
