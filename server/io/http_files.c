/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/http_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/format/netaddr.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "server/io/http_request_path.h"
#include "server/io/http_server.h"
#include "server/io/worker_channel.h"
#include "server/proto/http_condition.h"
#include "server/proto/http_date.h"
#include "server/proto/http_media.h"
#include "server/proto/http_range.h"
#include "server/proto/http_response.h"
#include "server/service/file_service.h"

struct http_files {
	struct file_service *files;
	const struct http_route *route;
	struct worker_channel *main;
	struct http_server *server;
};

/* A transfer that main is told about: the exchange of its socket. */
struct transfer {
	uint32_t peer;
	int64_t offset, length, size;
	usec_t started;
	size_t path_len;
	uint8_t path[];
};

/* ---- reports ---- */

static void report(struct http_files *files, const struct transfer *t, bool is_done, int64_t bytes)
{
	struct worker_message message = {
		.kind = WORKER_TRANSFER,
		.transfer = {
			.is_done = is_done,
			.is_aborted = is_done && bytes < t->length,
			.peer = t->peer,
			.path = slice_make(t->path, t->path_len),
			.offset = t->offset,
			.bytes = bytes,
			.size = t->size,
			.elapsed = is_done ? usec_sub(clock_now(), t->started) : 0,
		},
	};
	int r = worker_channel_send(files->main, &message, -1);

	if (r < 0)
		log_warning("a transfer could not be reported: %s", strerror(-r));
}

static struct transfer *begin_transfer(struct http_files *files, struct http_socket *socket,
                                       struct slice path, const struct http_range *range,
                                       uint64_t size)
{
	struct transfer *t = malloc(sizeof(*t) + path.len);

	if (!t)
		return NULL;
	*t = (struct transfer){
		.peer = http_socket_peer(socket),
		.offset = (int64_t)range->first,
		.length = (int64_t)range->len,
		.size = (int64_t)size,
		.started = clock_now(),
		.path_len = path.len,
	};
	memcpy(t->path, path.data, path.len);
	report(files, t, false, 0);
	return t;
}

/* Whether main wants to know: what machines boot from, not results people look at. */
static bool is_reported(const struct http_request *request, struct slice path)
{
	struct slice rest;

	return request->method == HTTP_METHOD_GET &&
	       !url_path_below(path, SLICE_LITERAL("/result"), &rest);
}

/* ---- answers ---- */

struct found {
	struct file_opened file;
	char etag[HTTP_ETAG_MAX];
	char modified[HTTP_DATE_MAX];
	int64_t mtime; /* seconds */
};

static void append_validators(struct bytes *headers, const struct found *found)
{
	http_response_header(headers, "Last-Modified", found->modified);
	http_response_header(headers, "ETag", found->etag);
	http_response_header(headers, "Accept-Ranges", "bytes");
	http_response_header(headers, "X-Content-Type-Options", "nosniff");
}

static struct http_conditions conditions_of(const struct http_request *request)
{
	return (struct http_conditions){
		.if_none_match = request->header[HTTP_HEADER_IF_NONE_MATCH],
		.if_modified_since = request->header[HTTP_HEADER_IF_MODIFIED_SINCE],
		.if_range = request->header[HTTP_HEADER_IF_RANGE],
	};
}

/* Which bytes to send: an http_range_outcome with *ret_range. */
static int choose_range(const struct http_request *request, const struct found *found, int64_t now,
                        struct http_range *ret_range)
{
	struct http_conditions conditions = conditions_of(request);
	struct slice range = request->header[HTTP_HEADER_RANGE];

	/* Range means something in GET only (RFC 9110 14.2). */
	if (request->method != HTTP_METHOD_GET ||
	    !http_condition_range_counts(&conditions, found->etag, found->mtime, now))
		range = SLICE_NULL;
	return http_range_parse(range, found->file.size, ret_range);
}

static void answer_content(struct http_files *files, struct http_socket *socket, struct slice path,
                           struct found *found, int64_t now)
{
	const struct http_request *request = http_socket_request(socket);
	char room[512];
	struct bytes headers = BYTES_ON(room);
	struct http_range range;
	struct http_answer answer = { .status = 200, .content_type = http_media_type(path) };
	int outcome = choose_range(request, found, now, &range);

	append_validators(&headers, found);
	if (outcome == HTTP_RANGE_UNSATISFIABLE) {
		http_response_content_range(&headers, 0, -1, (int64_t)found->file.size);
		http_socket_answer_problem(socket, 416, NULL, bytes_slice(&headers));
		return;
	}
	if (outcome == HTTP_RANGE_ONE) {
		answer.status = 206;
		http_response_content_range(&headers, (int64_t)range.first,
		                            (int64_t)(range.first + range.len - 1),
		                            (int64_t)found->file.size);
	}
	answer.headers = bytes_slice(&headers);
	answer.length = (int64_t)range.len;
	if (is_reported(request, path))
		http_socket_set_exchange(
			socket, begin_transfer(files, socket, path, &range, found->file.size));
	http_socket_answer_file(socket, &answer, steal_fd(&found->file.fd), (off_t)range.first);
}

static void answer_found(struct http_files *files, struct http_socket *socket, struct slice path,
                         struct found *found)
{
	struct http_conditions conditions = conditions_of(http_socket_request(socket));
	int64_t now = (int64_t)(clock_wall() / USEC_PER_SEC);
	char room[512];
	struct bytes headers = BYTES_ON(room);

	found->mtime = found->file.mtime_ns / 1000000000;
	(void)http_etag_format(found->file.inode, found->file.size, found->file.mtime_ns,
	                       found->etag);
	(void)http_date_format(found->mtime, found->modified);
	if (!http_condition_is_unmodified(&conditions, found->etag, found->mtime, now)) {
		answer_content(files, socket, path, found, now);
		return;
	}
	append_validators(&headers, found);
	http_socket_answer(
		socket, &(struct http_answer){ .status = 304, .headers = bytes_slice(&headers) });
}

static void answer_absent(struct http_socket *socket, struct slice path, int outcome)
{
	bool is_absent = outcome == FILE_ABSENT || outcome == FILE_NO_ROOT;
	char escaped[256], peer[IPV4_TEXT_MAX];
	struct slice rest;

	/* A file of a boot that is not there is somebody's trouble; results are asked for at will.
	 */
	if (!is_absent || !url_path_below(path, SLICE_LITERAL("/result"), &rest))
		log_warning("a file was refused: %s path=\"%s\" peer=%s",
		            file_outcome_to_name(outcome),
		            text_escape(escaped, sizeof(escaped), path),
		            ipv4_format(http_socket_peer(socket), peer));
	http_socket_answer_problem(socket, is_absent ? 404 : 403,
	                           is_absent ? "no such file" : file_outcome_to_name(outcome),
	                           SLICE_NULL);
}

static void answer_failure(struct http_socket *socket, struct slice path, int error)
{
	char escaped[256];

	log_error("cannot open a file: %s path=\"%s\"", strerror(-error),
	          text_escape(escaped, sizeof(escaped), path));
	/* Of files there will be more when other clients have gone. */
	if (error == -EMFILE || error == -ENFILE)
		http_socket_answer_problem(socket, 503, "too many open files",
		                           SLICE_LITERAL("Retry-After: 2\r\n"));
	else
		http_socket_answer_problem(socket, 500, NULL, SLICE_NULL);
}

static void on_request(void *userdata, struct http_socket *socket,
                       const struct http_request *request)
{
	struct http_files *files = userdata;
	struct found found = { .file = FILE_OPENED_NULL };
	uint8_t room[URL_PATH_MAX];
	struct bytes path = BYTES_ON(room);
	int r;

	switch (http_request_path(socket, files->route, HTTP_PLACE_FILES, &path, &r)) {
	case HTTP_PATH_BAD:
		file_service_count_bad_path(files->files, r);
		return;
	case HTTP_PATH_ELSEWHERE:
		return;
	case HTTP_PATH_OURS:
		break;
	}
	if (request->method != HTTP_METHOD_GET && request->method != HTTP_METHOD_HEAD) {
		http_socket_answer_problem(socket, 405, NULL,
		                           SLICE_LITERAL("Allow: GET, HEAD\r\n"));
		return;
	}
	r = file_service_open(files->files, bytes_slice(&path), &found.file);
	if (r < 0)
		answer_failure(socket, bytes_slice(&path), r);
	else if (r != FILE_FOUND)
		answer_absent(socket, bytes_slice(&path), r);
	else
		answer_found(files, socket, bytes_slice(&path), &found);
	fd_close(&found.file.fd);
}

/* Bodies are never asked for. */
static void on_body(void *userdata, struct http_socket *socket, struct slice data)
{
}

static void on_nothing(void *userdata, struct http_socket *socket)
{
}

static void on_done(void *userdata, struct http_socket *socket, bool is_whole)
{
	struct transfer *t = http_socket_exchange(socket);

	if (!t)
		return;
	report(userdata, t, true, t->length - http_socket_file_left(socket));
	free(t);
}

static const struct http_server_ops ops = {
	.request = on_request,
	.body = on_body,
	.body_end = on_nothing,
	.fill = on_nothing,
	.done = on_done,
};

int http_files_new(struct event_base *base, struct file_service *files,
                   const struct http_route *route, struct worker_channel *main, size_t max_sockets,
                   struct http_files **ret)
{
	struct http_server_config config = {
		.conn = &http_conn_defaults,
		.max_sockets = max_sockets,
	};
	struct http_files *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	f->files = files;
	f->route = route;
	f->main = main;
	r = http_server_new(base, &config, &ops, f, &f->server);
	if (r < 0) {
		free(f);
		return r;
	}
	*ret = f;
	return 0;
}

const struct http_server_counters *http_files_get_counters(const struct http_files *files)
{
	return http_server_get_counters(files->server);
}

struct http_files *http_files_free(struct http_files *files)
{
	if (!files)
		return NULL;
	http_server_free(files->server);
	free(files);
	return NULL;
}

int http_files_listen(struct http_files *files, int fd)
{
	return http_server_listen(files->server, fd);
}
