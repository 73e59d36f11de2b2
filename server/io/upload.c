/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/upload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "server/io/dir_sync.h"
#include "server/io/loop.h"
#include "server/io/worker_channel.h"
#include "server/proto/http_response.h"

/* Somebody else still holds the file: main has told him to let go, so it takes but a moment. */
#define LOCK_INTERVAL (20 * USEC_PER_MSEC)
#define LOCK_TRIES    100

/* ---- words to main ---- */

static void tell(struct upload *u, const struct worker_message *message)
{
	int r = worker_channel_send(u->uploads->main, message, -1);

	if (r < 0)
		log_error("main could not be told about an upload: %s name=%s", strerror(-r),
		          u->name);
}

static void release(struct upload *u)
{
	if (u->is_granted)
		tell(u, &(struct worker_message){ .kind = WORKER_RELEASE, .upload = u->id });
	u->is_granted = false;
}

struct upload *upload_free(struct upload *u)
{
	if (!u)
		return NULL;
	release(u);
	(void)event_del(&u->timer);
	list_unlink(&u->link);
	upload_file_free(u->file);
	fd_close(&u->dir_fd);
	free(u);
	return NULL;
}

/* ---- answers; each ends the upload ---- */

/* Lets go of the file and of main's note. The struct lives until its exchange is over. */
void upload_end(struct upload *u)
{
	u->state = UPLOAD_OVER;
	(void)event_del(&u->timer);
	u->file = upload_file_free(u->file);
	fd_close(&u->dir_fd);
	release(u);
	if (!u->socket)
		upload_free(u);
}

void upload_refuse(struct upload *u, unsigned status, const char *detail, struct slice headers)
{
	if (u->socket)
		http_socket_answer_problem(u->socket, status, detail, headers);
	upload_end(u);
}

/* Answers without a body; offset < 0: says nothing about it. */
void upload_answer(struct upload *u, unsigned status, int64_t offset, bool is_complete)
{
	char room[96];
	struct bytes headers = BYTES_ON(room);

	if (offset >= 0)
		http_response_header_number(&headers, "Upload-Offset", (uint64_t)offset);
	if (is_complete)
		http_response_header(&headers, "Upload-Complete", "1");
	if (status >= 400) {
		upload_refuse(u, status, "the file stands at another offset",
		              bytes_slice(&headers));
		return;
	}
	if (u->socket)
		http_socket_answer(u->socket,
		                   &(struct http_answer){ .status = status,
		                                          .headers = bytes_slice(&headers) });
	upload_end(u);
}

void upload_fail(struct upload *u, int error)
{
	switch (-error) {
	case ENOSPC:
	case EDQUOT:
		log_error("no room for a result: %s name=%s attempt=%" PRIi64, strerror(-error),
		          u->name, u->attempt);
		upload_refuse(u, 507, "the server's disk is full", SLICE_NULL);
		return;
	case EFBIG:
		upload_refuse(u, 413, "the file is too long", SLICE_NULL);
		return;
	case ENAMETOOLONG:
	case EINVAL:
	case EISDIR:
		upload_refuse(u, 409, "no file can have this name", SLICE_NULL);
		return;
	default:
		log_error("a result could not be stored: %s name=%s attempt=%" PRIi64,
		          strerror(-error), u->name, u->attempt);
		upload_refuse(u, 500, NULL, SLICE_NULL);
	}
}

/* ---- finishing ---- */

static void commit(struct upload *u)
{
	struct worker_message message = {
		.kind = WORKER_COMMIT,
		.commit = {
			.upload = u->id,
			.attempt = u->attempt,
			.size = upload_file_size(u->file),
			.name = slice_from_text(u->name),
			.sha256 = slice_from_text(upload_file_sha256(u->file)),
		},
	};

	u->state = UPLOAD_COMMIT;
	tell(u, &message);
}

static void finish_step(struct upload *u)
{
	int r = upload_file_finish(u->file);

	if (r < 0)
		upload_fail(u, r);
	else if (r == UPLOAD_FILE_MORE)
		event_active(&u->timer, EV_TIMEOUT, 0); /* after the others had their turn */
	else
		commit(u);
}

static void finish(struct upload *u)
{
	u->state = UPLOAD_FINISH;
	finish_step(u);
}

/* ---- the body ---- */

/* A piece of a growing file, or of one that is not whole yet, has come in. */
static void keep_piece(struct upload *u)
{
	int64_t size = upload_file_size(u->file);
	int r = upload_file_sync(u->file);
	struct worker_message message = {
		.kind = WORKER_PROGRESS,
		.progress = {
			.attempt = u->attempt,
			.size = size,
			.name = slice_from_text(u->name),
		},
	};

	if (r < 0) {
		upload_fail(u, r);
		return;
	}
	tell(u, &message);
	upload_answer(u, 200, size, false);
}

void upload_data_end(struct upload *u)
{
	if (u->state != UPLOAD_BODY)
		return;
	if (u->is_ranged &&
	    (!u->range.has_total || upload_file_size(u->file) < (int64_t)u->range.total))
		keep_piece(u);
	else
		finish(u);
}

void upload_data(struct upload *u, struct slice data)
{
	int r;

	if (u->state != UPLOAD_BODY)
		return; /* what follows a refusal */
	r = upload_file_write(u->file, data);
	if (r < 0)
		upload_fail(u, r);
}

/* ---- granted ---- */

/* Bytes the whole file may come to, as far as the request tells; 0: not known. */
static int64_t expected_size(const struct upload *u)
{
	if (!u->is_ranged)
		return MAX(u->length, INT64_C(0));
	if (u->range.has_total)
		return (int64_t)u->range.total;
	return u->range.has_range ? (int64_t)u->range.last + 1 : 0;
}

/*
 * A file that stands under its name already is only begun anew from its first byte. One that main
 * knows nothing of (ccid was killed between the rename and the commit) is not complete: closed once
 * more, it is finished and committed as if for the first time.
 * Returns true when that has answered the request.
 */
static bool answer_complete(struct upload *u)
{
	struct upload_file_status status;
	int r = upload_file_stat(u->dir_fd, u->name, &status);
	bool is_same;

	if (r < 0) {
		upload_fail(u, r);
		return true;
	}
	if (!status.is_complete || (u->range.has_range && u->range.first == 0))
		return false;
	is_same = !u->range.has_range && (uint64_t)status.size == u->range.total;
	if (!is_same || !u->is_unrecorded) {
		upload_answer(u, is_same ? 200 : 409, status.size, !u->is_unrecorded);
		return true;
	}
	r = upload_file_reopen(u->dir_fd, u->name);
	if (r < 0)
		upload_fail(u, r);
	return r < 0;
}

/* The file is open and ours to write. */
static void begin_body(struct upload *u)
{
	uint64_t size = (uint64_t)upload_file_size(u->file);

	u->state = UPLOAD_BODY;
	if (!u->is_ranged)
		http_socket_read_body(u->socket, u->max);
	else if (size != (u->range.has_range ? u->range.first : u->range.total))
		upload_answer(u, 409, (int64_t)size, false);
	else if (u->range.has_range)
		http_socket_read_body(u->socket, u->length);
	else
		finish(u); /* an empty PUT that only says that nothing more will come */
}

static void begin_put(struct upload *u)
{
	int r;

	if (expected_size(u) > u->max) {
		upload_fail(u, -EFBIG);
		return;
	}
	if (u->is_ranged && answer_complete(u))
		return;
	r = upload_file_open(u->dir_fd, u->name, u->is_ranged, expected_size(u), &u->file);
	if (r < 0) {
		upload_fail(u, r);
	} else if (r == 0) {
		begin_body(u);
	} else if (++u->n_tries > LOCK_TRIES) {
		upload_refuse(u, 409, "the file is being sent on another connection",
		              SLICE_LITERAL("Retry-After: 1\r\n"));
	} else {
		u->state = UPLOAD_LOCKING;
		loop_set_timer(&u->timer, usec_add(clock_now(), LOCK_INTERVAL));
	}
}

static void make_collection(struct upload *u)
{
	int r;

	if (u->length != 0) {
		upload_refuse(u, 415, "MKCOL takes no body", SLICE_NULL);
		return;
	}
	r = mkdirat(u->dir_fd, u->name, 0755) < 0 ? -errno : dir_sync(u->dir_fd);
	if (r == 0)
		upload_answer(u, 201, -1, false);
	else if (r == -EEXIST)
		upload_refuse(u, 405, "it exists", SLICE_LITERAL("Allow: PUT\r\n"));
	else
		upload_fail(u, r);
}

static void answer_status(struct upload *u)
{
	struct upload_file_status status;
	int r = upload_file_stat(u->dir_fd, u->name, &status);

	if (r < 0)
		upload_fail(u, r);
	else
		upload_answer(u, 200, status.size, status.is_complete && !u->is_unrecorded);
}

void upload_begin(struct upload *u)
{
	if (u->method == HTTP_METHOD_PUT)
		begin_put(u);
	else if (u->method == HTTP_METHOD_MKCOL)
		make_collection(u);
	else
		answer_status(u);
}

static void on_timer(evutil_socket_t fd, short what, void *userdata)
{
	struct upload *u = userdata;

	if (u->state == UPLOAD_LOCKING)
		begin_put(u);
	else if (u->state == UPLOAD_FINISH)
		finish_step(u);
}

struct upload *upload_new(struct http_upload *uploads, struct http_socket *socket)
{
	const struct http_request *request = http_socket_request(socket);
	struct upload *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->uploads = uploads;
	u->socket = socket;
	u->id = ++uploads->last_id;
	u->method = request->method;
	u->length = request->length;
	u->dir_fd = -1;
	(void)event_assign(&u->timer, uploads->base, -1, 0, on_timer, u);
	list_append(&uploads->uploads, &u->link);
	return u;
}
