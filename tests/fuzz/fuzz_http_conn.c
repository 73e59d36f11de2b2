/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A connection fed with the input after its first byte, which seeds how it is cut in pieces. The
 * same bytes in one piece must tell the same story: the same requests, bodies, refusals.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/macro.h"
#include "lib/base/rng.h"
#include "server/core/http_conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct owner {
	struct http_conn *conn;
	struct buffer story;
	bool is_over;
};

/* The last byte of the path chooses what is done with the request. */
static void on_request(struct owner *o)
{
	const struct http_request *request = http_conn_request(o->conn);
	struct http_answer answer = { .status = 200, .body = request->target };
	uint8_t choice = request->path.data[request->path.len - 1];

	buffer_printf(&o->story, "\nR%d %lld ", (int)request->method, (long long)request->length);
	buffer_append_slice(&o->story, request->target);
	for (int i = 0; i < _HTTP_HEADER_MAX; i++)
		buffer_append_slice(&o->story, request->header[i]);
	if (choice == 'b' && http_conn_read_body(o->conn, 1000) == 0)
		return;
	if (choice == 'f') {
		answer.kind = HTTP_ANSWER_FILE;
		answer.length = 1000;
	} else if (choice == 's') {
		answer.kind = HTTP_ANSWER_STREAM;
	}
	(void)http_conn_answer(o->conn, &answer, 0);
}

static void on_refuse(struct owner *o)
{
	const char *why;
	unsigned status = http_conn_refusal(o->conn, &why);

	buffer_printf(&o->story, "\n!%u %s", status, why);
	(void)http_conn_answer(o->conn, &(struct http_answer){ .status = status }, 0);
}

static void on_send(struct owner *o)
{
	bool more;
	struct slice out = http_conn_output(o->conn, &more);

	assert(out.len > 0);
	http_conn_sent(o->conn, MAX(out.len / 2, (size_t)1));
}

/* Obeys one want. Returns false when the owner has to wait. */
static bool obey(struct owner *o)
{
	struct slice body;

	switch (http_conn_next(o->conn, 0, &body)) {
	case HTTP_WANT_REQUEST:
		on_request(o);
		return true;
	case HTTP_WANT_BODY:
		assert(body.len > 0);
		buffer_append_slice(&o->story, body);
		return true;
	case HTTP_WANT_BODY_END:
		buffer_append_text(&o->story, "\nE");
		(void)http_conn_answer(o->conn, &(struct http_answer){ .status = 204 }, 0);
		return true;
	case HTTP_WANT_REFUSE:
		on_refuse(o);
		return true;
	case HTTP_WANT_SEND:
		on_send(o);
		return true;
	case HTTP_WANT_FILE:
		http_conn_file_sent(o->conn, MIN(http_conn_file_left(o->conn), INT64_C(300)));
		return true;
	case HTTP_WANT_FILL:
		(void)http_conn_fill(o->conn, SLICE_LITERAL("piece"));
		(void)http_conn_fill_end(o->conn);
		return true;
	case HTTP_WANT_DONE:
		buffer_append_text(&o->story, "\nD");
		return true;
	case HTTP_WANT_SHUT:
		return true;
	case HTTP_WANT_INPUT:
		assert(http_conn_room(o->conn) > 0);
		return false;
	case HTTP_WANT_CLOSE:
		o->is_over = true;
		return false;
	}
	return false;
}

/* Feeds all in pieces of 1 to `most` bytes and returns the story. */
static struct buffer tell(struct slice in, struct rng *rng, size_t most)
{
	struct owner o = { .is_over = false };

	if (http_conn_new(&http_conn_defaults, 0, &o.conn) < 0)
		return o.story;
	while (in.len > 0 && !o.is_over) {
		size_t n = MIN(in.len, (size_t)rng_between(rng, 1, most));
		size_t room = http_conn_room(o.conn);

		(void)http_conn_input(o.conn, slice_take(&in, MIN(n, room)), 0);
		while (obey(&o))
			;
	}
	http_conn_input_end(o.conn);
	while (obey(&o))
		;
	assert(o.is_over);
	http_conn_free(o.conn);
	return o.story;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer pieces, whole;
	struct rng rng;

	if (size < 1)
		return 0;
	rng_init(&rng, data[0]);
	pieces = tell(slice_make(data + 1, size - 1), &rng, 1 + data[0] % 32);
	whole = tell(slice_make(data + 1, size - 1), &rng, HTTP_CONN_INPUT_MAX);
	assert(slice_equal(buffer_slice(&pieces), buffer_slice(&whole)));
	buffer_deinit(&pieces);
	buffer_deinit(&whole);
	return 0;
}
