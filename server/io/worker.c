/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The lives of worker processes: started, told what to do, reaped, started again.
 */
#include "server/io/worker.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "server/io/http_io.h"
#include "server/io/loop.h"
#include "server/io/self.h"
#include "server/io/worker_channel.h"
#include "server/io/worker_pool.h"

/* Pauses before a dead worker is started again: doubled each time, reset by a life of 30 s. */
#define RESTART_FIRST (100 * USEC_PER_MSEC)
#define RESTART_MOST  (10 * USEC_PER_SEC)
#define RESTART_RESET (30 * USEC_PER_SEC)

void worker_pool_poke(struct worker_pool *pool)
{
	if (pool->http)
		http_io_poke(pool->http);
}

void worker_tell(struct worker *w, const struct worker_message *message, int fd)
{
	int r;

	if (!w->channel) {
		fd_close(&fd);
		return;
	}
	r = worker_channel_send(w->channel, message, fd);
	if (r < 0)
		log_error("a worker could not be told: %s message=%s", strerror(-r),
		          worker_message_kind_to_name(message->kind));
}

/* What a dead worker has counted stays counted; its connections are gone. */
static void keep_counts(struct worker *w)
{
	worker_counts_add(&w->counts, &w->pool->gone);
	w->pool->gone.files.n_sockets = 0;
	w->pool->gone.upload.n_sockets = 0;
	w->counts = (struct worker_counts){ .n = 0 };
}

/* What was open with it is over. Its uploads are forgotten when it is certainly dead. */
static void forget_worker(struct worker *w)
{
	struct worker_pool *pool = w->pool;

	if (w->channel)
		pool->counters.n_running--;
	w->channel = worker_channel_free(w->channel);
	keep_counts(w);
	worker_fail_loads(w);
	worker_fail_removal(w);
}

static void restart_later(struct worker *w)
{
	usec_t now = clock_now();

	if (usec_sub(now, w->started) >= RESTART_RESET)
		w->pause = RESTART_FIRST;
	loop_set_timer(w->restart, usec_add(now, w->pause));
	w->pause = MIN(w->pause * 2, RESTART_MOST);
}

/* The process is reaped when SIGCHLD comes; until then it keeps its place. */
static void on_gone(void *userdata)
{
	struct worker *w = userdata;

	forget_worker(w);
	if (w->pid > 0)
		(void)kill(w->pid, SIGKILL); /* it may live on without its socket: it must not */
}

static void on_child_died(evutil_socket_t fd, short what, void *userdata)
{
	struct worker_pool *pool = userdata;

	for (unsigned i = 0; i < pool->config.n_workers; i++) {
		struct worker *w = &pool->workers[i];
		int status = 0;

		if (w->pid <= 0 || waitpid(w->pid, &status, WNOHANG) != w->pid)
			continue;
		log_error("a worker died pid=%d %s=%d", (int)w->pid,
		          WIFSIGNALED(status) ? "signal" : "status",
		          WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		pool->counters.n_died++;
		w->pid = 0;
		forget_worker(w);
		worker_forget_uploads(w);
		restart_later(w);
	}
}

static void on_message(void *userdata, const struct worker_message *message, int fd)
{
	struct worker *w = userdata;
	CLEANUP(fd_closep) int owned = fd;

	switch (message->kind) {
	case WORKER_READY:
		log_debug("a worker is ready pid=%d", (int)w->pid);
		break;
	case WORKER_ASK:
		worker_on_ask(w, &message->ask);
		break;
	case WORKER_PROGRESS:
		worker_on_progress(w, &message->progress);
		break;
	case WORKER_COMMIT:
		worker_on_commit(w, &message->commit);
		break;
	case WORKER_RELEASE:
		worker_on_release(w, message->upload);
		break;
	case WORKER_TRANSFER:
		worker_on_transfer(w, &message->transfer);
		break;
	case WORKER_LOADED:
		worker_on_loaded(w, &message->result, steal_fd(&owned));
		break;
	case WORKER_REMOVED:
		worker_on_removed(w, &message->result);
		break;
	case WORKER_COUNTS:
		w->counts = message->counts;
		break;
	case WORKER_CONFIG:
	case WORKER_LISTEN:
	case WORKER_GRANT:
	case WORKER_COMMITTED:
	case WORKER_CANCEL:
	case WORKER_LOAD:
	case WORKER_REMOVE:
	case _WORKER_MESSAGE_KIND_MAX:
		log_error("a worker sent what only main sends pid=%d", (int)w->pid);
		break;
	}
}

static void send_config(struct worker *w)
{
	const struct worker_pool_config *config = &w->pool->config;
	const struct http_route *route = &config->route;
	struct worker_message message = {
		.kind = WORKER_CONFIG,
		.config = {
			.n_roots = (uint32_t)route->n_roots,
			.results = slice_from_text(config->results),
			.api_port = route->api_port,
			.os_port = route->os_port,
			.files_port = route->files_port,
			.upload_port = route->upload_port,
			.max_sockets = config->max_sockets ? config->max_sockets : 4096,
			.is_debug = config->is_debug,
		},
	};

	for (size_t i = 0; i < route->n_roots; i++)
		message.config.roots[i] = (struct worker_root){
			.prefix = slice_from_text(route->roots[i]),
			.directory = slice_from_text(config->directories[i]),
		};
	worker_tell(w, &message, -1);
}

static void send_listeners(struct worker *w, const struct http_listeners *listeners, bool is_upload)
{
	struct worker_message message = { .kind = WORKER_LISTEN,
		                          .listen = { .is_upload = is_upload } };

	for (size_t i = 0; i < listeners->n; i++) {
		int fd = fcntl(listeners->at[i].fd, F_DUPFD_CLOEXEC, 0);

		if (fd < 0)
			log_error("a worker gets no socket: %s port=%u", strerror(errno),
			          listeners->at[i].port);
		else
			worker_tell(w, &message, fd);
	}
}

static int start(struct worker *w)
{
	CLEANUP(fd_closep) int ours = -1;
	CLEANUP(fd_closep) int theirs = -1;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	ours = pair[0];
	theirs = pair[1];
	r = worker_channel_new(w->pool->base, steal_fd(&ours), on_message, on_gone, w, &w->channel);
	if (r < 0)
		return r;
	r = self_spawn("--worker", theirs, &w->pid);
	if (r < 0) {
		w->channel = worker_channel_free(w->channel);
		w->pid = 0;
		return r;
	}
	w->started = clock_now();
	w->pool->counters.n_started++;
	w->pool->counters.n_running++;
	send_config(w);
	send_listeners(w, &w->pool->files, false);
	send_listeners(w, &w->pool->upload, true);
	worker_tell(w, &(struct worker_message){ .kind = WORKER_READY }, -1);
	return 0;
}

static void start_or_retry(struct worker *w)
{
	int r = start(w);

	if (r == 0)
		return;
	log_error("a worker could not be started: %s", strerror(-r));
	w->started = clock_now();
	restart_later(w);
}

static void on_restart(evutil_socket_t fd, short what, void *userdata)
{
	start_or_retry(userdata);
}

static struct http_listeners take_listeners(struct http_listeners *from)
{
	struct http_listeners taken = *from;

	for (size_t i = 0; i < from->n; i++)
		from->at[i].fd = -1;
	return taken;
}

int worker_pool_new(struct event_base *base, const struct worker_pool_config *config,
                    struct result_service *results, struct transfer_service *transfers,
                    struct http_io *http, struct worker_pool **ret)
{
	struct worker_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	pool->loader.ops = &worker_loader_ops;
	pool->base = base;
	pool->config = *config;
	pool->config.n_workers = MAX(config->n_workers, 1U);
	pool->config.n_workers = MIN(pool->config.n_workers, (unsigned)WORKERS_MAX);
	pool->files = take_listeners(config->files);
	pool->upload = take_listeners(config->upload);
	pool->results = results;
	pool->transfers = transfers;
	pool->http = http;
	list_init(&pool->uploads);
	list_init(&pool->loads);
	pool->child_died = evsignal_new(base, SIGCHLD, on_child_died, pool);
	if (!pool->child_died || event_add(pool->child_died, NULL) < 0) {
		worker_pool_free(pool);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < pool->config.n_workers; i++) {
		struct worker *w = &pool->workers[i];

		w->pool = pool;
		w->pause = RESTART_FIRST;
		w->restart = event_new(base, -1, 0, on_restart, w);
		if (!w->restart) {
			worker_pool_free(pool);
			return -ENOMEM;
		}
	}
	for (unsigned i = 0; i < pool->config.n_workers; i++)
		start_or_retry(&pool->workers[i]);
	*ret = pool;
	return 0;
}

/* Kills it and waits until it is dead, or for a second: a disk may hold it. */
static void end_worker(struct worker *w)
{
	const struct timespec pause = { .tv_nsec = 2000000 };

	forget_worker(w);
	if (w->restart)
		event_free(w->restart);
	if (w->pid > 0) {
		(void)kill(w->pid, SIGKILL);
		for (int i = 0; i < 500 && waitpid(w->pid, NULL, WNOHANG) == 0; i++)
			(void)nanosleep(&pause, NULL);
	}
	worker_forget_uploads(w);
}

struct worker_pool *worker_pool_free(struct worker_pool *pool)
{
	if (!pool)
		return NULL;
	for (unsigned i = 0; i < pool->config.n_workers; i++)
		if (pool->workers[i].pool)
			end_worker(&pool->workers[i]);
	if (pool->child_died)
		event_free(pool->child_died);
	http_listeners_close(&pool->files);
	http_listeners_close(&pool->upload);
	free(pool);
	return NULL;
}

struct file_loader *worker_pool_loader(struct worker_pool *pool)
{
	return &pool->loader;
}

const struct worker_pool_counters *worker_pool_get_counters(struct worker_pool *pool)
{
	return &pool->counters;
}

void worker_pool_get_totals(const struct worker_pool *pool, struct worker_totals *ret)
{
	*ret = pool->gone;
	for (unsigned i = 0; i < pool->config.n_workers; i++)
		worker_counts_add(&pool->workers[i].counts, ret);
}
