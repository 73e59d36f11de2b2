/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * libcurl says which sockets it wants watched and when it wants to be called (libcurl's
 * curl_multi_socket_action(3)); each becomes an event source.
 */
#include "agent/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/buffer.h"
#include "lib/base/list.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/base/usec.h"

#define REPLY_MAX          ((size_t)64 << 10)
#define CONNECT_TIMEOUT_MS 10000L
#define STALL_SEC          60L   /* a large file may be synced before it is acknowledged */
#define TCP_TIMEOUT_MS     30000 /* unacknowledged bytes */

struct client {
	sd_event *event;
	sd_event_source *timer;
	CURLM *multi;
	char *authorization; /* the header line */
	struct list calls;
};

struct client_call {
	struct list node;
	struct client *client;
	CURL *easy;
	struct curl_slist *headers;
	int fd; /* borrowed */
	uint64_t offset, len, n_read;
	struct buffer body;
	struct client_reply reply;
	char error[CURL_ERROR_SIZE];
	client_done_fn done;
	void *userdata;
};

/* ------------------------------------------------------------------------- sd-event ⇄ multi */

static void call_free(struct client_call *call)
{
	list_unlink(&call->node);
	(void)curl_multi_remove_handle(call->client->multi, call->easy);
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	buffer_deinit(&call->body);
	free(call);
}

static void finish_call(struct client_call *call, CURLcode code)
{
	struct client_reply reply = call->reply;
	char *ip = NULL;
	char local_ip[64];
	long status = 0;

	(void)curl_easy_getinfo(call->easy, CURLINFO_LOCAL_IP, &ip);
	(void)snprintf(local_ip, sizeof(local_ip), "%s", ip ? ip : "");
	reply.local_ip = local_ip;
	if (code == CURLE_OK)
		(void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	reply.status = (unsigned)status;
	if (code != CURLE_OK) /* the rest of what was answered cannot be trusted */
		reply.error = call->error[0] ? call->error : curl_easy_strerror(code);
	reply.body = buffer_slice(&call->body);
	call->done(call->userdata, &reply);
}

/* Reports each request that has ended. */
static void collect(struct client *client)
{
	CURLMsg *message;
	int n_left;

	while ((message = curl_multi_info_read(client->multi, &n_left)) != NULL) {
		struct client_call *call = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
		list_unlink(&call->node); /* `done` may free the client's other calls */
		finish_call(call, code);
		call_free(call);
	}
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct client *client = userdata;
	int action = 0, n_running;

	if (revents & (EPOLLIN | EPOLLHUP))
		action |= CURL_CSELECT_IN;
	if (revents & EPOLLOUT)
		action |= CURL_CSELECT_OUT;
	if (revents & EPOLLERR)
		action |= CURL_CSELECT_ERR;
	(void)curl_multi_socket_action(client->multi, fd, action, &n_running);
	collect(client);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct client *client = userdata;
	int n_running;

	(void)curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &n_running);
	collect(client);
	return 0;
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socket_data)
{
	struct client *client = userdata;
	sd_event_source *source = socket_data;
	uint32_t events = 0;

	if (what == CURL_POLL_REMOVE) {
		sd_event_source_disable_unref(source);
		(void)curl_multi_assign(client->multi, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		events |= EPOLLOUT;
	if (source)
		return sd_event_source_set_io_events(source, events) < 0 ? -1 : 0;
	if (sd_event_add_io(client->event, &source, fd, events, on_io, client) < 0)
		return -1;
	(void)curl_multi_assign(client->multi, fd, source);
	return 0;
}

static int set_timer(CURLM *multi, long timeout_ms, void *userdata)
{
	struct client *client = userdata;

	if (timeout_ms < 0)
		return sd_event_source_set_enabled(client->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
	if (sd_event_source_set_time_relative(client->timer, (uint64_t)timeout_ms * USEC_PER_MSEC) <
	            0 ||
	    sd_event_source_set_enabled(client->timer, SD_EVENT_ONESHOT) < 0)
		return -1;
	return 0;
}

int client_new(sd_event *event, const char *token, struct client **ret)
{
	struct client *client;
	int r = -ENOMEM;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	client->event = sd_event_ref(event);
	list_init(&client->calls);
	client->multi = curl_multi_init();
	client->authorization = text_format("Authorization: Bearer %s", token);
	if (client->multi && client->authorization)
		r = sd_event_add_time_relative(event, &client->timer, CLOCK_MONOTONIC, 0, 1,
		                               on_timer, client);
	if (r < 0) {
		client_free(client);
		return r;
	}
	(void)sd_event_source_set_enabled(client->timer, SD_EVENT_OFF);
	(void)curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	(void)curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	(void)curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	(void)curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	(void)curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, 4L);
	*ret = client;
	return 0;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	LIST_FOREACH_SAFE (it, next, &client->calls)
		call_free(CONTAINER_OF(it, struct client_call, node));
	if (client->multi)
		(void)curl_multi_cleanup(client->multi);
	sd_event_source_disable_unref(client->timer);
	sd_event_unref(client->event);
	free(client->authorization);
	free(client);
}

/* ------------------------------------------------------------------------- one request */

static size_t read_body(char *to, size_t size, size_t n, void *userdata)
{
	struct client_call *call = userdata;
	size_t want = MIN(size * n, call->len - call->n_read);
	ssize_t got;

	if (want == 0)
		return 0;
	got = pread(call->fd, to, want, (off_t)(call->offset + call->n_read));
	if (got <= 0) {
		call->reply.is_short = got == 0;
		return CURL_READFUNC_ABORT;
	}
	call->n_read += (size_t)got;
	return (size_t)got;
}

static int seek_body(void *userdata, curl_off_t offset, int origin)
{
	struct client_call *call = userdata;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > call->len)
		return CURL_SEEKFUNC_FAIL;
	call->n_read = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static size_t write_reply(char *data, size_t size, size_t n, void *userdata)
{
	struct client_call *call = userdata;

	if (call->body.len + size * n <= REPLY_MAX)
		buffer_append(&call->body, data, size * n);
	return size * n;
}

static size_t read_header(char *data, size_t size, size_t n, void *userdata)
{
	struct client_call *call = userdata;
	struct slice value = slice_make(data, size * n), name = slice_cut(&value, ':');
	uint64_t number = 0;

	value = text_trim(value);
	if (slice_has_prefix(name, SLICE_LITERAL("HTTP/"))) { /* an answer after 100 Continue */
		call->reply.has_offset = call->reply.is_complete = false;
		call->reply.retry_after_sec = 0;
	}
	if (text_parse_u64(value, UINT64_MAX, &number) != 0)
		return size * n;
	if (slice_equal_nocase(name, SLICE_LITERAL("upload-offset"))) {
		call->reply.has_offset = true;
		call->reply.offset = number;
	} else if (slice_equal_nocase(name, SLICE_LITERAL("upload-complete"))) {
		call->reply.is_complete = number == 1;
	} else if (slice_equal_nocase(name, SLICE_LITERAL("retry-after"))) {
		call->reply.retry_after_sec = (uint32_t)MIN(number, (uint64_t)86400);
	}
	return size * n;
}

static int set_socket(void *userdata, curl_socket_t fd, curlsocktype purpose)
{
	const unsigned timeout_ms = TCP_TIMEOUT_MS;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
	return CURL_SOCKOPT_OK;
}

static bool add_header(struct client_call *call, const char *line)
{
	struct curl_slist *list = curl_slist_append(call->headers, line);

	if (list)
		call->headers = list;
	return list != NULL;
}

/* What every request has. */
static bool set_common(struct client_call *call, const char *url)
{
	CURL *easy = call->easy;

	return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PRIVATE, call) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) ==
	               CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_USERAGENT, "lkp-bootstrap/" CCI_VERSION) ==
	               CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, STALL_SEC) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, set_socket) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, write_reply) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEDATA, call) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, read_header) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERDATA, call) == CURLE_OK;
}

static bool set_put(struct client_call *call, const struct client_request *request)
{
	CURL *easy = call->easy;
	CLEANUP(freep) char *line = NULL;

	call->fd = request->fd;
	call->offset = request->offset;
	call->len = request->len;
	if (request->content_range) {
		line = text_format("Content-Range: %s", request->content_range);
		if (!line || !add_header(call, line))
			return false;
	}
	return curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->len) ==
	               CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_body) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_READDATA, call) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek_body) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SEEKDATA, call) == CURLE_OK;
}

static bool set_method(struct client_call *call, const struct client_request *request)
{
	CURL *easy = call->easy;

	if (strcmp(request->method, "PUT") == 0)
		return set_put(call, request);
	if (strcmp(request->method, "HEAD") == 0)
		return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
	if (strcmp(request->method, "POST") != 0)
		return true;
	return add_header(call, "Content-Type: application/json") &&
	       curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->body.len) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS,
	                        request->body.len ? (const char *)request->body.data : "") ==
	               CURLE_OK;
}

int client_send(struct client *client, const struct client_request *request, client_done_fn done,
                void *userdata, struct client_call **ret_call)
{
	struct client_call *call = calloc(1, sizeof(*call));

	if (!call)
		return -ENOMEM;
	call->client = client;
	call->done = done;
	call->userdata = userdata;
	list_init(&call->node);
	call->easy = curl_easy_init();
	if (!call->easy || !add_header(call, client->authorization) ||
	    !set_common(call, request->url) || !set_method(call, request) ||
	    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers) != CURLE_OK ||
	    curl_multi_add_handle(client->multi, call->easy) != CURLM_OK) {
		call_free(call);
		return -ENOMEM;
	}
	list_append(&client->calls, &call->node);
	*ret_call = call;
	return 0;
}

void client_cancel(struct client_call *call)
{
	call_free(call);
}
