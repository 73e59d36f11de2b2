/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/worker_channel.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/sys/fd.h"

/* Messages read in one turn: the loop has other things to do too. */
#define MESSAGES_A_TURN 64

struct worker_channel {
	int fd;
	struct event *readable, *writable;
	struct list queue; /* of struct packet, oldest first */
	worker_message_fn message;
	worker_gone_fn gone;
	void *userdata;
	bool *is_freed; /* set by free while a callback runs */
	uint8_t packet[WORKER_MESSAGE_MAX];
};

/* What could not be sent at once. */
struct packet {
	struct list link;
	int fd;
	size_t len;
	uint8_t data[];
};

union control {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static struct packet *packet_free(struct packet *packet)
{
	list_unlink(&packet->link);
	fd_close(&packet->fd);
	free(packet);
	return NULL;
}

struct worker_channel *worker_channel_free(struct worker_channel *channel)
{
	if (!channel)
		return NULL;
	if (channel->is_freed)
		*channel->is_freed = true;
	LIST_FOREACH_SAFE (it, n, &channel->queue)
		packet_free(CONTAINER_OF(it, struct packet, link));
	if (channel->readable)
		event_free(channel->readable);
	if (channel->writable)
		event_free(channel->writable);
	fd_close(&channel->fd);
	free(channel);
	return NULL;
}

/* Tells the end once; reads and writes no more. */
static void end(struct worker_channel *channel)
{
	(void)event_del(channel->readable);
	(void)event_del(channel->writable);
	channel->gone(channel->userdata);
}

/* Returns 0, or -errno of sendmsg(2). */
static int send_packet(int socket, struct slice data, int fd)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data.data, .iov_len = data.len };
	union control control = { .room = { 0 } };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	while (sendmsg(socket, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* Takes fd. */
static int enqueue(struct worker_channel *channel, struct slice data, int fd)
{
	struct packet *packet = malloc(sizeof(*packet) + data.len);

	if (!packet || event_add(channel->writable, NULL) < 0) {
		free(packet);
		fd_close(&fd);
		return -ENOMEM;
	}
	packet->fd = fd;
	packet->len = data.len;
	memcpy(packet->data, data.data, data.len);
	list_append(&channel->queue, &packet->link);
	return 0;
}

int worker_channel_send(struct worker_channel *channel, const struct worker_message *message,
                        int fd)
{
	struct bytes out = { .data = channel->packet, .cap = sizeof(channel->packet) };
	CLEANUP(fd_closep) int owned = fd;
	int r;

	worker_message_build(message, &out);
	if (out.overflow)
		return -EMSGSIZE;
	if (list_is_empty(&channel->queue)) {
		r = send_packet(channel->fd, bytes_slice(&out), fd);
		if (r != -EAGAIN && r != -ENOBUFS && r != -ETOOMANYREFS)
			return 0; /* sent, or the end is broken: reading will say so */
	}
	return enqueue(channel, bytes_slice(&out), steal_fd(&owned));
}

static void on_writable(evutil_socket_t socket, short what, void *userdata)
{
	struct worker_channel *channel = userdata;

	while (!list_is_empty(&channel->queue)) {
		struct packet *packet = LIST_FIRST(&channel->queue, struct packet, link);
		int r = send_packet(channel->fd, slice_make(packet->data, packet->len), packet->fd);

		if (r == -EAGAIN || r == -ENOBUFS || r == -ETOOMANYREFS) {
			(void)event_add(channel->writable,
			                NULL); /* it was added before: room is there */
			return;
		}
		packet_free(packet);
	}
}

/* Receives one packet into channel->packet. Returns its length, 0 at the end, or -errno. */
static ssize_t receive(struct worker_channel *channel, int *ret_fd)
{
	struct iovec iov = { .iov_base = channel->packet, .iov_len = sizeof(channel->packet) };
	union control control = { .room = { 0 } };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	struct cmsghdr *cmsg;
	ssize_t n;

	*ret_fd = -1;
	do
		n = recvmsg(channel->fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS &&
	    cmsg->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(cmsg), sizeof(int));
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		fd_close(ret_fd);
		return -EBADMSG;
	}
	return n;
}

/* Reads and tells one message. Returns false when that was the last for now. */
static bool read_message(struct worker_channel *channel)
{
	/* A copy: the callee may send, and sending builds in channel->packet. */
	static uint8_t copy[WORKER_MESSAGE_MAX];
	CLEANUP(fd_closep) int fd = -1;
	struct worker_message message;
	ssize_t n = receive(channel, &fd);

	if (n == -EAGAIN)
		return false;
	if (n > 0) {
		memcpy(copy, channel->packet, (size_t)n);
		if (worker_message_parse(slice_make(copy, (size_t)n), &message) == 0) {
			channel->message(channel->userdata, &message, steal_fd(&fd));
			return true;
		}
	}
	if (n != 0 && n != -ECONNRESET)
		log_error("a worker's message was not understood");
	end(channel);
	return false;
}

static void on_readable(evutil_socket_t socket, short what, void *userdata)
{
	struct worker_channel *channel = userdata;
	bool is_freed = false;

	channel->is_freed = &is_freed;
	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		bool goes_on = read_message(channel);

		if (is_freed)
			return;
		if (!goes_on)
			break;
	}
	channel->is_freed = NULL;
}

int worker_channel_new(struct event_base *base, int fd, worker_message_fn message,
                       worker_gone_fn gone, void *userdata, struct worker_channel **ret)
{
	struct worker_channel *channel = calloc(1, sizeof(*channel));

	if (!channel) {
		fd_close(&fd);
		return -ENOMEM;
	}
	channel->fd = fd;
	channel->message = message;
	channel->gone = gone;
	channel->userdata = userdata;
	list_init(&channel->queue);
	channel->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, channel);
	channel->writable = event_new(base, fd, EV_WRITE, on_writable, channel);
	if (!channel->readable || !channel->writable || event_add(channel->readable, NULL) < 0) {
		worker_channel_free(channel);
		return -ENOMEM;
	}
	*ret = channel;
	return 0;
}
