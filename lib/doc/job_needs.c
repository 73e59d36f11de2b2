/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What a job needs of its machine.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/doc/job_parts.h"
#include "lib/format/size.h"

#define TAGS_MAX  32
#define DISKS_MAX 1024

static int compare(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;
	int r = memcmp(x->data, y->data, MIN(x->len, y->len));

	return r != 0 ? r : (x->len > y->len) - (x->len < y->len);
}

/* Adds the names of a comma list. Returns 0 or JOB_BAD. */
static int add_tags(const json_t *value, struct slice tags[TAGS_MAX], size_t *n)
{
	struct slice list = slice_make(json_string_value(value), json_string_length(value));

	if (!json_is_string(value))
		return JOB_BAD;
	while (list.len > 0) {
		struct slice tag = text_trim(slice_cut(&list, ','));

		if (tag.len == 0)
			continue;
		if (!job_is_name(tag) || *n == TAGS_MAX)
			return JOB_BAD;
		tags[(*n)++] = tag;
	}
	return 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): it becomes the room of out */
int job_tags_read(const json_t *value, char *to, size_t size)
{
	struct bytes out = { .data = (uint8_t *)to, .cap = size };
	struct slice tags[TAGS_MAX];
	const json_t *member;
	size_t n = 0, i;
	int r = 0;

	if (json_is_array(value)) {
		json_array_foreach(value, i, member)
		{
			if (r == 0)
				r = add_tags(member, tags, &n);
		}
	} else {
		r = add_tags(value, tags, &n);
	}
	if (r != 0)
		return r;
	qsort(tags, n, sizeof(tags[0]), compare);
	for (i = 0; i < n; i++) {
		if (i > 0 && slice_equal(tags[i], tags[i - 1]))
			continue;
		if (out.len > 0)
			bytes_append_text(&out, ",");
		bytes_append_slice(&out, tags[i]);
	}
	bytes_append(&out, "", 1); /* the NUL at the end */
	return out.overflow ? JOB_BAD : 0;
}

/* "4HDD", "1SSD", as lkp says it; what else may stand there needs no disk of the machine. */
static int read_disk(struct job *job, struct job_error *error)
{
	const json_t *value = job_get(job, "disk");
	struct slice text = slice_make(json_string_value(value), json_string_length(value));
	bool is_hdd = slice_has_suffix(text, SLICE_LITERAL("HDD"));
	uint64_t n;

	if (!json_is_string(value) || (!is_hdd && !slice_has_suffix(text, SLICE_LITERAL("SSD"))))
		return 0;
	if (text_parse_u64(slice_sub(text, 0, text.len - 3), DISKS_MAX, &n) != 0)
		return job_bad(error, "disk", "expected a number of disks as in 4HDD or 1SSD");
	*(is_hdd ? &job->n_hdd : &job->n_ssd) = (unsigned)n;
	return 0;
}

static int read_memory(struct job *job, struct job_error *error)
{
	const json_t *value = job_get(job, "memory_minimum");

	if (!value)
		return 0;
	if (json_is_integer(value) && json_integer_value(value) > 0 &&
	    json_integer_value(value) < (json_int_t)1 << 30) {
		/* GiB, as a bare number means in host files */
		job->memory_minimum = (uint64_t)json_integer_value(value) << 30;
		return 0;
	}
	if (json_is_string(value) &&
	    size_parse(slice_make(json_string_value(value), json_string_length(value)),
	               &job->memory_minimum) == 0 &&
	    job->memory_minimum <= INT64_MAX)
		return 0;
	return job_bad(error, "memory_minimum", "expected a size such as 8G");
}

int job_read_needs(struct job *job, struct job_error *error)
{
	const json_t *tags = job_get(job, "need_tags"), *subqueue = job_get(job, "subqueue");
	int r = read_memory(job, error);

	if (r == 0)
		r = read_disk(job, error);
	if (r != 0)
		return r;
	if (tags && job_tags_read(tags, job->need_tags, sizeof(job->need_tags)) != 0)
		return job_bad(error, "need_tags", "expected a list of names");
	job->is_idle = json_is_string(subqueue) && strcmp(json_string_value(subqueue), "idle") == 0;
	return 0;
}
