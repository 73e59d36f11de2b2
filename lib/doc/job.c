/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A table says which fields have a type of their own and what may stand in them; what is derived
 * from several fields follows below it.
 */
#include "lib/doc/job.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/buffer.h"
#include "lib/base/table.h"
#include "lib/base/text.h"

#define NAME_MAX_LEN 128
#define TEXT_MAX_LEN 4096 /* a kernel takes 2 KiB to 4 KiB of command line */

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

/* What Compass-CI takes when the job names no version. */
static const struct {
	const char *os, *version;
} default_versions[] = {
	{ "openeuler", "20.03" }, { "centos", "7.6.1810" }, { "debian", "sid" },
	{ "ubuntu", "20.04" },    { "fedora", "33" },
};

bool job_is_name(struct slice text)
{
	if (text.len == 0 || text.len > NAME_MAX_LEN)
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

static bool is_printable(struct slice s, bool spaces)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < 0x20 || s.data[i] == 0x7f || (!spaces && s.data[i] == ' ') ||
		    (!spaces && s.data[i] > 0x7f))
			return false;
	return s.len <= TEXT_MAX_LEN;
}

PRINTF_LIKE(3, 4)
static int bad(struct job_error *error, const char *field, const char *format, ...)
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

static json_t *get(const struct job *job, const char *key)
{
	json_t *value = json_object_get(job->doc, key);

	return json_is_null(value) ? NULL : value;
}

static int set_text(struct job *job, const char *key, const char *text)
{
	return json_object_set_new(job->doc, key, json_string(text)) < 0 ? -ENOMEM : 0;
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
			return bad(error, key, "a NUL in a text is not accepted");
		return 0;
	}
	if (json_is_integer(value))
		(void)snprintf(number, sizeof(number), "%lld",
		               (long long)json_integer_value(value));
	else if (json_is_real(value))
		(void)snprintf(number, sizeof(number), "%.15g", json_real_value(value));
	else
		return bad(error, key, "expected a text");
	r = set_text(job, key, number);
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
			return bad(error, field->key,
			           "expected a name: a letter or digit, then those and _.+:@-");
		return 0;
	case FIELD_WORD:
		if (s.len == 0 || !is_printable(s, false))
			return bad(error, field->key, "expected one word of printable ASCII");
		return 0;
	case FIELD_LINE:
		if (!is_printable(s, true))
			return bad(error, field->key, "expected one line of text");
		return 0;
	}
	return 0;
}

/* Reads the fields of the table. An empty text counts as absent. */
static int read_fields(struct job *job, struct job_error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		json_t *value = get(job, fields[i].key);
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

/* A duration in seconds: a number, or digits with s, m, h, d or w, as lkp writes runtimes. */
static int read_seconds(const struct job *job, const char *key, uint32_t *ret,
                        struct job_error *error)
{
	static const char units[] = "smhdw";
	static const unsigned factors[] = { 1, 60, 3600, 86400, 7 * 86400 };
	const json_t *value = get(job, key);
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
		return bad(error, key, "expected seconds (60, 90s, 10m, 2h, 1d), at most a year");
	*ret = (uint32_t)number * factor;
	return 0;
}

static int read_priority(struct job *job, struct job_error *error)
{
	const json_t *value = get(job, "priority");
	json_int_t number = json_integer_value(value);

	if (value && (!json_is_integer(value) || number < -1000 || number > 1000))
		return bad(error, "priority", "expected a number from -1000 to 1000");
	job->priority = value ? (int32_t)number : 0;
	return 0;
}

static int read_bool(const struct job *job, const char *key, bool *ret, struct job_error *error)
{
	const json_t *value = get(job, key);

	if (!value)
		return 0;
	if (json_is_boolean(value))
		*ret = json_is_true(value);
	else if (json_is_integer(value) && json_integer_value(value) >= 0 &&
	         json_integer_value(value) <= 1)
		*ret = json_integer_value(value) == 1;
	else
		return bad(error, key, "expected true or false");
	return 0;
}

/* The value of an enum by its name; left alone when absent. */
static int read_enum(const struct job *job, const char *key, int (*from_name)(struct slice),
                     const char *expected, int *ret, struct job_error *error)
{
	const json_t *value = get(job, key);
	int number;

	if (!value)
		return 0;
	number = from_name(slice_make(json_string_value(value), json_string_length(value)));
	if (number < 0)
		return bad(error, key, "expected one of %s", expected);
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
	r = set_text(job, "os_mount", os_mount_to_name(os_mount));
	if (r < 0)
		return r;
	return set_text(job, "on_finish", job_next_to_name(next));
}

static int add_disk(struct job *job, json_t *disks, struct slice disk, struct job_error *error)
{
	json_t *text;

	disk = text_trim(disk);
	if (disk.len == 0)
		return 0;
	if (!slice_has_prefix(disk, SLICE_LITERAL("/dev/")) || !is_printable(disk, false))
		return bad(error, "rootfs_disk", "expected paths that begin with /dev/");
	if (job->n_rootfs_disk == JOB_DISKS_MAX)
		return bad(error, "rootfs_disk", "more than %d disks", JOB_DISKS_MAX);
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
		return bad(error, "rootfs_disk", "expected paths that begin with /dev/");
	while (list.len > 0) {
		int r = add_disk(job, disks, slice_cut(&list, ','), error);

		if (r != 0)
			return r;
	}
	return 0;
}

/* rootfs_disk: an array, or a text with commas; afterwards an array. */
static int read_disks(struct job *job, struct job_error *error)
{
	const json_t *value = get(job, "rootfs_disk"), *member;
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

/* `bp_` and `bp<n>_` are how Compass-CI marks keys of boot_params. */
static const char *boot_param_name(const char *key)
{
	const char *p = key;

	if (strncmp(p, "bp", 2) != 0)
		return key;
	for (p += 2; char_is_digit(*p); p++)
		;
	return *p == '_' && p[1] != '\0' ? p + 1 : key;
}

static int append_boot_params(const struct job *job, struct buffer *out, struct job_error *error)
{
	json_t *map = get(job, "boot_params"), *value;
	const char *key;

	if (map && !json_is_object(map))
		return bad(error, "boot_params", "expected a map of kernel parameters");
	json_object_foreach(map, key, value)
	{
		const char *name = boot_param_name(key);

		if (!is_printable(slice_from_text(name), false))
			return bad(error, "boot_params", "a key is not one printable word");
		buffer_printf(out, "%s%s", out->len > 0 ? " " : "", name);
		if (json_is_integer(value))
			buffer_printf(out, "=%lld", (long long)json_integer_value(value));
		else if (json_is_string(value) && json_string_length(value) > 0)
			buffer_printf(out, "=%s", json_string_value(value));
		else if (!json_is_null(value) && !json_is_true(value) && !json_is_string(value))
			return bad(error, "boot_params", "a value must be a text or a number");
	}
	return 0;
}

/* kernel_custom_params, our kernel_params (a text; the array is made by servers), boot_params. */
static int read_kernel_params(struct job *job, struct job_error *error)
{
	static const char *const keys[] = { "kernel_custom_params", "kernel_params" };
	struct buffer out = BUFFER_NULL;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys) && r == 0; i++) {
		const json_t *value = get(job, keys[i]);

		if (json_is_string(value))
			buffer_printf(&out, "%s%s", out.len > 0 ? " " : "",
			              json_string_value(value));
		else if (value && !(i == 1 && json_is_array(value)))
			r = bad(error, keys[i], "expected words of a kernel command line");
	}
	if (r == 0)
		r = append_boot_params(job, &out, error);
	if (r == 0)
		r = buffer_error(&out);
	if (r == 0 && (out.len > TEXT_MAX_LEN || !is_printable(buffer_slice(&out), true)))
		r = bad(error, "kernel_params", "expected one line of at most %d bytes",
		        TEXT_MAX_LEN);
	if (r == 0) {
		struct slice trimmed = text_trim(buffer_slice(&out));

		job->owned[0] = text_dup(trimmed);
		job->kernel_params = job->owned[0];
		r = job->owned[0] ? 0 : -ENOMEM;
	}
	buffer_deinit(&out);
	return r;
}

static int set_default(struct job *job, const char *key, const char **member, const char *text)
{
	int r;

	if (*member)
		return 0;
	r = set_text(job, key, text);
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
	char text[3 * NAME_MAX_LEN + 8];
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
	const json_t *arch = get(job, "arch");
	const char *version = NULL;
	int r;

	r = set_default(job, "os", &job->os, "openeuler");
	if (r < 0)
		return r;
	if (arch) {
		if (!job_is_name(slice_make(json_string_value(arch), json_string_length(arch))))
			return bad(error, "arch", "expected a name as x86_64 or aarch64");
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
		return bad(error, "os_version", "is missing (there is no default for os: %.40s)",
		           job->os);
	r = set_default(job, "os_version", &job->os_version, version ? version : "");
	if (r < 0)
		return r;
	if (job->os_mount == OS_MOUNT_LOCAL &&
	    !slice_has_suffix(slice_from_text(job->os_version), SLICE_LITERAL("-iso"))) {
		char text[NAME_MAX_LEN + 8];

		(void)snprintf(text, sizeof(text), "%s-iso", job->os_version);
		if (strlen(text) > NAME_MAX_LEN)
			return bad(error, "os_version", "is too long");
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
		return bad(error, "testbox", "is missing (a host or a group of hosts)");
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
	json_t *pp = get(job, "pp"), *options, *value;
	CLEANUP(freep) struct pp_option *list = NULL;
	struct buffer out = BUFFER_NULL;
	const char *program, *option;
	size_t n = 0, room = 0;

	if (pp && !json_is_object(pp))
		return bad(error, "pp", "expected a map of programs to their parameters");
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

/* A job must bring something to run: `script`, or job2sh with run_job. */
static int read_program(struct job *job, struct job_error *error)
{
	const json_t *script = get(job, "script"), *job2sh = get(job, "job2sh");
	const json_t *agent = get(job, "agent");
	const char *name = json_string_value(agent);

	if (agent && (!name || (strcmp(name, "cci") != 0 && strcmp(name, "lkp") != 0)))
		return bad(error, "agent", "expected one of cci, lkp");
	job->wants_cci_agent = agent && strcmp(name, "cci") == 0;
	if (job2sh && !json_is_object(job2sh))
		return bad(error, "job2sh", "expected a map of functions to their lines");
	if (script && !json_is_string(script))
		return bad(error, "script", "expected a text (script: | and the lines below it)");
	if (script && strlen(json_string_value(script)) != json_string_length(script))
		return bad(error, "script", "a NUL in a text is not accepted");
	if (script && job2sh)
		return bad(error, "script", "stands beside job2sh: give one of them");
	if (!script && !job2sh)
		return bad(error, "script", "is missing (what the job shall run; or job2sh)");
	if (job2sh && json_is_null(json_object_get(job2sh, "run_job")))
		job2sh = NULL;
	if (!script && !json_object_get(job2sh, "run_job"))
		return bad(error, "job2sh", "has no run_job");
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
	r = read_disks(job, error);
	if (r != 0)
		return r;
	r = read_kernel_params(job, error);
	if (r != 0)
		return r;
	return read_program(job, error);
}

static int read_job(struct job *job, struct job_error *error)
{
	int r;

	r = read_fields(job, error);
	if (r != 0)
		return r;
	if (!job->suite)
		return bad(error, "suite", "is missing (the name of the test)");
	r = read_enums(job, error);
	if (r != 0)
		return r;
	r = read_rest(job, error);
	if (r != 0)
		return r;
	r = derive_os(job, error);
	if (r != 0)
		return r;
	r = derive_box(job, error);
	if (r != 0)
		return r;
	return derive_pp(job, error);
}

int job_parse(const json_t *doc, struct job **ret, struct job_error *ret_error)
{
	CLEANUP(job_freep) struct job *job = NULL;
	int r;

	*ret_error = (struct job_error){ .text = "" };
	if (!json_is_object(doc))
		return bad(ret_error, "", "expected a map of fields");
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
