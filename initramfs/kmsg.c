/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/base/usec.h"
#include "lib/sys/fd.h"

#define RECORD_MAX 8192 /* what the kernel may give for one read */

struct record {
	usec_t at;
	struct slice text; /* view into the room it was read to */
};

static int open_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* "6,339,5140900,-;text\n KEY=value\n". False at the end of what is there, or of patience. */
static bool next_record(int fd, char room[RECORD_MAX], struct record *ret)
{
	struct slice rest, head;
	uint64_t at = 0;
	ssize_t n;

	do {
		n = read(fd, room, RECORD_MAX);
	} while (n < 0 && (errno == EPIPE || errno == EINTR)); /* EPIPE: some were overwritten */
	if (n <= 0)
		return false;
	rest = slice_make(room, (size_t)n);
	head = slice_cut(&rest, ';');
	(void)slice_cut(&head, ',');
	(void)slice_cut(&head, ',');
	if (text_parse_u64(slice_cut(&head, ','), UINT64_MAX, &at) != 0)
		at = 0;
	ret->at = at;
	ret->text = slice_cut(&rest, '\n');
	return true;
}

int kmsg_tail(struct buffer *out, size_t max)
{
	CLEANUP(fd_closep) int fd = -1;
	size_t begin = out->len;
	char room[RECORD_MAX];
	struct record record;

	fd = open_log();
	if (fd < 0)
		return fd;
	while (next_record(fd, room, &record)) {
		buffer_printf(out, "[%5" PRIu64 ".%06" PRIu64 "] ", record.at / USEC_PER_SEC,
		              record.at % USEC_PER_SEC);
		buffer_append_slice(out, record.text);
		buffer_append_text(out, "\n");
		/* cut rarely: what is kept moves each time */
		if (out->len - begin > 2 * max && begin == 0)
			buffer_consume(out, out->len - max);
	}
	if (begin == 0 && out->len > max) {
		size_t cut = slice_find(buffer_slice(out), '\n', out->len - max);

		buffer_consume(out, MIN(cut + 1, out->len));
	}
	return buffer_error(out);
}

void kmsg_find(const char *prefix, char *text, size_t size)
{
	CLEANUP(fd_closep) int fd = -1;
	char room[RECORD_MAX];
	struct record record;
	struct timespec now;
	usec_t then;

	text[0] = '\0';
	fd = open_log();
	if (fd < 0 || clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		return;
	then = usec_sub((usec_t)now.tv_sec * USEC_PER_SEC, USEC_PER_SEC);
	while (next_record(fd, room, &record))
		if (record.at >= then && slice_has_prefix(record.text, slice_from_text(prefix)))
			(void)text_copy(text, size, slice_sub(record.text, 0, size - 1));
}
