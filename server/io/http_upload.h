/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * PUT, MKCOL and HEAD of results, in a worker. Before a byte of a body is read main is asked; only
 * after main has recorded a durable file the client is told 201.
 */
#pragma once

#include <stddef.h>

#include "server/core/http_route.h"
#include "server/core/worker_message.h"
#include "server/io/http_server.h"

struct event_base;
struct http_upload;
struct worker_channel;

/* All parameters must outlive it. Returns 0 or -ENOMEM. */
int http_upload_new(struct event_base *base, const struct http_route *route,
                    struct worker_channel *main, size_t max_sockets, struct http_upload **ret);

const struct http_server_counters *http_upload_get_counters(const struct http_upload *uploads);

/* Paths that url_path refused, by url_path_outcome; _URL_PATH_OUTCOME_MAX numbers. */
const uint64_t *http_upload_bad_paths(const struct http_upload *uploads);

struct http_upload *http_upload_free(struct http_upload *uploads);

/* Serves on fd, a listening socket; takes it. Returns 0 or -errno. */
int http_upload_listen(struct http_upload *uploads, int fd);

/* What main says. An upload that has ended meanwhile is no mistake. Takes dir_fd. */
void http_upload_granted(struct http_upload *uploads, const struct worker_grant *grant, int dir_fd);
void http_upload_committed(struct http_upload *uploads, const struct worker_result *result);
void http_upload_cancel(struct http_upload *uploads, uint64_t id);
