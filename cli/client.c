/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * All transfers share one multi handle, so that connections are used again. Redirects (the files
 * port) are followed; libcurl does not carry the token to another host or port.
 */
#include "cli/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/url.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"

#define CONNECT_TIMEOUT_SEC 5L  /* a lab is near */
#define ANSWER_TIMEOUT_SEC  60L /* without a byte: the server is stuck or gone */
#define BODY_MAX            ((size_t)64 << 20)
#define REDIRECTS_MAX       3L
#define KEEPALIVE_SEC       15L /* an endless stream notices a dead peer within about a minute */

struct client {
	CURLM *multi;
	char base[URL_MAX];
	char *authorization; /* the whole header, or NULL */
};

struct transfer {
	struct client *client;
	const struct client_call *call;
	CURL *easy;
	struct curl_slist *headers;
	char *url;
	struct client_answer answer;
};

DEFINE_FREEP(struct client, client_free);
DEFINE_FREEP(struct transfer, transfer_free);

void client_answer_deinit(struct client_answer *answer)
{
	buffer_deinit(&answer->body);
	*answer = CLIENT_ANSWER_NULL;
}

int client_new(const char *base, const char *token, struct client **ret)
{
	CLEANUP(client_freep) struct client *client = calloc(1, sizeof(*client));

	if (!client || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	client->multi = curl_multi_init();
	if (!client->multi)
		return -ENOMEM;
	(void)text_copy(client->base, sizeof(client->base), slice_from_text(base));
	if (token) {
		client->authorization = text_format("Authorization: Bearer %s", token);
		if (!client->authorization)
			return -ENOMEM;
	}
	*ret = steal_ptr(&client);
	return 0;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	(void)curl_multi_cleanup(client->multi);
	free(client->authorization);
	free(client);
	curl_global_cleanup();
}

const char *client_base(const struct client *client)
{
	return client->base;
}

long transfer_status(const struct transfer *t)
{
	long status = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static size_t on_body(char *data, size_t size, size_t n, void *context)
{
	struct transfer *t = context;
	long status = transfer_status(t);

	t->answer.status = status;
	if (t->call->sink && status >= 200 && status < 300) {
		t->answer.sink_error = t->call->sink(t->call->context, slice_make(data, n));
		return t->answer.sink_error < 0 ? CURL_WRITEFUNC_ERROR : n;
	}
	buffer_append(&t->answer.body, data, n);
	return t->answer.body.failed ? CURL_WRITEFUNC_ERROR : n;
}

/* Adds "Name: value"; an empty value stands for a header that libcurl shall not send. */
static int add_header(struct transfer *t, const char *name, const char *value)
{
	CLEANUP(freep) char *line = NULL;
	struct curl_slist *headers;

	if (!value)
		return 0;
	line = text_format("%s:%s%s", name, value[0] ? " " : "", value);
	headers = line ? curl_slist_append(t->headers, line) : NULL;
	if (!headers)
		return -ENOMEM;
	t->headers = headers;
	return 0;
}

static int set_headers(struct transfer *t)
{
	const struct client_call *call = t->call;
	struct curl_slist *headers;
	int r;

	r = add_header(t, "Accept", call->accept ? call->accept : "application/json");
	if (r == 0)
		r = add_header(t, "Content-Type", call->method ? call->content_type : NULL);
	if (r == 0)
		r = add_header(t, "Idempotency-Key", call->idempotency_key);
	if (r == 0)
		r = add_header(t, "Last-Event-ID", call->last_event_id);
	if (r == 0)
		r = add_header(t, "Expect", ""); /* no 100-continue: our bodies are small */
	if (r == 0 && t->client->authorization) {
		headers = curl_slist_append(t->headers, t->client->authorization);
		if (!headers)
			return -ENOMEM;
		t->headers = headers;
	}
	if (r == 0)
		(void)curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	return r;
}

static void set_body(struct transfer *t)
{
	const struct client_call *call = t->call;

	if (!call->method)
		return;
	if (strcmp(call->method, "POST") == 0 || strcmp(call->method, "PUT") == 0) {
		(void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		                       (curl_off_t)call->body.len);
		(void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS,
		                       call->body.data ? (const char *)call->body.data : "");
	}
	(void)curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, call->method);
}

/* Every option of curl_easy_setopt(3) here exists since 7.85 and takes these values. */
static void set_options(struct transfer *t)
{
	CURL *easy = t->easy;

	(void)curl_easy_setopt(easy, CURLOPT_URL, t->url);
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->answer.reason);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	(void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "cci/" CCI_VERSION);
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_SEC);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_SEC);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_SEC);
	if (!t->call->is_endless) {
		(void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
		(void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, ANSWER_TIMEOUT_SEC);
	}
	if (url_is_loopback(t->client->base))
		(void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
}

int transfer_start(struct client *client, const struct client_call *call, struct transfer **ret)
{
	CLEANUP(transfer_freep) struct transfer *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->client = client;
	t->call = call;
	t->answer.body.max = BODY_MAX;
	t->url = text_format("%s%s", client->base, call->path);
	t->easy = curl_easy_init();
	if (!t->easy || !t->url)
		return -ENOMEM;
	set_options(t);
	set_body(t);
	r = set_headers(t);
	if (r < 0)
		return r;
	if (curl_multi_add_handle(client->multi, t->easy) != CURLM_OK)
		return -ENOMEM;
	*ret = steal_ptr(&t);
	return 0;
}

void transfer_free(struct transfer *t)
{
	if (!t)
		return;
	if (t->easy)
		(void)curl_multi_remove_handle(t->client->multi, t->easy);
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	client_answer_deinit(&t->answer);
	free(t->url);
	free(t);
}

struct client_answer *transfer_answer(struct transfer *t)
{
	return &t->answer;
}

int client_step(struct client *client, int wake_fd, int timeout_ms)
{
	struct curl_waitfd wake = { .fd = wake_fd, .events = CURL_WAIT_POLLIN };
	int n_running;

	if (curl_multi_poll(client->multi, wake_fd >= 0 ? &wake : NULL, wake_fd >= 0, timeout_ms,
	                    NULL) != CURLM_OK ||
	    curl_multi_perform(client->multi, &n_running) != CURLM_OK)
		return -ENOMEM;
	return 0;
}

/* Whether the request went out: libcurl then knows when it was about to be sent. */
static bool was_sent(const struct transfer *t)
{
	curl_off_t pretransfer = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
	return pretransfer > 0;
}

/* What libcurl's result means for who asked. */
static int outcome_of(struct transfer *t, CURLcode code)
{
	struct client_answer *answer = &t->answer;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &answer->status);
	if (code == CURLE_OK)
		return CLIENT_DONE;
	if (code == CURLE_OUT_OF_MEMORY)
		return -ENOMEM;
	if (code == CURLE_WRITE_ERROR)
		return answer->sink_error < 0 ? answer->sink_error : -EFBIG;
	if (answer->reason[0] == '\0')
		(void)text_copy(answer->reason, sizeof(answer->reason),
		                slice_from_text(curl_easy_strerror(code)));
	return was_sent(t) ? CLIENT_LOST : CLIENT_UNREACHABLE;
}

struct transfer *client_ended(struct client *client, int *ret_outcome)
{
	CURLMsg *message;
	int n_left;

	while ((message = curl_multi_info_read(client->multi, &n_left)) != NULL) {
		struct transfer *t = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		*ret_outcome = outcome_of(t, message->data.result);
		return t;
	}
	return NULL;
}

int client_perform(struct client *client, const struct client_call *call,
                   struct client_answer *ret_answer)
{
	CLEANUP(transfer_freep) struct transfer *t = NULL;
	int q, outcome;

	*ret_answer = CLIENT_ANSWER_NULL;
	q = transfer_start(client, call, &t);
	if (q < 0)
		return q;
	while (client_ended(client, &outcome) != t) {
		q = client_step(client, -1, 1000);
		if (q < 0)
			return q;
	}
	*ret_answer = t->answer; /* takes the body */
	t->answer = CLIENT_ANSWER_NULL;
	return outcome;
}
