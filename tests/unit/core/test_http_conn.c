/* SPDX-License-Identifier: MulanPSL-2.0 */
/* Requests and answers of one connection. */
#include "tests/support/http_owner.h"

static void pipelined_requests_are_answered_in_order(void **state)
{
	struct owner o;

	owner_init(&o);
	feed(&o, "\r\n" GET("/1") GET("/22") "\r\n" GET("/333"));
	assert_told(&o, "R(GET /1)DR(GET /22)DR(GET /333)D");
	assert_sent(&o, OK(2) "\r\n/1" OK(3) "\r\n/22" OK(4) "\r\n/333");
	assert_stop(&o, "input");
	owner_deinit(&o);
}

static void requests_wait_while_one_is_thought_about(void **state)
{
	struct owner o;

	owner_init(&o);
	o.is_late = true;
	feed(&o, GET("/1") GET("/2"));
	assert_told(&o, "R(GET /1)");
	assert_true(http_conn_deadline(o.conn) == USEC_INFINITY);
	feed(&o, GET("/3"));
	assert_told(&o, "R(GET /1)");
	assert_slice_equal(http_conn_request(o.conn)->path, "/1"); /* not moved by later input */
	o.is_late = false;
	answer_bytes(&o, 200, "x");
	run(&o);
	assert_told(&o, "R(GET /1)DR(GET /2)DR(GET /3)D");
	owner_deinit(&o);
}

static void any_pieces_make_the_same_story(void **state)
{
	static const char text[] =
		GET("/1") "PUT /put HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
			  "PUT /put HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
			  "1\r\nx\r\n0\r\n\r\n" GET("/file");

	for (size_t step = 1; step < sizeof(text); step++) {
		struct owner o;

		owner_init(&o);
		for (size_t at = 0; at < sizeof(text) - 1; at += step) {
			struct slice piece = slice_sub(slice_from_text(text), at, step);

			assert_int_equal(http_conn_input(o.conn, piece, o.now), 0);
			run(&o);
		}
		assert_sent(&o, OK(2) "\r\n/1"
		                      "HTTP/1.1 201 Created\r\n" DATE "Content-Length: 0\r\n\r\n"
		                      "HTTP/1.1 201 Created\r\n" DATE
		                      "Content-Length: 0\r\n\r\n" OK(5) "\r\nFFFFF");
		owner_deinit(&o);
	}
}

static void continue_is_sent_when_the_body_is_wanted(void **state)
{
	struct owner o;

	owner_init(&o);
	feed(&o, "PUT /put HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
	         "Expect: 100-continue\r\n\r\n");
	assert_sent(&o, "HTTP/1.1 100 Continue\r\n\r\n");
	feed(&o, "hel");
	feed(&o, "lo");
	assert_told(&o, "R(PUT /put)B(hel)B(lo)ED");
	assert_stop(&o, "input");
	owner_deinit(&o);
}

static void a_body_that_waits_for_100_is_refused_without_it(void **state)
{
	struct owner o;

	owner_init(&o);
	feed(&o, "PUT /no HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
	         "Expect: 100-continue\r\n\r\n");
	assert_told(&o, "R(PUT /no)DS");
	assert_sent(&o, OK(3) "Connection: close\r\n\r\n/no");
	feed(&o, "hello" GET("/never"));
	assert_told(&o, "R(PUT /no)DS");
	http_conn_input_end(o.conn);
	run(&o);
	assert_stop(&o, "close");
	owner_deinit(&o);
}

static void a_short_body_nobody_wants_is_read_over(void **state)
{
	struct owner o;

	owner_init(&o);
	feed(&o, "POST /no HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
	assert_told(&o, "R(POST /no)D");
	feed(&o, "llo" GET("/1"));
	assert_told(&o, "R(POST /no)DR(GET /1)D");
	owner_deinit(&o);
}

static void a_body_beyond_the_limit_is_refused(void **state)
{
	static const char *const cases[] = {
		"PUT /put HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n",
		"PUT /put HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"65\r\n01234567890123456789012345678901234567890123456789"
		"012345678901234567890123456789012345678901234567890\r\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct owner o;

		owner_init(&o);
		feed(&o, cases[i]);
		assert_told(&o, "R(PUT /put)!413DS");
		owner_deinit(&o);
	}
}

static void mistakes_are_refused_and_end_the_connection(void **state)
{
	static const struct {
		const char *text, *log;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n\r\n", "!400DS" },
		{ "GET / HTTP/1.1\nHost: a\n\n", "!400DS" },
		{ "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "!501DS" },
		{ "PUT /put HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		  "R(PUT /put)!400DS" },
		{ GET("/1") "nonsense\r\n\r\n", "R(GET /1)D!400DS" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct owner o;

		owner_init(&o);
		feed(&o, cases[i].text);
		assert_told(&o, cases[i].log);
		feed(&o, GET("/more"));
		assert_told(&o, cases[i].log);
		owner_deinit(&o);
	}
}

static void an_endless_head_is_refused(void **state)
{
	for (int has_line = 0; has_line < 2; has_line++) {
		struct owner o;
		char many[1025];

		owner_init(&o);
		memset(many, 'x', sizeof(many) - 1);
		many[sizeof(many) - 1] = '\0';
		feed(&o, has_line ? "GET / HTTP/1.1\r\nX-" : "GET /");
		for (int i = 0; i < 16; i++)
			feed(&o, many);
		assert_told(&o, has_line ? "!431DS" : "!414DS");
		owner_deinit(&o);
	}
}

static void head_has_the_head_of_get_and_no_body(void **state)
{
	struct owner get, head;

	owner_init(&get);
	owner_init(&head);
	feed(&get, GET("/file"));
	feed(&head, "HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_sent(&get, OK(5) "\r\nFFFFF");
	assert_sent(&head, OK(5) "\r\n");
	feed(&head, "HEAD /bytes HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_sent(&head, OK(5) "\r\n" OK(6) "\r\n");
	feed(&head, "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_told(&head, "R(HEAD /file)DR(HEAD /bytes)DR(HEAD /stream)D");
	owner_deinit(&get);
	owner_deinit(&head);
}

static void a_stream_is_chunked_and_ends(void **state)
{
	struct owner o;

	owner_init(&o);
	feed(&o, GET("/stream") GET("/1"));
	assert_stop(&o, "fill");
	assert_int_equal(http_conn_fill(o.conn, SLICE_LITERAL("hello")), 0);
	run(&o);
	assert_int_equal(http_conn_fill_end(o.conn), 0);
	run(&o);
	assert_sent(&o, "HTTP/1.1 200 OK\r\n" DATE "Transfer-Encoding: chunked\r\n\r\n"
	                "5\r\nhello\r\n0\r\n\r\n" OK(2) "\r\n/1");
	owner_deinit(&o);
}

static void a_stream_to_an_old_client_ends_with_the_connection(void **state)
{
	struct owner o;

	owner_init(&o);
	feed(&o, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	assert_int_equal(http_conn_fill(o.conn, SLICE_LITERAL("hello")), 0);
	assert_int_equal(http_conn_fill_end(o.conn), 0);
	run(&o);
	assert_sent(&o, "HTTP/1.1 200 OK\r\n" DATE "Connection: close\r\n\r\nhello");
	assert_told(&o, "R(GET /stream)DS");
	owner_deinit(&o);
}

static void an_old_client_is_told_that_it_may_go_on(void **state)
{
	struct owner o;

	owner_init(&o);
	feed(&o, "GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	assert_sent(&o, OK(2) "Connection: keep-alive\r\n\r\n/1");
	assert_told(&o, "R(GET /1)D");
	feed(&o, "GET /1 HTTP/1.0\r\n\r\n");
	assert_told(&o, "R(GET /1)DR(GET /1)DS");
	owner_deinit(&o);
}

static void no_body_goes_with_304_and_204(void **state)
{
	struct owner o;

	owner_init(&o);
	o.is_late = true;
	feed(&o, GET("/1"));
	answer_bytes(&o, 304, "lost");
	run(&o);
	assert_sent(&o, "HTTP/1.1 304 Not Modified\r\n" DATE "\r\n");
	owner_deinit(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pipelined_requests_are_answered_in_order),
		cmocka_unit_test(requests_wait_while_one_is_thought_about),
		cmocka_unit_test(any_pieces_make_the_same_story),
		cmocka_unit_test(continue_is_sent_when_the_body_is_wanted),
		cmocka_unit_test(a_body_that_waits_for_100_is_refused_without_it),
		cmocka_unit_test(a_short_body_nobody_wants_is_read_over),
		cmocka_unit_test(a_body_beyond_the_limit_is_refused),
		cmocka_unit_test(mistakes_are_refused_and_end_the_connection),
		cmocka_unit_test(an_endless_head_is_refused),
		cmocka_unit_test(head_has_the_head_of_get_and_no_body),
		cmocka_unit_test(a_stream_is_chunked_and_ends),
		cmocka_unit_test(a_stream_to_an_old_client_ends_with_the_connection),
		cmocka_unit_test(an_old_client_is_told_that_it_may_go_on),
		cmocka_unit_test(no_body_goes_with_304_and_204),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
