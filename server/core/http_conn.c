/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The connection as a small machine. `in` holds what the peer sent and nobody took yet, `head` a
 * copy of the head being handled (so that its views outlive later input), `out` what is to be sent.
 */
#include "server/core/http_conn.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/base/buffer.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/core/http_body.h"
#include "server/proto/http_chunked.h"
#include "server/proto/http_response.h"

enum state {
	STATE_HEAD,    /* a head is awaited */
	STATE_DECIDE,  /* the owner has the request and has not said what to do */
	STATE_BODY,    /* the body comes in */
	STATE_WHOLE,   /* the body is in, the owner has not answered */
	STATE_REFUSED, /* the peer made a mistake, the owner has not answered */
	STATE_ANSWER,  /* the answer goes out */
	STATE_DONE,    /* the answer is out, the owner was not told yet */
	STATE_DISCARD, /* what is left of a body nobody wanted is read over */
	STATE_LINGER, /* nothing more is sent; the peer's end is awaited, lest it lose the answer */
	STATE_CLOSED,
};

enum rest {
	REST_NONE,
	REST_FILE,
	REST_STREAM, /* as it is, until the connection ends */
	REST_STREAM_CHUNKED,
};

struct http_conn {
	const struct http_conn_config *config;
	enum state state;
	bool is_told;    /* the event of this state was returned */
	bool is_ended;   /* the peer sends no more */
	bool is_last;    /* close after this answer */
	bool is_stopped; /* close as soon as nothing is open */
	usec_t since;    /* when the wait that has a deadline began */
	struct buffer in, head, out;
	size_t in_pos;  /* bytes of in that were taken */
	size_t scanned; /* bytes behind in_pos known not to end the head */
	size_t out_pos; /* bytes of out that were sent */
	struct http_request request;
	struct http_body body;
	unsigned refusal;
	const char *why;
	enum rest rest;
	int64_t file_left;
};

/* What is left of a body nobody wanted: this much is read over rather than closing. */
#define DISCARD_MAX 65536

/* How long a peer may take to end the connection after our last answer. */
#define LINGER_TIMEOUT (5 * USEC_PER_SEC)

const struct http_conn_config http_conn_defaults = {
	.head_max = 16384,
	.head_timeout = 20 * USEC_PER_SEC,
	.idle_timeout = 30 * USEC_PER_SEC,
	.body_timeout = 60 * USEC_PER_SEC,
};

static const struct http_request no_request = { .method = HTTP_METHOD_GET, .minor = 1 };

int http_conn_new(const struct http_conn_config *config, usec_t now, struct http_conn **ret)
{
	struct http_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return -ENOMEM;
	conn->config = config;
	conn->state = STATE_HEAD;
	conn->since = now;
	conn->request = no_request;
	http_body_init(&conn->body, 0);
	*ret = conn;
	return 0;
}

struct http_conn *http_conn_free(struct http_conn *conn)
{
	if (!conn)
		return NULL;
	buffer_deinit(&conn->in);
	buffer_deinit(&conn->head);
	buffer_deinit(&conn->out);
	free(conn);
	return NULL;
}

static void enter(struct http_conn *conn, enum state state)
{
	conn->state = state;
	conn->is_told = false;
}

static bool tell_once(struct http_conn *conn)
{
	bool is_news = !conn->is_told;

	conn->is_told = true;
	return is_news;
}

/* What the peer sent and nobody took yet. */
static struct slice unread(const struct http_conn *conn)
{
	return slice_sub(buffer_slice(&conn->in), conn->in_pos, SIZE_MAX);
}

static void take(struct http_conn *conn, size_t n)
{
	conn->in_pos += n;
	if (conn->in_pos < conn->in.len)
		return;
	/* An idle or held connection keeps no buffer. */
	buffer_deinit(&conn->in);
	conn->in_pos = 0;
}

static void refuse(struct http_conn *conn, unsigned status, const char *why)
{
	conn->refusal = status;
	conn->why = why;
	conn->is_last = true;
	enter(conn, STATE_REFUSED);
}

/* ---- requests in ---- */

/* Copies and parses the head that is the first len bytes of in. */
static int take_head(struct http_conn *conn, size_t len)
{
	const char *why = NULL;
	int r;

	buffer_append(&conn->head, unread(conn).data, len);
	if (conn->head.failed)
		return -ENOMEM;
	take(conn, len);
	conn->scanned = 0;
	r = http_request_parse(buffer_slice(&conn->head), &conn->request, &why);
	if (r != 0) {
		refuse(conn, (unsigned)r, why);
		return 0;
	}
	http_body_init(&conn->body, conn->request.length);
	enter(conn, STATE_DECIDE);
	return 0;
}

/* Reads over empty lines in front of a request line (RFC 9112 section 2.2). */
static void skip_empty_lines(struct http_conn *conn)
{
	while (slice_has_prefix(unread(conn), SLICE_LITERAL("\r\n"))) {
		take(conn, 2);
		conn->scanned = 0;
	}
}

/* Looks for a whole head in what came. Returns 0 or -ENOMEM. */
static int look_for_head(struct http_conn *conn)
{
	struct slice in;
	size_t len = 0;
	int r;

	skip_empty_lines(conn);
	in = slice_sub(unread(conn), 0, conn->config->head_max);
	r = http_request_find_end(in, conn->scanned, &len);
	if (r == 0)
		return take_head(conn, len);
	conn->scanned = in.len;
	if (r == HTTP_HEAD_BAD)
		refuse(conn, 400, "a line does not end with CR LF");
	else if (in.len == conn->config->head_max && slice_find(in, '\n', 0) == in.len)
		refuse(conn, 414, "the request line is too long");
	else if (in.len == conn->config->head_max)
		refuse(conn, 431, "the head is too long");
	return 0;
}

/*
 * The next piece of the body. Returns true with *ret_body; false when there is none now: then the
 * body has ended, or is malformed, or more input is needed, and the state says so.
 */
static bool take_body(struct http_conn *conn, struct slice *ret_body)
{
	struct slice rest = unread(conn);
	size_t before = rest.len;
	enum http_body_outcome outcome = http_body_take(&conn->body, &rest, ret_body);

	conn->in_pos += before - rest.len;
	if (outcome == HTTP_BODY_TOO_LONG)
		refuse(conn, 413, "the body is too long");
	else if (outcome == HTTP_BODY_BAD)
		refuse(conn, 400, "malformed chunk");
	return outcome == HTTP_BODY_DATA;
}

/* in_pos may stand at the end of in while a view of in is out; here it does not any more. */
static void settle_input(struct http_conn *conn)
{
	take(conn, 0);
}

int http_conn_read_body(struct http_conn *conn, int64_t max)
{
	assert(conn->state == STATE_DECIDE);
	if (conn->request.length > max) {
		refuse(conn, 413, "the body is too long");
		return 0;
	}
	conn->body.max = max;
	if (conn->body.is_over) {
		enter(conn, STATE_WHOLE);
		return 0;
	}
	if (conn->request.expects_continue && unread(conn).len == 0)
		buffer_append_text(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
	conn->request.expects_continue = false;
	enter(conn, STATE_BODY);
	return buffer_error(&conn->out);
}

/* ---- answers out ---- */

/* Whether the connection can go on although the body of the request was not (wholly) read. */
static bool can_read_over(const struct http_conn *conn)
{
	if (conn->body.is_over)
		return true;
	return !conn->body.is_chunked && !conn->request.expects_continue &&
	       conn->body.left <= DISCARD_MAX;
}

static enum http_framing choose_framing(struct http_conn *conn, const struct http_answer *answer)
{
	if (http_status_is_bodiless(answer->status))
		return HTTP_FRAMING_NONE;
	if (answer->kind != HTTP_ANSWER_STREAM)
		return HTTP_FRAMING_LENGTH;
	if (conn->request.minor >= 1)
		return HTTP_FRAMING_CHUNKED;
	conn->is_last = true;
	return HTTP_FRAMING_CLOSE;
}

/* What follows the head on the wire. */
static void begin_body(struct http_conn *conn, const struct http_answer *answer,
                       enum http_framing framing)
{
	conn->rest = REST_NONE;
	if (framing == HTTP_FRAMING_NONE || conn->request.method == HTTP_METHOD_HEAD)
		return;
	switch (answer->kind) {
	case HTTP_ANSWER_BYTES:
		buffer_append_slice(&conn->out, answer->body);
		break;
	case HTTP_ANSWER_FILE:
		conn->rest = REST_FILE;
		conn->file_left = answer->length;
		break;
	case HTTP_ANSWER_STREAM:
		conn->rest = framing == HTTP_FRAMING_CHUNKED ? REST_STREAM_CHUNKED : REST_STREAM;
		break;
	}
}

int http_conn_answer(struct http_conn *conn, const struct http_answer *answer, usec_t wall)
{
	struct http_response response = {
		.status = answer->status,
		.content_type = answer->content_type,
		.headers = answer->headers,
	};

	assert(conn->state == STATE_DECIDE || conn->state == STATE_BODY ||
	       conn->state == STATE_WHOLE || conn->state == STATE_REFUSED);
	if (answer->is_close || conn->is_stopped || !conn->request.is_keep_alive ||
	    !can_read_over(conn))
		conn->is_last = true;
	response.framing = choose_framing(conn, answer);
	response.length =
		answer->kind == HTTP_ANSWER_FILE ? answer->length : (int64_t)answer->body.len;
	response.is_close = conn->is_last;
	response.is_keep_alive = conn->request.minor == 0;
	http_response_build(&conn->out, &response, wall);
	begin_body(conn, answer, response.framing);
	enter(conn, STATE_ANSWER);
	return buffer_error(&conn->out);
}

struct slice http_conn_output(const struct http_conn *conn, bool *ret_more)
{
	*ret_more = conn->state == STATE_ANSWER && conn->rest == REST_FILE && conn->file_left > 0;
	return slice_sub(buffer_slice(&conn->out), conn->out_pos, SIZE_MAX);
}

void http_conn_sent(struct http_conn *conn, size_t n)
{
	assert(n <= conn->out.len - conn->out_pos);
	conn->out_pos += n;
	if (conn->out_pos < conn->out.len)
		return;
	buffer_deinit(&conn->out);
	conn->out_pos = 0;
}

int64_t http_conn_file_left(const struct http_conn *conn)
{
	return conn->file_left;
}

void http_conn_file_sent(struct http_conn *conn, int64_t n)
{
	assert(conn->rest == REST_FILE && n >= 0 && n <= conn->file_left);
	conn->file_left -= n;
}

int http_conn_fill(struct http_conn *conn, struct slice data)
{
	assert(conn->rest == REST_STREAM || conn->rest == REST_STREAM_CHUNKED);
	if (conn->rest == REST_STREAM_CHUNKED)
		http_chunked_append(&conn->out, data);
	else
		buffer_append_slice(&conn->out, data);
	return buffer_error(&conn->out);
}

int http_conn_fill_end(struct http_conn *conn)
{
	assert(conn->rest == REST_STREAM || conn->rest == REST_STREAM_CHUNKED);
	if (conn->rest == REST_STREAM_CHUNKED)
		http_chunked_append_end(&conn->out);
	conn->rest = REST_NONE;
	return buffer_error(&conn->out);
}

/* ---- from one exchange to the next ---- */

/* The answer has left: the next request, or the end. */
static void end_exchange(struct http_conn *conn, usec_t now)
{
	conn->since = now;
	if (conn->is_last || conn->is_stopped) {
		enter(conn, STATE_LINGER);
		return;
	}
	if (!conn->body.is_over) {
		enter(conn, STATE_DISCARD);
		return;
	}
	buffer_deinit(&conn->head);
	conn->request = no_request;
	enter(conn, STATE_HEAD);
}

static enum http_want next_in_answer(struct http_conn *conn)
{
	if (conn->rest == REST_FILE && conn->file_left > 0)
		return HTTP_WANT_FILE;
	if (conn->rest == REST_STREAM || conn->rest == REST_STREAM_CHUNKED) {
		if (!conn->is_ended)
			return HTTP_WANT_FILL;
		enter(conn, STATE_CLOSED);
		return HTTP_WANT_CLOSE;
	}
	enter(conn, STATE_DONE);
	return HTTP_WANT_DONE;
}

/* Returns true when the state has changed: look again. */
static bool advance_body(struct http_conn *conn)
{
	if (conn->state != STATE_BODY)
		return true; /* refused */
	if (conn->body.is_over) {
		enter(conn, STATE_WHOLE);
		return true;
	}
	if (!conn->is_ended)
		return false;
	enter(conn, STATE_CLOSED);
	return true;
}

/* As advance_body, for a body that nobody wants. */
static bool advance_discard(struct http_conn *conn, usec_t now)
{
	struct slice ignored;

	(void)take_body(conn, &ignored); /* what it returns is what we throw away */
	settle_input(conn);
	if (conn->body.is_over) {
		end_exchange(conn, now);
		return true;
	}
	if (!conn->is_ended)
		return false;
	enter(conn, STATE_CLOSED);
	return true;
}

/* As advance_body, before a request. */
static bool advance_head(struct http_conn *conn)
{
	if (look_for_head(conn) < 0) {
		enter(conn, STATE_CLOSED); /* out of memory: nothing better to be done for a peer */
		return true;
	}
	if (conn->state == STATE_HEAD && (conn->is_ended || conn->is_stopped))
		enter(conn, STATE_CLOSED);
	return conn->state != STATE_HEAD;
}

/* The owner thinks; a peer that has gone needs no answer. */
static enum http_want next_in_thought(struct http_conn *conn, enum http_want news)
{
	if (tell_once(conn))
		return news;
	if (!conn->is_ended)
		return HTTP_WANT_INPUT;
	enter(conn, STATE_CLOSED);
	return HTTP_WANT_CLOSE;
}

static enum http_want next_in_linger(struct http_conn *conn)
{
	take(conn, unread(conn).len);
	if (tell_once(conn))
		return HTTP_WANT_SHUT;
	if (!conn->is_ended)
		return HTTP_WANT_INPUT;
	enter(conn, STATE_CLOSED);
	return HTTP_WANT_CLOSE;
}

enum http_want http_conn_next(struct http_conn *conn, usec_t now, struct slice *ret_body)
{
	settle_input(conn);
	for (;;) {
		if (conn->out.len > 0 && conn->state != STATE_CLOSED)
			return HTTP_WANT_SEND;
		switch (conn->state) {
		case STATE_HEAD:
			if (!advance_head(conn))
				return HTTP_WANT_INPUT;
			break;
		case STATE_DECIDE:
			return next_in_thought(conn, HTTP_WANT_REQUEST);
		case STATE_WHOLE:
			return next_in_thought(conn, HTTP_WANT_BODY_END);
		case STATE_REFUSED:
			return next_in_thought(conn, HTTP_WANT_REFUSE);
		case STATE_BODY:
			if (take_body(conn, ret_body))
				return HTTP_WANT_BODY;
			if (!advance_body(conn))
				return HTTP_WANT_INPUT;
			break;
		case STATE_ANSWER:
			return next_in_answer(conn);
		case STATE_DONE:
			end_exchange(conn, now);
			break;
		case STATE_DISCARD:
			if (!advance_discard(conn, now))
				return HTTP_WANT_INPUT;
			break;
		case STATE_LINGER:
			return next_in_linger(conn);
		case STATE_CLOSED:
			return HTTP_WANT_CLOSE;
		}
	}
}

size_t http_conn_room(const struct http_conn *conn)
{
	return HTTP_CONN_INPUT_MAX - (conn->in.len - conn->in_pos);
}

int http_conn_input(struct http_conn *conn, struct slice bytes, usec_t now)
{
	assert(bytes.len <= http_conn_room(conn));
	/* A head's time runs from its first byte, a body's anew with each piece. */
	if (conn->state == STATE_BODY || conn->state == STATE_DISCARD ||
	    (conn->state == STATE_HEAD && unread(conn).len == 0))
		conn->since = now;
	buffer_consume(&conn->in, conn->in_pos);
	conn->in_pos = 0;
	buffer_append_slice(&conn->in, bytes);
	return buffer_error(&conn->in);
}

void http_conn_input_end(struct http_conn *conn)
{
	conn->is_ended = true;
}

usec_t http_conn_deadline(const struct http_conn *conn)
{
	switch (conn->state) {
	case STATE_HEAD:
		return usec_add(conn->since, unread(conn).len > 0 ? conn->config->head_timeout
		                                                  : conn->config->idle_timeout);
	case STATE_BODY:
	case STATE_DISCARD:
		return usec_add(conn->since, conn->config->body_timeout);
	case STATE_LINGER:
		return usec_add(conn->since, LINGER_TIMEOUT);
	case STATE_DECIDE:
	case STATE_WHOLE:
	case STATE_REFUSED:
	case STATE_ANSWER:
	case STATE_DONE:
	case STATE_CLOSED:
		break;
	}
	return USEC_INFINITY;
}

void http_conn_timeout(struct http_conn *conn, usec_t now)
{
	if (now < http_conn_deadline(conn))
		return;
	if (conn->state == STATE_BODY)
		refuse(conn, 408, "the body did not come in time");
	else if (conn->state == STATE_HEAD && unread(conn).len > 0)
		refuse(conn, 408, "the head did not come in time");
	else if (conn->state == STATE_HEAD || conn->state == STATE_DISCARD ||
	         conn->state == STATE_LINGER)
		enter(conn, STATE_CLOSED);
}

const struct http_request *http_conn_request(const struct http_conn *conn)
{
	return &conn->request;
}

unsigned http_conn_refusal(const struct http_conn *conn, const char **ret_why)
{
	*ret_why = conn->why;
	return conn->refusal;
}

void http_conn_abort(struct http_conn *conn)
{
	enter(conn, STATE_CLOSED);
}

bool http_conn_is_closed(const struct http_conn *conn)
{
	return conn->state == STATE_CLOSED;
}

void http_conn_stop(struct http_conn *conn)
{
	conn->is_stopped = true;
}
