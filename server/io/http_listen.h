/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Listening sockets of HTTP. Made by main before anything else starts, so that an address in use is
 * found at once; workers inherit them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Listens on TCP address:port (host order; 0: every address), or on [::1]:port. SO_REUSEADDR: the
 * port is free again as soon as the last process that holds the socket has gone. Sockets accepted
 * from it inherit: keep-alive probes, which find a peer that was switched off within about 70 s;
 * TCP_USER_TIMEOUT of 120 s, which ends a peer that takes no more bytes; TCP_NODELAY.
 * The address need not be there yet (IP_FREEBIND).
 * A port in use is tried for 3 seconds: the workers of a ccid that was killed a moment ago may not
 * be dead yet. Returns 0 and a non-blocking fd, or -errno: -EADDRINUSE, -EACCES.
 */
int http_listen(uint32_t address, uint16_t port, int *ret_fd);
int http_listen_loopback6(uint16_t port, int *ret_fd);

#define HTTP_LISTENERS_MAX 192

/* The sockets of one kind of port (API, files or upload). */
struct http_listeners {
	struct {
		int fd;
		uint16_t port;
	} at[HTTP_LISTENERS_MAX];
	size_t n;
};

#define HTTP_LISTENERS_NULL ((struct http_listeners){ .n = 0 })

/*
 * Listens on every port at every address, and at ::1 where this machine has it. Addresses may stand
 * twice (they are taken once); 127.0.0.1 has to be among them to be listened on.
 * Returns 0, or -errno with *ret_listeners empty and the place that failed in
 * error_place ("10.0.0.1:3000").
 */
#define HTTP_LISTEN_PLACE_MAX 32
int http_listeners_open(const uint32_t *addresses, size_t n_addresses, const uint16_t *ports,
                        size_t n_ports, struct http_listeners *ret_listeners,
                        char error_place[HTTP_LISTEN_PLACE_MAX]);

/* Closes what is left in it (an fd of -1 was handed over). */
void http_listeners_close(struct http_listeners *listeners);
