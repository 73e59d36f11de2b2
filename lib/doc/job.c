/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Fields whose value is more than a text, one by one, and the whole in order. Texts are in
 * job_text, the kernel's parameters in job_kernel, what several fields say together in job_derive.
 */
#include "lib/doc/job.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/buffer.h"
#include "lib/base/table.h"
#include "lib/base/text.h"
#include "lib/doc/job_parts.h"
#include "lib/format/boot_params.h"

#define DISKS_EXPECTED "expected paths below /dev/, LABEL= and its like, or wwn-..."

static const char *const os_mount_names[_OS_MOUNT_MAX] = {
	[OS_MOUNT_INITRAMFS] = "initramfs", [OS_MOUNT_NFS] = "nfs",   [OS_MOUNT_CIFS] = "cifs",
	[OS_MOUNT_LOCAL] = "local",         [OS_MOUNT_HTTP] = "http",
};
DEFINE_NAME_TABLE(os_mount, os_mount_names);

static const char *const job_next_names[_JOB_NEXT_MAX] = {
	[JOB_NEXT_REBOOT] = "reboot",
	[JOB_NEXT_POWEROFF] = "poweroff",
};
DEFINE_NAME_TABLE(job_next, job_next_names);

int job_bad(struct job_error *error, const char *field, const char *format, ...)
{
	va_list args;
	int n;

	(void)snprintf(error->field, sizeof(error->field), "%s", field);
	n = snprintf(error->text, sizeof(error->text), "job%s%.60s: ", field[0] ? "." : "", field);
	va_start(args, format);
	(void)vsnprintf(error->text + n, sizeof(error->text) - (size_t)n, format, args);
	va_end(args);
	return JOB_BAD;
}

json_t *job_get(const struct job *job, const char *key)
{
	json_t *value = json_object_get(job->doc, key);

	return json_is_null(value) ? NULL : value;
}

int job_set_text(struct job *job, const char *key, const char *text)
{
	return json_object_set_new(job->doc, key, json_string(text)) < 0 ? -ENOMEM : 0;
}

/* A duration in seconds: a number, or digits with s, m, h, d or w, as lkp writes runtimes. */
static int read_seconds(const struct job *job, const char *key, uint32_t *ret,
                        struct job_error *error)
{
	static const char units[] = "smhdw";
	static const unsigned factors[] = { 1, 60, 3600, 86400, 7 * 86400 };
	const json_t *value = job_get(job, key);
	struct slice s;
	uint64_t number = 0;
	unsigned factor = 1;
	bool good;

	if (!value)
		return 0;
	if (json_is_integer(value)) {
		good = json_integer_value(value) >= 0;
		number = good ? (uint64_t)json_integer_value(value) : 0;
	} else {
		s = slice_make(json_string_value(value), json_string_length(value));
		for (unsigned i = 0; s.len > 0 && i < ARRAY_SIZE(factors); i++)
			if (s.data[s.len - 1] == (uint8_t)units[i]) {
				factor = factors[i];
				s.len--;
				break;
			}
		good = text_parse_u64(s, JOB_SECONDS_MAX, &number) == 0;
	}
	if (!good || number > JOB_SECONDS_MAX / factor)
		return job_bad(error, key,
		               "expected seconds (60, 90s, 10m, 2h, 1d), at most a year");
	*ret = (uint32_t)number * factor;
	return 0;
}

static int read_priority(struct job *job, struct job_error *error)
{
	const json_t *value = job_get(job, "priority");
	json_int_t number = json_integer_value(value);

	if (value && (!json_is_integer(value) || number < 0 || number > JOB_PRIORITY_MAX))
		return job_bad(error, "priority", "expected a number from 0 to %d",
		               JOB_PRIORITY_MAX);
	job->priority = value ? (int32_t)number : 0;
	return 0;
}

static int read_bool(const struct job *job, const char *key, bool *ret, struct job_error *error)
{
	const json_t *value = job_get(job, key);

	if (!value)
		return 0;
	if (json_is_boolean(value))
		*ret = json_is_true(value);
	else if (json_is_integer(value) && json_integer_value(value) >= 0 &&
	         json_integer_value(value) <= 1)
		*ret = json_integer_value(value) == 1;
	else
		return job_bad(error, key, "expected true or false");
	return 0;
}

/* The value of an enum by its name; left alone when absent. */
static int read_enum(const struct job *job, const char *key, int (*from_name)(struct slice),
                     const char *expected, int *ret, struct job_error *error)
{
	const json_t *value = job_get(job, key);
	int number;

	if (!value)
		return 0;
	number = from_name(slice_make(json_string_value(value), json_string_length(value)));
	if (number < 0)
		return job_bad(error, key, "expected one of %s", expected);
	*ret = number;
	return 0;
}

static int read_enums(struct job *job, struct job_error *error)
{
	int os_mount = OS_MOUNT_INITRAMFS, next = JOB_NEXT_REBOOT, r;

	r = read_enum(job, "os_mount", os_mount_from_name, "initramfs, nfs, cifs, local, http",
	              &os_mount, error);
	if (r != 0)
		return r;
	r = read_enum(job, "on_finish", job_next_from_name, "reboot, poweroff", &next, error);
	if (r != 0)
		return r;
	job->os_mount = (enum os_mount)os_mount;
	job->on_finish = (enum job_next)next;
	r = job_set_text(job, "os_mount", os_mount_to_name(os_mount));
	if (r < 0)
		return r;
	return job_set_text(job, "on_finish", job_next_to_name(next));
}

static int add_disk(struct job *job, json_t *disks, struct slice disk, struct job_error *error)
{
	json_t *text;

	disk = text_trim(disk);
	if (disk.len == 0)
		return 0;
	if (!boot_params_is_disk(disk) || !job_is_printable(disk, false))
		return job_bad(error, "rootfs_disk", DISKS_EXPECTED);
	if (job->n_rootfs_disk == JOB_DISKS_MAX)
		return job_bad(error, "rootfs_disk", "more than %d disks", JOB_DISKS_MAX);
	text = json_stringn((const char *)disk.data, disk.len);
	if (!text)
		return -ENOMEM;
	job->rootfs_disk[job->n_rootfs_disk++] = json_string_value(text);
	return json_array_append_new(disks, text) < 0 ? -ENOMEM : 0;
}

static int add_disk_list(struct job *job, json_t *disks, const json_t *value,
                         struct job_error *error)
{
	struct slice list = slice_make(json_string_value(value), json_string_length(value));

	if (!json_is_string(value))
		return job_bad(error, "rootfs_disk", DISKS_EXPECTED);
	while (list.len > 0) {
		int r = add_disk(job, disks, boot_params_cut_disk(&list), error);

		if (r != 0)
			return r;
	}
	return 0;
}

/* rootfs_disk: an array, or a text with commas (or Compass-CI's dots); afterwards an array. */
static int read_disks(struct job *job, struct job_error *error)
{
	const json_t *value = job_get(job, "rootfs_disk"), *member;
	json_t *disks;
	size_t i;
	int r = 0;

	if (!value)
		return 0;
	disks = json_array();
	if (!disks)
		return -ENOMEM;
	if (json_is_array(value)) {
		json_array_foreach(value, i, member)
		{
			r = add_disk_list(job, disks, member, error);
			if (r != 0)
				break;
		}
	} else {
		r = add_disk_list(job, disks, value, error);
	}
	if (r != 0) {
		json_decref(disks);
		return r;
	}
	return json_object_set_new(job->doc, "rootfs_disk", disks) < 0 ? -ENOMEM : 0;
}

/* A job must bring something to run: `script`, or job2sh with run_job. */
static int read_program(struct job *job, struct job_error *error)
{
	const json_t *script = job_get(job, "script"), *job2sh = job_get(job, "job2sh");
	const json_t *agent = job_get(job, "agent");
	const char *name = json_string_value(agent);

	if (agent && (!name || (strcmp(name, "cci") != 0 && strcmp(name, "lkp") != 0)))
		return job_bad(error, "agent", "expected one of cci, lkp");
	job->wants_cci_agent = agent && strcmp(name, "cci") == 0;
	if (job2sh && !json_is_object(job2sh))
		return job_bad(error, "job2sh", "expected a map of functions to their lines");
	if (script && !json_is_string(script))
		return job_bad(error, "script",
		               "expected a text (script: | and the lines below it)");
	if (script && strlen(json_string_value(script)) != json_string_length(script))
		return job_bad(error, "script", "a NUL in a text is not accepted");
	if (script && job2sh)
		return job_bad(error, "script", "stands beside job2sh: give one of them");
	if (!script && !job2sh)
		return job_bad(error, "script", "is missing (what the job shall run; or job2sh)");
	if (job2sh && json_is_null(json_object_get(job2sh, "run_job")))
		job2sh = NULL;
	if (!script && !json_object_get(job2sh, "run_job"))
		return job_bad(error, "job2sh", "has no run_job");
	job->has_job2sh = job2sh != NULL;
	return 0;
}

static int read_rest(struct job *job, struct job_error *error)
{
	int r;

	job->runtime_sec = JOB_RUNTIME_DEFAULT_SEC;
	r = read_seconds(job, "runtime", &job->runtime_sec, error);
	if (r != 0)
		return r;
	r = read_seconds(job, "timeout", &job->timeout_sec, error);
	if (r != 0)
		return r;
	r = read_priority(job, error);
	if (r != 0)
		return r;
	r = read_bool(job, "strict", &job->strict, error);
	if (r != 0)
		return r;
	r = read_bool(job, "health_check", &job->health_check, error);
	if (r != 0)
		return r;
	r = job_read_needs(job, error);
	if (r != 0)
		return r;
	r = read_disks(job, error);
	if (r != 0)
		return r;
	r = job_read_kernel_params(job, error);
	if (r != 0)
		return r;
	return read_program(job, error);
}

static int read_job(struct job *job, struct job_error *error)
{
	int r;

	r = job_read_texts(job, error);
	if (r != 0)
		return r;
	if (!job->suite)
		return job_bad(error, "suite", "is missing (the name of the test)");
	r = read_enums(job, error);
	if (r != 0)
		return r;
	r = read_rest(job, error);
	if (r != 0)
		return r;
	return job_derive(job, error);
}

int job_parse(const json_t *doc, struct job **ret, struct job_error *ret_error)
{
	CLEANUP(job_freep) struct job *job = NULL;
	int r;

	*ret_error = (struct job_error){ .text = "" };
	if (!json_is_object(doc))
		return job_bad(ret_error, "", "expected a map of fields");
	job = calloc(1, sizeof(*job));
	if (!job)
		return -ENOMEM;
	job->doc = json_object();
	/* shallow: only top-level values are replaced; json_copy would not tell of short memory */
	if (json_object_update(job->doc, (json_t *)doc) < 0)
		return -ENOMEM;
	r = read_job(job, ret_error);
	if (r != 0)
		return r;
	*ret = steal_ptr(&job);
	return 0;
}

void job_free(struct job *job)
{
	if (!job)
		return;
	json_decref(job->doc);
	for (size_t i = 0; i < ARRAY_SIZE(job->owned); i++)
		free(job->owned[i]);
	free(job);
}
