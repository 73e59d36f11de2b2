/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Connections, made with a time limit.
 */
#pragma once

#include <netdb.h>

#include "lib/base/usec.h"

/* CLEANUP for what getaddrinfo(3) gave. */
void tcp_free_addresses(struct addrinfo **list);

/*
 * Connects to an address within `patience`. Returns a blocking socket whose every send and receive
 * has the same limit, or -errno (-ETIMEDOUT).
 */
int tcp_connect(const struct addrinfo *address, usec_t patience);
