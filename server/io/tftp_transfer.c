/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Blocks are sent from where they lie in memory, a window with one system call. A packet that the
 * kernel does not take is a lost packet: the session's timer brings it again.
 */
#include "server/io/tftp_transfer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/format/netaddr.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "server/io/loop.h"
#include "server/service/transfer_service.h"

/* Packets in one system call. */
#define BATCH 32

/* Packets read in one turn of the loop, so that one client cannot keep it. */
#define READS_MAX 16

/* What a socket buffer is charged for a packet beside its bytes; generous. */
#define PACKET_OVERHEAD 768

struct batch {
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH][2];
	uint8_t heads[BATCH][TFTP_SESSION_PACKET_MAX];
	unsigned n;
};

void tftp_source_release(struct tftp_source *source)
{
	if (source->content)
		file_content_release(source->content);
	buffer_deinit(&source->script);
	*source = (struct tftp_source){ .content = NULL };
}

static struct sockaddr_in socket_address(uint32_t address, uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(address),
	};
}

/* A socket of its own for this transfer. Returns an fd or -errno. */
static int open_socket(const struct tftp_peer *peer, const char *interface)
{
	CLEANUP(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in local = socket_address(peer->local, 0);
	struct sockaddr_in remote = socket_address(peer->address, peer->port);

	if (fd < 0)
		return -errno;
	/* So that the answer leaves where the question came in. Not permitted to all on old
	 * kernels, and then the routes decide. */
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) <
	            0 &&
	    errno != EPERM)
		return -errno;
	if (bind(fd, (struct sockaddr *)&local, sizeof(local)) < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&remote, sizeof(remote)) < 0)
		return -errno;
	return steal_fd(&fd);
}

static int socket_number(int fd, int level, int option)
{
	int value;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, option, &value, &len) < 0 ? 0 : value;
}

/* A window that does not fit the send buffer would lose its end each time. */
static struct tftp_limits limits_of(const struct tftp_transfer *transfer,
                                    const struct tftp_options *asked)
{
	struct tftp_limits limits = transfer->shared->limits;
	uint32_t blksize = asked->has_blksize ? asked->blksize : TFTP_BLKSIZE_DEFAULT;
	int room = socket_number(transfer->fd, SOL_SOCKET, SO_SNDBUF);
	uint32_t packets = (uint32_t)MAX(room, 0) / (2 * (blksize + PACKET_OVERHEAD));

	packets = MAX(packets, 1U);
	limits.windowsize_max = MIN(limits.windowsize_max, packets);
	return limits;
}

static void report(struct tftp_transfer *transfer, enum transfer_phase phase, bool is_aborted,
                   usec_t now)
{
	struct transfer t = {
		.phase = phase,
		.is_tftp = true,
		.peer = transfer->peer.address,
		.path = slice_from_text(transfer->name),
		.bytes = (int64_t)tftp_session_bytes_acked(&transfer->session),
		.size = (int64_t)transfer->source.size,
		.elapsed = usec_sub(now, transfer->began),
		.is_aborted = is_aborted,
	};
	int r;

	if (!transfer->shared->transfers)
		return;
	r = transfer_service_report(transfer->shared->transfers, &t, now, clock_wall());
	if (r < 0)
		log_error("a TFTP transfer could not be recorded file=\"%s\" error=\"%s\"",
		          transfer->name, strerror(-r));
}

static void count_end(struct tftp_io_counters *counters, enum tftp_end end)
{
	switch (end) {
	case TFTP_END_DONE:
	case TFTP_END_UNCONFIRMED:
	case TFTP_END_PROBED:
		counters->n_finished++;
		break;
	case TFTP_END_ABORTED:
		counters->n_aborted++;
		break;
	case TFTP_END_TIMED_OUT:
		counters->n_timed_out++;
		break;
	case TFTP_END_NONE:
	case TFTP_END_FAILED:
	case _TFTP_END_MAX:
		counters->n_failed++;
		break;
	}
}

static void log_end(const struct tftp_transfer *transfer, enum tftp_end end, usec_t now)
{
	bool is_bad = end == TFTP_END_TIMED_OUT || end == TFTP_END_FAILED;
	enum log_level level = is_bad ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG;
	char address[IPV4_TEXT_MAX];

	if (!log_wants(level))
		return;
	log_write(level,
	          "TFTP transfer %s peer=%s file=\"%s\" bytes=%llu size=%llu repeated=%llu ms=%llu",
	          tftp_end_to_name(end), ipv4_format(transfer->peer.address, address),
	          transfer->name, (unsigned long long)tftp_session_bytes_acked(&transfer->session),
	          (unsigned long long)transfer->source.size,
	          (unsigned long long)transfer->session.n_retransmits,
	          (unsigned long long)(usec_sub(now, transfer->began) / USEC_PER_MSEC));
}

static void tell_end(struct tftp_transfer *transfer, enum tftp_end end, usec_t now)
{
	struct tftp_io_counters *counters = &transfer->shared->counters;
	bool is_whole = end == TFTP_END_DONE || end == TFTP_END_UNCONFIRMED;

	count_end(counters, end);
	counters->n_retransmits += transfer->session.n_retransmits;
	counters->n_bytes += tftp_session_bytes_acked(&transfer->session);
	log_end(transfer, end, now);
	if (transfer->has_started)
		report(transfer, TRANSFER_DONE, !is_whole, now);
}

static void flush(struct tftp_transfer *transfer, struct batch *batch)
{
	unsigned done = 0;

	while (done < batch->n) {
		int n = sendmmsg(transfer->fd, batch->messages + done, batch->n - done, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ECONNREFUSED)
			tftp_session_gone(&transfer->session);
		if (n < 0) /* no room, no route: lost */
			break;
		done += (unsigned)n;
	}
	batch->n = 0;
}

static void add(struct batch *batch, const struct tftp_step *step)
{
	unsigned i = batch->n++;

	memcpy(batch->heads[i], step->head.data, step->head.len);
	batch->parts[i][0].iov_base = batch->heads[i];
	batch->parts[i][0].iov_len = step->head.len;
	batch->parts[i][1].iov_base = (void *)step->block.data; /* sendmmsg only reads it */
	batch->parts[i][1].iov_len = step->block.len;
	batch->messages[i] = (struct mmsghdr){
		.msg_hdr = { .msg_iov = batch->parts[i], .msg_iovlen = 2 },
	};
}

static const char *why_not(int error)
{
	switch (-error) {
	case EFBIG:
		return "the file is too large for TFTP, fetch it by HTTP";
	case EAGAIN:
		return "the server is busy, try again";
	case ENOMEM:
		return "the server is out of memory";
	case ESTALE:
		return "the file has changed, try again";
	default:
		return "the file cannot be read";
	}
}

static void fail(struct tftp_transfer *transfer, int error)
{
	char address[IPV4_TEXT_MAX];

	log_warning("TFTP cannot serve a file file=\"%s\" peer=%s error=\"%s\"", transfer->name,
	            ipv4_format(transfer->peer.address, address), strerror(-error));
	tftp_session_fail(&transfer->session, TFTP_ERROR_UNDEFINED, why_not(error));
}

static struct slice source_slice(const struct tftp_source *source, const struct tftp_step *step)
{
	if (source->content)
		return file_content_slice(source->content, step->offset, step->len);
	return slice_sub(buffer_slice(&source->script), step->offset, step->len);
}

/* Gives the session the block it wants. Returns false when that has to wait. */
static bool fill(struct tftp_transfer *transfer, const struct tftp_step *step, usec_t now)
{
	int r = 0;

	if (transfer->source.content)
		r = file_content_want(transfer->source.content, &transfer->waiter);
	if (r == FILE_CONTENT_WAIT)
		return false;
	if (r < 0) {
		fail(transfer, r);
		return true;
	}
	if (!transfer->has_started) {
		transfer->has_started = true;
		report(transfer, TRANSFER_START, false, now);
	}
	(void)tftp_session_fill(&transfer->session, source_slice(&transfer->source, step), now);
	return true;
}

/* Does what the session wants until it waits. */
static void run(struct tftp_transfer *transfer, usec_t now)
{
	struct batch batch = { .n = 0 };
	bool goes_on = true;

	while (goes_on) {
		struct tftp_step step;
		enum tftp_want want = tftp_session_next(&transfer->session, now, &step);

		if (want == TFTP_WANT_SEND)
			add(&batch, &step);
		else if (want == TFTP_WANT_BLOCK)
			goes_on = fill(transfer, &step, now);
		else
			goes_on = false;
		if (batch.n == BATCH || !goes_on)
			flush(transfer, &batch);
	}
}

void tftp_transfer_run(struct tftp_transfer *transfer, usec_t now)
{
	enum tftp_end end;

	run(transfer, now);
	end = tftp_session_end(&transfer->session);
	if (end == TFTP_END_NONE) {
		loop_set_timer(transfer->timer, tftp_session_deadline(&transfer->session));
		return;
	}
	tell_end(transfer, end, now);
	transfer->shared->over(transfer->shared, transfer);
}

void tftp_transfer_supersede(struct tftp_transfer *transfer, usec_t now)
{
	tell_end(transfer, TFTP_END_ABORTED, now);
}

static void on_loaded(struct file_waiter *waiter, int result)
{
	struct tftp_transfer *transfer = CONTAINER_OF(waiter, struct tftp_transfer, waiter);

	if (result < 0)
		fail(transfer, result);
	tftp_transfer_run(transfer, clock_now());
}

static void on_timer(evutil_socket_t fd, short what, void *userdata)
{
	struct tftp_transfer *transfer = userdata;
	usec_t now = clock_now();

	(void)tftp_session_timeout(&transfer->session, now);
	tftp_transfer_run(transfer, now);
}

static void on_readable(evutil_socket_t fd, short what, void *userdata)
{
	struct tftp_transfer *transfer = userdata;
	usec_t now = clock_now();
	uint8_t packet[1024]; /* an ACK or an ERROR; more of a message is not needed */

	for (unsigned i = 0; i < READS_MAX; i++) {
		ssize_t n = recv(transfer->fd, packet, sizeof(packet), 0);

		if (n < 0 && errno == ECONNREFUSED) { /* nobody listens there any more */
			tftp_session_gone(&transfer->session);
			break;
		}
		if (n < 0)
			break;
		transfer->heard = now;
		(void)tftp_session_input(&transfer->session, slice_make(packet, (size_t)n), now);
	}
	tftp_transfer_run(transfer, now);
}

static int transfer_init(struct tftp_transfer *transfer, const char *interface,
                         const struct tftp_packet *request, usec_t now)
{
	struct tftp_shared *shared = transfer->shared;
	struct tftp_limits limits;
	char text[TFTP_NAME_TEXT_MAX];
	int mtu;

	transfer->name = text_dup(slice_from_text(text_escape(text, sizeof(text), request->name)));
	if (!transfer->name)
		return -ENOMEM;
	transfer->fd = open_socket(&transfer->peer, interface);
	if (transfer->fd < 0)
		return transfer->fd;
	mtu = socket_number(transfer->fd, IPPROTO_IP, IP_MTU);
	limits = limits_of(transfer, &request->options);
	tftp_session_init(&transfer->session, request, transfer->source.size, (uint32_t)MAX(mtu, 0),
	                  &limits, &shared->rng, now);
	transfer->readable =
		event_new(shared->base, transfer->fd, EV_READ | EV_PERSIST, on_readable, transfer);
	transfer->timer = evtimer_new(shared->base, on_timer, transfer);
	if (!transfer->readable || !transfer->timer || event_add(transfer->readable, NULL) < 0)
		return -ENOMEM;
	return 0;
}

int tftp_transfer_new(struct tftp_shared *shared, const struct tftp_peer *peer,
                      const char *interface, const struct tftp_packet *request,
                      struct tftp_source *source, usec_t now, struct tftp_transfer **ret)
{
	struct tftp_transfer *transfer = calloc(1, sizeof(*transfer));
	int r;

	if (!transfer) {
		tftp_source_release(source);
		return -ENOMEM;
	}
	transfer->fd = -1;
	transfer->peer = *peer;
	transfer->shared = shared;
	transfer->source = *source;
	*source = (struct tftp_source){ .content = NULL };
	transfer->began = now;
	transfer->heard = now;
	file_waiter_init(&transfer->waiter, on_loaded);
	r = transfer_init(transfer, interface, request, now);
	if (r < 0) {
		(void)tftp_transfer_free(transfer);
		return r;
	}
	*ret = transfer;
	return 0;
}

struct tftp_transfer *tftp_transfer_free(struct tftp_transfer *transfer)
{
	if (!transfer)
		return NULL;
	file_waiter_cancel(&transfer->waiter);
	if (transfer->readable)
		event_free(transfer->readable);
	if (transfer->timer)
		event_free(transfer->timer);
	fd_close(&transfer->fd);
	tftp_source_release(&transfer->source);
	free(transfer->name);
	free(transfer);
	return NULL;
}
