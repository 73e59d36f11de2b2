/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One connection of an http_server, between the two files that share its insides. Owners of a
 * server include http_server.h only.
 */
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include "lib/base/list.h"
#include "server/io/http_server.h"

struct http_server {
	struct event_base *base;
	struct http_server_config config;
	const struct http_server_ops *ops;
	void *userdata;
	struct list listeners, sockets;
	struct list ready;  /* sockets to be run at the next turn of the loop */
	struct list corked; /* (same link) those with an answer that may not leave yet */
	bool is_corked;
	struct event *kick;  /* runs them */
	struct event *retry; /* accepts again after a lack of fds */
	struct http_server_counters counters;
	uint8_t scratch[HTTP_CONN_INPUT_MAX]; /* what read(2) fills */
};

struct http_socket_addresses {
	uint32_t peer, local;
	uint16_t local_port;
};

struct http_socket {
	struct list link, ready_link;
	struct http_server *server;
	struct http_conn *conn;
	int fd;
	int file_fd; /* of the answer; -1 when it has none */
	off_t file_offset;
	struct event readable, writable, timer;
	usec_t armed; /* what the timer is set to */
	struct http_socket_addresses addresses;
	void *exchange;
	bool has_exchange; /* between ops->request and ops->done */
	bool has_sent;     /* bytes of its answer */
	bool is_running;
	bool is_read_ended; /* read(2) has returned 0 */
	bool waits_to_write;
	bool waits_to_fill; /* the owner had nothing for the stream */
};

/* A new connection: takes fd. */
void http_socket_begin(struct http_server *server, int fd,
                       const struct http_socket_addresses *addresses);

/* Does what the engine wants until it has to wait; may free the socket. */
void http_socket_run(struct http_socket *socket);

/* Takes no further request. */
void http_socket_stop(struct http_socket *socket);

/* Closes and frees it; ops->done is called for an open exchange. */
void http_socket_end(struct http_socket *socket);

/* The answer that waits is not true any more, for error (-errno): says 507 (-ENOSPC) or 500
 * instead, if none of it was sent, and ends. */
void http_socket_lose(struct http_socket *socket, int error);
