/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The words that a job adds to the kernel's command line, from the three fields that hold some.
 */
#include <errno.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/base/text.h"
#include "lib/doc/job_parts.h"

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
	json_t *map = job_get(job, "boot_params"), *value;
	const char *key;

	if (map && !json_is_object(map))
		return job_bad(error, "boot_params", "expected a map of kernel parameters");
	json_object_foreach(map, key, value)
	{
		const char *name = boot_param_name(key);

		if (!job_is_printable(slice_from_text(name), false))
			return job_bad(error, "boot_params", "a key is not one printable word");
		buffer_printf(out, "%s%s", out->len > 0 ? " " : "", name);
		if (json_is_integer(value))
			buffer_printf(out, "=%lld", (long long)json_integer_value(value));
		else if (json_is_string(value) && json_string_length(value) > 0)
			buffer_printf(out, "=%s", json_string_value(value));
		else if (!json_is_null(value) && !json_is_true(value) && !json_is_string(value))
			return job_bad(error, "boot_params", "a value must be a text or a number");
	}
	return 0;
}

int job_read_kernel_params(struct job *job, struct job_error *error)
{
	static const char *const keys[] = { "kernel_custom_params", "kernel_params" };
	struct buffer out = BUFFER_NULL;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys) && r == 0; i++) {
		const json_t *value = job_get(job, keys[i]);

		if (json_is_string(value))
			buffer_printf(&out, "%s%s", out.len > 0 ? " " : "",
			              json_string_value(value));
		else if (value && !(i == 1 && json_is_array(value)))
			r = job_bad(error, keys[i], "expected words of a kernel command line");
	}
	if (r == 0)
		r = append_boot_params(job, &out, error);
	if (r == 0)
		r = buffer_error(&out);
	if (r == 0 && (out.len > JOB_TEXT_MAX || !job_is_printable(buffer_slice(&out), true)))
		r = job_bad(error, "kernel_params", "expected one line of at most %d bytes",
		            JOB_TEXT_MAX);
	if (r == 0) {
		struct slice trimmed = text_trim(buffer_slice(&out));

		job->owned[0] = text_dup(trimmed);
		job->kernel_params = job->owned[0];
		r = job->owned[0] ? 0 : -ENOMEM;
	}
	buffer_deinit(&out);
	return r;
}
