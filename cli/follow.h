/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Following a job, or all events, through restarts of the server: streams are taken up again where
 * they broke (Last-Event-ID, offset of the log), until the job has ended or patience has.
 */
#pragma once

#include <jansson.h>

#include "cli/client.h"
#include "lib/base/usec.h"

enum follow_news {
	FOLLOW_NEWS_LOST,  /* the server does not answer; detail: libcurl's reason */
	FOLLOW_NEWS_BACK,  /* it answers again */
	FOLLOW_NEWS_RETRY, /* the job began anew on some host: its output starts again */
};

/* Who wants to know. A negative return stops the following with that error. */
struct follow_sink {
	void *context;
	int (*on_event)(void *context, const json_t *event); /* NULL: events do not matter */
	int (*on_output)(void *context, struct slice bytes); /* NULL: the log does not matter */
	void (*on_news)(void *context, enum follow_news news, const char *detail); /* may be NULL */
};

struct follow_options {
	const char *job;     /* as the user wrote it; NULL: events of everybody, without end */
	const char *last_id; /* events after this one only; NULL: as the server likes */
	usec_t patience;     /* give up after this long without the server; USEC_INFINITY: never */
	bool is_known;       /* the server has just answered something else; otherwise a first
	                        connection that fails is the end */
};

enum {
	FOLLOW_ENDED = 0,       /* the job has ended: *ret_job */
	FOLLOW_INTERRUPTED = 1, /* SIGINT */
	FOLLOW_LOST = 2,        /* the server stayed away: answer->reason */
	FOLLOW_REFUSED = 3,     /* the server says no: answer->status, body */
};

/*
 * Follows until there is an end. SIGINT is taken while it lasts (and given back to its old way
 * afterwards). Order within the events, and within the output, is kept; nothing is given twice.
 * Returns one of the above, or -errno. *ret_job is for json_decref (only with FOLLOW_ENDED);
 * *ret_answer is always for client_answer_deinit.
 */
int follow(struct client *client, const struct follow_options *options,
           const struct follow_sink *sink, json_t **ret_job, struct client_answer *ret_answer);
