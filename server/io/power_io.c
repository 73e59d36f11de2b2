/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/power_io.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "server/io/loop.h"
#include "server/io/power_helper.h"
#include "server/io/self.h"

#define RETRY (USEC_PER_SEC) /* the store is in trouble */

struct power_io {
	struct power_service *service;
	struct event *due, *answers;
	int fd; /* -1: the process is gone */
	pid_t pid;
	unsigned n_running;
	char running[POWER_HELPER_MAX][HOST_NAME_MAX_LEN]; /* "": free */
};

DEFINE_FREEP(struct power_io, power_io_free);

static const char *words(int r)
{
	return strerror(-r); /* NOLINT(concurrency-mt-unsafe): one thread */
}

static void note(struct power_io *io, const char *host, const char *instead)
{
	for (size_t i = 0; i < POWER_HELPER_MAX; i++)
		if (strcmp(io->running[i], host) == 0) {
			memcpy(io->running[i], instead, strlen(instead) + 1);
			return;
		}
}

static void finish(struct power_io *io, const char *host, const char *error)
{
	int r = power_service_done(io->service, clock_now(), clock_wall(), host, error);

	note(io, host, "");
	io->n_running--;
	if (r < 0)
		log_error("a power command's end cannot be kept: %s host=%s", words(r), host);
}

/* Under main's filter of system calls no new one could run every program: a person must act. */
static void lose(struct power_io *io)
{
	log_error("the process for power commands died: restart ccid to switch hosts again");
	(void)event_del(io->answers);
	fd_close(&io->fd);
	for (size_t i = 0; i < POWER_HELPER_MAX; i++)
		if (io->running[i][0])
			finish(io, io->running[i], "the process for power commands died");
}

static void give(struct power_io *io, const struct power_order *order)
{
	note(io, "", order->host);
	io->n_running++;
	if (send(io->fd, order, sizeof(*order), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		finish(io, order->host, "the process for power commands does not answer");
}

static void on_due(evutil_socket_t fd, short what, void *userdata)
{
	struct power_io *io = userdata;
	struct power_order order;
	usec_t next = USEC_INFINITY;
	int r = 0;

	(void)fd;
	(void)what;
	while (io->fd >= 0 && io->n_running < POWER_HELPER_MAX) {
		r = power_service_take(io->service, clock_now(), clock_wall(), &order);
		if (r != 0)
			break;
		give(io, &order);
	}
	if (r < 0) {
		log_error("power commands cannot be fetched: %s", words(r));
		next = usec_add(clock_now(), RETRY);
	} else if (r > 0) {
		next = power_service_deadline(io->service);
	} /* else: the end of one of those that run lets it look again */
	loop_set_timer(io->due, next);
}

static void on_answer(evutil_socket_t fd, short what, void *userdata)
{
	struct power_io *io = userdata;
	struct power_reply reply;
	ssize_t n = recv(fd, &reply, sizeof(reply), MSG_DONTWAIT);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == (ssize_t)sizeof(reply))
		finish(io, reply.host, reply.error[0] ? reply.error : NULL);
	else
		lose(io);
	power_io_poke(io);
}

static int start(struct power_io *io, struct event_base *base)
{
	CLEANUP(fd_closep) int theirs = -1;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	io->fd = pair[0];
	theirs = pair[1];
	io->due = event_new(base, -1, 0, on_due, io);
	io->answers = event_new(base, io->fd, EV_READ | EV_PERSIST, on_answer, io);
	if (!io->due || !io->answers || event_add(io->answers, NULL) < 0)
		return -ENOMEM;
	r = self_spawn("--power", theirs, &io->pid);
	return r;
}

int power_io_new(struct event_base *base, struct power_service *service, struct power_io **ret)
{
	CLEANUP(power_io_freep) struct power_io *io = calloc(1, sizeof(*io));
	int r;

	if (!io)
		return -ENOMEM;
	io->fd = -1;
	io->service = service;
	r = start(io, base);
	if (r < 0)
		return r;
	power_io_poke(io);
	*ret = steal_ptr(&io);
	return 0;
}

struct power_io *power_io_free(struct power_io *io)
{
	if (!io)
		return NULL;
	loop_unwatch(io->due);
	loop_unwatch(io->answers);
	fd_close(&io->fd); /* it sees that, kills what it runs, and ends */
	if (io->pid > 0)
		(void)waitpid(io->pid, NULL, 0);
	free(io);
	return NULL;
}

void power_io_poke(struct power_io *io)
{
	if (io)
		event_active(io->due, EV_TIMEOUT, 0);
}
