/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Joins job_script, the YAML writer and the archive writer.
 */
#include "lib/doc/job_cgz.h"

#include <errno.h>
#include <sys/stat.h>

#include "lib/doc/archive.h"
#include "lib/doc/document.h"
#include "lib/doc/job_script.h"

static int set_missing(json_t *fields, const char *key, json_int_t value)
{
	json_t *old = json_object_get(fields, key);

	if (old && !json_is_null(old))
		return 0;
	return json_object_set_new(fields, key, json_integer(value));
}

int job_dispatch_fields(const struct job *job, const struct job_dispatch *d, json_t **ret)
{
	static const char *const kept_back[] = { "my_token", "secrets", "pkg_data" };
	json_t *fields = json_object(), *always;
	int r = 0;

	always = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:i, s:s, s:s}", "id", d->id,
	                   "testbox", d->host, "result_root", d->result_root, "LKP_SERVER",
	                   d->server, "LKP_CGI_PORT", (int)d->api_port, "RESULT_WEBDAV_PORT",
	                   (int)d->upload_port, "RESULT_WEBDAV_HOST", d->server, "SCHED_HOST",
	                   d->server, "SCHED_PORT", (int)d->api_port, "result_service",
	                   "raw_upload", "job_state", "boot");
	if (!fields || !always || json_object_update(fields, job->doc) < 0 ||
	    json_object_update(fields, always) < 0)
		r = -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(kept_back); i++)
		(void)json_object_del(fields, kept_back[i]);
	if (r == 0 && set_missing(fields, "runtime", job->runtime_sec) < 0)
		r = -ENOMEM;
	json_decref(always);
	if (r < 0) {
		json_decref(fields);
		return r;
	}
	*ret = fields;
	return 0;
}

int job_cgz_build(const json_t *fields, const struct attempt_file *attempt, struct buffer *out)
{
	struct buffer script = BUFFER_NULL, yaml = BUFFER_NULL, lines = BUFFER_NULL;
	int r = -ENOMEM;

	job_script_build(&script, fields);
	document_write_yaml(&yaml, fields);
	if (attempt)
		attempt_file_build(&lines, attempt);
	if (!script.failed && !yaml.failed && !lines.failed) {
		const struct archive_member members[] = {
			{ "lkp", S_IFDIR | 0755, SLICE_NULL },
			{ "lkp/scheduled", S_IFDIR | 0755, SLICE_NULL },
			{ "lkp/scheduled/job.sh", S_IFREG | 0775, buffer_slice(&script) },
			{ "lkp/scheduled/job.yaml", S_IFREG | 0664, buffer_slice(&yaml) },
			{ "lkp/scheduled/attempt", S_IFREG | 0600, buffer_slice(&lines) },
		};

		r = archive_build_cgz(members, ARRAY_SIZE(members) - (attempt ? 0 : 1), out);
	}
	buffer_deinit(&script);
	buffer_deinit(&yaml);
	buffer_deinit(&lines);
	return r;
}
