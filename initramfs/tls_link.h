/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A connection over TLS, as bytes to and fro; HTTP is spoken above it by fetch_http. Two programs,
 * two sources: cci-init-https has tls_link.c, over libcurl; cci-init has no_tls.c, which refuses,
 * so that an image without https carries nothing for it.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "initramfs/url.h"
#include "lib/base/usec.h"

#define TLS_LINK_WHY_MAX 256

struct tls_link;

enum {
	TLS_LINK_NONE = 1,     /* this program has no TLS */
	TLS_LINK_NAME = 2,     /* the server's name has no address */
	TLS_LINK_BROKEN = 3,   /* the handshake failed; another time it may not */
	TLS_LINK_DISTRUST = 4, /* its certificate is not good, or we have none to judge by */
};

/* Whether this program has TLS at all. */
bool tls_link_exists(void);

/*
 * Connects to the host of an https URL and makes sure of who it is: by the certificates of
 * /etc/cci/ca.pem and no others when that file is there, else by those of the distribution.
 * Returns 0; an outcome above with its reason in why[TLS_LINK_WHY_MAX]; or -errno when nobody could
 * be reached (-ETIMEDOUT after `patience`).
 */
int tls_link_open(const struct url *url, usec_t patience, struct tls_link **ret, char *why);

/* Frees and closes it. */
struct tls_link *tls_link_free(struct tls_link *link);

/* Sends all of it; each wait is at most `patience`. Returns 0 or -errno. */
int tls_link_send(struct tls_link *link, struct slice data, usec_t patience);

/*
 * Waits for bytes. Returns how many, 0 when the peer has ended the connection as TLS demands, or
 * -errno (-ETIMEDOUT; -ECONNRESET for any other end).
 */
ssize_t tls_link_receive(struct tls_link *link, void *room, size_t size, usec_t patience);
