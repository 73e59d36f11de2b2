/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The connection as a small machine. `head` is a copy of the head being handled, so that its views
 * outlive later input.
 */
#include "server/core/http_conn.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/base/buffer.h"
#include "lib/base/macro.h"
#include "server/core/http_body.h"
#include "server/core/http_input.h"

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

struct http_conn {
	const struct http_conn_config *config;
	enum state state;
	bool is_told;    /* the event of this state was returned */
	bool is_ended;   /* the peer sends no more */
	bool is_last;    /* close after this answer */
	bool is_stopped; /* close as soon as nothing is open */
	usec_t since;    /* when the wait that has a deadline began */
	struct http_input in;
	struct buffer head;
	struct http_output out;
	struct http_request request;
	struct http_body body;
	unsigned refusal;
	const char *why;
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
	http_input_deinit(&conn->in);
	buffer_deinit(&conn->head);
	http_output_deinit(&conn->out);
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

static size_t unread_len(const struct http_conn *conn)
{
	return http_input_unread(&conn->in).len;
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

	buffer_append(&conn->head, http_input_unread(&conn->in).data, len);
	if (conn->head.failed)
		return -ENOMEM;
	http_input_take(&conn->in, len);
	r = http_request_parse(buffer_slice(&conn->head), &conn->request, &why);
	if (r != 0) {
		refuse(conn, (unsigned)r, why);
		return 0;
	}
	http_body_init(&conn->body, conn->request.length);
	enter(conn, STATE_DECIDE);
	return 0;
}

/* Looks for a whole head in what came. Returns 0 or -ENOMEM. */
static int look_for_head(struct http_conn *conn)
{
	const char *why = NULL;
	size_t len = 0;
	int r;

	r = http_input_find_head(&conn->in, conn->config->head_max, &len, &why);
	if (r == 0)
		return take_head(conn, len);
	if (r != HTTP_HEAD_MORE)
		refuse(conn, (unsigned)r, why);
	return 0;
}

/*
 * The next piece of the body. Returns true with *ret_body; false when there is none now: then the
 * body has ended, or is malformed, or more input is needed, and the state says so.
 */
static bool take_body(struct http_conn *conn, struct slice *ret_body)
{
	struct slice rest = http_input_unread(&conn->in);
	size_t before = rest.len;
	enum http_body_outcome outcome = http_body_take(&conn->body, &rest, ret_body);

	http_input_pass(&conn->in, before - rest.len);
	if (outcome == HTTP_BODY_TOO_LONG)
		refuse(conn, 413, "the body is too long");
	else if (outcome == HTTP_BODY_BAD)
		refuse(conn, 400, "malformed chunk");
	return outcome == HTTP_BODY_DATA;
}

/* While a view of what came is out nothing of it is given up; here none is out any more. */
static void settle_input(struct http_conn *conn)
{
	http_input_take(&conn->in, 0);
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
	if (conn->request.expects_continue && unread_len(conn) == 0)
		buffer_append_text(&conn->out.bytes, "HTTP/1.1 100 Continue\r\n\r\n");
	conn->request.expects_continue = false;
	enter(conn, STATE_BODY);
	return buffer_error(&conn->out.bytes);
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

int http_conn_answer(struct http_conn *conn, const struct http_answer *answer, usec_t wall)
{
	assert(conn->state == STATE_DECIDE || conn->state == STATE_BODY ||
	       conn->state == STATE_WHOLE || conn->state == STATE_REFUSED);
	if (answer->is_close || conn->is_stopped || !conn->request.is_keep_alive ||
	    !can_read_over(conn) || http_output_needs_end(&conn->request, answer))
		conn->is_last = true;
	enter(conn, STATE_ANSWER);
	return http_output_begin(&conn->out, &conn->request, answer, conn->is_last, wall);
}

struct slice http_conn_output(const struct http_conn *conn, bool *ret_more)
{
	*ret_more = conn->state == STATE_ANSWER && http_output_has_file(&conn->out);
	return http_output_unsent(&conn->out);
}

void http_conn_sent(struct http_conn *conn, size_t n)
{
	http_output_sent(&conn->out, n);
}

int64_t http_conn_file_left(const struct http_conn *conn)
{
	return conn->out.file_left;
}

void http_conn_file_sent(struct http_conn *conn, int64_t n)
{
	http_output_file_sent(&conn->out, n);
}

int http_conn_fill(struct http_conn *conn, struct slice data)
{
	return http_output_fill(&conn->out, data);
}

int http_conn_fill_end(struct http_conn *conn)
{
	return http_output_fill_end(&conn->out);
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
	if (http_output_has_file(&conn->out))
		return HTTP_WANT_FILE;
	if (http_output_has_stream(&conn->out)) {
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
	http_input_take(&conn->in, unread_len(conn));
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
		if (http_output_unsent(&conn->out).len > 0 && conn->state != STATE_CLOSED)
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
	return HTTP_CONN_INPUT_MAX - unread_len(conn);
}

int http_conn_input(struct http_conn *conn, struct slice bytes, usec_t now)
{
	assert(bytes.len <= http_conn_room(conn));
	/* A head's time runs from its first byte, a body's anew with each piece. */
	if (conn->state == STATE_BODY || conn->state == STATE_DISCARD ||
	    (conn->state == STATE_HEAD && unread_len(conn) == 0))
		conn->since = now;
	return http_input_append(&conn->in, bytes);
}

void http_conn_input_end(struct http_conn *conn)
{
	conn->is_ended = true;
}

usec_t http_conn_deadline(const struct http_conn *conn)
{
	switch (conn->state) {
	case STATE_HEAD:
		return usec_add(conn->since, unread_len(conn) > 0 ? conn->config->head_timeout
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
	else if (conn->state == STATE_HEAD && unread_len(conn) > 0)
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
