/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A table says which fields of a job are texts and what may stand in them.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/doc/job_parts.h"

enum field_kind {
	FIELD_NAME, /* one component of a path */
	FIELD_WORD, /* printable ASCII without a space */
	FIELD_LINE, /* printable, one line */
};

struct field {
	const char *key;
	enum field_kind kind;
	size_t offset; /* of a const char * in struct job */
};

#define JOB_FIELD(member, kind)                                                                    \
	{                                                                                          \
#member, kind, offsetof(struct job, member)                                        \
	}

static const struct field fields[] = {
	JOB_FIELD(suite, FIELD_NAME),
	JOB_FIELD(category, FIELD_NAME),
	JOB_FIELD(testbox, FIELD_NAME),
	JOB_FIELD(tbox_group, FIELD_NAME),
	JOB_FIELD(os, FIELD_NAME),
	JOB_FIELD(os_arch, FIELD_NAME),
	JOB_FIELD(os_version, FIELD_NAME),
	JOB_FIELD(queue, FIELD_NAME),
	JOB_FIELD(kernel_version, FIELD_NAME),
	JOB_FIELD(kernel_uri, FIELD_WORD),
	JOB_FIELD(crashkernel, FIELD_WORD),
	JOB_FIELD(os_lv, FIELD_NAME),
	JOB_FIELD(os_lv_size, FIELD_NAME),
	JOB_FIELD(src_lv_suffix, FIELD_NAME),
	JOB_FIELD(boot_lv_suffix, FIELD_NAME),
	JOB_FIELD(my_email, FIELD_LINE),
	JOB_FIELD(my_name, FIELD_LINE),
	JOB_FIELD(my_account, FIELD_LINE),
};

bool job_is_name(struct slice text)
{
	if (text.len == 0 || text.len > JOB_NAME_MAX)
		return false;
	if (!char_is_alnum((char)text.data[0]) && text.data[0] != '_')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = (char)text.data[i];

		if (!char_is_alnum(c) && (c == '\0' || !strchr("_.+:@-", c)))
			return false;
	}
	return true;
}

bool job_is_printable(struct slice s, bool spaces)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < 0x20 || s.data[i] == 0x7f || (!spaces && s.data[i] == ' ') ||
		    (!spaces && s.data[i] > 0x7f))
			return false;
	return s.len <= JOB_TEXT_MAX;
}

/*
 * Makes a number that stands where a text belongs (`os_version: 12`) that text in the document.
 * Returns 0 and the text, JOB_BAD or -ENOMEM.
 */
static int read_text(struct job *job, const char *key, json_t *value, const char **ret,
                     struct job_error *error)
{
	char number[40];
	int r;

	if (json_is_string(value)) {
		*ret = json_string_value(value);
		if (strlen(*ret) != json_string_length(value))
			return job_bad(error, key, "a NUL in a text is not accepted");
		return 0;
	}
	if (json_is_integer(value))
		(void)snprintf(number, sizeof(number), "%lld",
		               (long long)json_integer_value(value));
	else if (json_is_real(value))
		(void)snprintf(number, sizeof(number), "%.15g", json_real_value(value));
	else
		return job_bad(error, key, "expected a text");
	r = job_set_text(job, key, number);
	if (r < 0)
		return r;
	*ret = json_string_value(json_object_get(job->doc, key));
	return 0;
}

static int check_text(const struct field *field, const char *text, struct job_error *error)
{
	struct slice s = slice_from_text(text);

	switch (field->kind) {
	case FIELD_NAME:
		if (!job_is_name(s))
			return job_bad(error, field->key,
			               "expected a name: a letter or digit, then those and _.+:@-");
		return 0;
	case FIELD_WORD:
		if (s.len == 0 || !job_is_printable(s, false))
			return job_bad(error, field->key, "expected one word of printable ASCII");
		return 0;
	case FIELD_LINE:
		if (!job_is_printable(s, true))
			return job_bad(error, field->key, "expected one line of text");
		return 0;
	}
	return 0;
}

int job_read_texts(struct job *job, struct job_error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		json_t *value = job_get(job, fields[i].key);
		const char **member = (const char **)(void *)((char *)job + fields[i].offset);
		const char *text = NULL;
		int r;

		*member = NULL;
		if (!value)
			continue;
		r = read_text(job, fields[i].key, value, &text, error);
		if (r != 0)
			return r;
		if (!text || text[0] == '\0')
			continue;
		r = check_text(&fields[i], text, error);
		if (r != 0)
			return r;
		*member = text;
	}
	return 0;
}
