/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What the kernel saved of a panic or an oops (Documentation/ABI/testing/pstore): records that each
 * hold a part of its log, the newest lines in part 1, put together in the order they were said.
 * Pure.
 */
#pragma once

#include <stddef.h>

#include "lib/base/buffer.h"
#include "lib/base/usec.h"

struct pstore_record {
	usec_t time;       /* the file's, when it was saved */
	struct slice text; /* "Panic#1 Part2", a line end, lines of the log */
};

/* The first line of a record. */
struct pstore_head {
	struct slice reason; /* "Panic", "Oops"; a view */
	unsigned part;       /* from 1 */
	struct slice lines;  /* what follows */
};

/* Takes a record apart. Returns 0, or PSTORE_HEAD_NONE: it has no such first line. */
enum { PSTORE_HEAD_NONE = 1 };
int pstore_head_parse(struct slice text, struct pstore_head *ret);

/*
 * Appends all dumps, oldest first, each under a line with its reason and its lines in order.
 * Records without a head are left out. Sorts `records`. Failure is seen in `out`.
 */
void pstore_text_join(struct pstore_record records[], size_t n_records, struct buffer *out);
