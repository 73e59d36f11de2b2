/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * An answer of any server, read whole and again in pieces whose length the first byte says: both
 * give the same head, the same body, the same end; and a location in it is resolved or refused.
 */
#include <assert.h>

#include "initramfs/http_reader.h"
#include "initramfs/url.h"
#include "lib/base/hash.h"
#include "lib/base/macro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	unsigned status;
	uint64_t length, n_body, sum;
	int last;
};

static void resolve(const struct http_head *head)
{
	uint8_t room[URL_TEXT_MAX];
	struct bytes out = BYTES_ON(room);
	struct url base, url;

	if (url_split(SLICE_LITERAL("http://h:1/a/b?c"), &base) != 0)
		assert(false);
	if (url_resolve(&base, slice_from_text(head->location), &out) == 0 &&
	    url_split(bytes_slice(&out), &url) == 0)
		assert(url.host.len > 0 && url.port > 0);
}

static struct outcome read_answer(struct slice all, size_t step)
{
	struct outcome out = { .last = 0 };
	struct http_reader reader;

	http_reader_init(&reader);
	while (all.len > 0 && out.last != HTTP_READER_DONE && out.last != HTTP_READER_BAD) {
		struct slice in = slice_take(&all, MIN(step, all.len)), piece;

		do {
			size_t before = in.len;

			out.last = http_reader_input(&reader, &in, &piece);
			assert(in.len <= before);
			if (out.last == HTTP_READER_HEAD) {
				out.status = reader.head.status;
				out.length = reader.head.length;
				resolve(&reader.head);
			}
			for (size_t i = 0; out.last == HTTP_READER_BODY && i < piece.len; i++)
				out.sum = out.sum * 31 + piece.data[i];
			if (out.last == HTTP_READER_BODY)
				out.n_body += piece.len;
		} while (out.last == HTTP_READER_HEAD || out.last == HTTP_READER_BODY);
	}
	if (out.last == 0)
		out.last = http_reader_end(&reader);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all = slice_make(data, size);
	struct outcome whole, pieces;
	size_t step;

	if (size < 2)
		return 0;
	step = 1 + slice_take(&all, 1).data[0];
	whole = read_answer(all, all.len);
	pieces = read_answer(all, step);
	/* a head that is too long is noticed at the end of a piece */
	if (size < HTTP_READER_HEAD_MAX) {
		assert(whole.last == pieces.last);
		assert(whole.status == pieces.status && whole.length == pieces.length);
		assert(whole.n_body == pieces.n_body && whole.sum == pieces.sum);
	}
	return 0;
}
