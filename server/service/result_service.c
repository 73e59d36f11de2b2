/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/result_service.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"
#include "server/core/deadlines.h"
#include "server/service/attempt_service.h"
#include "server/service/context.h"
#include "server/service/job_bundle.h"
#include "server/service/moves.h"
#include "server/service/result_room.h"
#include "server/store/attempt_store.h"
#include "server/store/file_store.h"
#include "server/store/job_store.h"

/* Compass-CI's own limit for one file, 25.6 GB. */
#define UPLOAD_MAX_BYTES (INT64_C(25600) << 20)

/* A sign of life is written down no more often than this: output comes every second. */
#define SEEN_STEP (10 * USEC_PER_SEC)

static int refuse(struct upload_grant *grant, unsigned status, const char *format, ...)
	PRINTF_LIKE(3, 4);

static int refuse(struct upload_grant *grant, unsigned status, const char *format, ...)
{
	va_list args;

	*grant = (struct upload_grant){ .status = status, .dir_fd = -1 };
	va_start(args, format);
	(void)vsnprintf(grant->reason, sizeof(grant->reason), format, args);
	va_end(args);
	return 0;
}

/* The path of a file below a result directory, as one name to store it under. */
static bool name_is_good(struct slice name)
{
	if (name.len == 0 || name.len >= UPLOAD_NAME_MAX || name.data[0] == '.')
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.data[i] < ' ' || name.data[i] == 0x7f || name.data[i] == '/')
			return false;
	return true;
}

/* Opens the directory part of `path` below the result directory and fills the rest of the grant. */
static int grant_below(struct services *s, const struct job_record *job, int64_t attempt,
                       struct slice path, struct upload_grant *ret)
{
	CLEANUP(fd_closep) int results = job_bundle_open_results(s, job);
	CLEANUP(fd_closep) int dir = -1;
	struct stored_file file;
	char text[JOB_ROOT_MAX];
	size_t slash = path.len;
	int r;

	if (results < 0)
		return results;
	if (path.len > 0 && path.data[path.len - 1] == '/')
		path.len = slash = path.len - 1;
	while (slash > 0 && path.data[slash - 1] != '/')
		slash--;
	if (!name_is_good(slice_sub(path, slash, path.len)))
		return refuse(ret, 403, "this name cannot be stored");
	if (slash == 0) {
		dir = steal_fd(&results);
	} else {
		if (path.data[0] == '.' ||
		    text_copy(text, sizeof(text), slice_sub(path, 0, slash - 1)) != 0)
			return refuse(ret, 403, "this path cannot be stored");
		dir = file_make_dirs(results, text, 0755);
		if (dir == -ENOTDIR || dir == -ELOOP)
			return refuse(ret, 409, "a part of the path is no directory");
		if (dir < 0)
			return dir;
	}
	/* told to leave nothing free, we let the disk itself say when it is full */
	r = s->config.results_free > 0 ? result_room_check(dir, s->config.results_free) : 0;
	if (r < 0)
		return r;
	*ret = (struct upload_grant){ .attempt = attempt, .max = UPLOAD_MAX_BYTES, .dir_fd = -1 };
	(void)text_copy(ret->name, sizeof(ret->name),
	                slice_sub(path, slash, path.len)); /* name_is_good has looked */
	r = file_store_find(s->db, attempt, ret->name, &file);
	if (r < 0)
		return r;
	ret->is_unrecorded = r == FILE_STORE_ABSENT;
	ret->dir_fd = steal_fd(&dir);
	return 0;
}

static struct slice bearer(struct slice authorization)
{
	const struct slice scheme = SLICE_LITERAL("Bearer ");

	if (authorization.len < scheme.len ||
	    !slice_equal_nocase(slice_sub(authorization, 0, scheme.len), scheme))
		return SLICE_NULL;
	return text_trim(slice_sub(authorization, scheme.len, authorization.len));
}

/* /v1/attempts/ID/files/NAME */
static int open_ours(struct services *s, const struct upload_ask *ask, struct slice rest,
                     struct upload_grant *ret)
{
	struct slice id_text = slice_cut(&rest, '/');
	struct attempt attempt;
	struct job_record job;
	uint64_t id;
	int r;

	if (text_parse_u64(id_text, INT64_MAX, &id) != 0 ||
	    !slice_has_prefix(rest, SLICE_LITERAL("files/")))
		return refuse(ret, 404, "no such path");
	r = attempt_service_check(s, (int64_t)id, bearer(ask->authorization), &attempt);
	if (r < 0)
		return r;
	if (r == ATTEMPT_GONE)
		return refuse(ret, 410, "the attempt has ended");
	if (r != ATTEMPT_OK)
		return refuse(ret, 401, "not the token of this attempt");
	rest = slice_sub(rest, strlen("files/"), rest.len);
	if (slice_find(rest, '/', 0) < rest.len)
		return refuse(ret, 403, "the names of an attempt's files have no directories");
	r = job_store_find(s->db, attempt.job, &job);
	if (r != 0)
		return r < 0 ? r : -EUCLEAN;
	return grant_below(s, &job, attempt.id, rest, ret);
}

/* JOBID=<id> among the pairs of a Cookie header. */
static struct slice cookie_job(struct slice cookie)
{
	while (cookie.len > 0) {
		struct slice pair = text_trim(slice_cut(&cookie, ';'));

		if (slice_has_prefix(pair, SLICE_LITERAL("JOBID=")))
			return slice_sub(pair, strlen("JOBID="), pair.len);
	}
	return SLICE_NULL;
}

/* Compass-CI's clients: /result/.../<id>/NAME with the job's id as a cookie. */
static int open_compass(struct services *s, const struct upload_ask *ask, struct upload_grant *ret)
{
	struct attempt attempt;
	struct job_record job;
	struct slice root;
	int64_t id;
	int r;

	if (services_parse_job_id(s, cookie_job(ask->cookie), &id) != 0)
		return refuse(ret, 403, "results need Cookie: JOBID=<id of the job>");
	r = job_store_find(s->db, id, &job);
	if (r != 0)
		return r < 0 ? r : refuse(ret, 403, "no such job");
	root = slice_from_text(job.result_root);
	if (!slice_has_prefix(ask->path, root) || ask->path.len <= root.len + 1 ||
	    ask->path.data[root.len] != '/')
		return refuse(ret, 403, "not below the result directory of this job");
	r = attempt_store_find_open_of_job(s->db, id, &attempt);
	if (r != 0)
		return r < 0 ? r : refuse(ret, 403, "the job does not run");
	r = attempt_service_is_machine(s, &attempt, ask->peer);
	if (r <= 0)
		return r < 0 ? r : refuse(ret, 403, "not from the machine of this job");
	return grant_below(s, &job, attempt.id, slice_sub(ask->path, root.len + 1, ask->path.len),
	                   ret);
}

int result_service_open(struct result_service *results, const struct upload_ask *ask, usec_t now,
                        usec_t wall, struct upload_grant *ret_grant)
{
	const struct slice ours = SLICE_LITERAL("/v1/attempts/");
	struct services *s = results->services;
	int r;

	(void)now;
	(void)wall;
	if (ask->length > UPLOAD_MAX_BYTES)
		return refuse(ret_grant, 413, "a file may have at most %" PRId64 " bytes",
		              UPLOAD_MAX_BYTES);
	if (slice_has_prefix(ask->path, ours))
		r = open_ours(s, ask, slice_sub(ask->path, ours.len, ask->path.len), ret_grant);
	else if (slice_has_prefix(ask->path, SLICE_LITERAL("/result/")))
		r = open_compass(s, ask, ret_grant);
	else
		r = refuse(ret_grant, 404, "no such path");
	s->n_foreign += r == 0 && ret_grant->status == 403;
	if (r == -ENOSPC || r == -EDQUOT) {
		(void)refuse(
			ret_grant, 507,
			"the disk of results is full, or nearly: remove old results, or lower results_free");
		ret_grant->retry_after_sec = 30;
		return 0;
	}
	return r;
}

/* The attempt still lives, and results progress: its deadline is counted from now. */
static int see(struct services *s, const struct moment *m, struct attempt *attempt)
{
	if (usec_sub(m->steady, attempt->seen_steady) < SEEN_STEP)
		return 0;
	attempt->seen_steady = m->steady;
	if (attempt->state == ATTEMPT_UPLOADING || attempt->state == ATTEMPT_CRASHED)
		attempt->deadline_steady = usec_add(m->steady, deadline_of_attempt(attempt));
	return move_attempt_touch(s, attempt);
}

int result_service_progress(struct result_service *results, int64_t attempt, const char *name,
                            int64_t size, usec_t now, usec_t wall)
{
	struct services *s = results->services;
	const struct moment m = services_moment(s, now, wall);
	struct attempt found;
	int r;

	(void)name;
	(void)size;
	s->generation++; /* followers of the log read the file itself */
	r = db_begin(s->db);
	if (r < 0)
		return r;
	r = attempt_store_find(s->db, attempt, &found);
	if (r == 0 && !attempt_state_is_final(found.state))
		r = see(s, &m, &found);
	r = services_finish(s, r);
	return r < 0 ? r : 0;
}

static int commit(struct services *s, const struct moment *m, int64_t id,
                  const struct stored_file *file)
{
	struct attempt attempt;
	struct stored_file old;
	struct subject subject;
	int r = attempt_store_find(s->db, id, &attempt);

	if (r != 0)
		return r < 0 ? r : RESULT_CLOSED;
	r = file_store_find(s->db, id, file->name, &old);
	if (r == 0 && old.size == file->size && strcmp(old.sha256, file->sha256) == 0)
		return 0;
	if (r < 0)
		return r;
	if (attempt_state_is_final(attempt.state))
		return RESULT_CLOSED;
	r = file_store_put(s->db, id, file, m->wall);
	if (r == 0)
		r = see(s, m, &attempt);
	if (r < 0)
		return r;
	subject = attempt_subject(&attempt);
	return services_event(s, m, EVENT_UPLOAD_DONE, &subject, "{s:s, s:I, s:s}", "file",
	                      file->name, "bytes", (json_int_t)file->size, "sha256", file->sha256);
}

int result_service_commit(struct result_service *results, int64_t attempt, const char *name,
                          int64_t size, const char *sha256_hex, usec_t now, usec_t wall)
{
	struct services *s = results->services;
	const struct moment m = services_moment(s, now, wall);
	struct stored_file file = { .size = size };
	int r;

	if (text_copy(file.name, sizeof(file.name), slice_from_text(name)) != 0 ||
	    text_copy(file.sha256, sizeof(file.sha256), slice_from_text(sha256_hex)) != 0)
		return -EINVAL;
	r = db_begin(s->db);
	if (r < 0)
		return r;
	return services_finish(s, commit(s, &m, attempt, &file));
}
