/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/net_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "lib/base/macro.h"
#include "lib/sys/fd.h"

#define FOR_EVER UINT32_MAX /* ifa_valid of an address that does not end */

/* Reads one address. False: it is not of a kind that is handed on. */
static bool parse_address(const struct nlmsghdr *message, struct net_address *ret)
{
	const struct ifaddrmsg *head = NLMSG_DATA(message);
	int len = (int)IFA_PAYLOAD(message);
	char text[INET_ADDRSTRLEN] = "";

	if (head->ifa_family != AF_INET || head->ifa_scope != RT_SCOPE_UNIVERSE)
		return false;
	*ret = (struct net_address){ .index = head->ifa_index };
	for (const struct rtattr *a = IFA_RTA(head); RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		if (a->rta_type == IFA_LOCAL && RTA_PAYLOAD(a) == 4)
			(void)inet_ntop(AF_INET, RTA_DATA(a), text, sizeof(text));
		if (a->rta_type == IFA_CACHEINFO) {
			struct ifa_cacheinfo times;

			memcpy(&times, RTA_DATA(a), sizeof(times));
			ret->is_lease = times.ifa_valid != FOR_EVER;
		}
	}
	(void)snprintf(ret->text, sizeof(ret->text), "%.15s/%u", text,
	               (unsigned)head->ifa_prefixlen % 100);
	return text[0] != '\0';
}

static int ask(int fd)
{
	const struct {
		struct nlmsghdr head;
		struct ifaddrmsg body;
	} question = {
		.head = { .nlmsg_len = sizeof(question),
		          .nlmsg_type = RTM_GETADDR,
		          .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .ifa_family = AF_INET },
	};
	const struct timeval patience = { .tv_sec = 1 };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    send(fd, &question, sizeof(question), 0) < 0)
		return -errno;
	return 0;
}

int net_address_list(struct net_address addresses[NET_ADDRESSES_MAX])
{
	CLEANUP(fd_closep) int fd = -1;
	union {
		struct nlmsghdr head;
		char bytes[16 << 10];
	} room;
	int n = 0, r;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	r = ask(fd);
	if (r < 0)
		return r;
	for (;;) {
		ssize_t len = recv(fd, &room, sizeof(room), 0);
		const struct nlmsghdr *m = &room.head;

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		for (; NLMSG_OK(m, len); m = NLMSG_NEXT(m, len)) {
			if (m->nlmsg_type == NLMSG_DONE || n == NET_ADDRESSES_MAX)
				return n;
			if (m->nlmsg_type == NLMSG_ERROR)
				return -EIO;
			if (m->nlmsg_type == RTM_NEWADDR && parse_address(m, &addresses[n]))
				n++;
		}
	}
}
