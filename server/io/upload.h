/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One upload, between the files that handle it: http_upload.c (requests in, main's words in) and
 * upload.c (what happens to the file). Others include http_upload.h.
 *
 * It goes ASKED, perhaps LOCKING, BODY, FINISH, COMMIT, OVER. From FINISH on it goes to its end
 * also when the client has gone: the bytes are all there, and its next attempt finds them recorded.
 */
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include "lib/base/list.h"
#include "server/core/worker_message.h"
#include "server/io/http_server.h"
#include "server/io/upload_file.h"
#include "server/proto/http_range.h"
#include "server/proto/url_path.h"
#include "server/service/result_service.h"

struct http_upload {
	struct event_base *base;
	const struct http_route *route;
	struct worker_channel *main;
	struct http_server *server;
	struct list uploads; /* of struct upload */
	uint64_t last_id;
	uint64_t n_bad_path[_URL_PATH_OUTCOME_MAX];
};

enum upload_state {
	UPLOAD_ASKED,   /* main was asked */
	UPLOAD_LOCKING, /* granted, but the file is being written by another connection */
	UPLOAD_BODY,    /* bytes come in */
	UPLOAD_FINISH,  /* all bytes are there: hash, sync, rename, a step a turn */
	UPLOAD_COMMIT,  /* main records it */
	UPLOAD_OVER,    /* answered */
};

struct upload {
	struct list link;
	struct http_upload *uploads;
	struct http_socket *socket; /* NULL: the client has gone */
	struct event timer;         /* next try for the lock, next step of finishing */
	uint64_t id;
	enum upload_state state;
	enum http_method method;
	int64_t length; /* of the body; -1: chunked */
	bool is_ranged; /* has Content-Range */
	struct http_content_range range;
	unsigned n_tries;
	bool is_granted; /* main keeps a note of it until commit or release */
	int64_t attempt, max;
	bool is_unrecorded; /* a file under its final name is one that main knows nothing of */
	char name[UPLOAD_NAME_MAX];
	int dir_fd;
	struct upload_file *file;
};

/* A new upload for the request at hand; NULL when memory is short. */
struct upload *upload_new(struct http_upload *uploads, struct http_socket *socket);

/* Frees it; main is told when it had granted it. */
struct upload *upload_free(struct upload *u);

/*
 * Each of these answers the client, if it is still there, and ends the upload; without a client the
 * struct is freed, else it lives until its exchange is over.
 */
void upload_refuse(struct upload *u, unsigned status, const char *detail, struct slice headers);
void upload_fail(struct upload *u, int error);

/* status with Upload-Offset, unless offset is negative, and Upload-Complete. */
void upload_answer(struct upload *u, unsigned status, int64_t offset, bool is_complete);

/* Ends it without an answer. */
void upload_end(struct upload *u);

/* Granted: attempt, name, max, dir_fd are set. Reads the body, or whatever the method wants. */
void upload_begin(struct upload *u);

/* The body. */
void upload_data(struct upload *u, struct slice data);
void upload_data_end(struct upload *u);
