/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One upload goes ASKED → (LOCKING →) BODY → FINISH → COMMIT. From FINISH on it goes to its end
 * also when the client has gone: the bytes are all there, and its next attempt finds them recorded.
 */
#include "server/io/http_upload.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "server/io/http_request_path.h"
#include "server/io/http_server.h"
#include "server/io/loop.h"
#include "server/io/upload_file.h"
#include "server/io/worker_channel.h"
#include "server/proto/http_range.h"
#include "server/proto/http_response.h"
#include "server/service/result_service.h"

/* Somebody else still holds the file: main has told him to let go, so it takes but a moment. */
#define LOCK_INTERVAL (20 * USEC_PER_MSEC)
#define LOCK_TRIES    100

struct http_upload {
	struct event_base *base;
	const struct http_route *route;
	struct worker_channel *main;
	struct http_server *server;
	struct list uploads; /* of struct upload */
	uint64_t last_id;
};

enum upload_state {
	UPLOAD_ASKED,   /* main was asked */
	UPLOAD_LOCKING, /* granted, but the file is being written by another connection */
	UPLOAD_BODY,    /* bytes come in */
	UPLOAD_FINISH,  /* all bytes are there: hash, sync, rename, a step a turn */
	UPLOAD_COMMIT,  /* main records it */
	UPLOAD_OVER,    /* answered */
};

struct upload {
	struct list link;
	struct http_upload *uploads;
	struct http_socket *socket; /* NULL: the client has gone */
	struct event timer;         /* next try for the lock, next step of finishing */
	uint64_t id;
	enum upload_state state;
	enum http_method method;
	int64_t length; /* of the body; -1: chunked */
	bool is_ranged; /* has Content-Range */
	struct http_content_range range;
	unsigned n_tries;
	bool is_granted; /* main keeps a note of it until commit or release */
	int64_t attempt, max;
	char name[UPLOAD_NAME_MAX];
	int dir_fd;
	struct upload_file *file;
};

/* Uploads are not cut for slowness: a peer that has gone is found by keep-alive probes. */
static const struct http_conn_config conn_config = {
	.head_max = 16384,
	.head_timeout = 20 * USEC_PER_SEC,
	.idle_timeout = 30 * USEC_PER_SEC,
	.body_timeout = USEC_INFINITY,
};

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

static struct upload *upload_free(struct upload *u)
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
static void end(struct upload *u)
{
	u->state = UPLOAD_OVER;
	(void)event_del(&u->timer);
	u->file = upload_file_free(u->file);
	fd_close(&u->dir_fd);
	release(u);
	if (!u->socket)
		upload_free(u);
}

static void refuse(struct upload *u, unsigned status, const char *detail, struct slice headers)
{
	if (u->socket)
		http_socket_answer_problem(u->socket, status, detail, headers);
	end(u);
}

/* Answers without a body; offset < 0: says nothing about it. */
static void answer_offset(struct upload *u, unsigned status, int64_t offset, bool is_complete)
{
	char room[96];
	struct bytes headers = BYTES_ON(room);

	if (offset >= 0)
		http_response_header_number(&headers, "Upload-Offset", (uint64_t)offset);
	if (is_complete)
		http_response_header(&headers, "Upload-Complete", "1");
	if (status >= 400) {
		refuse(u, status, "the file stands at another offset", bytes_slice(&headers));
		return;
	}
	if (u->socket)
		http_socket_answer(u->socket,
		                   &(struct http_answer){ .status = status,
		                                          .headers = bytes_slice(&headers) });
	end(u);
}

static void fail(struct upload *u, int error)
{
	switch (-error) {
	case ENOSPC:
	case EDQUOT:
		log_error("no room for a result: %s name=%s attempt=%" PRIi64, strerror(-error),
		          u->name, u->attempt);
		refuse(u, 507, "the server's disk is full", SLICE_NULL);
		return;
	case EFBIG:
		refuse(u, 413, "the file is too long", SLICE_NULL);
		return;
	case ENAMETOOLONG:
	case EINVAL:
	case EISDIR:
		refuse(u, 409, "no file can have this name", SLICE_NULL);
		return;
	default:
		log_error("a result could not be stored: %s name=%s attempt=%" PRIi64,
		          strerror(-error), u->name, u->attempt);
		refuse(u, 500, NULL, SLICE_NULL);
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
		fail(u, r);
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
		fail(u, r);
		return;
	}
	tell(u, &message);
	answer_offset(u, 200, size, false);
}

static void on_body_end(void *userdata, struct http_socket *socket)
{
	struct upload *u = http_socket_exchange(socket);

	if (u->state != UPLOAD_BODY)
		return;
	if (u->is_ranged &&
	    (!u->range.has_total || upload_file_size(u->file) < (int64_t)u->range.total))
		keep_piece(u);
	else
		finish(u);
}

static void on_body(void *userdata, struct http_socket *socket, struct slice data)
{
	struct upload *u = http_socket_exchange(socket);
	int r;

	if (u->state != UPLOAD_BODY)
		return; /* what follows a refusal */
	r = upload_file_write(u->file, data);
	if (r < 0)
		fail(u, r);
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
 * A file that stands under its name already is only begun anew from its first byte.
 * Returns true when that has answered the request.
 */
static bool answer_complete(struct upload *u)
{
	struct upload_file_status status;
	int r = upload_file_stat(u->dir_fd, u->name, &status);
	bool is_same;

	if (r < 0) {
		fail(u, r);
		return true;
	}
	if (!status.is_complete || (u->range.has_range && u->range.first == 0))
		return false;
	is_same = !u->range.has_range && (uint64_t)status.size == u->range.total;
	answer_offset(u, is_same ? 200 : 409, status.size, true);
	return true;
}

/* The file is open and ours to write. */
static void begin_body(struct upload *u)
{
	uint64_t size = (uint64_t)upload_file_size(u->file);

	u->state = UPLOAD_BODY;
	if (!u->is_ranged)
		http_socket_read_body(u->socket, u->max);
	else if (size != (u->range.has_range ? u->range.first : u->range.total))
		answer_offset(u, 409, (int64_t)size, false);
	else if (u->range.has_range)
		http_socket_read_body(u->socket, u->length);
	else
		finish(u); /* an empty PUT that only says that nothing more will come */
}

static void begin_put(struct upload *u)
{
	int r;

	if (expected_size(u) > u->max) {
		fail(u, -EFBIG);
		return;
	}
	if (u->is_ranged && answer_complete(u))
		return;
	r = upload_file_open(u->dir_fd, u->name, u->is_ranged, expected_size(u), &u->file);
	if (r < 0) {
		fail(u, r);
	} else if (r == 0) {
		begin_body(u);
	} else if (++u->n_tries > LOCK_TRIES) {
		refuse(u, 409, "the file is being sent on another connection",
		       SLICE_LITERAL("Retry-After: 1\r\n"));
	} else {
		u->state = UPLOAD_LOCKING;
		loop_set_timer(&u->timer, usec_add(clock_now(), LOCK_INTERVAL));
	}
}

static void make_collection(struct upload *u)
{
	if (u->length != 0)
		refuse(u, 415, "MKCOL takes no body", SLICE_NULL);
	else if (mkdirat(u->dir_fd, u->name, 0755) == 0 && fsync(u->dir_fd) == 0)
		answer_offset(u, 201, -1, false);
	else if (errno == EEXIST)
		refuse(u, 405, "it exists", SLICE_LITERAL("Allow: PUT\r\n"));
	else
		fail(u, -errno);
}

static void answer_status(struct upload *u)
{
	struct upload_file_status status;
	int r = upload_file_stat(u->dir_fd, u->name, &status);

	if (r < 0)
		fail(u, r);
	else
		answer_offset(u, 200, status.size, status.is_complete);
}

static void begin(struct upload *u)
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

static struct upload *find_upload(const struct http_upload *uploads, uint64_t id)
{
	LIST_FOREACH (it, &uploads->uploads) {
		struct upload *u = CONTAINER_OF(it, struct upload, link);

		if (u->id == id)
			return u;
	}
	return NULL;
}

static void refuse_as_told(struct upload *u, const struct worker_grant *grant)
{
	char room[64], reason[UPLOAD_REASON_MAX];
	struct bytes headers = BYTES_ON(room);

	if (text_copy(reason, sizeof(reason), grant->reason) != 0)
		reason[0] = '\0';
	if (grant->retry_after_sec > 0)
		http_response_header_number(&headers, "Retry-After", grant->retry_after_sec);
	refuse(u, grant->status, reason, bytes_slice(&headers));
}

void http_upload_granted(struct http_upload *uploads, const struct worker_grant *grant, int dir_fd)
{
	struct upload *u = find_upload(uploads, grant->upload);

	if (!u || u->state != UPLOAD_ASKED) {
		struct worker_message message = { .kind = WORKER_RELEASE, .upload = grant->upload };

		fd_close(&dir_fd);
		if (grant->status == 0) /* the client has gone meanwhile: main may forget it */
			(void)worker_channel_send(uploads->main, &message, -1);
		return;
	}
	u->dir_fd = dir_fd;
	if (grant->status != 0) {
		refuse_as_told(u, grant);
		return;
	}
	u->is_granted = u->method == HTTP_METHOD_PUT;
	u->attempt = grant->attempt;
	u->max = grant->max;
	if (text_copy(u->name, sizeof(u->name), grant->name) != 0)
		fail(u, -ENAMETOOLONG);
	else if (dir_fd < 0)
		fail(u, -EBADF);
	else
		begin(u);
}

void http_upload_committed(struct http_upload *uploads, const struct worker_result *result)
{
	struct upload *u = find_upload(uploads, result->id);

	if (!u || u->state != UPLOAD_COMMIT)
		return;
	u->is_granted = false;
	if (result->result == RESULT_CLOSED)
		refuse(u, 410, "the attempt is over", SLICE_NULL);
	else if (result->result != 0)
		fail(u, result->result < 0 ? result->result : -EIO);
	else
		answer_offset(u, 201, u->is_ranged ? upload_file_size(u->file) : -1, u->is_ranged);
}

void http_upload_cancel(struct http_upload *uploads, uint64_t id)
{
	struct upload *u = find_upload(uploads, id);
	struct http_socket *socket;

	if (!u || u->state == UPLOAD_COMMIT || u->state == UPLOAD_OVER)
		return;
	u->is_granted = false;
	socket = u->socket;
	end(u);
	if (socket)
		http_socket_abort(socket);
}

/* ---- requests ---- */

/* Reads Content-Range and holds it against the body. Returns 0 or a status to refuse with. */
static unsigned parse_range(struct upload *u, const struct http_request *request)
{
	struct slice header = request->header[HTTP_HEADER_CONTENT_RANGE];
	uint64_t n_bytes;

	u->is_ranged = header.len > 0 && request->method == HTTP_METHOD_PUT;
	if (!u->is_ranged)
		return 0;
	if (request->length == HTTP_LENGTH_CHUNKED)
		return 411;
	if (http_content_range_parse(header, &u->range) != 0)
		return 400;
	n_bytes = u->range.has_range ? u->range.last - u->range.first + 1 : 0;
	return n_bytes == (uint64_t)request->length ? 0 : 400;
}

static int ask_main(struct upload *u, const struct http_request *request, struct slice path)
{
	struct worker_message message = {
		.kind = WORKER_ASK,
		.ask = {
			.upload = u->id,
			.method = request->method,
			.path = path,
			.cookie = request->header[HTTP_HEADER_COOKIE],
			.authorization = request->header[HTTP_HEADER_AUTHORIZATION],
			.peer = http_socket_peer(u->socket),
			.length = request->length,
		},
	};

	return worker_channel_send(u->uploads->main, &message, -1);
}

static struct upload *upload_new(struct http_upload *uploads, struct http_socket *socket,
                                 const struct http_request *request)
{
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

static void on_request(void *userdata, struct http_socket *socket,
                       const struct http_request *request)
{
	struct http_upload *uploads = userdata;
	uint8_t room[URL_PATH_MAX];
	struct bytes path = BYTES_ON(room);
	struct upload *u;
	unsigned status;
	int r;

	if (http_request_path(socket, uploads->route, HTTP_PLACE_UPLOAD, &path, &r) !=
	    HTTP_PATH_OURS)
		return;
	u = upload_new(uploads, socket, request);
	if (!u) {
		http_socket_abort(socket);
		return;
	}
	http_socket_set_exchange(socket, u);
	status = parse_range(u, request);
	if (status != 0) {
		refuse(u, status, "Content-Range and the body do not agree", SLICE_NULL);
		return;
	}
	r = ask_main(u, request, bytes_slice(&path));
	if (r < 0)
		fail(u, r);
}

static void on_fill(void *userdata, struct http_socket *socket)
{
}

static void on_done(void *userdata, struct http_socket *socket, bool is_whole)
{
	struct upload *u = http_socket_exchange(socket);

	if (!u)
		return;
	u->socket = NULL;
	if (u->state != UPLOAD_FINISH && u->state != UPLOAD_COMMIT)
		upload_free(u);
}

static const struct http_server_ops ops = {
	.request = on_request,
	.body = on_body,
	.body_end = on_body_end,
	.fill = on_fill,
	.done = on_done,
};

int http_upload_new(struct event_base *base, const struct http_route *route,
                    struct worker_channel *main, size_t max_sockets, struct http_upload **ret)
{
	struct http_server_config config = { .conn = &conn_config, .max_sockets = max_sockets };
	struct http_upload *uploads = calloc(1, sizeof(*uploads));
	int r;

	if (!uploads)
		return -ENOMEM;
	uploads->base = base;
	uploads->route = route;
	uploads->main = main;
	list_init(&uploads->uploads);
	r = http_server_new(base, &config, &ops, uploads, &uploads->server);
	if (r < 0) {
		free(uploads);
		return r;
	}
	*ret = uploads;
	return 0;
}

struct http_upload *http_upload_free(struct http_upload *uploads)
{
	if (!uploads)
		return NULL;
	http_server_free(uploads->server);
	LIST_FOREACH_SAFE (it, n, &uploads->uploads)
		upload_free(CONTAINER_OF(it, struct upload, link));
	free(uploads);
	return NULL;
}

int http_upload_listen(struct http_upload *uploads, int fd)
{
	return http_server_listen(uploads->server, fd);
}
