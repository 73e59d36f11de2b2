/* SPDX-License-Identifier: MulanPSL-2.0 */
/* How connections end: peers that go away, are slow, or say nothing; and by ourselves. */
#include "tests/support/http_owner.h"

static void a_peer_that_goes_away_ends_what_waits(void **state)
{
	struct owner held, following, loading;

	owner_init(&held);
	held.is_late = true;
	feed(&held, GET("/1"));
	http_conn_input_end(held.conn);
	run(&held);
	assert_stop(&held, "close");

	owner_init(&following);
	feed(&following, GET("/stream"));
	http_conn_input_end(following.conn);
	run(&following);
	assert_stop(&following, "close");

	/* a half-closed peer still gets the answer that is on its way */
	owner_init(&loading);
	assert_int_equal(http_conn_input(loading.conn, SLICE_LITERAL(GET("/file")), 0), 0);
	http_conn_input_end(loading.conn);
	run(&loading);
	assert_sent(&loading, OK(5) "\r\nFFFFF");
	assert_stop(&loading, "close");

	owner_deinit(&held);
	owner_deinit(&following);
	owner_deinit(&loading);
}

static void slow_peers_are_cut(void **state)
{
	const struct http_conn_config *c = &http_conn_defaults;
	struct owner o;

	owner_init(&o);
	assert_true(http_conn_deadline(o.conn) == o.now + c->idle_timeout);
	o.now += USEC_PER_SEC;
	feed(&o, "GET / HT");
	assert_true(http_conn_deadline(o.conn) == o.now + c->head_timeout);
	o.now += USEC_PER_SEC;
	feed(&o, "TP/1.1\r\n"); /* more bytes do not give more time */
	http_conn_timeout(o.conn, o.now);
	assert_stop(&o, "input");
	o.now += c->head_timeout;
	http_conn_timeout(o.conn, o.now);
	run(&o);
	assert_told(&o, "!408DS");
	o.now = http_conn_deadline(o.conn);
	http_conn_timeout(o.conn, o.now);
	run(&o);
	assert_stop(&o, "close");
	owner_deinit(&o);
}

static void an_idle_peer_is_closed_without_a_word(void **state)
{
	struct owner o;

	owner_init(&o);
	feed(&o, GET("/1"));
	o.now = http_conn_deadline(o.conn);
	http_conn_timeout(o.conn, o.now);
	run(&o);
	assert_told(&o, "R(GET /1)D");
	assert_stop(&o, "close");
	owner_deinit(&o);
}

static void a_body_that_stops_is_given_up(void **state)
{
	struct owner o;

	owner_init(&o);
	feed(&o, "PUT /put HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
	o.now += http_conn_defaults.body_timeout - 1;
	feed(&o, "l");
	assert_true(http_conn_deadline(o.conn) == o.now + http_conn_defaults.body_timeout);
	o.now = http_conn_deadline(o.conn);
	http_conn_timeout(o.conn, o.now);
	run(&o);
	assert_told(&o, "R(PUT /put)B(he)B(l)!408DS");
	owner_deinit(&o);
}

static void a_stopped_connection_finishes_what_is_open(void **state)
{
	struct owner o;

	owner_init(&o);
	o.is_late = true;
	feed(&o, GET("/1"));
	http_conn_stop(o.conn);
	answer_bytes(&o, 200, "x");
	run(&o);
	assert_sent(&o, OK(1) "Connection: close\r\n\r\nx");
	assert_told(&o, "R(GET /1)DS");
	owner_deinit(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_peer_that_goes_away_ends_what_waits),
		cmocka_unit_test(slow_peers_are_cut),
		cmocka_unit_test(an_idle_peer_is_closed_without_a_word),
		cmocka_unit_test(a_body_that_stops_is_given_up),
		cmocka_unit_test(a_stopped_connection_finishes_what_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
