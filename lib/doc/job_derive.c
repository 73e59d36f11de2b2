/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What several fields of a job together say: its OS, its boxes and queues, its place among results.
 */
#include "lib/doc/job_parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/buffer.h"
#include "lib/base/text.h"

/* What Compass-CI takes when the job names no version. */
static const struct {
	const char *os, *version;
} default_versions[] = {
	{ "openeuler", "20.03" }, { "centos", "7.6.1810" }, { "debian", "sid" },
	{ "ubuntu", "20.04" },    { "fedora", "33" },
};

static int set_default(struct job *job, const char *key, const char **member, const char *text)
{
	int r;

	if (*member)
		return 0;
	r = job_set_text(job, key, text);
	if (r < 0)
		return r;
	*member = json_string_value(json_object_get(job->doc, key));
	return 0;
}

/* Formats into the document and gives the view of it. */
PRINTF_LIKE(4, 5)
static int set_formatted(struct job *job, const char *key, const char **member, const char *format,
                         ...)
{
	char text[3 * JOB_NAME_MAX + 8];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	*member = NULL;
	return set_default(job, key, member, text);
}

/* os, os_arch and os_version with Compass-CI's defaults, and what is derived from them. */
static int derive_os(struct job *job, struct job_error *error)
{
	const json_t *arch = job_get(job, "arch");
	const char *version = NULL;
	int r;

	r = set_default(job, "os", &job->os, "openeuler");
	if (r < 0)
		return r;
	if (arch) {
		if (!job_is_name(slice_make(json_string_value(arch), json_string_length(arch))))
			return job_bad(error, "arch", "expected a name as x86_64 or aarch64");
		r = set_formatted(job, "os_arch", &job->os_arch, "%s", json_string_value(arch));
	} else {
		r = set_default(job, "os_arch", &job->os_arch, "aarch64");
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(default_versions); i++)
		if (strcmp(job->os, default_versions[i].os) == 0)
			version = default_versions[i].version;
	if (!job->os_version && !version)
		return job_bad(error, "os_version",
		               "is missing (there is no default for os: %.40s)", job->os);
	r = set_default(job, "os_version", &job->os_version, version ? version : "");
	if (r < 0)
		return r;
	if (job->os_mount == OS_MOUNT_LOCAL &&
	    !slice_has_suffix(slice_from_text(job->os_version), SLICE_LITERAL("-iso"))) {
		char text[JOB_NAME_MAX + 8];

		(void)snprintf(text, sizeof(text), "%s-iso", job->os_version);
		if (strlen(text) > JOB_NAME_MAX)
			return job_bad(error, "os_version", "is too long");
		r = set_formatted(job, "os_version", &job->os_version, "%s", text);
		if (r < 0)
			return r;
	}
	r = set_formatted(job, "os_dir", &job->os_dir, "%s/%s/%s", job->os, job->os_arch,
	                  job->os_version);
	if (r < 0)
		return r;
	return set_formatted(job, "rootfs", &job->rootfs, "%s-%s-%s", job->os, job->os_version,
	                     job->os_arch);
}

/* testbox, tbox_group and the queues. */
static int derive_box(struct job *job, struct job_error *error)
{
	static const char *const virtual_groups[] = { "vm-", "dc-", "vt-" };
	int r;

	if (!job->testbox && !job->tbox_group)
		return job_bad(error, "testbox", "is missing (a host or a group of hosts)");
	if (!job->testbox) {
		r = set_default(job, "testbox", &job->testbox, job->tbox_group);
		if (r < 0)
			return r;
	}
	if (!job->tbox_group) {
		const char *dot = strchr(job->testbox, '.'), *dash = strstr(job->testbox, "--");
		size_t len = strlen(job->testbox);

		if (dot)
			len = MIN(len, (size_t)(dot - job->testbox));
		if (dash)
			len = MIN(len, (size_t)(dash - job->testbox));
		r = set_formatted(job, "tbox_group", &job->tbox_group, "%.*s", (int)len,
		                  job->testbox);
		if (r < 0)
			return r;
	}
	job->queues[job->n_queues++] = job->queue ? job->queue : job->tbox_group;
	for (size_t i = 0; i < ARRAY_SIZE(virtual_groups) && !job->queue; i++) {
		if (strncmp(job->tbox_group, virtual_groups[i], 3) != 0)
			continue;
		job->owned[1] = text_format("%s.%s", job->tbox_group, job->os_arch);
		if (!job->owned[1])
			return -ENOMEM;
		job->queues[job->n_queues++] = job->owned[1];
	}
	return 0;
}

/* One parameter: what may stand in a path stays, `/` becomes `-`, the rest goes. */
static void append_pp(struct buffer *out, const json_t *value)
{
	CLEANUP(freep) char *number = NULL;
	const char *text = json_string_value(value);
	const json_t *member;
	size_t i;

	if (json_is_array(value)) {
		json_array_foreach(value, i, member)
		{
			if (!json_is_array(member))
				append_pp(out, member);
		}
		return;
	}
	if (json_is_number(value) || json_is_boolean(value)) {
		text = number = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
		if (!number)
			out->failed = true;
	}
	if (!text || text[0] == '\0')
		return;
	if (out->len > 0)
		buffer_append_text(out, "-");
	for (; *text; text++) {
		char c = *text == '/' ? '-' : *text;

		if (char_is_alnum(c) || strchr("_.-", c))
			buffer_append(out, &c, 1);
	}
}

struct pp_option {
	const char *program, *option; /* option NULL: the program's value itself */
	const json_t *value;
};

static int pp_option_compare(const void *a, const void *b)
{
	const struct pp_option *x = a, *y = b;
	int c = strcmp(x->program, y->program);

	return c != 0 ? c : strcmp(x->option ? x->option : "", y->option ? y->option : "");
}

/* The parameters of all programs, sorted by program and option, joined by `-`, cut. */
static int derive_pp(struct job *job, struct job_error *error)
{
	json_t *pp = job_get(job, "pp"), *options, *value;
	CLEANUP(freep) struct pp_option *list = NULL;
	struct buffer out = BUFFER_NULL;
	const char *program, *option;
	size_t n = 0, room = 0;

	if (pp && !json_is_object(pp))
		return job_bad(error, "pp", "expected a map of programs to their parameters");
	json_object_foreach(pp, program, options)
	{
		room += 1 + json_object_size(options);
	}
	list = calloc(room + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	json_object_foreach(pp, program, options)
	{
		if (!json_is_object(options))
			list[n++] = (struct pp_option){ program, NULL, options };
		json_object_foreach(options, option, value)
		{
			list[n++] = (struct pp_option){ program, option, value };
		}
	}
	qsort(list, n, sizeof(*list), pp_option_compare);
	for (size_t i = 0; i < n; i++)
		append_pp(&out, list[i].value);
	if (!out.failed)
		job->owned[2] = text_dup(slice_sub(buffer_slice(&out), 0, JOB_PP_MAX));
	job->pp = job->owned[2];
	buffer_deinit(&out);
	if (job->pp && (strcmp(job->pp, ".") == 0 || strcmp(job->pp, "..") == 0))
		job->owned[2][0] = '\0'; /* would name another directory */
	return job->pp ? 0 : -ENOMEM;
}

int job_derive(struct job *job, struct job_error *error)
{
	int r;

	r = derive_os(job, error);
	if (r != 0)
		return r;
	r = derive_box(job, error);
	if (r != 0)
		return r;
	return derive_pp(job, error);
}

static uint32_t square_root(uint32_t n)
{
	uint32_t root = 0;

	while ((uint64_t)(root + 1) * (root + 1) <= n)
		root++;
	return root;
}

uint32_t job_run_seconds(const struct job *job)
{
	if (job->timeout_sec > 0)
		return job->timeout_sec;
	return job->runtime_sec + MAX(job->runtime_sec / 8, 300U) + square_root(job->runtime_sec);
}

char *job_result_root(const struct job *job, const char *id, const char *date)
{
	return text_format("/result/%s/%s/%s/%s%s%s/%s", job->suite, date, job->tbox_group,
	                   job->rootfs, job->pp[0] ? "/" : "", job->pp, id);
}
