/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * First the file, up to head_max; after that a ring in a second file, which output_finish appends.
 */
#include "agent/output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/sys/fd.h"

#define PIPE_SIZE       (1 << 20) /* what /proc/sys/fs/pipe-max-size allows by default */
#define CHUNK           65536
#define CHUNKS_PER_TURN 16 /* then others have their turn */

struct output {
	sd_event_source *source;
	int read_fd, write_fd;
	int file_fd;
	int ring_fd; /* -1: no room for a tail */
	uint64_t head_max, tail_max;
	uint64_t size;      /* of the file */
	uint64_t ring_size; /* bytes that went into the ring, ever */
	uint64_t dropped;   /* bytes that went nowhere */
	output_grew_fn grew;
	void *userdata;
};

/* Writes as much as the file system takes; returns how much. */
static size_t write_some(int fd, const uint8_t *data, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pwrite(fd, data + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

static void keep_in_ring(struct output *o, const uint8_t *data, size_t len)
{
	while (len > 0 && o->ring_fd >= 0) {
		uint64_t place = o->ring_size % o->tail_max;
		size_t room = (size_t)MIN(o->tail_max - place, (uint64_t)len);

		if (write_some(o->ring_fd, data, room, place) < room) {
			fd_close(&o->ring_fd); /* a tail with holes is worth nothing */
			o->dropped += o->ring_size;
			o->ring_size = 0;
			break;
		}
		o->ring_size += room;
		data += room;
		len -= room;
	}
	o->dropped += len;
}

static void keep(struct output *o, const uint8_t *data, size_t len)
{
	size_t n = 0;

	if (o->ring_size == 0 && o->dropped == 0 && o->size < o->head_max) {
		n = (size_t)MIN(o->head_max - o->size, (uint64_t)len);
		n = write_some(o->file_fd, data, n, o->size);
		o->size += n;
	}
	if (n < len)
		keep_in_ring(o, data + n, len - n);
}

/* Reads at most n chunks. Returns false when the pipe is at its end. */
static bool drain(struct output *o, unsigned n_chunks)
{
	uint8_t chunk[CHUNK];
	uint64_t before = o->size;
	bool is_open = true;

	while (n_chunks-- > 0) {
		ssize_t n = read(o->read_fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			is_open = n < 0 && errno == EAGAIN;
			break;
		}
		keep(o, chunk, (size_t)n);
	}
	if (o->size > before)
		o->grew(o->userdata, o->size);
	return is_open;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct output *o = userdata;

	if (!drain(o, CHUNKS_PER_TURN))
		(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

static int prepare(struct output *o, sd_event *event, int dir_fd, const char *name)
{
	struct stat st;
	int fds[2];

	o->file_fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (o->file_fd < 0 || fstat(o->file_fd, &st) < 0)
		return -errno;
	o->size = (uint64_t)st.st_size;
	o->ring_fd = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	o->read_fd = fds[0];
	o->write_fd = fds[1];
	(void)fcntl(o->read_fd, F_SETPIPE_SZ, PIPE_SIZE); /* a smaller one works too */
	if (fcntl(o->read_fd, F_SETFL, O_NONBLOCK) < 0)   /* of our end alone */
		return -errno;
	return sd_event_add_io(event, &o->source, o->read_fd, EPOLLIN, on_readable, o);
}

int output_new(sd_event *event, int dir_fd, const char *name, uint64_t head_max, uint64_t tail_max,
               output_grew_fn grew, void *userdata, struct output **ret)
{
	struct output *o = calloc(1, sizeof(*o));
	int r;

	if (!o)
		return -ENOMEM;
	o->read_fd = o->write_fd = o->file_fd = o->ring_fd = -1;
	o->head_max = head_max;
	o->tail_max = tail_max;
	o->grew = grew;
	o->userdata = userdata;
	r = prepare(o, event, dir_fd, name);
	if (r < 0) {
		output_free(o);
		return r;
	}
	*ret = o;
	return 0;
}

void output_free(struct output *o)
{
	if (!o)
		return;
	sd_event_source_disable_unref(o->source);
	fd_close(&o->read_fd);
	fd_close(&o->write_fd);
	fd_close(&o->file_fd);
	fd_close(&o->ring_fd);
	free(o);
}

int output_writer(const struct output *o)
{
	return o->write_fd;
}

void output_close_writer(struct output *o)
{
	fd_close(&o->write_fd);
}

/* Copies the ring behind what the file has, oldest byte first. */
static void append_ring(struct output *o)
{
	uint64_t n = MIN(o->ring_size, o->tail_max), from = o->ring_size - n;
	uint8_t chunk[CHUNK];
	char note[100];
	int len;

	o->dropped += from;
	if (o->dropped > 0) {
		len = snprintf(note, sizeof(note),
		               "\n[lkp-bootstrap: %" PRIu64 " bytes of output were cut here]\n",
		               o->dropped);
		o->size += write_some(o->file_fd, (const uint8_t *)note, (size_t)len, o->size);
	}
	while (n > 0) {
		uint64_t place = from % o->tail_max;
		uint64_t whole = MIN(n, o->tail_max - place);
		size_t want = (size_t)MIN(whole, (uint64_t)sizeof(chunk));
		ssize_t got = fd_pread_all(o->ring_fd, chunk, want, (off_t)place);

		if (got <= 0 || write_some(o->file_fd, chunk, (size_t)got, o->size) < (size_t)got) {
			o->dropped += n;
			break;
		}
		o->size += (uint64_t)got;
		from += (uint64_t)got;
		n -= (uint64_t)got;
	}
	o->ring_size = 0;
}

void output_finish(struct output *o)
{
	if (o->read_fd < 0)
		return;
	sd_event_source_disable_unref(o->source);
	o->source = NULL;
	/* the pipe holds no more than its size, whoever else may still write to it */
	(void)drain(o, 2 * PIPE_SIZE / CHUNK);
	fd_close(&o->read_fd);
	if (o->ring_size > 0 || o->dropped > 0)
		append_ring(o);
	o->grew(o->userdata, o->size);
}

int output_fd(const struct output *o)
{
	return o->file_fd;
}

uint64_t output_size(const struct output *o)
{
	return o->size;
}

uint64_t output_cut(const struct output *o)
{
	return o->dropped;
}
