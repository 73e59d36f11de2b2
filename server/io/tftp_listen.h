/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The port on which TFTP requests arrive: one socket for each interface, opened anew when an
 * interface goes away and comes back.
 */
#pragma once

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/macro.h"
#include "server/io/tftp_transfer.h"

#define TFTP_LISTEN_INTERFACES_MAX 64

struct event_base;
struct tftp_listen;

struct tftp_listen_config {
	const char *const *interfaces; /* borrowed for the call of tftp_listen_new */
	size_t n_interfaces;           /* 1..TFTP_LISTEN_INTERFACES_MAX */
	uint16_t port;
	/*
	 * A datagram that a peer sent to one of our own addresses, from a port that can be
	 * answered. interface is its name; all are borrowed for the call.
	 */
	void (*arrived)(void *userdata, const struct tftp_peer *peer, const char *interface,
	                struct slice packet);
	void *userdata;
	uint64_t *n_malformed; /* counts what is dropped before that */
};

/*
 * Listens until tftp_listen_free. base must live longer. Returns 0, or -errno: -EADDRINUSE,
 * -EACCES, -ENODEV (an interface is not there), -ENOMEM.
 */
int tftp_listen_new(struct event_base *base, const struct tftp_listen_config *config,
                    struct tftp_listen **ret);

/* NULL is fine; returns NULL. */
struct tftp_listen *tftp_listen_free(struct tftp_listen *listen);

DEFINE_FREEP(struct tftp_listen, tftp_listen_free);

/*
 * Answers a peer from the address and the port it spoke to (RFC 1350 section 4: an error may come
 * from there). What is lost is asked for again.
 */
void tftp_listen_answer(struct tftp_listen *listen, const struct tftp_peer *peer,
                        struct slice packet);
