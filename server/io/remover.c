/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/remover.h"

#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/base/macro.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/sys/tree_remove.h"
#include "server/io/loop.h"
#include "server/io/worker.h"
#include "server/service/retention_service.h"

/* Between two pieces the worker serves everybody who waits, and the disk writes what it must. */
#define PAUSE (20 * USEC_PER_MSEC)

struct remover {
	struct retention_service *retention;
	struct worker_pool *workers;
	struct event *timer;
	struct retention_work work; /* dir_fd: -1 when there is none */
	bool is_gone;               /* the tree; it is to be recorded */
};

static void look_later(struct remover *remover)
{
	fd_close(&remover->work.dir_fd);
	remover->work.job = 0;
	loop_set_timer(remover->timer, retention_service_deadline(remover->retention));
}

static void go_on_later(struct remover *remover)
{
	loop_set_timer(remover->timer, usec_add(clock_now(), PAUSE));
}

static void record(struct remover *remover)
{
	int r = retention_service_removed(remover->retention, remover->work.job, clock_now(),
	                                  clock_wall());

	if (r == RETENTION_AGAIN)
		go_on_later(remover);
	else
		look_later(remover);
}

static void on_piece(void *userdata, int result)
{
	struct remover *remover = userdata;

	if (result == TREE_MORE ||
	    result == -EPIPE) { /* its worker has died: another one goes on */
		go_on_later(remover);
	} else if (result == 0) {
		remover->is_gone = true;
		record(remover);
	} else {
		retention_service_failed(remover->retention, remover->work.job, result,
		                         clock_now());
		look_later(remover);
	}
}

static void remove_piece(struct remover *remover)
{
	if (worker_pool_remove(remover->workers, remover->work.dir_fd, remover->work.name, on_piece,
	                       remover) < 0)
		go_on_later(remover); /* no worker runs just now */
}

static void begin(struct remover *remover)
{
	int r = retention_service_step(remover->retention, clock_now(), clock_wall(),
	                               &remover->work);

	if (r != RETENTION_REMOVE) {
		remover->work.dir_fd = -1;
		look_later(remover);
		return;
	}
	remover->is_gone = remover->work.dir_fd < 0;
	if (remover->is_gone)
		record(remover);
	else
		remove_piece(remover);
}

static void on_timer(evutil_socket_t fd, short what, void *userdata)
{
	struct remover *remover = userdata;

	(void)fd;
	(void)what;
	if (remover->work.job == 0)
		begin(remover);
	else if (remover->is_gone)
		record(remover);
	else
		remove_piece(remover);
}

int remover_new(struct event_base *base, struct retention_service *retention,
                struct worker_pool *workers, struct remover **ret)
{
	struct remover *remover = calloc(1, sizeof(*remover));

	if (!remover)
		return -ENOMEM;
	remover->retention = retention;
	remover->workers = workers;
	remover->work.dir_fd = -1;
	remover->timer = event_new(base, -1, 0, on_timer, remover);
	if (!remover->timer) {
		free(remover);
		return -ENOMEM;
	}
	look_later(remover);
	*ret = remover;
	return 0;
}

struct remover *remover_free(struct remover *remover)
{
	if (!remover)
		return NULL;
	worker_pool_forget_removal(remover->workers);
	event_free(remover->timer);
	fd_close(&remover->work.dir_fd);
	free(remover);
	return NULL;
}
