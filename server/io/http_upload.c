/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/http_upload.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"
#include "server/io/http_request_path.h"
#include "server/io/upload.h"
#include "server/io/worker_channel.h"
#include "server/proto/http_response.h"

/* Uploads are not cut for slowness: a peer that has gone is found by keep-alive probes. */
static const struct http_conn_config conn_config = {
	.head_max = 16384,
	.head_timeout = 20 * USEC_PER_SEC,
	.idle_timeout = 30 * USEC_PER_SEC,
	.body_timeout = USEC_INFINITY,
};

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
	if (grant->status == 401)
		http_response_header(&headers, "WWW-Authenticate", "Bearer");
	if (grant->retry_after_sec > 0)
		http_response_header_number(&headers, "Retry-After", grant->retry_after_sec);
	upload_refuse(u, grant->status, reason, bytes_slice(&headers));
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
	u->is_unrecorded = grant->is_unrecorded;
	if (text_copy(u->name, sizeof(u->name), grant->name) != 0)
		upload_fail(u, -ENAMETOOLONG);
	else if (dir_fd < 0)
		upload_fail(u, -EBADF);
	else
		upload_begin(u);
}

void http_upload_committed(struct http_upload *uploads, const struct worker_result *result)
{
	struct upload *u = find_upload(uploads, result->id);

	if (!u || u->state != UPLOAD_COMMIT)
		return;
	u->is_granted = false;
	if (result->result == RESULT_CLOSED)
		upload_refuse(u, 410, "the attempt is over", SLICE_NULL);
	else if (result->result != 0)
		upload_fail(u, result->result < 0 ? result->result : -EIO);
	else
		upload_answer(u, 201, u->is_ranged ? upload_file_size(u->file) : -1, u->is_ranged);
}

void http_upload_cancel(struct http_upload *uploads, uint64_t id)
{
	struct upload *u = find_upload(uploads, id);
	struct http_socket *socket;

	if (!u || u->state == UPLOAD_COMMIT || u->state == UPLOAD_OVER)
		return;
	u->is_granted = false;
	socket = u->socket;
	upload_end(u);
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

static void on_request(void *userdata, struct http_socket *socket,
                       const struct http_request *request)
{
	struct http_upload *uploads = userdata;
	uint8_t room[URL_PATH_MAX];
	struct bytes path = BYTES_ON(room);
	struct upload *u;
	unsigned status;
	int r;

	switch (http_request_path(socket, uploads->route, HTTP_PLACE_UPLOAD, &path, &r)) {
	case HTTP_PATH_BAD:
		uploads->n_bad_path[r]++;
		return;
	case HTTP_PATH_ELSEWHERE:
		return;
	case HTTP_PATH_OURS:
		break;
	}
	u = upload_new(uploads, socket);
	if (!u) {
		http_socket_abort(socket);
		return;
	}
	http_socket_set_exchange(socket, u);
	status = parse_range(u, request);
	if (status != 0) {
		upload_refuse(u, status, "Content-Range and the body do not agree", SLICE_NULL);
		return;
	}
	r = ask_main(u, request, bytes_slice(&path));
	if (r < 0)
		upload_fail(u, r);
}

static void on_body(void *userdata, struct http_socket *socket, struct slice data)
{
	upload_data(http_socket_exchange(socket), data);
}

static void on_body_end(void *userdata, struct http_socket *socket)
{
	upload_data_end(http_socket_exchange(socket));
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

const struct http_server_counters *http_upload_get_counters(const struct http_upload *uploads)
{
	return http_server_get_counters(uploads->server);
}

const uint64_t *http_upload_bad_paths(const struct http_upload *uploads)
{
	return uploads->n_bad_path;
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
