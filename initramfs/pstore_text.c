/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * fs/pstore/platform.c, pstore_dump: part 1 is saved first. So in the order of time each dump is a
 * run of parts 1, 2, 3 ..., and the next part 1 begins another one.
 */
#include "initramfs/pstore_text.h"

#include <stdlib.h>

#include "lib/base/text.h"

#define PART_MAX 100000

int pstore_head_parse(struct slice text, struct pstore_head *ret)
{
	struct slice line = slice_cut(&text, '\n');
	struct slice reason = slice_cut(&line, '#');
	struct slice count = slice_cut(&line, ' ');
	uint64_t number, part;

	if (reason.len == 0 || text_parse_u64(count, PART_MAX, &number) != 0 ||
	    !slice_has_prefix(line, SLICE_LITERAL("Part")))
		return PSTORE_HEAD_NONE;
	line = slice_sub(line, 4, line.len - 4);
	if (text_parse_u64(line, PART_MAX, &part) != 0 || part == 0)
		return PSTORE_HEAD_NONE;
	*ret = (struct pstore_head){ .reason = reason, .part = (unsigned)part, .lines = text };
	return 0;
}

/* By time, then by part. */
static int compare(const void *left, const void *right)
{
	const struct pstore_record *a = left, *b = right;
	struct pstore_head head_a = { .part = PART_MAX + 1 }, head_b = { .part = PART_MAX + 1 };

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	(void)pstore_head_parse(a->text, &head_a);
	(void)pstore_head_parse(b->text, &head_b);
	return head_a.part < head_b.part ? -1 : head_a.part > head_b.part;
}

/* One dump: its records in reverse. */
static void append_dump(const struct pstore_record records[], size_t n, struct buffer *out)
{
	struct pstore_head head;

	for (size_t i = n; i-- > 0;) {
		if (pstore_head_parse(records[i].text, &head) != 0)
			continue;
		if (i == n - 1)
			buffer_printf(out, "%.*s, as the kernel saved it:\n", (int)head.reason.len,
			              (const char *)head.reason.data);
		buffer_append_slice(out, head.lines);
		if (head.lines.len > 0 && head.lines.data[head.lines.len - 1] != '\n')
			buffer_append_text(out, "\n");
	}
}

void pstore_text_join(struct pstore_record records[], size_t n_records, struct buffer *out)
{
	struct pstore_head head;
	size_t begin = 0, n = 0;

	for (size_t i = 0; i < n_records; i++)
		if (pstore_head_parse(records[i].text, &head) == 0)
			records[n++] = records[i];
	if (n > 0)
		qsort(records, n, sizeof(records[0]), compare);
	for (size_t i = 1; i <= n; i++) {
		if (i < n && pstore_head_parse(records[i].text, &head) == 0 && head.part != 1)
			continue;
		append_dump(records + begin, i - begin, out);
		begin = i;
	}
}
