/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

int packet_open(int *ret_fd)
{
	/* SOCK_DGRAM: the kernel makes the Ethernet header; protocol 0: nothing is received */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int packet_send(int fd, unsigned ifindex, struct mac to, struct slice datagram)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
		                       .sll_protocol = htons(ETH_P_IP),
		                       .sll_ifindex = (int)ifindex,
		                       .sll_halen = sizeof(to.octet) };
	ssize_t n;

	memcpy(address.sll_addr, to.octet, sizeof(to.octet));
	do
		n = sendto(fd, datagram.data, datagram.len, 0, (const struct sockaddr *)&address,
		           sizeof(address));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}
