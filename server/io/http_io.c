/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/http_io.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "server/io/http_request_path.h"
#include "server/io/loop.h"
#include "server/proto/http_response.h"
#include "server/service/api.h"

/* Asking the held ones can itself change the store. A few rounds settle that; then others have
 * their turn first. */
#define ROUNDS_A_TURN  3
#define ROUND_INTERVAL (50 * USEC_PER_MSEC)

/* A follower is asked this often even if nothing seems to have changed. */
#define FOLLOW_INTERVAL USEC_PER_SEC

/* Bodies that are coming in, all together: what a submitter sends is kilobytes. */
#define BODIES_MAX ((size_t)256 << 20)

#define HEADERS_MAX 2048

struct http_io {
	struct event_base *base;
	struct api *api;
	struct http_route route;
	int64_t max_body;
	struct http_server *server;
	struct list held, following; /* of struct exchange */
	uint64_t generation;         /* those lists were asked at */
	struct event *poke;          /* asks them, and sets the deadline anew */
	struct event *settle;        /* makes durable what this turn's answers say */
	size_t n_body_bytes;         /* of all exchanges */
	bool is_asking;              /* on_poke is at it, or has put the rest off for a moment */
	struct event *deadline;      /* api_deadline */
	usec_t armed;
	struct http_io_counters counters;
};

/* One request until its answer has left. */
struct exchange {
	struct list link; /* in held, in following, or in none */
	struct http_io *io;
	struct http_socket *socket;
	struct event timer; /* hold_until, or the next look at what is followed */
	char *path;         /* decoded */
	struct buffer body;
	struct api_call call;
	bool is_held;
	struct api_follow follow;
};

/* ---- time ---- */

static void arm_deadline(struct http_io *io)
{
	usec_t deadline = api_deadline(io->api);

	if (deadline != io->armed)
		loop_set_timer(io->deadline, deadline);
	io->armed = deadline;
}

void http_io_poke(struct http_io *io)
{
	/* The rest is done once a turn of the loop, however often we are told. */
	if (!io->is_asking)
		event_active(io->poke, EV_TIMEOUT, 0);
}

static void on_deadline(evutil_socket_t fd, short what, void *userdata)
{
	struct http_io *io = userdata;
	int r = api_timeout(io->api, clock_now(), clock_wall());

	io->armed = USEC_INFINITY;
	if (r < 0) {
		log_error("cannot move what a deadline has passed: %s", strerror(-r));
		io->armed = usec_add(clock_now(), USEC_PER_SEC);
		loop_set_timer(io->deadline, io->armed);
		return;
	}
	http_io_poke(io);
}

/* ---- answers ---- */

static void answer_error(struct exchange *e, int r)
{
	log_error("a request could not be answered: %s method=%s path=%s", strerror(-r),
	          http_method_to_name(e->call.method), e->path);
	http_socket_answer_problem(e->socket, r == -ENOSPC ? 507 : 500, NULL, SLICE_NULL);
}

/* The headers an api_answer asks for. */
static struct slice build_headers(struct bytes *to, const struct api_answer *answer)
{
	http_response_header(to, "Location", answer->location);
	http_response_header(to, "Allow", answer->allow);
	if (answer->status == 401) /* RFC 9110, section 15.5.2: it names a challenge */
		http_response_header(to, "WWW-Authenticate", "Bearer");
	if (answer->retry_after_sec > 0)
		http_response_header_number(to, "Retry-After", answer->retry_after_sec);
	return bytes_slice(to);
}

static void leave_lists(struct exchange *e)
{
	(void)event_del(&e->timer);
	list_unlink(&e->link);
	e->is_held = false;
}

static void enter_list(struct exchange *e, struct list *list, usec_t deadline)
{
	list_unlink(&e->link);
	list_append(list, &e->link);
	/* Never at once: an answer that is "later" for a moment already past must not spin. */
	loop_set_timer(&e->timer, MAX(deadline, usec_add(clock_now(), ROUND_INTERVAL)));
}

static void send_answer(struct exchange *e, const struct api_answer *answer)
{
	char room[HEADERS_MAX];
	struct bytes headers = BYTES_ON(room);
	struct http_answer out = {
		.status = answer->status,
		.content_type = answer->content_type,
		.headers = build_headers(&headers, answer),
		.kind = answer->want == API_FOLLOW ? HTTP_ANSWER_STREAM : HTTP_ANSWER_BYTES,
		.body = buffer_slice(&answer->body),
		.is_close = answer->close,
	};

	leave_lists(e);
	if (headers.overflow || answer->body.failed) {
		answer_error(e, -ENOMEM);
		return;
	}
	if (answer->want == API_FOLLOW) {
		e->follow = answer->follow;
		enter_list(e, &e->io->following, usec_add(clock_now(), FOLLOW_INTERVAL));
	}
	http_socket_answer(e->socket, &out);
}

/*
 * At the end of a turn: one commit for all that were answered in it, and only then their answers
 * leave.
 */
static void on_settle(evutil_socket_t fd, short what, void *userdata)
{
	struct http_io *io = userdata;
	int r = api_group_commit(io->api);

	if (r < 0)
		log_error("nothing of this turn could be kept, its clients are told so: %s",
		          strerror(-r));
	http_server_uncork(io->server, r);
}

static void leave_group(struct http_io *io)
{
	api_group_end(io->api);
	if (!api_group_is_open(io->api))
		return;
	http_server_cork(io->server);
	event_active(io->settle, EV_TIMEOUT, 0);
}

static int handle(struct exchange *e, struct api_answer *ret)
{
	int r;

	api_group_begin(e->io->api);
	r = api_handle(e->io->api, &e->call, ret);
	leave_group(e->io);
	return r;
}

/* Asks the API and does what it wants. */
static void ask(struct exchange *e)
{
	struct api_answer answer = API_ANSWER_NULL;
	int r;

	e->call.now = clock_now();
	e->call.wall = clock_wall();
	e->call.is_held = e->is_held;
	r = handle(e, &answer);
	if (r < 0) {
		leave_lists(e);
		answer_error(e, r);
	} else if (answer.want == API_HOLD) {
		if (!e->is_held)
			e->call.held_since = e->call.now;
		e->is_held = true;
		enter_list(e, &e->io->held, answer.hold_until);
	} else {
		send_answer(e, &answer);
	}
	api_answer_deinit(&answer);
	http_io_poke(e->io);
}

static void on_exchange_timer(evutil_socket_t fd, short what, void *userdata)
{
	struct exchange *e = userdata;

	if (e->is_held) {
		ask(e);
		return;
	}
	loop_set_timer(&e->timer, usec_add(clock_now(), FOLLOW_INTERVAL));
	http_socket_wake(e->socket);
}

/* Asks everybody who waits, once. Who is held again goes to the end of the list. */
static void ask_all(struct http_io *io)
{
	struct list round = LIST_INIT(round);

	while (!list_is_empty(&io->held)) {
		struct list *first = io->held.next;

		list_unlink(first);
		list_append(&round, first);
	}
	while (!list_is_empty(&round))
		ask(LIST_FIRST(&round, struct exchange, link));
	LIST_FOREACH (it, &io->following)
		http_socket_wake(CONTAINER_OF(it, struct exchange, link)->socket);
}

static void on_poke(evutil_socket_t fd, short what, void *userdata)
{
	struct http_io *io = userdata;

	io->is_asking = true;
	for (int i = 0; i < ROUNDS_A_TURN && api_generation(io->api) != io->generation; i++) {
		io->generation = api_generation(io->api);
		ask_all(io);
	}
	io->is_asking = api_generation(io->api) != io->generation;
	if (io->is_asking)
		loop_set_timer(io->poke, usec_add(clock_now(), ROUND_INTERVAL));
	arm_deadline(io);
}

/* ---- requests ---- */

static void fill_call(struct exchange *e, const struct http_request *request)
{
	const struct slice *header = request->header;

	e->call = (struct api_call){
		.method = request->method,
		.path = slice_from_text(e->path),
		.query = request->query,
		.host = header[HTTP_HEADER_HOST],
		.content_type = header[HTTP_HEADER_CONTENT_TYPE],
		.accept = header[HTTP_HEADER_ACCEPT],
		.authorization = header[HTTP_HEADER_AUTHORIZATION],
		.cookie = header[HTTP_HEADER_COOKIE],
		.idempotency_key = header[HTTP_HEADER_IDEMPOTENCY_KEY],
		.last_event_id = header[HTTP_HEADER_LAST_EVENT_ID],
		.user_agent = header[HTTP_HEADER_USER_AGENT],
		.peer = http_socket_peer(e->socket),
		.local = http_socket_local(e->socket),
		.local_port = http_socket_local_port(e->socket),
	};
}

static struct exchange *exchange_free(struct exchange *e)
{
	if (!e)
		return NULL;
	leave_lists(e);
	e->io->n_body_bytes -= e->body.len;
	buffer_deinit(&e->body);
	free(e->path);
	free(e);
	return NULL;
}

static struct exchange *exchange_new(struct http_io *io, struct http_socket *socket,
                                     const struct http_request *request, struct slice path)
{
	struct exchange *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	list_init(&e->link);
	(void)event_assign(&e->timer, io->base, -1, 0, on_exchange_timer, e);
	e->io = io;
	e->socket = socket;
	e->path = text_dup(path);
	if (!e->path)
		return exchange_free(e);
	e->body.max = (size_t)io->max_body;
	fill_call(e, request);
	return e;
}

static void on_request(void *userdata, struct http_socket *socket,
                       const struct http_request *request)
{
	struct http_io *io = userdata;
	uint8_t room[URL_PATH_MAX];
	struct bytes path = BYTES_ON(room);
	struct exchange *e;
	int why;

	switch (http_request_path(socket, &io->route, HTTP_PLACE_API, &path, &why)) {
	case HTTP_PATH_BAD:
		io->counters.n_bad_path++;
		io->counters.bad_path[why]++;
		return;
	case HTTP_PATH_ELSEWHERE:
		io->counters.n_redirected++;
		return;
	case HTTP_PATH_OURS:
		break;
	}
	e = exchange_new(io, socket, request, bytes_slice(&path));
	if (!e) {
		http_socket_abort(socket);
		return;
	}
	http_socket_set_exchange(socket, e);
	if (request->length == 0)
		ask(e);
	else
		http_socket_read_body(socket, io->max_body);
}

static void on_body(void *userdata, struct http_socket *socket, struct slice data)
{
	struct exchange *e = http_socket_exchange(socket);

	buffer_append_slice(&e->body, data);
	if (e->body.failed) {
		http_socket_abort(socket);
		return;
	}
	e->io->n_body_bytes += data.len;
	if (e->io->n_body_bytes > BODIES_MAX)
		http_socket_answer_problem(socket, 503, "too many requests at a time",
		                           SLICE_LITERAL("Retry-After: 2\r\n"));
}

static void on_body_end(void *userdata, struct http_socket *socket)
{
	struct exchange *e = http_socket_exchange(socket);

	e->call.body = buffer_slice(&e->body);
	ask(e);
}

static void on_fill(void *userdata, struct http_socket *socket)
{
	struct exchange *e = http_socket_exchange(socket);
	struct buffer out = BUFFER_NULL;
	int r = api_follow_next(e->io->api, &e->follow, &out);

	if (r < 0 || out.failed) {
		log_error("a stream was cut: %s path=%s", strerror(r < 0 ? -r : ENOMEM), e->path);
		http_socket_abort(socket);
	} else if (out.len > 0) {
		http_socket_fill(socket, buffer_slice(&out));
	}
	if (r == API_FOLLOW_END && !out.failed)
		http_socket_fill_end(socket);
	else if (r == API_FOLLOW_MORE && out.len == 0)
		http_socket_wake(socket);
	buffer_deinit(&out);
}

static void on_done(void *userdata, struct http_socket *socket, bool is_whole)
{
	struct exchange *e = http_socket_exchange(socket);

	if (!e)
		return; /* answered without asking the API */
	if (e->is_held) {
		api_group_begin(e->io->api);
		api_drop_held(e->io->api, &e->call);
		leave_group(e->io);
	}
	exchange_free(e);
}

static const struct http_server_ops ops = {
	.request = on_request,
	.body = on_body,
	.body_end = on_body_end,
	.fill = on_fill,
	.done = on_done,
};

/* ---- beginning and end ---- */

static int start(struct http_io *io, const struct http_io_config *config)
{
	struct http_server_config server = {
		.conn = &http_conn_defaults,
		.max_sockets = config->max_sockets ? config->max_sockets : 8192,
	};
	int r;

	io->poke = event_new(io->base, -1, 0, on_poke, io);
	io->settle = event_new(io->base, -1, 0, on_settle, io);
	io->deadline = event_new(io->base, -1, 0, on_deadline, io);
	if (!io->poke || !io->settle || !io->deadline)
		return -ENOMEM;
	r = http_server_new(io->base, &server, &ops, io, &io->server);
	if (r < 0)
		return r;
	for (size_t i = 0; i < config->listeners->n; i++) {
		r = http_server_listen(io->server, steal_fd(&config->listeners->at[i].fd));
		if (r < 0)
			return r;
	}
	arm_deadline(io);
	return 0;
}

int http_io_new(struct event_base *base, struct api *api, const struct http_io_config *config,
                struct http_io **ret)
{
	struct http_io *io = calloc(1, sizeof(*io));
	int r;

	if (!io)
		return -ENOMEM;
	io->base = base;
	io->api = api;
	io->route = config->route;
	io->max_body = config->max_body ? config->max_body : 32 << 20;
	io->armed = USEC_INFINITY;
	io->generation = api_generation(api);
	list_init(&io->held);
	list_init(&io->following);
	r = start(io, config);
	if (r < 0) {
		http_io_free(io);
		return r;
	}
	*ret = io;
	return 0;
}

struct http_io *http_io_free(struct http_io *io)
{
	if (!io)
		return NULL;
	http_server_free(io->server);
	(void)api_group_commit(io->api); /* whom it would be told to has gone */
	if (io->poke)
		event_free(io->poke);
	if (io->settle)
		event_free(io->settle);
	if (io->deadline)
		event_free(io->deadline);
	free(io);
	return NULL;
}

void http_io_stop(struct http_io *io)
{
	http_server_stop(io->server);
}

const struct http_io_counters *http_io_get_counters(struct http_io *io)
{
	io->counters.server = *http_server_get_counters(io->server);
	io->counters.n_held = io->counters.n_following = 0;
	LIST_FOREACH (it, &io->held)
		io->counters.n_held++;
	LIST_FOREACH (it, &io->following)
		io->counters.n_following++;
	return &io->counters;
}
