/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/netif.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"

DEFINE_FREEP(struct ifaddrs, freeifaddrs);

static void take_address(const struct sockaddr *address, struct netif *netif)
{
	struct sockaddr_in in;
	struct sockaddr_ll ll;

	if (address->sa_family == AF_INET && netif->n_addresses < NETIF_ADDRESSES_MAX) {
		memcpy(&in, address, sizeof(in));
		netif->addresses[netif->n_addresses++] = ntohl(in.sin_addr.s_addr);
	}
	if (address->sa_family == AF_PACKET) {
		memcpy(&ll, address, sizeof(ll));
		if (ll.sll_hatype == ARPHRD_ETHER && ll.sll_halen == sizeof(netif->mac.octet))
			memcpy(netif->mac.octet, ll.sll_addr, sizeof(netif->mac.octet));
	}
}

static int read_mtu(const char *name, size_t *ret)
{
	CLEANUP(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_mtu = 0 };

	if (fd < 0)
		return -errno;
	(void)text_copy(request.ifr_name, sizeof(request.ifr_name), slice_from_text(name));
	if (ioctl(fd, SIOCGIFMTU, &request) < 0)
		return -errno;
	*ret = (size_t)request.ifr_mtu;
	return 0;
}

int netif_get(const char *name, struct netif *ret)
{
	CLEANUP(freeifaddrsp) struct ifaddrs *list = NULL;
	struct netif netif = { .index = 0 };
	int r;

	if (text_copy(netif.name, sizeof(netif.name), slice_from_text(name)) != 0)
		return -ENODEV;
	netif.index = if_nametoindex(name);
	if (netif.index == 0)
		return -errno;
	r = read_mtu(name, &netif.mtu);
	if (r < 0)
		return r;
	if (getifaddrs(&list) < 0)
		return -errno;
	for (const struct ifaddrs *it = list; it; it = it->ifa_next)
		if (it->ifa_addr && strcmp(it->ifa_name, name) == 0)
			take_address(it->ifa_addr, &netif);
	*ret = netif;
	return 0;
}

int netif_refresh(struct netif *netif)
{
	struct netif now = { .index = 0 };
	int r = netif_get(netif->name, &now);
	bool is_anew;

	if (r == -ENODEV || r == -ENXIO)
		return NETIF_GONE;
	if (r < 0)
		return r;
	is_anew = now.index != netif->index;
	*netif = now;
	return is_anew ? NETIF_ANEW : 0;
}
