/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/fetch_http.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>

#include "initramfs/tcp.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"

#define HEAD_MAX                                                                                   \
	(URL_TEXT_MAX + 2048) /* our request: the target, an ETag, a token, a few names            \
	                       */

/* Every address of the name in turn. Returns 0, -errno or HTTP_STREAM_NAME. */
static int connect_url(const struct url *url, usec_t patience, int *ret_fd)
{
	CLEANUP(tcp_free_addresses) struct addrinfo *list = NULL;
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	char host[256], port[8];
	int r = -EADDRNOTAVAIL;

	if (text_copy(host, sizeof(host), url->host) != 0)
		return HTTP_STREAM_NAME;
	(void)snprintf(port, sizeof(port), "%u", url->port);
	if (getaddrinfo(host, port, &hints, &list) != 0)
		return HTTP_STREAM_NAME;
	for (const struct addrinfo *a = list; a; a = a->ai_next) {
		r = tcp_connect(a, patience);
		if (r >= 0) {
			*ret_fd = r;
			return 0;
		}
	}
	return r;
}

static int build_head(const struct http_ask *ask, struct bytes *out)
{
	struct slice target = ask->url.target;

	bytes_printf(out, "%s %s", ask->method, target.len > 0 && target.data[0] == '/' ? "" : "/");
	bytes_append_slice(out, target);
	bytes_append_text(out, " HTTP/1.1\r\nHost: ");
	bytes_append_slice(out, ask->url.authority);
	bytes_append_text(out, "\r\nUser-Agent: cci-init/" CCI_VERSION
	                       "\r\nAccept: */*\r\nConnection: close\r\n");
	if (ask->offset > 0) {
		bytes_printf(out, "Range: bytes=%" PRIu64 "-\r\n", ask->offset);
		if (ask->etag && ask->etag[0])
			bytes_printf(out, "If-Range: %s\r\n", ask->etag);
	}
	if (ask->token && ask->token[0])
		bytes_printf(out, "Authorization: Bearer %s\r\n", ask->token);
	if (ask->form.len > 0)
		bytes_printf(out,
		             "Content-Type: application/x-www-form-urlencoded\r\n"
		             "Content-Length: %zu\r\n",
		             ask->form.len);
	bytes_append_text(out, "\r\n");
	return out->overflow ? -E2BIG : 0;
}

/* As fd_write_all, without SIGPIPE. */
static int send_all(int fd, struct slice data)
{
	while (data.len > 0) {
		ssize_t n = send(fd, data.data, data.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		(void)slice_take(&data, (size_t)n);
	}
	return 0;
}

/* Makes the connection, by what the scheme asks for. */
static int connect_stream(struct http_stream *stream, const struct url *url)
{
	int r;

	if (!url->is_https)
		return connect_url(url, stream->patience, &stream->fd);
	r = tls_link_open(url, stream->patience, &stream->tls, stream->why);
	switch (r) {
	case TLS_LINK_NONE:
		return HTTP_STREAM_NO_TLS;
	case TLS_LINK_NAME:
		return HTTP_STREAM_NAME;
	case TLS_LINK_BROKEN:
		return HTTP_STREAM_TLS;
	case TLS_LINK_DISTRUST:
		return HTTP_STREAM_DISTRUST;
	}
	return r;
}

static int send_slice(struct http_stream *stream, struct slice data)
{
	if (stream->tls)
		return tls_link_send(stream->tls, data, stream->patience);
	return send_all(stream->fd, data);
}

int http_stream_ask(struct http_stream *stream, const struct http_ask *ask, usec_t patience)
{
	uint8_t room[HEAD_MAX];
	struct bytes head = BYTES_ON(room);
	int r;

	stream->fd = -1;
	stream->tls = NULL;
	stream->patience = patience;
	stream->unread = SLICE_NULL;
	stream->doing = "connect";
	stream->why[0] = '\0';
	http_reader_init(&stream->reader);
	r = build_head(ask, &head);
	if (r < 0)
		return r;
	r = connect_stream(stream, &ask->url);
	if (r != 0)
		return r;
	stream->doing = "send";
	r = send_slice(stream, bytes_slice(&head));
	if (r < 0)
		return r;
	return send_slice(stream, ask->form);
}

/* More bytes from the connection. Returns how many, 0 at its end, or -errno. */
static ssize_t fill(struct http_stream *stream)
{
	ssize_t n;

	if (stream->tls) {
		n = tls_link_receive(stream->tls, stream->room, sizeof(stream->room),
		                     stream->patience);
	} else {
		do {
			n = recv(stream->fd, stream->room, sizeof(stream->room), 0);
		} while (n < 0 && errno == EINTR);
		if (n < 0)
			n = errno == EAGAIN ? -ETIMEDOUT : -errno;
	}
	if (n >= 0)
		stream->unread = slice_make(stream->room, (size_t)n);
	return n;
}

/* The next outcome of the reader, or -errno. */
static int next(struct http_stream *stream, struct slice *piece)
{
	ssize_t n;
	int r;

	for (;;) {
		r = http_reader_input(&stream->reader, &stream->unread, piece);
		if (r != 0)
			return r;
		n = fill(stream);
		if (n < 0)
			return (int)n;
		if (n == 0 && http_reader_end(&stream->reader) == HTTP_READER_DONE)
			return HTTP_READER_DONE;
		if (n == 0)
			return -ECONNRESET;
	}
}

int http_stream_open(struct http_stream *stream, const struct http_ask *ask, usec_t patience)
{
	struct slice piece;
	int r;

	r = http_stream_ask(stream, ask, patience);
	if (r != 0)
		return r;
	stream->doing = "receive";
	r = next(stream, &piece);
	if (r < 0)
		return r;
	return r == HTTP_READER_HEAD ? 0 : HTTP_STREAM_BAD;
}

int http_stream_read(struct http_stream *stream, struct slice *ret_piece)
{
	int r;

	r = next(stream, ret_piece);
	if (r < 0)
		return r;
	if (r == HTTP_READER_BODY)
		return HTTP_STREAM_BODY;
	return r == HTTP_READER_DONE ? 0 : HTTP_STREAM_BAD;
}

void http_stream_close(struct http_stream *stream)
{
	fd_close(&stream->fd);
	stream->tls = tls_link_free(stream->tls);
}
