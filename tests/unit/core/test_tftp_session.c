/* SPDX-License-Identifier: MulanPSL-2.0 */
/* A TFTP session, packet by packet. */
#include "tests/support/tftp_walk.h"

static void without_options_data_comes_at_once(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "", 700);
	assert_int_equal(run(&session, 0, &sent), TFTP_WANT_RECV);
	assert_int_equal(sent.n, 1);
	assert_int_equal(sent.packet.opcode, TFTP_DATA);
	assert_int_equal(sent.packet.block, 1);
	assert_int_equal(sent.data_len, 512);
	assert_int_equal(ack(&session, 1, 1), 0);
	assert_int_equal(run(&session, 1, &sent), TFTP_WANT_RECV);
	assert_int_equal(sent.data_len, 700 - 512);
	assert_int_equal(ack(&session, 2, 2), 0);
	assert_int_equal(run(&session, 2, &sent), TFTP_WANT_CLOSE);
	assert_int_equal(tftp_session_end(&session), TFTP_END_DONE);
	assert_int_equal(tftp_session_bytes_acked(&session), 700);
	assert_true(tftp_session_deadline(&session) == USEC_INFINITY);
}

static void the_oack_grants_no_more_than_asked_or_allowed(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "blksize\0009000\0tsize\0000\0windowsize\000500\0x\0001\0timeout\0003\0",
	      5);
	assert_int_equal(run(&session, 0, &sent), TFTP_WANT_RECV);
	assert_int_equal(sent.packet.opcode, TFTP_OACK);
	assert_int_equal(sent.packet.options.blksize, 1468); /* of an MTU of 1500 */
	assert_int_equal(sent.packet.options.tsize, 5);
	assert_int_equal(sent.packet.options.windowsize, 64);
	assert_int_equal(sent.packet.options.timeout, 3);
	assert_false(sent.packet.options.has_utimeout);
	BEGIN(&session, "blksize\0001432\0", 5);
	assert_int_equal(run(&session, 0, &sent), TFTP_WANT_RECV);
	assert_int_equal(sent.packet.options.blksize, 1432);
	assert_false(sent.packet.options.has_tsize || sent.packet.options.has_windowsize);
}

/* The largest OACK there can be fits. */
static void every_option_at_its_longest_fits(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session,
	      "blksize\0001468\0tsize\0000\0timeout\000255\0utimeout\000255000000\0windowsize\0009\0",
	      (uint64_t)INT64_MAX);
	assert_int_equal(run(&session, 0, &sent), TFTP_WANT_RECV);
	assert_true(sent.packet.options.tsize == (uint64_t)INT64_MAX);
	assert_int_equal(sent.packet.options.windowsize, 9);
}

static void data_starts_with_the_ack_of_the_oack(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "blksize\000100\0windowsize\0004\0", 1000);
	assert_int_equal(run(&session, 0, &sent), TFTP_WANT_RECV);
	assert_int_equal(ack(&session, 1, 1), TFTP_IGNORED);
	assert_int_equal(ack(&session, 0, 1), 0);
	assert_int_equal(run(&session, 1, &sent), TFTP_WANT_RECV);
	assert_int_equal(sent.n, 4);
	assert_int_equal(sent.first, 1);
	assert_int_equal(sent.last, 4);
}

/* OVMF asks for the size, answers the OACK with an ERROR, and asks again from another port. */
static void the_firmwares_aborted_first_read_ends_quietly(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "tsize\0000\0blksize\0001468\0windowsize\0004\0", 173792);
	assert_int_equal(run(&session, 0, &sent), TFTP_WANT_RECV);
	assert_int_equal(tftp_session_input(&session,
	                                    SLICE_LITERAL("\0\5\0\10User aborted the transfer\0"),
	                                    1),
	                 0);
	assert_int_equal(run(&session, 1, &sent), TFTP_WANT_CLOSE);
	assert_int_equal(sent.n, 0);
	assert_int_equal(tftp_session_end(&session), TFTP_END_PROBED);
}

static void an_error_in_the_middle_is_an_abort(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "", 5000);
	(void)run(&session, 0, &sent);
	assert_int_equal(ack(&session, 1, 1), 0);
	assert_int_equal(tftp_session_input(&session, SLICE_LITERAL("\0\5\0\3full\0"), 1), 0);
	assert_int_equal(run(&session, 1, &sent), TFTP_WANT_CLOSE);
	assert_int_equal(tftp_session_end(&session), TFTP_END_ABORTED);
	assert_int_equal(tftp_session_bytes_acked(&session), 512);
}

static void a_repeated_ack_of_one_block_sends_nothing(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "", 5000);
	(void)run(&session, 0, &sent);
	assert_int_equal(ack(&session, 1, 1), 0);
	(void)run(&session, 1, &sent);
	assert_int_equal(sent.n, 1);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(ack(&session, 1, 10 * MSEC), TFTP_IGNORED);
		(void)run(&session, 10 * MSEC, &sent);
		assert_int_equal(sent.n, 0);
	}
	assert_int_equal(ack(&session, 0, 11 * MSEC), TFTP_IGNORED);
	assert_int_equal(ack(&session, 3, 11 * MSEC), TFTP_IGNORED); /* never sent */
}

static void an_ack_inside_the_window_restarts_after_it(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "windowsize\0004\0", 512 * 20);
	(void)run(&session, 0, &sent);
	assert_int_equal(ack(&session, 0, MSEC), 0);
	(void)run(&session, MSEC, &sent);
	assert_int_equal(ack(&session, 2, 2 * MSEC), 0);
	(void)run(&session, 2 * MSEC, &sent);
	assert_int_equal(sent.first, 3);
	assert_int_equal(sent.last, 6);
	assert_int_equal(ack(&session, 1, 2 * MSEC), TFTP_IGNORED); /* older than the window */
	assert_int_equal(ack(&session, 7, 2 * MSEC), TFTP_IGNORED); /* not sent yet */
	assert_int_equal(ack(&session, 6, 3 * MSEC), 0);
	(void)run(&session, 3 * MSEC, &sent);
	assert_int_equal(sent.first, 7);
}

static void a_lost_first_block_of_a_window_is_sent_again_once(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "windowsize\0004\0", 512 * 20);
	(void)run(&session, 0, &sent);
	assert_int_equal(ack(&session, 0, MSEC), 0);
	(void)run(&session, MSEC, &sent);
	assert_int_equal(ack(&session, 4, 2 * MSEC), 0);
	(void)run(&session, 2 * MSEC, &sent);
	/* Too soon: the client cannot have seen this window. */
	assert_int_equal(ack(&session, 4, 2 * MSEC + 100), TFTP_IGNORED);
	assert_int_equal(ack(&session, 4, 4 * MSEC), 0);
	(void)run(&session, 4 * MSEC, &sent);
	assert_int_equal(sent.first, 5);
	assert_int_equal(sent.last, 8);
	assert_int_equal(ack(&session, 4, 6 * MSEC), TFTP_IGNORED);
	/* What went twice is acknowledged twice. */
	assert_int_equal(ack(&session, 8, 7 * MSEC), 0);
	(void)run(&session, 7 * MSEC, &sent);
	assert_int_equal(sent.first, 9);
	assert_int_equal(ack(&session, 8, 9 * MSEC), TFTP_IGNORED);
}

static void silence_repeats_with_growing_waits_and_ends(void **state)
{
	struct tftp_session session;
	struct sent sent;
	usec_t now = 0, wait = 0, last_wait = 0;
	unsigned n = 0;

	BEGIN(&session, "", 5000);
	(void)run(&session, 0, &sent);
	assert_int_equal(tftp_session_timeout(&session, 1), TFTP_IGNORED);
	while (tftp_session_end(&session) == TFTP_END_NONE) {
		wait = tftp_session_deadline(&session) - now;
		assert_true(wait >= SEC && wait <= 10 * SEC);
		now += wait;
		assert_int_equal(tftp_session_timeout(&session, now), 0);
		(void)run(&session, now, &sent);
		if (tftp_session_end(&session) != TFTP_END_NONE)
			break;
		assert_int_equal(sent.n, 1);
		assert_int_equal(sent.packet.block, 1);
		last_wait = MAX(last_wait, wait);
		n++;
	}
	assert_int_equal(tftp_session_end(&session), TFTP_END_TIMED_OUT);
	assert_true(last_wait >= 8 * SEC);
	assert_true(n >= 5 && n <= 15);
	assert_true(now >= 60 * SEC && now < 75 * SEC);
	assert_int_equal(session.n_retransmits, n);
}

static void the_clients_timeout_is_honoured(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "timeout\00020\0", 5000);
	(void)run(&session, 0, &sent);
	assert_true(tftp_session_deadline(&session) >= 20 * SEC);
	assert_true(tftp_session_deadline(&session) <= 25 * SEC);
	BEGIN(&session, "utimeout\00050000\0", 5000);
	(void)run(&session, 0, &sent);
	assert_true(tftp_session_deadline(&session) >= 50 * MSEC);
	assert_true(tftp_session_deadline(&session) <= 63 * MSEC);
}

static void jitter_differs_between_sessions(void **state)
{
	struct tftp_packet request;
	struct tftp_session a, b;
	struct rng rng;

	rng_init(&rng, 7);
	assert_int_equal(tftp_packet_decode(SLICE_LITERAL("\0\1f\0octet\0"), &request), 0);
	tftp_session_init(&a, &request, 1, 0, &TFTP_LIMITS_DEFAULT, &rng, 0);
	tftp_session_init(&b, &request, 1, 0, &TFTP_LIMITS_DEFAULT, &rng, 0);
	assert_true(tftp_session_deadline(&a) != tftp_session_deadline(&b));
}

static void a_lost_last_ack_is_no_failure_and_soon_over(void **state)
{
	struct tftp_session session;
	struct sent sent;
	usec_t now = 0;

	BEGIN(&session, "", 100);
	(void)run(&session, 0, &sent);
	while (tftp_session_end(&session) == TFTP_END_NONE) {
		now = tftp_session_deadline(&session);
		assert_int_equal(tftp_session_timeout(&session, now), 0);
		(void)run(&session, now, &sent);
	}
	assert_int_equal(tftp_session_end(&session), TFTP_END_UNCONFIRMED);
	assert_true(now <= 20 * SEC);
}

static void a_closed_port_ends_it_at_once(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "", 5000);
	(void)run(&session, 0, &sent);
	tftp_session_gone(&session);
	assert_int_equal(tftp_session_end(&session), TFTP_END_ABORTED);
	BEGIN(&session, "tsize\0000\0", 5000);
	(void)run(&session, 0, &sent);
	tftp_session_gone(&session);
	assert_int_equal(tftp_session_end(&session), TFTP_END_PROBED);
	BEGIN(&session, "", 100);
	(void)run(&session, 0, &sent);
	tftp_session_gone(&session);
	assert_int_equal(tftp_session_end(&session), TFTP_END_UNCONFIRMED);
	assert_int_equal(run(&session, 0, &sent), TFTP_WANT_CLOSE);
	tftp_session_gone(&session);
	assert_int_equal(tftp_session_end(&session), TFTP_END_UNCONFIRMED);
}

static void a_slow_disk_is_not_the_clients_fault(void **state)
{
	struct tftp_session session;
	struct tftp_step step;
	struct sent sent;
	usec_t now = 0;

	BEGIN(&session, "", 100);
	assert_int_equal(tftp_session_next(&session, 0, &step), TFTP_WANT_BLOCK);
	while (tftp_session_end(&session) == TFTP_END_NONE) {
		assert_int_equal(tftp_session_next(&session, now, &step), TFTP_WANT_BLOCK);
		now = tftp_session_deadline(&session);
		assert_int_equal(tftp_session_timeout(&session, now), 0);
	}
	assert_true(now >= 60 * SEC);
	assert_int_equal(tftp_session_end(&session), TFTP_END_FAILED);
	assert_int_equal(run(&session, now, &sent), TFTP_WANT_CLOSE);
	assert_int_equal(sent.n, 1);
	assert_int_equal(sent.packet.opcode, TFTP_ERROR);
}

static void a_short_block_ends_with_an_error(void **state)
{
	struct tftp_session session;
	struct tftp_step step;
	struct sent sent;

	BEGIN(&session, "", 100);
	assert_int_equal(tftp_session_next(&session, 0, &step), TFTP_WANT_BLOCK);
	assert_int_equal(step.len, 100);
	assert_int_equal(tftp_session_fill(&session, SLICE_LITERAL("abc"), 0), 0);
	assert_int_equal(run(&session, 0, &sent), TFTP_WANT_CLOSE);
	assert_int_equal(sent.n, 1);
	assert_int_equal(sent.packet.opcode, TFTP_ERROR);
	assert_int_equal(tftp_session_end(&session), TFTP_END_FAILED);
	assert_int_equal(tftp_session_fill(&session, SLICE_LITERAL("abc"), 0), TFTP_IGNORED);
}

static void a_failure_message_is_cut_to_its_room(void **state)
{
	struct tftp_session session;
	char message[500];
	struct sent sent;

	memset(message, 'x', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	BEGIN(&session, "tsize\0000\0", 100);
	tftp_session_fail(&session, TFTP_ERROR_UNDEFINED, message);
	tftp_session_fail(&session, TFTP_ERROR_ACCESS, "again");
	assert_int_equal(run(&session, 0, &sent), TFTP_WANT_CLOSE);
	assert_int_equal(sent.n, 1);
	assert_int_equal(sent.packet.error, TFTP_ERROR_UNDEFINED);
	assert_true(sent.packet.message.len > 100 && sent.packet.message.len < 200);
}

static void noise_is_ignored(void **state)
{
	static const struct slice noise[] = {
		SLICE_LITERAL(""),
		SLICE_LITERAL("\0\4"),
		SLICE_LITERAL("\0\3\0\1abc"),
		SLICE_LITERAL("\0\1f\0octet\0"),
		SLICE_LITERAL("\0\6tsize\0005\0"),
	};
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "", 100);
	(void)run(&session, 0, &sent);
	for (size_t i = 0; i < ARRAY_SIZE(noise); i++)
		assert_int_equal(tftp_session_input(&session, noise[i], 1), TFTP_IGNORED);
	(void)run(&session, 1, &sent);
	assert_int_equal(sent.n, 0);
}

/* --- whole files over a bad link --- */

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_options_data_comes_at_once),
		cmocka_unit_test(the_oack_grants_no_more_than_asked_or_allowed),
		cmocka_unit_test(every_option_at_its_longest_fits),
		cmocka_unit_test(data_starts_with_the_ack_of_the_oack),
		cmocka_unit_test(the_firmwares_aborted_first_read_ends_quietly),
		cmocka_unit_test(an_error_in_the_middle_is_an_abort),
		cmocka_unit_test(a_repeated_ack_of_one_block_sends_nothing),
		cmocka_unit_test(an_ack_inside_the_window_restarts_after_it),
		cmocka_unit_test(a_lost_first_block_of_a_window_is_sent_again_once),
		cmocka_unit_test(silence_repeats_with_growing_waits_and_ends),
		cmocka_unit_test(the_clients_timeout_is_honoured),
		cmocka_unit_test(jitter_differs_between_sessions),
		cmocka_unit_test(a_lost_last_ack_is_no_failure_and_soon_over),
		cmocka_unit_test(a_closed_port_ends_it_at_once),
		cmocka_unit_test(a_slow_disk_is_not_the_clients_fault),
		cmocka_unit_test(a_short_block_ends_with_an_error),
		cmocka_unit_test(a_failure_message_is_cut_to_its_room),
		cmocka_unit_test(noise_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
