/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A socket bound to one interface, opened anew when the interface goes away and comes back as
 * another one of the same name: the old socket would hear nothing of it.
 */
#pragma once

#include <event2/util.h>
#include <stddef.h>

#include "server/io/netif.h"

struct event;
struct event_base;

#define NETIF_PORT_REFRESH_SEC 5 /* how old our knowledge of an interface may get */

struct netif_port_kind {
	const char *protocol; /* in the log: "DHCP" */
	/* makes the socket; 0 or -errno */
	int (*open)(const struct netif *netif, void *userdata, int *ret);
	void (*readable)(evutil_socket_t fd, short what, void *userdata);
};

struct netif_port {
	const struct netif_port_kind *kind;
	struct event_base *base;
	void *userdata;
	struct netif netif;
	int fd; /* -1: the interface is not there now */
	struct event *event;
};

#define NETIF_PORT_NULL ((struct netif_port){ .fd = -1 })

/*
 * Listens on an interface until netif_port_close. kind, base, userdata and port itself must live
 * longer. Returns 0, or -errno: -ENODEV when there is none of that name, what kind's open returned,
 * or -ENOMEM.
 */
int netif_port_open(struct netif_port *port, const struct netif_port_kind *kind,
                    struct event_base *base, const char *name, void *userdata);

/* Looks after the interface, and says in the log when it went or came. To be called every
   NETIF_PORT_REFRESH_SEC. */
void netif_port_refresh(struct netif_port *port);

/* Fine for one that is closed, or NETIF_PORT_NULL. */
void netif_port_close(struct netif_port *port);

/* Calls refresh(userdata) every NETIF_PORT_REFRESH_SEC. Returns 0 or -ENOMEM. */
int netif_port_arm(struct event_base *base, void (*refresh)(evutil_socket_t, short, void *),
                   void *userdata, struct event **ret);
