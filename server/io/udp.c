/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/udp.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/sys/fd.h"

/* Room for in_pktinfo and the drop counter. */
union control {
	struct cmsghdr header; /* for the alignment */
	char space[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(uint32_t))];
};

struct udp_batch {
	struct mmsghdr headers[UDP_BATCH_MAX];
	struct iovec parts[UDP_BATCH_MAX];
	struct sockaddr_in peers[UDP_BATCH_MAX];
	union control controls[UDP_BATCH_MAX];
	uint8_t data[UDP_BATCH_MAX][UDP_PACKET_MAX];
};

static int set_flag(int fd, int level, int option)
{
	const int on = 1;

	return setsockopt(fd, level, option, &on, sizeof(on)) < 0 ? -errno : 0;
}

static int configure(int fd, const char *interface, int receive_buffer)
{
	int r;

	/* no SO_REUSEADDR: for UDP it would let a second server listen beside us */
	r = set_flag(fd, SOL_SOCKET, SO_BROADCAST);
	if (r < 0)
		return r;
	r = set_flag(fd, IPPROTO_IP, IP_PKTINFO);
	if (r < 0)
		return r;
	(void)set_flag(fd, SOL_SOCKET, SO_RXQ_OVFL); /* only counts */
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) <
	    0)
		return -errno;
	/* FORCE goes past net.core.rmem_max but wants CAP_NET_ADMIN; less than wished is no error
	 */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof(receive_buffer)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
		                 sizeof(receive_buffer));
	return 0;
}

int udp_open(const char *interface, uint16_t port, int receive_buffer, int *ret_fd)
{
	const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
	CLEANUP(fd_closep) int fd = -1;
	int r;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = configure(fd, interface, receive_buffer);
	if (r < 0)
		return r;
	if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0)
		return -errno;
	*ret_fd = steal_fd(&fd);
	return 0;
}

struct udp_batch *udp_batch_new(void)
{
	return calloc(1, sizeof(struct udp_batch));
}

struct udp_batch *udp_batch_free(struct udp_batch *batch)
{
	free(batch);
	return NULL;
}

static void prepare(struct udp_batch *b)
{
	for (size_t i = 0; i < UDP_BATCH_MAX; i++) {
		b->parts[i] = (struct iovec){ b->data[i], sizeof(b->data[i]) };
		b->headers[i] = (struct mmsghdr){
			.msg_hdr = { .msg_name = &b->peers[i],
			             .msg_namelen = sizeof(b->peers[i]),
			             .msg_iov = &b->parts[i],
			             .msg_iovlen = 1,
			             .msg_control = &b->controls[i],
			             .msg_controllen = sizeof(b->controls[i]) },
		};
	}
}

static void read_control(struct msghdr *message, struct udp_packet *packet, uint32_t *n_dropped)
{
	struct in_pktinfo info;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			packet->ifindex = (unsigned)info.ipi_ifindex;
		}
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
			memcpy(n_dropped, CMSG_DATA(c), sizeof(*n_dropped));
	}
}

int udp_receive(struct udp_batch *batch, int fd, struct udp_packet packets[], uint32_t *n_dropped)
{
	int n;

	prepare(batch);
	n = recvmmsg(fd, batch->headers, UDP_BATCH_MAX, MSG_DONTWAIT, NULL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		struct msghdr *message = &batch->headers[i].msg_hdr;

		packets[i] = (struct udp_packet){
			.data = slice_make(batch->data[i], batch->headers[i].msg_len),
			.peer = ntohl(batch->peers[i].sin_addr.s_addr),
			.peer_port = ntohs(batch->peers[i].sin_port),
			.is_cut = message->msg_flags & MSG_TRUNC,
		};
		read_control(message, &packets[i], n_dropped);
	}
	return n;
}

static void address_letter(const struct udp_letter *letter, struct sockaddr_in *to,
                           union control *control, struct iovec *part, struct msghdr *message)
{
	const struct in_pktinfo info = { .ipi_ifindex = (int)letter->ifindex,
		                         .ipi_spec_dst.s_addr = htonl(letter->source) };

	*to = (struct sockaddr_in){ .sin_family = AF_INET,
		                    .sin_port = htons(letter->port),
		                    .sin_addr.s_addr = htonl(letter->destination) };
	memset(control, 0, sizeof(*control));
	control->header.cmsg_level = IPPROTO_IP;
	control->header.cmsg_type = IP_PKTINFO;
	control->header.cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(&control->header), &info, sizeof(info));
	*part = (struct iovec){ (void *)letter->data.data, letter->data.len };
	*message = (struct msghdr){ .msg_name = to,
		                    .msg_namelen = sizeof(*to),
		                    .msg_iov = part,
		                    .msg_iovlen = 1,
		                    .msg_control = control,
		                    .msg_controllen = CMSG_SPACE(sizeof(info)) };
}

size_t udp_send(int fd, const struct udp_letter letters[], size_t n)
{
	struct mmsghdr headers[UDP_BATCH_MAX] = { 0 };
	struct iovec parts[UDP_BATCH_MAX];
	struct sockaddr_in to[UDP_BATCH_MAX];
	union control controls[UDP_BATCH_MAX];
	size_t done = 0, n_failed = 0;

	assert(n <= UDP_BATCH_MAX);
	for (size_t i = 0; i < n; i++)
		address_letter(&letters[i], &to[i], &controls[i], &parts[i], &headers[i].msg_hdr);
	while (done < n) {
		int sent = sendmmsg(fd, headers + done, (unsigned)(n - done), 0);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent > 0) {
			done += (size_t)sent;
			continue;
		}
		n_failed++; /* the first of the rest cannot be sent: go on behind it */
		done++;
	}
	return n_failed;
}
