/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A URL as the fetcher needs it (RFC 3986): where to connect, what to ask for. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"

#define URL_TEXT_MAX 2048 /* a command line of the kernel is no longer than that either */

struct url {
	bool is_https;
	struct slice authority; /* HOST or HOST:PORT as written: what Host: says */
	struct slice host;      /* without the brackets of an IPv6 address */
	uint16_t port;          /* 80 or 443 when not written */
	struct slice target;    /* path and query; empty stands for "/" */
};

enum {
	URL_BAD = 1,      /* no URL, or with a character that no request line may hold */
	URL_SCHEME = 2,   /* neither http: nor https: */
	URL_TOO_LONG = 3, /* url_resolve only */
};

/*
 * Splits an absolute URL; a fragment is cut off, a user name refused. *ret has views into text.
 * Returns 0, URL_BAD or URL_SCHEME.
 */
int url_split(struct slice text, struct url *ret);

/*
 * Appends the absolute URL that `location` (absolute, //host/path, /path, ?query or relative) means
 * in an answer from `base`; dot segments are left to the server. Returns 0, URL_BAD when it is no
 * text that could be a URL, or URL_TOO_LONG when `out` has no room for it.
 */
int url_resolve(const struct url *base, struct slice location, struct bytes *out);

/* Whether the host is written as an address, so that no name server is asked. */
bool url_is_numeric(const struct url *url);
