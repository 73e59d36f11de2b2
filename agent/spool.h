/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Results on their way: the growing log while the job runs, then every file below $RESULT_ROOT,
 * small ones first, one request at a time, resumed where the server says it is, until all are there
 * or the owner gives up.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "agent/client.h"
#include "lib/doc/message.h"

struct spool;

struct spool_events {
	void (*progressed)(void *userdata); /* the server acknowledged something */
	void (*uploaded)(void *userdata);   /* all files are there, or refused; once */
	void (*fenced)(void *userdata);     /* 401 or 410: this attempt may write nothing */
};

struct spool_options {
	const char *upload;   /* URL prefix, as in the attempt file */
	const char *log_name; /* of the growing file on the server */
	int log_fd;           /* the growing file; borrowed */
	uint64_t seed;        /* for the jitter of retries */
	struct spool_events events;
	void *userdata;
};

/* Returns 0 or -errno. */
int spool_new(sd_event *event, struct client *client, const struct spool_options *options,
              struct spool **ret);
void spool_free(struct spool *spool);

/* The log has this size now. */
void spool_log_grew(struct spool *spool, uint64_t size);

/* How often new log bytes are sent while the job runs; 1000 ms until this is called. */
void spool_set_interval(struct spool *spool, uint32_t ms);

/*
 * The job has ended: finds all regular files below the directory (links are not followed), and
 * uploads them and the rest of the log. Returns 0 or -errno (what was found is uploaded even then).
 */
int spool_collect(struct spool *spool, int result_fd);

/* Sends nothing more. */
void spool_stop(struct spool *spool);

/*
 * The manifest: every file with its size and sha256, arrived or not. Hashes what is not hashed yet.
 * Returns 0 and an array that lives as long as the spool, or -errno.
 */
int spool_manifest(struct spool *spool, const struct message_file **ret, size_t *ret_n);

/* How many files the server refused or could not be given. */
size_t spool_n_lost(const struct spool *spool);
