/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What main and its worker processes tell each other over a SOCK_SEQPACKET pair: one message a
 * packet, at most one file descriptor beside it. Both ends are the same program, so the wire has no
 * versions; it is checked like a stranger's all the same.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/usec.h"
#include "server/core/http_route.h"

enum worker_message_kind {
	/* main to worker */
	WORKER_CONFIG,    /* the first one */
	WORKER_LISTEN,    /* with the listening socket */
	WORKER_GRANT,     /* answers WORKER_ASK; with the directory when it was granted */
	WORKER_COMMITTED, /* answers WORKER_COMMIT */
	WORKER_CANCEL,    /* the same file is being sent anew: let go of it */
	WORKER_LOAD,      /* a file to be brought into memory; with the file */
	WORKER_REMOVE,    /* a piece of a tree to be removed; with the directory it is in */
	/* worker to main */
	WORKER_READY, /* listens */
	WORKER_ASK,   /* may this upload begin? */
	WORKER_PROGRESS,
	WORKER_COMMIT,   /* the file is durable: record it */
	WORKER_RELEASE,  /* a granted upload has ended without a commit */
	WORKER_TRANSFER, /* for transfer_service_report */
	WORKER_LOADED,   /* answers WORKER_LOAD; with the memfd when result is 0 */
	WORKER_REMOVED,  /* answers WORKER_REMOVE */
	WORKER_COUNTS,   /* what it has counted since it began */
	_WORKER_MESSAGE_KIND_MAX,
};

/* "config", "listen" and so on. */
const char *worker_message_kind_to_name(int value);

struct worker_root {
	struct slice prefix, directory; /* "/os", "/srv/os" */
};

struct worker_config {
	struct worker_root roots[HTTP_ROUTE_ROOTS_MAX]; /* without /result */
	uint32_t n_roots;
	struct slice results; /* directory of /result */
	uint16_t api_port, os_port, files_port, upload_port;
	uint32_t max_sockets; /* of each kind */
	bool is_debug;
};

struct worker_listen {
	bool is_upload;
};

/* `upload` numbers the uploads of one worker. The fields are those of service/result_service.h. */
struct worker_ask {
	uint64_t upload;
	uint32_t method;
	struct slice path, cookie, authorization;
	uint32_t peer;
	int64_t length;
};

struct worker_grant {
	uint64_t upload;
	uint32_t status, retry_after_sec;
	struct slice reason;
	int64_t attempt, max;
	struct slice name;
	bool is_unrecorded; /* no file of that name is on record for the attempt */
};

struct worker_progress {
	int64_t attempt, size;
	struct slice name;
};

struct worker_commit {
	uint64_t upload;
	int64_t attempt, size;
	struct slice name, sha256; /* sha256: 64 hexadecimal digits */
};

/* COMMITTED: what result_service_commit returned. LOADED: 0 or -errno. REMOVED: what
 * tree_remove_piece returned. */
struct worker_result {
	uint64_t id;
	int32_t result;
};

struct worker_load {
	uint64_t id, size;
};

struct worker_remove {
	uint64_t id;
	struct slice name;
};

/* The fields are those of service/transfer_service.h. */
struct worker_transfer {
	bool is_done, is_aborted;
	uint32_t peer;
	struct slice path;
	int64_t offset, bytes, size;
	usec_t elapsed;
};

#define WORKER_COUNTS_MAX 64

/* What each number means is between both ends: server/io/worker_counts. */
struct worker_counts {
	uint32_t n; /* at most WORKER_COUNTS_MAX */
	uint64_t value[WORKER_COUNTS_MAX];
};

struct worker_message {
	enum worker_message_kind kind;
	union {
		struct worker_config config;
		struct worker_listen listen;
		struct worker_ask ask;
		struct worker_grant grant;
		struct worker_progress progress;
		struct worker_commit commit;
		struct worker_result result; /* COMMITTED, LOADED, REMOVED */
		struct worker_load load;
		struct worker_remove remove;
		struct worker_transfer transfer;
		struct worker_counts counts;
		uint64_t upload; /* CANCEL, RELEASE */
	};
};

/* Bytes of a message: a path, a cookie and a token of the longest head of a request, and more. */
#define WORKER_MESSAGE_MAX 32768

/* Appends the message; what does not fit sets out->overflow. */
void worker_message_build(const struct worker_message *message, struct bytes *out);

/* Parses one packet; slices are views of it. Returns 0 or WORKER_MESSAGE_BAD. */
enum { WORKER_MESSAGE_BAD = 1 };
int worker_message_parse(struct slice packet, struct worker_message *ret);
