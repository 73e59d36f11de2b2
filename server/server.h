/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The daemon as one value: store, services and sockets, wired together in one place.
 */
#pragma once

#include "server/config.h"

struct server;

#define SERVER_ERROR_MAX 1024

enum {
	SERVER_REFUSED = 1, /* a person must change something; error[] says what in one line */
};

/*
 * Opens the store, makes the services, binds every socket, starts the workers. config is borrowed
 * and must live as long; config_path is kept for SIGHUP. Returns 0; SERVER_REFUSED with error[]
 * filled; or -errno.
 */
int server_new(const struct config *config, const char *config_path, struct server **ret,
               char error[SERVER_ERROR_MAX]);

/* Serves until SIGTERM or SIGINT. Returns 0, or -errno when the loop itself failed. */
int server_run(struct server *server);

/* Closes every socket, ends the workers and the store. NULL is fine. */
struct server *server_free(struct server *server);
