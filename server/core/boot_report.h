/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What an initramfs says of its boot, as a form-encoded body: how far it came (pairs of stage= and
 * uptime_ms=), or where it failed (stage, step, cause, detail, uptime_ms, journal); and with either
 * the panic of an earlier kernel. Pure.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/buffer.h"
#include "lib/base/usec.h"
#include "server/core/event.h"

#define BOOT_REPORT_STAGES_MAX  8
#define BOOT_REPORT_WORD_MAX    20 /* of stage, step and cause: three make a cause of an attempt */
#define BOOT_REPORT_MISSING_MAX 80
#define BOOT_REPORT_DETAIL_MAX  200 /* fits into the fields of an event */

struct boot_report_stage {
	enum event_kind kind;
	usec_t uptime; /* of the machine when it came there */
};

struct boot_report {
	struct boot_report_stage stages[BOOT_REPORT_STAGES_MAX];
	size_t n_stages;
	bool has_failed;
	/* of a failure; printable ASCII */
	char stage[BOOT_REPORT_WORD_MAX], step[BOOT_REPORT_WORD_MAX], cause[BOOT_REPORT_WORD_MAX];
	char detail[BOOT_REPORT_DETAIL_MAX];
	struct slice journal; /* of a failure */
	struct slice panic;   /* what an earlier kernel saved when it died; both are views into the
	                       * body, still encoded */
	/* archives of the command line that did not arrive, with spaces; and how many did */
	char missing[BOOT_REPORT_MISSING_MAX];
	unsigned n_here, n_unknown;
	usec_t uptime; /* the latest that it names: about when it was sent */
};

enum { BOOT_REPORT_BAD = 1 };

/*
 * Parses a body; what is too long is cut, keys that are not known are ignored. A report with a
 * cause is one of failure. Returns 0, or BOOT_REPORT_BAD when it names neither a stage nor a cause.
 */
int boot_report_parse(struct slice body, struct boot_report *ret);

/* "initramfs.fetch.status": stage, step and cause as the cause of an attempt. */
#define BOOT_REPORT_CAUSE_MAX (3 * BOOT_REPORT_WORD_MAX)
const char *boot_report_cause(const struct boot_report *report, char to[BOOT_REPORT_CAUSE_MAX]);

/*
 * Appends the end of a journal or panic, decoded: at most BOOT_REPORT_LOG_MAX bytes of it, from the
 * start of a line. Lines stay lines; what is no printable ASCII and no tab becomes \xHH, so that it
 * can be shown on a terminal. Failure is seen in `out`.
 */
#define BOOT_REPORT_LOG_MAX (48 << 10)
void boot_report_log(struct slice encoded, struct buffer *out);

/* How long before the report was sent the machine came to that stage. */
usec_t boot_report_ago(const struct boot_report *report, const struct boot_report_stage *stage);
