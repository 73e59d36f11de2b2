/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Main's side of the worker processes: starts them by executing this very program again
 * (/proc/self/exe --worker), hands them configuration and listening sockets, answers what they ask,
 * starts a dead one anew. A worker dies with main, however main dies.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "server/core/http_route.h"
#include "server/io/http_listen.h"
#include "server/io/worker_counts.h"

struct event_base;
struct file_loader;
struct http_io;
struct result_service;
struct transfer_service;
struct worker_pool;

#define WORKERS_MAX 64

/* Texts are borrowed until worker_pool_free. */
struct worker_pool_config {
	unsigned n_workers;                            /* 1..WORKERS_MAX */
	struct http_listeners *files;                  /* taken: the fds are -1 afterwards */
	struct http_listeners *upload;                 /* taken */
	struct http_route route;                       /* its roots name the directories below */
	const char *directories[HTTP_ROUTE_ROOTS_MAX]; /* of route.roots, one by one */
	const char *results;                           /* directory of /result */
	uint32_t max_sockets;                          /* of each kind and worker; 0: 4096 */
	bool is_debug;
};

/*
 * Starts the workers. The services must outlive the pool; any may be NULL (tests): then uploads are
 * refused and transfers are not recorded. http is poked after each change; may be NULL.
 * Returns 0 or -errno. A worker that cannot start is tried again, with growing pauses up to 10 s.
 */
int worker_pool_new(struct event_base *base, const struct worker_pool_config *config,
                    struct result_service *results, struct transfer_service *transfers,
                    struct http_io *http, struct worker_pool **ret);

/* Kills the workers and waits for their end, at most a second each. NULL is fine. */
struct worker_pool *worker_pool_free(struct worker_pool *pool);

/* Loads files for TFTP in the workers; lives as long as the pool. */
struct file_loader *worker_pool_loader(struct worker_pool *pool);

/* result: what tree_remove_piece returned; -EPIPE: the worker has died. */
typedef void (*worker_removed_fn)(void *userdata, int result);

/*
 * Lets a worker remove a piece of the tree dir_fd/name; `done` is called once, later. One at a
 * time. dir_fd is borrowed until this returns. Returns 0, or -errno (-EAGAIN: no worker runs).
 */
int worker_pool_remove(struct worker_pool *pool, int dir_fd, const char *name,
                       worker_removed_fn done, void *userdata);

/* Its `done` is not called any more. */
void worker_pool_forget_removal(struct worker_pool *pool);

struct worker_pool_counters {
	uint64_t n_started, n_died;
	unsigned n_running; /* now */
	size_t n_uploads;   /* granted and not ended, now */
};

const struct worker_pool_counters *worker_pool_get_counters(struct worker_pool *pool);

/* What all workers have counted, those that died included; about a second old. */
void worker_pool_get_totals(const struct worker_pool *pool, struct worker_totals *ret);
