/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <event2/event.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/sys/fd.h"
#include "server/io/loop.h"
#include "server/io/worker_channel.h"

struct end {
	struct worker_channel *channel;
	unsigned n_messages, n_fds, n_gone;
	uint64_t last_upload;
	bool is_freeing; /* free the channel at the next message */
};

static struct event_base *base;
static struct end a, b;

static void on_message(void *userdata, const struct worker_message *message, int fd)
{
	struct end *end = userdata;

	end->n_messages++;
	end->n_fds += fd >= 0;
	end->last_upload = message->upload;
	fd_close(&fd);
	if (end->is_freeing)
		end->channel = worker_channel_free(end->channel);
}

static void on_gone(void *userdata)
{
	((struct end *)userdata)->n_gone++;
}

static int make_pair(void **state)
{
	int pair[2];

	a = b = (struct end){ .channel = NULL };
	base = loop_new();
	if (!base ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	return worker_channel_new(base, pair[0], on_message, on_gone, &a, &a.channel) < 0 ||
	       worker_channel_new(base, pair[1], on_message, on_gone, &b, &b.channel) < 0;
}

static int free_pair(void **state)
{
	worker_channel_free(a.channel);
	worker_channel_free(b.channel);
	event_base_free(base);
	return 0;
}

static void turn(void)
{
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static void messages_arrive_with_their_fds(void **state)
{
	struct worker_message message = { .kind = WORKER_RELEASE, .upload = 42 };
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(worker_channel_send(a.channel, &message, -1), 0);
	assert_int_equal(worker_channel_send(a.channel, &message, fd), 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1); /* taken */
	turn();
	assert_int_equal(b.n_messages, 2);
	assert_int_equal(b.n_fds, 1);
	assert_true(b.last_upload == 42);
}

static void what_is_not_taken_yet_is_queued_in_order(void **state)
{
	enum { MANY = 5000 }; /* more than any socket buffer holds */

	for (unsigned i = 1; i <= MANY; i++) {
		struct worker_message message = { .kind = WORKER_RELEASE, .upload = i };

		assert_int_equal(worker_channel_send(a.channel, &message, -1), 0);
	}
	for (int i = 0; i < 1000 && b.n_messages < MANY; i++) {
		unsigned before = b.n_messages;

		turn();
		assert_true(b.n_messages > before);
		assert_true(b.last_upload == b.n_messages);
	}
	assert_int_equal(b.n_messages, MANY);
}

static void the_end_of_one_is_told_to_the_other_once(void **state)
{
	struct worker_message message = { .kind = WORKER_READY };

	assert_int_equal(worker_channel_send(a.channel, &message, -1), 0);
	a.channel = worker_channel_free(a.channel);
	turn();
	turn();
	assert_int_equal(b.n_messages, 1); /* what was sent before still comes */
	assert_int_equal(b.n_gone, 1);
	assert_int_equal(worker_channel_send(b.channel, &message, -1), 0);
}

static void a_channel_may_be_freed_by_who_it_tells(void **state)
{
	struct worker_message message = { .kind = WORKER_READY };

	b.is_freeing = true;
	assert_int_equal(worker_channel_send(a.channel, &message, -1), 0);
	assert_int_equal(worker_channel_send(a.channel, &message, -1), 0);
	turn();
	assert_int_equal(b.n_messages, 1);
	turn();
	assert_int_equal(a.n_gone, 1);
}

static void a_message_that_is_too_long_is_refused(void **state)
{
	static char path[WORKER_MESSAGE_MAX];
	struct worker_message message = { .kind = WORKER_ASK };
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	message.ask.path = slice_make(path, sizeof(path));
	assert_int_equal(worker_channel_send(a.channel, &message, fd), -EMSGSIZE);
	assert_int_equal(fcntl(fd, F_GETFD), -1); /* taken all the same */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_pair, free_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_arrive_with_their_fds),
		TEST(what_is_not_taken_yet_is_queued_in_order),
		TEST(the_end_of_one_is_told_to_the_other_once),
		TEST(a_channel_may_be_freed_by_who_it_tells),
		TEST(a_message_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
