/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Main's answers to workers: whether an upload may begin, and the records of what has arrived. A
 * note is kept of each open upload, so that a file sent anew ends the connection that sent it
 * before.
 */
#include "server/io/worker_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "server/io/upload_file.h"
#include "server/service/transfer_service.h"

static struct worker_upload *upload_free(struct worker_upload *upload)
{
	upload->worker->pool->counters.n_uploads--;
	list_unlink(&upload->link);
	fd_close(&upload->dir_fd);
	free(upload);
	return NULL;
}

static struct worker_upload *find_upload(struct worker *w, uint64_t id)
{
	LIST_FOREACH (it, &w->pool->uploads) {
		struct worker_upload *upload = CONTAINER_OF(it, struct worker_upload, link);

		if (upload->worker == w && upload->id == id)
			return upload;
	}
	return NULL;
}

static bool is_same_file(const struct worker_upload *a, const struct worker_upload *b)
{
	return a->attempt == b->attempt && a->device == b->device && a->directory == b->directory &&
	       strcmp(a->name, b->name) == 0;
}

/* The newest sender of a file is the one that counts: a client that was cut comes again long before
 * its old connection is known to be dead. */
static void cancel_earlier(struct worker_pool *pool, const struct worker_upload *newest)
{
	LIST_FOREACH_SAFE (it, n, &pool->uploads) {
		struct worker_upload *upload = CONTAINER_OF(it, struct worker_upload, link);

		if (!is_same_file(upload, newest))
			continue;
		worker_tell(upload->worker,
		            &(struct worker_message){ .kind = WORKER_CANCEL, .upload = upload->id },
		            -1);
		upload_free(upload);
	}
}

static void note_upload(struct worker *w, uint64_t id, const struct upload_grant *grant)
{
	struct worker_upload *upload = calloc(1, sizeof(*upload));
	struct stat status;

	if (!upload || fstat(grant->dir_fd, &status) < 0) {
		free(upload);
		return; /* without the note, a later sender waits for this one */
	}
	upload->dir_fd = fcntl(grant->dir_fd, F_DUPFD_CLOEXEC, 0); /* -1: nothing is swept there */
	upload->worker = w;
	upload->id = id;
	upload->attempt = grant->attempt;
	upload->device = status.st_dev;
	upload->directory = status.st_ino;
	(void)text_copy(upload->name, sizeof(upload->name), slice_from_text(grant->name));
	cancel_earlier(w->pool, upload);
	list_append(&w->pool->uploads, &upload->link);
	w->pool->counters.n_uploads++;
}

/* What the service says, or why it could not say anything. */
static void decide_upload(struct worker_pool *pool, const struct worker_ask *ask,
                          struct upload_grant *ret)
{
	struct upload_ask question = {
		.method = (enum http_method)ask->method,
		.path = ask->path,
		.cookie = ask->cookie,
		.authorization = ask->authorization,
		.peer = ask->peer,
		.length = ask->length,
	};
	int r = -ENOSYS;

	*ret = (struct upload_grant){ .dir_fd = -1 };
	if (pool->results)
		r = result_service_open(pool->results, &question, clock_now(), clock_wall(), ret);
	if (r == 0)
		return;
	log_error("an upload could not be decided: %s", strerror(-r));
	*ret = (struct upload_grant){ .dir_fd = -1, .status = r == -ENOSPC ? 507 : 500 };
}

void worker_on_ask(struct worker *w, const struct worker_ask *ask)
{
	struct upload_grant grant;

	decide_upload(w->pool, ask, &grant);
	if (grant.status == 0 && ask->method == HTTP_METHOD_PUT)
		note_upload(w, ask->upload, &grant);
	worker_tell(w,
	     &(struct worker_message){
		     .kind = WORKER_GRANT,
		     .grant = {
			     .upload = ask->upload,
			     .status = grant.status,
			     .retry_after_sec = grant.retry_after_sec,
			     .reason = slice_from_text(grant.reason),
			     .attempt = grant.attempt,
			     .max = grant.max,
			     .name = slice_from_text(grant.name),
			     .is_unrecorded = grant.is_unrecorded,
		     },
	     },
	     grant.dir_fd);
	worker_pool_poke(w->pool);
}

void worker_on_progress(struct worker *w, const struct worker_progress *progress)
{
	struct worker_pool *pool = w->pool;
	char name[UPLOAD_NAME_MAX];
	int r = -ENOSYS;

	if (text_copy(name, sizeof(name), progress->name) != 0)
		return;
	if (pool->results)
		r = result_service_progress(pool->results, progress->attempt, name, progress->size,
		                            clock_now(), clock_wall());
	if (r < 0)
		log_error("progress of a result was not recorded: %s attempt=%" PRIi64 " name=%s",
		          strerror(-r), progress->attempt, name);
	worker_pool_poke(pool);
}

void worker_on_commit(struct worker *w, const struct worker_commit *commit)
{
	struct worker_message answer = { .kind = WORKER_COMMITTED,
		                         .result = { .id = commit->upload } };
	struct worker_upload *upload = find_upload(w, commit->upload);
	char name[UPLOAD_NAME_MAX], sha256[80];
	int r = -EINVAL;

	if (upload)
		upload_free(upload);
	if (w->pool->results && text_copy(name, sizeof(name), commit->name) == 0 &&
	    text_copy(sha256, sizeof(sha256), commit->sha256) == 0)
		r = result_service_commit(w->pool->results, commit->attempt, name, commit->size,
		                          sha256, clock_now(), clock_wall());
	if (r < 0)
		log_error("a result was not recorded: %s attempt=%" PRIi64, strerror(-r),
		          commit->attempt);
	answer.result.result = r;
	worker_tell(w, &answer, -1);
	worker_pool_poke(w->pool);
}

void worker_on_release(struct worker *w, uint64_t id)
{
	struct worker_upload *upload = find_upload(w, id);

	if (upload)
		upload_free(upload);
}

void worker_forget_uploads(struct worker *w)
{
	LIST_FOREACH_SAFE (it, n, &w->pool->uploads) {
		struct worker_upload *upload = CONTAINER_OF(it, struct worker_upload, link);

		if (upload->worker != w)
			continue;
		if (upload->dir_fd >= 0)
			upload_file_sweep(upload->dir_fd);
		upload_free(upload);
	}
}

void worker_on_transfer(struct worker *w, const struct worker_transfer *t)
{
	struct worker_pool *pool = w->pool;
	struct transfer transfer = {
		.phase = t->is_done ? TRANSFER_DONE : TRANSFER_START,
		.peer = t->peer,
		.path = t->path,
		.offset = t->offset,
		.bytes = t->bytes,
		.size = t->size,
		.elapsed = t->elapsed,
		.is_aborted = t->is_aborted,
	};
	int r;

	if (!pool->transfers)
		return;
	r = transfer_service_report(pool->transfers, &transfer, clock_now(), clock_wall());
	if (r < 0)
		log_error("a transfer was not recorded: %s", strerror(-r));
	worker_pool_poke(pool);
}
