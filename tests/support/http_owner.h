/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The engine driven by a small owner that writes down all it is told: "R" requests, "B" pieces of
 * bodies, "E" their ends, "!" refusals, "<" what is sent, "D" done, "S" shut, "C" close.
 */
#pragma once

#include "tests/support/test.h"

#include "lib/base/buffer.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/core/http_conn.h"
#include "server/proto/http_response.h"

#define DATE "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"

struct owner {
	struct http_conn *conn;
	struct buffer log;  /* what was told */
	struct buffer wire; /* what was sent */
	usec_t now;
	bool is_late; /* do not answer at once */
	int64_t body_max;
	const char *stop; /* log of the last want that the owner has to wait in */
};

static inline void owner_init(struct owner *o)
{
	*o = (struct owner){ .body_max = 100, .now = USEC_PER_SEC };
	assert_int_equal(http_conn_new(&http_conn_defaults, o->now, &o->conn), 0);
}

static inline void owner_deinit(struct owner *o)
{
	buffer_deinit(&o->log);
	buffer_deinit(&o->wire);
	http_conn_free(o->conn);
}

static inline void answer_bytes(struct owner *o, unsigned status, const char *body)
{
	struct http_answer answer = { .status = status, .body = slice_from_text(body) };

	assert_int_equal(http_conn_answer(o->conn, &answer, 0), 0);
}

/* Paths choose the answer: /file five bytes of a file, /stream a stream, /put reads the body, else
 * the path itself is the answer. */
static inline void on_request(struct owner *o)
{
	const struct http_request *request = http_conn_request(o->conn);
	struct http_answer answer = { .status = 200, .body = request->path };

	buffer_printf(&o->log, "R(%s %.*s)", http_method_to_name(request->method),
	              (int)request->path.len, (const char *)request->path.data);
	if (o->is_late)
		return;
	if (text_equal(request->path, "/put")) {
		assert_int_equal(http_conn_read_body(o->conn, o->body_max), 0);
		return;
	}
	if (text_equal(request->path, "/file")) {
		answer.kind = HTTP_ANSWER_FILE;
		answer.length = 5;
	} else if (text_equal(request->path, "/stream")) {
		answer.kind = HTTP_ANSWER_STREAM;
	}
	assert_int_equal(http_conn_answer(o->conn, &answer, 0), 0);
}

static inline void on_send(struct owner *o)
{
	bool more;
	struct slice out = http_conn_output(o->conn, &more);

	buffer_append_slice(&o->wire, out);
	http_conn_sent(o->conn, out.len);
}

static inline void on_refuse(struct owner *o)
{
	const char *why = NULL;
	unsigned status = http_conn_refusal(o->conn, &why);

	assert_non_null(why);
	buffer_printf(&o->log, "!%u", status);
	answer_bytes(o, status, "");
}

/* Obeys until the owner has to wait. */
static inline void run(struct owner *o)
{
	struct slice body;

	for (;;) {
		switch (http_conn_next(o->conn, o->now, &body)) {
		case HTTP_WANT_REQUEST:
			on_request(o);
			break;
		case HTTP_WANT_BODY:
			buffer_printf(&o->log, "B(%.*s)", (int)body.len, (const char *)body.data);
			break;
		case HTTP_WANT_BODY_END:
			buffer_append_text(&o->log, "E");
			answer_bytes(o, 201, "");
			break;
		case HTTP_WANT_REFUSE:
			on_refuse(o);
			break;
		case HTTP_WANT_SEND:
			on_send(o);
			break;
		case HTTP_WANT_FILE:
			buffer_append_text(&o->wire, "F");
			http_conn_file_sent(o->conn, 1);
			break;
		case HTTP_WANT_DONE:
			buffer_append_text(&o->log, "D");
			break;
		case HTTP_WANT_SHUT:
			buffer_append_text(&o->log, "S");
			break;
		case HTTP_WANT_INPUT:
			o->stop = "input";
			return;
		case HTTP_WANT_FILL:
			o->stop = "fill";
			return;
		case HTTP_WANT_CLOSE:
			o->stop = "close";
			return;
		}
	}
}

static inline void feed(struct owner *o, const char *text)
{
	assert_int_equal(http_conn_input(o->conn, slice_from_text(text), o->now), 0);
	run(o);
}

#define assert_told(o, text)  assert_slice_equal(buffer_slice(&(o)->log), text)
#define assert_sent(o, text)  assert_slice_equal(buffer_slice(&(o)->wire), text)
#define assert_stop(o, which) assert_string_equal((o)->stop, which)

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK(n)     "HTTP/1.1 200 OK\r\n" DATE "Content-Length: " #n "\r\n"
