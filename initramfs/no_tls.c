/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * tls_link.h for a program without TLS.
 */
#include <errno.h>
#include <stdio.h>

#include "initramfs/tls_link.h"

bool tls_link_exists(void)
{
	return false;
}

int tls_link_open(const struct url *url, usec_t patience, struct tls_link **ret, char *why)
{
	(void)snprintf(why, TLS_LINK_WHY_MAX, "this program has no TLS");
	return TLS_LINK_NONE;
}

struct tls_link *tls_link_free(struct tls_link *link)
{
	return NULL;
}

int tls_link_send(struct tls_link *link, struct slice data, usec_t patience)
{
	return -ENOTCONN;
}

ssize_t tls_link_receive(struct tls_link *link, void *room, size_t size, usec_t patience)
{
	return -ENOTCONN;
}
