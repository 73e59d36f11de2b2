/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * ccid's HTTP side alone, for test_http.py: API, workers, files and uploads of ROOT, over stand-ins
 * for the services that want a database. What they are told is written on stdout, a line each.
 *
 *   http_serve API-PORT FILES-PORT UPLOAD-PORT ROOT
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/format/netaddr.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"
#include "lib/sys/log_sink.h"
#include "server/io/file_loader.h"
#include "server/io/http_io.h"
#include "server/io/loop.h"
#include "server/io/worker.h"
#include "server/io/worker_main.h"
#include "server/service/api.h"
#include "server/service/result_service.h"
#include "server/service/transfer_service.h"

#define LOOPBACK 0x7f000001

static const char *root;

/* ---- the API ---- */

struct api {
	uint64_t generation;
	uint64_t n_released, n_lines;
	unsigned n_held, n_dropped;
	bool is_over;
	struct http_io *http;
	struct worker_pool *workers;
};

void api_answer_deinit(struct api_answer *answer)
{
	buffer_deinit(&answer->body);
}

void api_group_begin(struct api *api)
{
}

void api_group_end(struct api *api)
{
}

/* Every answer waits for a commit, which takes no time. */
bool api_group_is_open(const struct api *api)
{
	return true;
}

int api_group_commit(struct api *api)
{
	return 0;
}

uint64_t api_generation(const struct api *api)
{
	return api->generation;
}

int api_timeout(struct api *api, usec_t now, usec_t wall)
{
	return 0;
}

usec_t api_deadline(const struct api *api)
{
	return USEC_INFINITY;
}

void api_drop_held(struct api *api, const struct api_call *call)
{
	api->n_dropped++;
	api->n_held--;
}

static void hold(struct api *api, const struct api_call *call, struct api_answer *answer)
{
	uint64_t ms = 60000; /* the query is the time to wait */

	(void)text_parse_u64(call->query, 60000, &ms);
	answer->hold_until =
		usec_add(call->is_held ? call->held_since : call->now, ms * USEC_PER_MSEC);
	if (call->is_held && (api->n_released > 0 || call->now >= answer->hold_until)) {
		api->n_held--;
		buffer_append_text(&answer->body, api->n_released ? "released\n" : "waited\n");
		return;
	}
	api->n_held += !call->is_held;
	answer->want = API_HOLD;
}

static void state(const struct api *api, struct api_answer *answer)
{
	const struct http_io_counters *http = http_io_get_counters(api->http);
	const struct worker_pool_counters *workers = worker_pool_get_counters(api->workers);

	buffer_printf(&answer->body,
	              "{\"held\":%u,\"dropped\":%u,\"io_held\":%zu,\"following\":%zu,"
	              "\"sockets\":%zu,\"running\":%u,\"died\":%" PRIu64 ",\"uploads\":%zu,"
	              "\"redirected\":%" PRIu64 ",\"bad_path\":%" PRIu64 "}\n",
	              api->n_held, api->n_dropped, http->n_held, http->n_following,
	              http->server.n_sockets, workers->n_running, workers->n_died,
	              workers->n_uploads, http->n_redirected, http->n_bad_path);
	answer->content_type = "application/json";
}

static int get(struct api *api, const struct api_call *call, struct api_answer *answer)
{
	static const char filler[1024] = { 'x' };

	if (text_equal(call->path, "/hello"))
		buffer_append_text(&answer->body, "hello\n");
	else if (text_equal(call->path, "/state"))
		state(api, answer);
	else if (text_equal(call->path, "/hold"))
		hold(api, call, answer);
	else if (text_equal(call->path, "/follow"))
		answer->want = API_FOLLOW;
	else if (text_equal(call->path, "/boom"))
		return -EIO;
	else if (text_equal(call->path, "/full"))
		return -ENOSPC;
	else if (text_equal(call->path, "/big"))
		for (int i = 0; i < 8192; i++)
			buffer_append(&answer->body, filler, sizeof(filler));
	else
		answer->status = 404;
	return 0;
}

static int post(struct api *api, const struct api_call *call, struct api_answer *answer)
{
	api->generation++;
	if (text_equal(call->path, "/echo"))
		buffer_append_slice(&answer->body, call->body);
	else if (text_equal(call->path, "/release"))
		api->n_released++;
	else if (text_equal(call->path, "/unrelease"))
		api->n_released = 0;
	else if (text_equal(call->path, "/line"))
		api->n_lines++;
	else if (text_equal(call->path, "/over"))
		api->is_over = true;
	else
		answer->status = 404;
	return 0;
}

int api_handle(struct api *api, const struct api_call *call, struct api_answer *ret_answer)
{
	struct api_answer answer = { .status = 200, .content_type = "text/plain" };
	int r;

	if (call->method == HTTP_METHOD_GET || call->method == HTTP_METHOD_HEAD)
		r = get(api, call, &answer);
	else
		r = post(api, call, &answer);
	*ret_answer = answer;
	return r;
}

int api_follow_next(struct api *api, struct api_follow *cursor, struct buffer *out)
{
	if ((uint64_t)cursor->after < api->n_lines) {
		buffer_printf(out, "line %" PRId64 "\n", ++cursor->after);
		return API_FOLLOW_MORE;
	}
	return api->is_over ? API_FOLLOW_END : API_FOLLOW_WAIT;
}

/* ---- results: below ROOT/result; attempt 410 is over, token "good", Cookie JOBID=1 ---- */

static int refuse(struct upload_grant *grant, unsigned status, const char *reason)
{
	grant->status = status;
	(void)snprintf(grant->reason, sizeof(grant->reason), "%s", reason);
	return 0;
}

/* Opens the directory part of a path below the results and names its last component. */
static int open_parent(struct slice path, struct upload_grant *grant)
{
	CLEANUP(fd_closep) int top = -1;
	CLEANUP(freep) char *directory = text_format("%s/result", root);
	char text[4096];
	char *slash;

	while (path.len > 0 && path.data[path.len - 1] == '/')
		path.len--;
	if (!directory || text_copy(text, sizeof(text), path) != 0)
		return -ENOMEM;
	top = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return -errno;
	slash = strrchr(text, '/');
	(void)text_copy(grant->name, sizeof(grant->name),
	                slice_from_text(slash ? slash + 1 : text));
	if (slash)
		*slash = '\0';
	grant->dir_fd = file_make_dirs(top, slash ? text : ".", 0755);
	return grant->dir_fd < 0 ? grant->dir_fd : 0;
}

int result_service_open(struct result_service *results, const struct upload_ask *ask, usec_t now,
                        usec_t wall, struct upload_grant *ret_grant)
{
	struct upload_grant grant = { .attempt = 1, .dir_fd = -1, .max = 100 << 20 };
	struct slice rest = ask->path;
	int r = 0;

	(void)slice_take(&rest, strlen("/result/"));
	if (slice_has_prefix(ask->path, SLICE_LITERAL("/v1/attempts/"))) {
		rest = slice_sub(ask->path, strlen("/v1/attempts/"), ask->path.len);
		if (slice_has_prefix(rest, SLICE_LITERAL("410/")))
			r = refuse(&grant, 410, "the attempt is over");
		else if (!text_equal(ask->authorization, "Bearer good"))
			r = refuse(&grant, 401, "a token is needed");
	} else if (!text_equal(ask->cookie, "JOBID=1")) {
		r = refuse(&grant, 403, "no such job");
	}
	if (grant.status == 0)
		r = open_parent(rest, &grant);
	if (strcmp(grant.name, "small") == 0)
		grant.max = 1000;
	*ret_grant = grant;
	return r;
}

int result_service_progress(struct result_service *results, int64_t attempt, const char *name,
                            int64_t size, usec_t now, usec_t wall)
{
	printf("progress %s %" PRId64 "\n", name, size);
	return 0;
}

int result_service_commit(struct result_service *results, int64_t attempt, const char *name,
                          int64_t size, const char *sha256_hex, usec_t now, usec_t wall)
{
	printf("commit %s %" PRId64 " %s\n", name, size, sha256_hex);
	return strcmp(name, "late") == 0 ? RESULT_CLOSED : 0;
}

int transfer_service_report(struct transfer_service *transfers, const struct transfer *t,
                            usec_t now, usec_t wall)
{
	printf("%s %.*s %" PRId64 " %" PRId64 " %" PRId64 " %s\n",
	       t->phase == TRANSFER_START ? "start" : "done", (int)t->path.len,
	       (const char *)t->path.data, t->offset, t->bytes, t->size,
	       t->is_aborted ? "aborted" : "well");
	return 0;
}

/* ---- the loader: each line on stdin is a file to be loaded ---- */

static void on_loaded(void *userdata, int result, int memfd)
{
	printf("loaded %d %lld\n", result, memfd < 0 ? -1LL : (long long)lseek(memfd, 0, SEEK_END));
	fd_close(&memfd);
}

static void on_stdin(evutil_socket_t fd, short what, void *userdata)
{
	struct api *api = userdata;
	char path[512];
	ssize_t n = read(fd, path, sizeof(path) - 1);
	int file, r;

	if (n <= 1)
		exit(0);
	path[n - 1] = '\0';
	file = open(path, O_RDONLY | O_CLOEXEC);
	r = file_loader_request(worker_pool_loader(api->workers), file,
	                        (uint64_t)lseek(file, 0, SEEK_END), on_loaded, NULL);
	if (r < 0)
		printf("load %d\n", r);
}

/* ---- */

static void on_signal(evutil_socket_t fd, short what, void *userdata)
{
	(void)event_base_loopbreak(userdata);
}

static int listen_on(const char *text, struct http_listeners *listeners)
{
	const uint32_t address = LOOPBACK;
	const uint16_t port = (uint16_t)strtoul(text, NULL, 10);
	char place[HTTP_LISTEN_PLACE_MAX];
	int r = http_listeners_open(&address, 1, &port, 1, listeners, place);

	if (r < 0)
		(void)fprintf(stderr, "http_serve: %s: %s\n", place, strerror(-r));
	return r;
}

static struct http_route make_route(char *argv[])
{
	return (struct http_route){
		.roots = { "/os", "/initrd" },
		.n_roots = 2,
		.api_port = (uint16_t)strtoul(argv[1], NULL, 10),
		.os_port = (uint16_t)strtoul(argv[2], NULL, 10),
		.files_port = (uint16_t)strtoul(argv[2], NULL, 10),
		.upload_port = (uint16_t)strtoul(argv[3], NULL, 10),
	};
}

static int serve(struct event_base *base, char *argv[], struct api *api)
{
	struct http_listeners listeners[3] = { HTTP_LISTENERS_NULL };
	struct http_io_config http = { .listeners = &listeners[0], .route = make_route(argv) };
	char nobody; /* the address of a service that is never looked into */
	struct worker_pool_config workers = {
		.n_workers = 2,
		.files = &listeners[1],
		.upload = &listeners[2],
		.route = make_route(argv),
		.directories = { text_format("%s/os", root), text_format("%s/initrd", root) },
		.results = text_format("%s/result", root),
	};
	struct event *term = evsignal_new(base, SIGTERM, on_signal, base);
	struct event *in = event_new(base, 0, EV_READ | EV_PERSIST, on_stdin, api);
	int r = 0;

	for (int i = 0; i < 3 && r == 0; i++)
		r = listen_on(argv[i + 1], &listeners[i]);
	if (r == 0)
		r = http_io_new(base, api, &http, &api->http);
	if (r == 0)
		r = worker_pool_new(base, &workers, (struct result_service *)(void *)&nobody,
		                    (struct transfer_service *)(void *)&nobody, api->http,
		                    &api->workers);
	if (r < 0)
		return r;
	(void)event_add(term, NULL);
	(void)event_add(in, NULL);
	printf("ready\n");
	(void)event_base_dispatch(base);
	worker_pool_free(api->workers);
	http_io_free(api->http);
	event_free(term);
	event_free(in);
	for (int i = 0; i < 2; i++)
		free((char *)(uintptr_t)workers.directories[i]);
	free((char *)(uintptr_t)workers.results);
	return 0;
}

int main(int argc, char *argv[])
{
	struct api api = { .generation = 1 };
	struct event_base *base;
	int r;

	if (argc > 1 && strcmp(argv[1], "--worker") == 0)
		return worker_main() < 0;
	base = loop_new();
	if (argc != 5 || !base) {
		(void)fprintf(stderr, "usage: http_serve API-PORT FILES-PORT UPLOAD-PORT ROOT\n");
		return 2;
	}
	root = argv[4];
	log_set_sink(log_sink_stderr, LOG_LEVEL_DEBUG);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	r = serve(base, argv, &api);
	event_base_free(base);
	if (r < 0)
		(void)fprintf(stderr, "http_serve: %s\n", strerror(-r));
	return r < 0;
}
