/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Runs one engine on one socket. Everything the owner says between two turns of the loop only
 * marks the socket as ready; the engine runs from the loop and never inside a call of the owner's.
 */
#include "server/io/http_socket.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/format/netaddr.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "server/io/loop.h"
#include "server/proto/http_response.h"

/* Bytes of a file in one sendfile, and such calls in one turn: nobody waits long for others. */
#define FILE_STEP  ((int64_t)1 << 20)
#define FILE_STEPS 4

/* ---- what the owner says ---- */

static void make_ready(struct http_socket *s)
{
	if (s->is_running || !list_is_empty(&s->ready_link))
		return;
	list_append(&s->server->ready, &s->ready_link);
	event_active(s->server->kick, EV_TIMEOUT, 0);
}

/* Out of memory: the peer sees a broken connection. */
static void check(struct http_socket *s, int r)
{
	if (r < 0)
		http_conn_abort(s->conn);
	make_ready(s);
}

void http_socket_set_exchange(struct http_socket *s, void *exchange)
{
	s->exchange = exchange;
}

void *http_socket_exchange(const struct http_socket *s)
{
	return s->exchange;
}

const struct http_request *http_socket_request(const struct http_socket *s)
{
	return http_conn_request(s->conn);
}

uint32_t http_socket_peer(const struct http_socket *s)
{
	return s->addresses.peer;
}

uint32_t http_socket_local(const struct http_socket *s)
{
	return s->addresses.local;
}

uint16_t http_socket_local_port(const struct http_socket *s)
{
	return s->addresses.local_port;
}

void http_socket_read_body(struct http_socket *s, int64_t max)
{
	check(s, http_conn_read_body(s->conn, max));
}

static void log_answer(const struct http_socket *s, unsigned status)
{
	const struct http_request *request = http_conn_request(s->conn);
	char peer[IPV4_TEXT_MAX], target[512];

	log_debug("http %s %s %u peer=%s port=%u", http_method_to_name((int)request->method),
	          text_escape(target, sizeof(target), request->target), status,
	          ipv4_format(s->addresses.peer, peer), s->addresses.local_port);
}

void http_socket_answer(struct http_socket *s, const struct http_answer *answer)
{
	log_answer(s, answer->status);
	check(s, http_conn_answer(s->conn, answer, clock_wall()));
}

void http_socket_answer_file(struct http_socket *s, const struct http_answer *answer, int fd,
                             off_t offset)
{
	struct http_answer file = *answer;

	file.kind = HTTP_ANSWER_FILE;
	s->file_fd = fd;
	s->file_offset = offset;
	http_socket_answer(s, &file);
}

void http_socket_answer_problem(struct http_socket *s, unsigned status, const char *detail,
                                struct slice headers)
{
	struct buffer body = BUFFER_NULL;
	struct http_answer answer = {
		.status = status,
		.content_type = HTTP_PROBLEM_TYPE,
		.headers = headers,
	};

	http_problem_build(&body, status, detail);
	answer.body = buffer_slice(&body);
	http_socket_answer(s, &answer);
	buffer_deinit(&body);
}

void http_socket_fill(struct http_socket *s, struct slice data)
{
	s->waits_to_fill = false;
	check(s, http_conn_fill(s->conn, data));
}

void http_socket_fill_end(struct http_socket *s)
{
	s->waits_to_fill = false;
	check(s, http_conn_fill_end(s->conn));
}

void http_socket_wake(struct http_socket *s)
{
	s->waits_to_fill = false;
	make_ready(s);
}

int64_t http_socket_file_left(const struct http_socket *s)
{
	return http_conn_file_left(s->conn);
}

void http_socket_abort(struct http_socket *s)
{
	http_conn_abort(s->conn);
	make_ready(s);
}

/* As much as the socket takes; the peer that does not get it sees a broken connection. */
void http_socket_lose(struct http_socket *s, int error)
{
	static const char full[] = "HTTP/1.1 507 Insufficient Storage\r\nRetry-After: 30\r\n"
				   "Connection: close\r\nContent-Length: 0\r\n\r\n";
	static const char failed[] = "HTTP/1.1 500 Internal Server Error\r\nRetry-After: 30\r\n"
				     "Connection: close\r\nContent-Length: 0\r\n\r\n";
	const char *answer = error == -ENOSPC ? full : failed;

	if (s->has_exchange && !s->has_sent)
		(void)send(s->fd, answer, strlen(answer), MSG_NOSIGNAL);
	http_socket_abort(s);
}

void http_socket_stop(struct http_socket *s)
{
	http_conn_stop(s->conn);
	make_ready(s);
}

/* ---- what the engine wants ---- */

static void end_exchange(struct http_socket *s, bool is_whole)
{
	if (s->has_exchange) {
		s->has_exchange = false;
		s->server->ops->done(s->server->userdata, s, is_whole);
	}
	s->exchange = NULL;
	s->waits_to_fill = false;
	fd_close(&s->file_fd);
}

static void begin_exchange(struct http_socket *s)
{
	s->server->counters.n_requests++;
	s->has_exchange = true;
	s->has_sent = false;
	s->server->ops->request(s->server->userdata, s, http_conn_request(s->conn));
}

static void answer_refusal(struct http_socket *s)
{
	const char *why = NULL;
	unsigned status = http_conn_refusal(s->conn, &why);

	s->server->counters.n_refused++;
	end_exchange(s, false);
	http_socket_answer_problem(s, status, why, SLICE_NULL);
}

/* A write failed: false when it would only have to wait. */
static bool is_broken(struct http_socket *s, int error)
{
	if (error == EINTR)
		return false;
	if (error == EAGAIN) {
		s->waits_to_write = true;
		return false;
	}
	http_conn_abort(s->conn);
	return true;
}

/* Returns whether to go on. */
static bool send_output(struct http_socket *s)
{
	bool more = false;
	struct slice out = http_conn_output(s->conn, &more);
	ssize_t n = send(s->fd, out.data, out.len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));

	if (n < 0)
		return is_broken(s, errno) || !s->waits_to_write;
	s->has_sent = true;
	http_conn_sent(s->conn, (size_t)n);
	return true;
}

static bool send_file(struct http_socket *s)
{
	int64_t want = MIN(http_conn_file_left(s->conn), FILE_STEP);
	ssize_t n = sendfile(s->fd, s->file_fd, &s->file_offset, (size_t)want);

	if (n < 0)
		return is_broken(s, errno) || !s->waits_to_write;
	if (n == 0) {
		log_warning("a file became shorter while it was sent");
		http_conn_abort(s->conn);
		return true;
	}
	http_conn_file_sent(s->conn, n);
	return true;
}

static bool fill_stream(struct http_socket *s)
{
	if (s->waits_to_fill)
		return false;
	s->waits_to_fill = true;
	s->server->ops->fill(s->server->userdata, s);
	return !s->waits_to_fill;
}

/* Does the next thing. Returns false when there is nothing to do but wait. */
static bool step(struct http_socket *s, unsigned *n_file_steps)
{
	struct http_server *server = s->server;
	enum http_want want;
	struct slice body;

	want = http_conn_next(s->conn, clock_now(), &body);
	if (server->is_corked && (want == HTTP_WANT_SEND || want == HTTP_WANT_FILE)) {
		list_append(&server->corked, &s->ready_link);
		return false;
	}
	switch (want) {
	case HTTP_WANT_INPUT:
		return false;
	case HTTP_WANT_REQUEST:
		begin_exchange(s);
		return true;
	case HTTP_WANT_BODY:
		server->ops->body(server->userdata, s, body);
		return true;
	case HTTP_WANT_BODY_END:
		server->ops->body_end(server->userdata, s);
		return true;
	case HTTP_WANT_REFUSE:
		answer_refusal(s);
		return true;
	case HTTP_WANT_SEND:
		return send_output(s);
	case HTTP_WANT_FILE:
		if (++*n_file_steps <= FILE_STEPS)
			return send_file(s);
		s->waits_to_write = true; /* which is at once, after the others had their turn */
		return false;
	case HTTP_WANT_FILL:
		return fill_stream(s);
	case HTTP_WANT_DONE:
		end_exchange(s, true);
		return true;
	case HTTP_WANT_SHUT:
		(void)shutdown(s->fd, SHUT_WR); /* fails when the peer has gone already */
		return true;
	case HTTP_WANT_CLOSE:
		break;
	}
	return false;
}

/* Sets the events to what the engine waits for. */
static void arm(struct http_socket *s)
{
	usec_t deadline = http_conn_deadline(s->conn);
	int r = 0;

	if (s->is_read_ended || http_conn_room(s->conn) == 0)
		(void)event_del(&s->readable);
	else if (!event_pending(&s->readable, EV_READ, NULL))
		r = event_add(&s->readable, NULL);
	if (s->waits_to_write)
		r |= event_add(&s->writable, NULL);
	if (deadline != s->armed)
		loop_set_timer(&s->timer, deadline);
	s->armed = deadline;
	if (r < 0)
		http_socket_end(s);
}

void http_socket_run(struct http_socket *s)
{
	unsigned n_file_steps = 0;

	list_unlink(&s->ready_link);
	s->waits_to_write = false;
	s->is_running = true;
	while (step(s, &n_file_steps))
		;
	s->is_running = false;
	if (http_conn_is_closed(s->conn))
		http_socket_end(s);
	else
		arm(s);
}

/* ---- events ---- */

static void on_readable(evutil_socket_t fd, short what, void *userdata)
{
	struct http_socket *s = userdata;
	size_t room = MIN(http_conn_room(s->conn), sizeof(s->server->scratch));
	ssize_t n = read(fd, s->server->scratch, room);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		http_conn_abort(s->conn);
	} else if (n == 0 && room > 0) {
		s->is_read_ended = true;
		http_conn_input_end(s->conn);
	} else if (http_conn_input(s->conn, slice_make(s->server->scratch, (size_t)n),
	                           clock_now()) < 0) {
		http_conn_abort(s->conn);
	}
	http_socket_run(s);
}

static void on_writable(evutil_socket_t fd, short what, void *userdata)
{
	http_socket_run(userdata);
}

static void on_timer(evutil_socket_t fd, short what, void *userdata)
{
	struct http_socket *s = userdata;

	s->armed = USEC_INFINITY; /* the timer is not pending any more */
	http_conn_timeout(s->conn, clock_now());
	http_socket_run(s);
}

void http_socket_begin(struct http_server *server, int fd,
                       const struct http_socket_addresses *addresses)
{
	struct http_socket *s = calloc(1, sizeof(*s));

	if (!s || http_conn_new(server->config.conn, clock_now(), &s->conn) < 0) {
		free(s);
		fd_close(&fd);
		return;
	}
	s->server = server;
	s->fd = fd;
	s->file_fd = -1;
	s->addresses = *addresses;
	s->armed = USEC_INFINITY;
	list_init(&s->ready_link);
	list_append(&server->sockets, &s->link);
	server->counters.n_sockets++;
	(void)event_assign(&s->readable, server->base, fd, EV_READ | EV_PERSIST, on_readable, s);
	(void)event_assign(&s->writable, server->base, fd, EV_WRITE, on_writable, s);
	(void)event_assign(&s->timer, server->base, -1, 0, on_timer, s);
	arm(s);
}

void http_socket_end(struct http_socket *s)
{
	assert(!s->is_running);
	if (s->has_exchange)
		s->server->counters.n_broken++;
	s->is_running = true; /* what the owner says now comes too late */
	end_exchange(s, false);
	list_unlink(&s->link);
	list_unlink(&s->ready_link);
	(void)event_del(&s->readable);
	(void)event_del(&s->writable);
	(void)event_del(&s->timer);
	http_conn_free(s->conn);
	fd_close(&s->fd);
	s->server->counters.n_sockets--;
	free(s);
}
