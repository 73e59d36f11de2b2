/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Files for TFTP brought into memory by workers: the pool as a file_loader.
 */
#include "server/io/worker_pool.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/macro.h"
#include "lib/sys/fd.h"
#include "server/io/worker_channel.h"

/* Loads open at a time: each holds an fd. */
#define LOADS_MAX 256

static void end_load(struct pending_load *load, int result, int memfd)
{
	file_loaded_fn done = load->done;
	void *userdata = load->userdata;

	load->worker->n_loads--;
	load->worker->pool->n_loads--;
	list_unlink(&load->link);
	free(load);
	if (done)
		done(userdata, result, memfd);
	else
		fd_close(&memfd);
}

/* Takes memfd. */
void worker_on_loaded(struct worker *w, const struct worker_result *result, int memfd)
{
	LIST_FOREACH (it, &w->pool->loads) {
		struct pending_load *load = CONTAINER_OF(it, struct pending_load, link);

		if (load->worker != w || load->id != result->id)
			continue;
		if (result->result == 0 && memfd < 0)
			end_load(load, -EIO, -1);
		else
			end_load(load, result->result, memfd);
		return;
	}
	fd_close(&memfd);
}

/* The running worker that loads least, or NULL. */
static struct worker *choose_loader(struct worker_pool *pool)
{
	struct worker *best = NULL;

	for (unsigned i = 0; i < pool->config.n_workers; i++) {
		struct worker *w = &pool->workers[i];

		if (w->channel && (!best || w->n_loads < best->n_loads))
			best = w;
	}
	return best;
}

static int loader_request(struct file_loader *loader, int fd, uint64_t size, file_loaded_fn done,
                          void *userdata)
{
	struct worker_pool *pool = (struct worker_pool *)loader;
	struct worker *w = choose_loader(pool);
	struct worker_message message = { .kind = WORKER_LOAD,
		                          .load = { .id = ++pool->last_load, .size = size } };
	CLEANUP(fd_closep) int owned = fd;
	struct pending_load *load;
	int r;

	if (!w || pool->n_loads >= LOADS_MAX)
		return -EAGAIN;
	load = calloc(1, sizeof(*load));
	if (!load)
		return -ENOMEM;
	r = worker_channel_send(w->channel, &message, steal_fd(&owned));
	if (r < 0) {
		free(load);
		return r;
	}
	load->worker = w;
	load->id = message.load.id;
	load->done = done;
	load->userdata = userdata;
	list_append(&pool->loads, &load->link);
	w->n_loads++;
	pool->n_loads++;
	return 0;
}

static void loader_forget(struct file_loader *loader, void *userdata)
{
	struct worker_pool *pool = (struct worker_pool *)loader;

	LIST_FOREACH (it, &pool->loads) {
		struct pending_load *load = CONTAINER_OF(it, struct pending_load, link);

		if (load->userdata == userdata)
			load->done = NULL;
	}
}

const struct file_loader_ops worker_loader_ops = { loader_request, loader_forget };

void worker_fail_loads(struct worker *w)
{
	struct list *it = w->pool->loads.next;

	while (it != &w->pool->loads) {
		struct pending_load *load = CONTAINER_OF(it, struct pending_load, link);

		it = it->next;
		if (load->worker != w)
			continue;
		end_load(load, -EIO, -1);
		it = w->pool->loads.next; /* who was told may have changed the list */
	}
}
