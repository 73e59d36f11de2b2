/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The insides of the worker pool, between the files that make it: worker.c (lives of workers),
 * worker_uploads.c (what they ask), worker_loads.c (what they load), worker_removals.c (what they
 * remove). Others include worker.h.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/list.h"
#include "lib/base/usec.h"
#include "server/core/worker_message.h"
#include "server/io/file_loader.h"
#include "server/io/worker.h"
#include "server/service/result_service.h"

struct event;
struct worker_channel;

struct worker {
	struct worker_pool *pool;
	pid_t pid; /* 0: none is running */
	struct worker_channel *channel;
	struct event *restart;
	usec_t started, pause;
	unsigned n_loads;
	struct worker_counts counts; /* what it said last */
};

/* An upload that was granted and is not over. */
struct worker_upload {
	struct list link;
	struct worker *worker;
	uint64_t id; /* of that worker */
	/* what file it is: one name may stand in several directories of one attempt */
	int64_t attempt;
	dev_t device;
	ino_t directory;
	int dir_fd; /* the directory, to look there for what a killed worker left */
	char name[UPLOAD_NAME_MAX];
};

/* A file on its way into memory. */
struct pending_load {
	struct list link;
	struct worker *worker;
	uint64_t id;
	file_loaded_fn done; /* NULL: forgotten */
	void *userdata;
};

/* A piece of a tree being removed; one at a time. */
struct pending_removal {
	struct worker *worker; /* NULL: none is */
	uint64_t id;
	worker_removed_fn done; /* NULL: forgotten */
	void *userdata;
};

struct worker_pool {
	struct file_loader loader; /* first: file_loader points here */
	struct event_base *base;
	struct worker_pool_config config;
	struct http_listeners files, upload;
	struct result_service *results;
	struct transfer_service *transfers;
	struct http_io *http;
	struct event *child_died; /* SIGCHLD */
	struct worker workers[WORKERS_MAX];
	struct list uploads, loads;
	uint64_t last_load;
	struct pending_removal removal;
	size_t n_loads;
	struct worker_pool_counters counters;
	struct worker_totals gone; /* counted by workers that have died */
};

/*
 * Sends the worker a message, and fd (-1: none). Takes fd. That a worker cannot be told anything is
 * logged here: it is on its end.
 */
void worker_tell(struct worker *w, const struct worker_message *message, int fd);

/* Something has changed in the store. */
void worker_pool_poke(struct worker_pool *pool);

/* worker_uploads.c: what a worker asks and reports; slices are those of the message. */
void worker_on_ask(struct worker *w, const struct worker_ask *ask);
void worker_on_progress(struct worker *w, const struct worker_progress *progress);
void worker_on_commit(struct worker *w, const struct worker_commit *commit);
void worker_on_release(struct worker *w, uint64_t id);
void worker_on_transfer(struct worker *w, const struct worker_transfer *transfer);

/* It is dead: all its uploads are over, and what they left is removed. */
void worker_forget_uploads(struct worker *w);

/* worker_loads.c */
extern const struct file_loader_ops worker_loader_ops;

/* Takes memfd (-1: none). */
void worker_on_loaded(struct worker *w, const struct worker_result *result, int memfd);

/* All its loads have failed. */
void worker_fail_loads(struct worker *w);

/* worker_removals.c */
void worker_on_removed(struct worker *w, const struct worker_result *result);
void worker_fail_removal(struct worker *w);
