/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/netif_port.h"

#include <errno.h>
#include <event2/event.h>

#include "lib/base/log.h"
#include "lib/sys/fd.h"

void netif_port_close(struct netif_port *port)
{
	if (port->event)
		event_free(port->event);
	port->event = NULL;
	fd_close(&port->fd);
}

static int open_socket(struct netif_port *port)
{
	int r = port->kind->open(&port->netif, port->userdata, &port->fd);

	if (r < 0)
		return r;
	port->event = event_new(port->base, port->fd, EV_READ | EV_PERSIST, port->kind->readable,
	                        port->userdata);
	if (!port->event || event_add(port->event, NULL) < 0) {
		netif_port_close(port);
		return -ENOMEM;
	}
	return 0;
}

int netif_port_open(struct netif_port *port, const struct netif_port_kind *kind,
                    struct event_base *base, const char *name, void *userdata)
{
	int r;

	*port = NETIF_PORT_NULL;
	port->kind = kind;
	port->base = base;
	port->userdata = userdata;
	r = netif_get(name, &port->netif);
	return r < 0 ? r : open_socket(port);
}

void netif_port_refresh(struct netif_port *port)
{
	int r = netif_refresh(&port->netif);

	if (r == NETIF_GONE && port->fd >= 0)
		log_warning("%s: an interface has gone away interface=%s", port->kind->protocol,
		            port->netif.name);
	if (r > 0)
		netif_port_close(port);
	if (r < 0 || r == NETIF_GONE || port->fd >= 0)
		return;
	if (open_socket(port) == 0) /* else tried again in a moment */
		log_info("%s: an interface has come back interface=%s", port->kind->protocol,
		         port->netif.name);
}

int netif_port_arm(struct event_base *base, void (*refresh)(evutil_socket_t, short, void *),
                   void *userdata, struct event **ret)
{
	const struct timeval period = { .tv_sec = NETIF_PORT_REFRESH_SEC };

	*ret = event_new(base, -1, EV_PERSIST, refresh, userdata);
	return *ret && event_add(*ret, &period) == 0 ? 0 : -ENOMEM;
}
