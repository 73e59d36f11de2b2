/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * GET and HEAD of the file roots and of /result, in a worker: sendfile(2), ranges, validators.
 * What boots a machine is reported to main when it begins and when it ends.
 */
#pragma once

#include <stddef.h>

#include "server/core/http_route.h"
#include "server/io/http_server.h"

struct event_base;
struct file_service;
struct http_files;
struct worker_channel;

/* All parameters must outlive it. Returns 0 or -ENOMEM. */
int http_files_new(struct event_base *base, struct file_service *files,
                   const struct http_route *route, struct worker_channel *main, size_t max_sockets,
                   struct http_files **ret);

const struct http_server_counters *http_files_get_counters(const struct http_files *files);

struct http_files *http_files_free(struct http_files *files);

/* Serves on fd, a listening socket; takes it. Returns 0 or -errno. */
int http_files_listen(struct http_files *files, int fd);
