/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * JSON through jansson; only what the two ends agreed on is read.
 */
#include "lib/doc/message.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "lib/base/macro.h"
#include "lib/base/table.h"
#include "lib/base/text.h"
#include "lib/doc/document.h"
#include "lib/doc/job.h"

static const char *const stage_names[_MESSAGE_STAGE_MAX] = {
	[MESSAGE_STAGE_SETUP] = "setup",         [MESSAGE_STAGE_RUNNING] = "running",
	[MESSAGE_STAGE_POST] = "post",           [MESSAGE_STAGE_UPLOADING] = "uploading",
	[MESSAGE_STAGE_REBOOTING] = "rebooting",
};
DEFINE_NAME_TABLE(message_stage, stage_names);

static const char *const verdict_names[_MESSAGE_VERDICT_MAX] = {
	[MESSAGE_VERDICT_PASS] = "pass",
	[MESSAGE_VERDICT_FAIL] = "fail",
	[MESSAGE_VERDICT_SKIP] = "skip",
};
DEFINE_NAME_TABLE(message_verdict, verdict_names);

/* ------------------------------------------------------------------------- JSON, both ways */

/* Parses a body that must be an object. Returns 0 with a new reference, MESSAGE_BAD or -ENOMEM. */
static int parse_object(struct slice body, json_t **ret)
{
	CLEANUP(json_decrefp) json_t *root = NULL;
	int r;

	r = document_parse_json(body, &root);
	if (r < 0)
		return r;
	if (!json_is_object(root))
		return MESSAGE_BAD;
	*ret = steal_ptr(&root);
	return 0;
}

/* Copies a text member; absent or null is "". Returns 0 or MESSAGE_BAD. */
static int get_text(const json_t *root, const char *key, char *to, size_t size)
{
	const json_t *value = json_object_get(root, key);

	to[0] = '\0';
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_string(value) ||
	    text_copy(to, size, slice_make(json_string_value(value), json_string_length(value))) !=
	            0)
		return MESSAGE_BAD;
	return 0;
}

/* A number from 0 to max; absent or null is 0. */
static int get_number(const json_t *root, const char *key, uint64_t max, uint64_t *ret)
{
	const json_t *value = json_object_get(root, key);

	*ret = 0;
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    (uint64_t)json_integer_value(value) > max)
		return MESSAGE_BAD;
	*ret = (uint64_t)json_integer_value(value);
	return 0;
}

static int get_seconds(const json_t *root, const char *key, uint32_t *ret)
{
	uint64_t number;
	int q = get_number(root, key, UINT32_MAX, &number);

	*ret = (uint32_t)number;
	return q;
}

/* Appends root as compact JSON; takes root. */
static void append_object(struct buffer *out, json_t *root)
{
	CLEANUP(freep) char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;

	if (text)
		buffer_append_text(out, text);
	else
		out->failed = true;
	json_decref(root);
}

void message_hello_build(struct buffer *out, const struct message_hello *m)
{
	append_object(out,
	              json_pack("{s:s, s:s, s:i, s:s, s:I, s:s*}", "boot_id", m->boot_id, "agent",
	                        m->agent, "api", (int)m->api, "kernel", m->kernel, "uptime_ms",
	                        (json_int_t)m->uptime_ms, "mode", m->mode[0] ? m->mode : NULL));
}

int message_hello_parse(struct slice body, struct message_hello *ret)
{
	CLEANUP(json_decrefp) json_t *root = NULL;
	uint64_t api;
	int r;

	r = parse_object(body, &root);
	if (r != 0)
		return r;
	if (get_text(root, "boot_id", ret->boot_id, sizeof(ret->boot_id)) != 0 ||
	    get_text(root, "agent", ret->agent, sizeof(ret->agent)) != 0 ||
	    get_text(root, "kernel", ret->kernel, sizeof(ret->kernel)) != 0 ||
	    get_text(root, "mode", ret->mode, sizeof(ret->mode)) != 0 ||
	    get_number(root, "api", INT32_MAX, &api) != 0 ||
	    get_number(root, "uptime_ms", INT64_MAX, &ret->uptime_ms) != 0)
		return MESSAGE_BAD;
	ret->api = (unsigned)api;
	return ret->boot_id[0] ? 0 : MESSAGE_BAD;
}

/* Adds a member, or ends with *root NULL; takes value. */
static void set_member(json_t **root, const char *key, json_t *value)
{
	if (json_object_set_new(*root, key, value) == 0)
		return;
	json_decref(*root);
	*root = NULL;
}

void message_answer_build(struct buffer *out, const struct message_answer *m)
{
	json_t *root = json_object();

	if (m->job[0])
		set_member(&root, "job", json_string(m->job));
	if (m->result_root[0])
		set_member(&root, "result_root", json_string(m->result_root));
	if (m->has_deadline)
		set_member(&root, "deadline", json_integer(m->deadline_sec));
	if (m->lease_sec)
		set_member(&root, "lease", json_integer(m->lease_sec));
	if (m->log_interval_ms)
		set_member(&root, "log_interval_ms", json_integer(m->log_interval_ms));
	set_member(&root, "cancel", json_boolean(m->cancel));
	if (m->next >= 0)
		set_member(&root, "next", json_string(job_next_to_name(m->next)));
	append_object(out, root);
}

int message_answer_parse(struct slice body, struct message_answer *ret)
{
	CLEANUP(json_decrefp) json_t *root = NULL;
	const json_t *next, *deadline;
	int r;

	*ret = (struct message_answer){ .next = -1 };
	if (text_trim(body).len == 0)
		return 0;
	r = parse_object(body, &root);
	if (r != 0)
		return r;
	if (get_text(root, "job", ret->job, sizeof(ret->job)) != 0 ||
	    get_text(root, "result_root", ret->result_root, sizeof(ret->result_root)) != 0 ||
	    get_seconds(root, "deadline", &ret->deadline_sec) != 0 ||
	    get_seconds(root, "lease", &ret->lease_sec) != 0 ||
	    get_seconds(root, "log_interval_ms", &ret->log_interval_ms) != 0)
		return MESSAGE_BAD;
	deadline = json_object_get(root, "deadline");
	ret->has_deadline = deadline && !json_is_null(deadline);
	ret->cancel = json_is_true(json_object_get(root, "cancel"));
	next = json_object_get(root, "next");
	if (json_is_string(next))
		ret->next = job_next_from_name(slice_from_text(json_string_value(next)));
	return 0;
}

void message_stage_build(struct buffer *out, const struct message_stage_report *m)
{
	if (m->stage != MESSAGE_STAGE_REBOOTING) {
		append_object(out, json_pack("{s:s, s:I}", "stage", message_stage_to_name(m->stage),
		                             "uptime_ms", (json_int_t)m->uptime_ms));
		return;
	}
	append_object(out,
	              json_pack("{s:s, s:I, s:s, s:I}", "stage", message_stage_to_name(m->stage),
	                        "uptime_ms", (json_int_t)m->uptime_ms, "boot_id", m->boot_id,
	                        "within", (json_int_t)m->within_sec));
}

int message_stage_parse(struct slice body, struct message_stage_report *ret)
{
	CLEANUP(json_decrefp) json_t *root = NULL;
	const char *name;
	int r, stage;

	r = parse_object(body, &root);
	if (r != 0)
		return r;
	name = json_string_value(json_object_get(root, "stage"));
	stage = name ? message_stage_from_name(slice_from_text(name)) : -1;
	if (stage < 0 || get_number(root, "uptime_ms", INT64_MAX, &ret->uptime_ms) != 0 ||
	    get_text(root, "boot_id", ret->boot_id, sizeof(ret->boot_id)) != 0 ||
	    get_seconds(root, "within", &ret->within_sec) != 0)
		return MESSAGE_BAD;
	if (stage == MESSAGE_STAGE_REBOOTING && !ret->boot_id[0])
		return MESSAGE_BAD;
	ret->stage = (enum message_stage)stage;
	return 0;
}

void message_heartbeat_build(struct buffer *out, uint64_t uptime_ms)
{
	buffer_printf(out, "{\"uptime_ms\":%" PRIu64 "}", uptime_ms);
}

int message_heartbeat_parse(struct slice body, uint64_t *ret_uptime_ms)
{
	CLEANUP(json_decrefp) json_t *root = NULL;
	int r;

	r = parse_object(body, &root);
	if (r != 0)
		return r;
	return get_number(root, "uptime_ms", INT64_MAX, ret_uptime_ms);
}

/* ------------------------------------------------------------------------- finish */

static json_t *pack_manifest(const struct message_finish *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->n_manifest; i++) {
		const struct message_file *file = &m->manifest[i];

		if (json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "name", file->name,
		                                          "size", (json_int_t)file->size, "sha256",
		                                          file->sha256)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

void message_finish_build(struct buffer *out, const struct message_finish *m)
{
	json_t *list = pack_manifest(m);

	if (!list) {
		out->failed = true;
		return;
	}
	append_object(out,
	              json_pack("{s:s, s:s, s:i, s:o, s:I}", "verdict",
	                        message_verdict_to_name(m->verdict), "cause", m->cause, "exit_code",
	                        m->exit_code, "manifest", list, "cut", (json_int_t)m->cut));
}

static bool is_sha256(const char *text)
{
	for (size_t i = 0; i < 64; i++)
		if (char_hex_value(text[i]) < 0 || text[i] != char_lower(text[i]))
			return false;
	return true;
}

static int parse_manifest(const json_t *list, struct message_finish *m)
{
	const json_t *member;
	size_t i;

	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list) || json_array_size(list) > MESSAGE_FILES_MAX)
		return MESSAGE_BAD;
	m->manifest = calloc(json_array_size(list) + 1, sizeof(*m->manifest));
	if (!m->manifest)
		return -ENOMEM;
	json_array_foreach(list, i, member)
	{
		struct message_file *file = &m->manifest[i];

		if (get_text(member, "name", file->name, sizeof(file->name)) != 0 ||
		    get_text(member, "sha256", file->sha256, sizeof(file->sha256)) != 0 ||
		    get_number(member, "size", INT64_MAX, &file->size) != 0 || !file->name[0] ||
		    strlen(file->sha256) != 64 || !is_sha256(file->sha256))
			return MESSAGE_BAD;
	}
	m->n_manifest = json_array_size(list);
	return 0;
}

int message_finish_parse(struct slice body, struct message_finish *ret)
{
	CLEANUP(json_decrefp) json_t *root = NULL;
	struct message_finish m = { .exit_code = -1 };
	const json_t *code;
	const char *name;
	int q, verdict;

	q = parse_object(body, &root);
	if (q != 0)
		return q;
	name = json_string_value(json_object_get(root, "verdict"));
	verdict = name ? message_verdict_from_name(slice_from_text(name)) : -1;
	code = json_object_get(root, "exit_code");
	if (verdict < 0 || get_text(root, "cause", m.cause, sizeof(m.cause)) != 0 ||
	    get_number(root, "cut", INT64_MAX, &m.cut) != 0)
		return MESSAGE_BAD;
	if (code && !json_is_null(code)) {
		if (!json_is_integer(code) || json_integer_value(code) < -1 ||
		    json_integer_value(code) > 255)
			return MESSAGE_BAD;
		m.exit_code = (int)json_integer_value(code);
	}
	m.verdict = (enum message_verdict)verdict;
	q = parse_manifest(json_object_get(root, "manifest"), &m);
	if (q != 0) {
		message_finish_deinit(&m);
		return q;
	}
	*ret = m;
	return 0;
}

void message_finish_deinit(struct message_finish *m)
{
	free(m->manifest);
	m->manifest = NULL;
	m->n_manifest = 0;
}
