/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "agent/transfer.h"
#include "lib/base/macro.h"
#include "lib/base/rng.h"

/* A server that stores as the real one does: appends at its offset, closes at a stated size. */
struct store {
	uint64_t stored;
	bool is_complete;
};

static struct transfer_answer serve(struct store *store, const struct transfer *t,
                                    enum transfer_want want, uint64_t len)
{
	struct transfer_answer answer = { .status = 200, .has_offset = true };

	if (want != TRANSFER_WANT_HEAD && t->offset != store->stored) {
		answer.status = 409;
	} else if (want == TRANSFER_WANT_PUT) {
		store->stored += len;
		answer.status = 201;
	}
	if (want != TRANSFER_WANT_HEAD && t->is_final && store->stored == t->size)
		store->is_complete = true;
	answer.offset = store->stored;
	answer.is_complete = store->is_complete;
	return answer;
}

static void whole_file_goes_in_chunks(void **state)
{
	struct transfer t = { .size = 25, .is_final = true };
	struct store store = { 0 };
	static const uint64_t lengths[] = { 10, 10, 5 };
	static const char *const ranges[] = { "bytes 0-9/25", "bytes 10-19/25", "bytes 20-24/25" };

	for (size_t i = 0; i < 3; i++) {
		uint64_t len = 0;
		char array[80];
		struct bytes range = BYTES_ON(array);
		struct transfer_answer answer;

		assert_int_equal(transfer_next(&t, 10, &len), TRANSFER_WANT_PUT);
		assert_int_equal(len, lengths[i]);
		transfer_content_range(&range, &t, TRANSFER_WANT_PUT, len);
		assert_slice_equal(bytes_slice(&range), ranges[i]);
		answer = serve(&store, &t, TRANSFER_WANT_PUT, len);
		assert_int_equal(transfer_input(&t, TRANSFER_WANT_PUT, len, true, &answer),
		                 i < 2 ? TRANSFER_GOOD : TRANSFER_ENDED);
	}
	assert_int_equal(transfer_next(&t, 10, &(uint64_t){ 0 }), TRANSFER_WANT_DONE);
	assert_true(store.is_complete);
}

static void empty_file_is_closed_without_a_body(void **state)
{
	struct transfer t = { .size = 0, .is_final = true };
	const struct transfer_answer answer = { .status = 201 };
	char array[80];
	struct bytes range = BYTES_ON(array);
	uint64_t len;

	assert_int_equal(transfer_next(&t, 10, &len), TRANSFER_WANT_CLOSE);
	transfer_content_range(&range, &t, TRANSFER_WANT_CLOSE, 0);
	assert_slice_equal(bytes_slice(&range), "bytes */0");
	assert_int_equal(transfer_input(&t, TRANSFER_WANT_CLOSE, 0, true, &answer), TRANSFER_ENDED);
	assert_true(t.is_done);
}

static void growing_file_waits_then_closes(void **state)
{
	struct transfer t = { .size = 0 };
	struct store store = { 0 };
	struct transfer_answer answer;
	char array[80];
	struct bytes range = BYTES_ON(array);
	uint64_t len = 0;

	assert_int_equal(transfer_next(&t, 10, &len), TRANSFER_WANT_NOTHING);
	t.size = 4;
	assert_int_equal(transfer_next(&t, 10, &len), TRANSFER_WANT_PUT);
	transfer_content_range(&range, &t, TRANSFER_WANT_PUT, len);
	assert_slice_equal(bytes_slice(&range), "bytes 0-3/*");
	answer = serve(&store, &t, TRANSFER_WANT_PUT, len);
	t.is_final = true; /* while it was under way */
	assert_int_equal(transfer_input(&t, TRANSFER_WANT_PUT, len, false, &answer), TRANSFER_GOOD);
	assert_int_equal(transfer_next(&t, 10, &len), TRANSFER_WANT_CLOSE);
	range.len = 0;
	transfer_content_range(&range, &t, TRANSFER_WANT_CLOSE, 0);
	assert_slice_equal(bytes_slice(&range), "bytes */4");
	answer = serve(&store, &t, TRANSFER_WANT_CLOSE, 0);
	assert_int_equal(transfer_input(&t, TRANSFER_WANT_CLOSE, 0, true, &answer), TRANSFER_ENDED);
	assert_true(t.is_done);
}

static void after_a_cut_the_server_is_asked(void **state)
{
	static const unsigned lost[] = { 0, 500, 503, 408, 416, 507 };

	for (size_t i = 0; i < ARRAY_SIZE(lost); i++) {
		struct transfer t = { .size = 20, .offset = 5, .best = 5, .is_final = true };
		struct transfer_answer answer = { .status = lost[i] };
		uint64_t len = 0;

		assert_int_equal(transfer_input(&t, TRANSFER_WANT_PUT, 10, true, &answer),
		                 TRANSFER_RETRY);
		assert_int_equal(transfer_next(&t, 10, &len), TRANSFER_WANT_HEAD);
		answer = (struct transfer_answer){ .status = 0 };
		assert_int_equal(transfer_input(&t, TRANSFER_WANT_HEAD, 0, false, &answer),
		                 TRANSFER_RETRY);
		answer = (struct transfer_answer){ .status = 200, .has_offset = true, .offset = 8 };
		assert_int_equal(transfer_input(&t, TRANSFER_WANT_HEAD, 0, false, &answer),
		                 TRANSFER_GOOD);
		assert_int_equal(t.offset, 8);
		assert_int_equal(transfer_next(&t, 10, &len), TRANSFER_WANT_PUT);
		assert_int_equal(len, 10);
	}
}

static void wrong_offset_is_put_right_by_the_answer(void **state)
{
	struct transfer t = { .size = 20, .offset = 12, .best = 12, .is_final = true };
	struct transfer_answer answer = { .status = 409, .has_offset = true, .offset = 3 };

	assert_int_equal(transfer_input(&t, TRANSFER_WANT_PUT, 8, true, &answer), TRANSFER_ASKED);
	assert_int_equal(t.offset, 3);
	/* the same again makes no progress: not at once, and after asking */
	assert_int_equal(transfer_input(&t, TRANSFER_WANT_PUT, 8, true, &answer), TRANSFER_RETRY);
	assert_true(t.must_ask);
	answer = (struct transfer_answer){ .status = 409 };
	t.must_ask = false;
	assert_int_equal(transfer_input(&t, TRANSFER_WANT_PUT, 8, true, &answer), TRANSFER_RETRY);
	assert_true(t.must_ask);
}

static void head_may_say_it_is_all_there(void **state)
{
	struct transfer t = { .size = 20, .must_ask = true, .is_final = true };
	const struct transfer_answer answer = {
		.status = 200, .has_offset = true, .offset = 20, .is_complete = true
	};

	assert_int_equal(transfer_input(&t, TRANSFER_WANT_HEAD, 0, false, &answer), TRANSFER_ENDED);
	assert_true(t.is_done);
}

static void head_of_an_unknown_file_is_zero(void **state)
{
	struct transfer t = { .size = 20, .offset = 7, .must_ask = true };
	const struct transfer_answer answer = { .status = 404 };

	assert_int_equal(transfer_input(&t, TRANSFER_WANT_HEAD, 0, false, &answer), TRANSFER_ASKED);
	assert_int_equal(t.offset, 0);
}

/* It answers HEAD for ever, and that is no progress. */
static void full_disk_is_no_progress(void **state)
{
	struct transfer t = { .size = 20, .offset = 5, .best = 5, .is_final = true };
	struct transfer_answer answer = { .status = 200, .has_offset = true, .offset = 8 };

	t.must_ask = true;
	assert_int_equal(transfer_input(&t, TRANSFER_WANT_HEAD, 0, false, &answer), TRANSFER_GOOD);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(transfer_input(&t, TRANSFER_WANT_PUT, 12, true,
		                                &(struct transfer_answer){ .status = 507 }),
		                 TRANSFER_RETRY);
		assert_int_equal(transfer_input(&t, TRANSFER_WANT_HEAD, 0, false, &answer),
		                 TRANSFER_ASKED);
		assert_int_equal(transfer_next(&t, 20, &(uint64_t){ 0 }), TRANSFER_WANT_PUT);
	}
	answer = (struct transfer_answer){ .status = 201 };
	assert_int_equal(transfer_input(&t, TRANSFER_WANT_PUT, 4, false, &answer), TRANSFER_GOOD);
}

static void server_that_keeps_less_is_believed(void **state)
{
	struct transfer t = { .size = 20, .is_final = true };
	struct transfer_answer answer = { .status = 200, .has_offset = true, .offset = 6 };

	assert_int_equal(transfer_input(&t, TRANSFER_WANT_PUT, 20, true, &answer), TRANSFER_GOOD);
	assert_int_equal(t.offset, 6);
	assert_int_equal(transfer_input(&t, TRANSFER_WANT_PUT, 14, true, &answer), TRANSFER_RETRY);
}

static void refused_files_are_lost(void **state)
{
	static const struct {
		enum transfer_want want;
		struct transfer_answer answer;
	} cases[] = {
		{ TRANSFER_WANT_PUT, { .status = 400 } },
		{ TRANSFER_WANT_PUT, { .status = 403 } },
		{ TRANSFER_WANT_PUT, { .status = 404 } },
		{ TRANSFER_WANT_PUT, { .status = 413 } },
		{ TRANSFER_WANT_HEAD, { .status = 403 } },
		/* the server has more than we ever had, or closed it with less */
		{ TRANSFER_WANT_PUT, { .status = 409, .has_offset = true, .offset = 21 } },
		{ TRANSFER_WANT_HEAD, { .status = 200, .has_offset = true, .offset = 21 } },
		{ TRANSFER_WANT_HEAD,
		  { .status = 200, .has_offset = true, .offset = 9, .is_complete = true } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct transfer t = { .size = 20, .is_final = true };

		t.must_ask = cases[i].want == TRANSFER_WANT_HEAD;
		assert_int_equal(transfer_input(&t, cases[i].want, 20, true, &cases[i].answer),
		                 TRANSFER_ENDED);
		assert_int_equal(transfer_next(&t, 10, &(uint64_t){ 0 }), TRANSFER_WANT_LOST);
	}
}

static void fence_is_told(void **state)
{
	struct transfer t = { .size = 20 };

	assert_int_equal(transfer_input(&t, TRANSFER_WANT_PUT, 20, true,
	                                &(struct transfer_answer){ .status = 410 }),
	                 TRANSFER_FENCED);
	assert_int_equal(transfer_input(&t, TRANSFER_WANT_HEAD, 0, true,
	                                &(struct transfer_answer){ .status = 401 }),
	                 TRANSFER_FENCED);
}

/* Lost answers, lost requests and failures in any order: the store ends up with every byte once. */
static void every_byte_arrives_once_whatever_is_lost(void **state)
{
	for (uint64_t seed = 0; seed < 1000; seed++) {
		struct transfer t = { .size = 0 };
		struct store store = { 0 };
		struct rng rng;
		uint64_t size;

		rng_init(&rng, seed);
		size = rng_between(&rng, 0, 100);
		for (unsigned i = 0; i < 5000 && !t.is_done; i++) {
			struct transfer_answer answer = { .status = 0 };
			uint64_t len = 0;
			enum transfer_want want;
			bool was_final, reached = rng_between(&rng, 0, 3) > 0;
			int q;

			if (!t.is_final) {
				t.size = MIN(size, t.size + rng_between(&rng, 0, 9));
				t.is_final = t.size == size;
			}
			want = transfer_next(&t, 7, &len);
			if (want == TRANSFER_WANT_NOTHING)
				continue;
			was_final = t.is_final;
			if (reached)
				answer = serve(&store, &t, want, len);
			else if (want == TRANSFER_WANT_PUT && t.offset == store.stored)
				store.stored +=
					rng_between(&rng, 0, len - 1); /* cut in the middle */
			if (rng_between(&rng, 0, 3) == 0)
				answer = (struct transfer_answer){ .status = 0 };
			q = transfer_input(&t, want, len, was_final, &answer);
			assert_in_range(q, TRANSFER_GOOD, TRANSFER_ASKED);
		}
		assert_true(t.is_done);
		assert_true(store.is_complete);
		assert_int_equal(store.stored, size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_file_goes_in_chunks),
		cmocka_unit_test(empty_file_is_closed_without_a_body),
		cmocka_unit_test(growing_file_waits_then_closes),
		cmocka_unit_test(after_a_cut_the_server_is_asked),
		cmocka_unit_test(wrong_offset_is_put_right_by_the_answer),
		cmocka_unit_test(head_may_say_it_is_all_there),
		cmocka_unit_test(head_of_an_unknown_file_is_zero),
		cmocka_unit_test(full_disk_is_no_progress),
		cmocka_unit_test(server_that_keeps_less_is_believed),
		cmocka_unit_test(refused_files_are_lost),
		cmocka_unit_test(fence_is_told),
		cmocka_unit_test(every_byte_arrives_once_whatever_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
