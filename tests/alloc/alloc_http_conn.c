/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/alloc_fail.h"
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/core/http_conn.h"

/* What the owner does with one want. Returns 0, 1 when it has to wait, or -ENOMEM. */
static int obey(struct http_conn *conn)
{
	struct http_answer answer = { .status = 200, .body = SLICE_LITERAL("body") };
	struct slice body;
	const char *why;
	bool more;

	switch (http_conn_next(conn, 0, &body)) {
	case HTTP_WANT_REQUEST:
		return http_conn_read_body(conn, 1000);
	case HTTP_WANT_BODY_END:
		answer.kind = http_conn_request(conn)->path.len > 1 ? HTTP_ANSWER_STREAM
		                                                    : HTTP_ANSWER_BYTES;
		return http_conn_answer(conn, &answer, 0);
	case HTTP_WANT_REFUSE:
		answer.status = http_conn_refusal(conn, &why);
		return http_conn_answer(conn, &answer, 0);
	case HTTP_WANT_FILL:
		if (http_conn_fill(conn, SLICE_LITERAL("piece")) < 0)
			return -ENOMEM;
		return http_conn_fill_end(conn);
	case HTTP_WANT_SEND:
		http_conn_sent(conn, http_conn_output(conn, &more).len);
		return 0;
	case HTTP_WANT_INPUT:
		return 1;
	case HTTP_WANT_CLOSE: /* nothing here ends a connection but a lack of memory */
		return -ENOMEM;
	case HTTP_WANT_BODY:
	case HTTP_WANT_FILE:
	case HTTP_WANT_DONE:
	case HTTP_WANT_SHUT:
		break;
	}
	return 0;
}

static int converse(const void *arg)
{
	struct slice in = slice_from_text(arg);
	struct http_conn *conn = NULL;
	int r = http_conn_new(&http_conn_defaults, 0, &conn);

	while (r >= 0 && in.len > 0) {
		r = http_conn_input(conn, slice_take(&in, MIN(in.len, (size_t)40)), 0);
		while (r == 0)
			r = obey(conn);
	}
	http_conn_free(conn);
	return r;
}

static void every_failure_in_a_connection_is_told(void **state)
{
	static const char *const texts[] = {
		"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /stream HTTP/1.1\r\nHost: a\r\n\r\n",
		"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
		"hello",
		"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"5\r\nhello\r\n0\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_true(alloc_fail_each(converse, texts[i]) > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_failure_in_a_connection_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
