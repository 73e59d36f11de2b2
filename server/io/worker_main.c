/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/worker_main.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"
#include "lib/sys/log_sink.h"
#include "lib/sys/tree_remove.h"
#include "server/io/file_loader.h"
#include "server/io/http_files.h"
#include "server/io/http_upload.h"
#include "server/io/loop.h"
#include "server/io/sandbox.h"
#include "server/io/self.h"
#include "server/io/worker_channel.h"
#include "server/io/worker_counts.h"
#include "server/service/file_service.h"

/* How often main hears what was counted, when there is something new. */
#define COUNTS_PERIOD ((struct timeval){ .tv_sec = 1 })

struct worker {
	struct event_base *base;
	struct worker_channel *main;
	struct http_route route;
	struct file_service *file_service;
	struct http_files *files;
	struct http_upload *uploads;
	struct event *counts_timer;
	struct worker_counts counts; /* sent last */
	int result;                  /* of worker_main */
};

static void worker_deinit(struct worker *w)
{
	if (w->counts_timer)
		event_free(w->counts_timer);
	http_files_free(w->files);
	http_upload_free(w->uploads);
	file_service_free(w->file_service);
	worker_channel_free(w->main);
	if (w->base)
		event_base_free(w->base);
}

/* ---- alone and powerless ---- */

/* Capabilities this process has are not worth a bug in a parser; and it must not outlive main. */
static int confine(void)
{
	int r;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	(void)prctl(PR_SET_NAME, "ccid-worker"); /* for ps only */
	r = sandbox_enter(SANDBOX_WORKER);
	return r == SANDBOX_UNFILTERED ? 0 : r; /* main, which tried the same, has warned */
}

/* Who ends a worker is main; a Ctrl-C in the terminal goes to both. */
static void ignore_signals(void)
{
	static const int ignored[] = { SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		(void)signal(ignored[i], SIG_IGN); /* fails only for a number that is no signal */
}

/* ---- what main says ---- */

static int copy_routes(struct http_route *route, const struct worker_config *config)
{
	*route = (struct http_route){
		.n_roots = config->n_roots,
		.api_port = config->api_port,
		.os_port = config->os_port,
		.files_port = config->files_port,
		.upload_port = config->upload_port,
	};
	for (uint32_t i = 0; i < config->n_roots; i++)
		if (text_copy(route->roots[i], sizeof(route->roots[i]), config->roots[i].prefix) !=
		    0)
			return -EINVAL;
	return 0;
}

/* The map of file_service: the roots and /result. */
static int make_file_service(const struct worker_config *config, struct file_service **ret)
{
	struct file_service_root roots[HTTP_ROUTE_ROOTS_MAX + 1] = { 0 };
	char *texts[2 * (HTTP_ROUTE_ROOTS_MAX + 1)] = { 0 };
	size_t n = 0;
	bool is_whole = true;
	int r = -ENOMEM;

	for (uint32_t i = 0; i <= config->n_roots; i++) {
		bool is_root = i < config->n_roots;

		roots[i].prefix = texts[n++] =
			text_dup(is_root ? config->roots[i].prefix : SLICE_LITERAL("/result"));
		roots[i].directory = texts[n++] =
			text_dup(is_root ? config->roots[i].directory : config->results);
		is_whole = is_whole && roots[i].prefix && roots[i].directory;
	}
	if (is_whole)
		r = file_service_new(roots, config->n_roots + 1, ret);
	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	return r;
}

static void on_counts_timer(evutil_socket_t fd, short what, void *userdata)
{
	struct worker *w = userdata;
	struct worker_message message = { .kind = WORKER_COUNTS };
	struct worker_totals totals = {
		.names = *file_service_get_counters(w->file_service),
		.files = *http_files_get_counters(w->files),
		.upload = *http_upload_get_counters(w->uploads),
	};

	(void)fd;
	(void)what;
	memcpy(totals.upload_bad_path, http_upload_bad_paths(w->uploads),
	       sizeof(totals.upload_bad_path));
	worker_counts_pack(&totals, &message.counts);
	if (message.counts.n == w->counts.n &&
	    memcmp(message.counts.value, w->counts.value, sizeof(w->counts.value)) == 0)
		return;
	if (worker_channel_send(w->main, &message, -1) == 0) /* else the next time */
		w->counts = message.counts;
}

static int start_counting(struct worker *w)
{
	w->counts_timer = event_new(w->base, -1, EV_PERSIST, on_counts_timer, w);
	return w->counts_timer && event_add(w->counts_timer, &COUNTS_PERIOD) == 0 ? 0 : -ENOMEM;
}

static int configure(struct worker *w, const struct worker_config *config)
{
	int r;

	if (w->file_service)
		return -EALREADY;
	log_set_sink(log_sink_stderr, config->is_debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	r = copy_routes(&w->route, config);
	if (r < 0)
		return r;
	r = make_file_service(config, &w->file_service);
	if (r < 0)
		return r;
	r = http_files_new(w->base, w->file_service, &w->route, w->main, config->max_sockets,
	                   &w->files);
	if (r < 0)
		return r;
	r = http_upload_new(w->base, &w->route, w->main, config->max_sockets, &w->uploads);
	return r < 0 ? r : start_counting(w);
}

/* Takes fd. */
static int start_listening(struct worker *w, const struct worker_listen *what, int fd)
{
	if (fd < 0 || !w->files || !w->uploads) {
		fd_close(&fd);
		return -EBADF;
	}
	return what->is_upload ? http_upload_listen(w->uploads, fd)
	                       : http_files_listen(w->files, fd);
}

/* Takes fd. */
static int load(struct worker *w, const struct worker_load *what, int fd)
{
	struct worker_message answer = { .kind = WORKER_LOADED, .result = { .id = what->id } };
	int memfd = -1;

	answer.result.result = fd < 0 ? -EBADF : file_load(fd, what->size, &memfd);
	fd_close(&fd);
	return worker_channel_send(w->main, &answer, memfd);
}

/* Entries removed at a time: what waits here meanwhile waits for some milliseconds. */
#define REMOVE_PIECE 64

/* Takes fd. */
static int remove_piece(struct worker *w, const struct worker_remove *what, int fd)
{
	struct worker_message answer = { .kind = WORKER_REMOVED, .result = { .id = what->id } };
	char name[NAME_MAX + 1];

	if (fd < 0 || text_copy(name, sizeof(name), what->name) != 0 || name[0] == '\0')
		answer.result.result = -EBADMSG;
	else
		answer.result.result = tree_remove_piece(fd, name, REMOVE_PIECE);
	fd_close(&fd);
	return worker_channel_send(w->main, &answer, -1);
}

/* Takes fd. Returns 0, or -errno: then this worker is of no use. */
static int obey(struct worker *w, const struct worker_message *message, int fd)
{
	CLEANUP(fd_closep) int owned = fd;

	switch (message->kind) {
	case WORKER_CONFIG:
		return configure(w, &message->config);
	case WORKER_LISTEN:
		return start_listening(w, &message->listen, steal_fd(&owned));
	case WORKER_GRANT:
		if (w->uploads)
			http_upload_granted(w->uploads, &message->grant, steal_fd(&owned));
		return 0;
	case WORKER_COMMITTED:
		if (w->uploads)
			http_upload_committed(w->uploads, &message->result);
		return 0;
	case WORKER_CANCEL:
		if (w->uploads)
			http_upload_cancel(w->uploads, message->upload);
		return 0;
	case WORKER_LOAD:
		return load(w, &message->load, steal_fd(&owned));
	case WORKER_REMOVE:
		return remove_piece(w, &message->remove, steal_fd(&owned));
	case WORKER_READY: /* main has sent everything: say that we are, too */
		return worker_channel_send(w->main, message, -1);
	case WORKER_ASK:
	case WORKER_PROGRESS:
	case WORKER_COMMIT:
	case WORKER_RELEASE:
	case WORKER_TRANSFER:
	case WORKER_LOADED:
	case WORKER_REMOVED:
	case WORKER_COUNTS:
	case _WORKER_MESSAGE_KIND_MAX:
		break;
	}
	return -EBADMSG;
}

static void on_message(void *userdata, const struct worker_message *message, int fd)
{
	struct worker *w = userdata;
	int r = obey(w, message, fd);

	if (r < 0) {
		log_error("a worker gives up: %s message=%s", strerror(-r),
		          worker_message_kind_to_name(message->kind));
		w->result = r;
		(void)event_base_loopbreak(w->base);
	}
}

static void on_gone(void *userdata)
{
	struct worker *w = userdata;

	(void)event_base_loopbreak(w->base);
}

int worker_main(void)
{
	struct worker w = { .result = 0 };
	int r;

	log_set_sink(log_sink_stderr, LOG_LEVEL_INFO);
	ignore_signals();
	r = confine();
	if (r == 0) {
		w.base = loop_new();
		r = w.base ? fd_set_nonblocking(SELF_FD) : -ENOMEM;
	}
	if (r == 0)
		r = fcntl(SELF_FD, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
	if (r == 0)
		r = worker_channel_new(w.base, SELF_FD, on_message, on_gone, &w, &w.main);
	if (r == 0 && event_base_dispatch(w.base) < 0)
		r = -EIO;
	if (r < 0)
		log_error("a worker cannot start: %s", strerror(-r));
	else
		r = w.result;
	worker_deinit(&w);
	return r;
}
