/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Trees removed by workers, one piece of one tree at a time.
 */
#include <errno.h>
#include <fcntl.h>

#include "lib/sys/fd.h"
#include "server/io/worker_channel.h"
#include "server/io/worker_pool.h"

static struct worker *any_running(struct worker_pool *pool)
{
	for (unsigned i = 0; i < pool->config.n_workers; i++)
		if (pool->workers[i].channel)
			return &pool->workers[i];
	return NULL;
}

int worker_pool_remove(struct worker_pool *pool, int dir_fd, const char *name,
                       worker_removed_fn done, void *userdata)
{
	struct worker *w = any_running(pool);
	struct worker_message message = { .kind = WORKER_REMOVE };
	int fd, r;

	if (!w || pool->removal.worker)
		return -EAGAIN;
	fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	message.remove.id = pool->removal.id + 1;
	message.remove.name = slice_from_text(name);
	r = worker_channel_send(w->channel, &message, fd);
	if (r < 0)
		return r;
	pool->removal = (struct pending_removal){
		.worker = w, .id = message.remove.id, .done = done, .userdata = userdata
	};
	return 0;
}

void worker_pool_forget_removal(struct worker_pool *pool)
{
	pool->removal.done = NULL;
}

static void end_removal(struct worker_pool *pool, int result)
{
	struct pending_removal removal = pool->removal;

	pool->removal = (struct pending_removal){ .id = removal.id };
	if (removal.done)
		removal.done(removal.userdata, result);
}

void worker_on_removed(struct worker *w, const struct worker_result *result)
{
	if (w->pool->removal.worker == w && w->pool->removal.id == result->id)
		end_removal(w->pool, result->result);
}

void worker_fail_removal(struct worker *w)
{
	if (w->pool->removal.worker == w)
		end_removal(w->pool, -EPIPE);
}
