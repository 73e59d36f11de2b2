/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Scripts for GRUB as text (GNU GRUB manual, "Writing full configuration files directly"): the
 * first one, grub.cfg, which asks and asks again; the one that boots a job; and the one that waits.
 *
 * grub.cfg is one loop. It sources an answer, which either boots or comes to its end, and then asks
 * again: answers neither loop nor load each other, so a machine that waits for months nests nothing
 * and keeps nothing. A fetch that fails ends the answer, too. `linux` frees the kernel and initrds
 * of an earlier try.
 *
 * Values stand in single quotes, between which GRUB takes everything as it is. Those that could end
 * the quotes, and those that GRUB's `linux` would change on their way to the kernel, are refused.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/bytes.h"

#define GRUB_SCRIPT_MAX 16384 /* the longest we make */

/*
 * A question is answered within this: GRUB gives up when an answer's head has not come in 30 s
 * (http_establish in grub-core/net/http.c: 100 times 300 ms).
 */
#define GRUB_HOLD_MAX_SEC 20

enum {
	GRUB_SCRIPT_BAD = 1, /* a value cannot stand in a script; nothing useful was appended */
	GRUB_SCRIPT_TOO_LONG = 2,
};

/*
 * grub.cfg: asks `http://server:port/boot.grub/mac/<mac>?b=<session>` for ever, with a pause after
 * each failure. Without its module http GRUB says so and reboots after half a minute: no machine
 * stays at a prompt. session 0 leaves `?b=` out. Returns 0 or an outcome above.
 */
int grub_script_first(struct slice server, uint16_t port, int64_t session, struct bytes *out);

struct grub_job {
	struct slice job, result_root; /* for the two lines that a console log is read by */
	const struct slice *initrds;   /* http:// URLs, in order */
	size_t n_initrds;
	struct slice kernel;                     /* http:// URL */
	struct slice cmdline;                    /* words for the kernel */
	struct slice nr_nic, nr_disk, disk_size; /* comment lines for virtual machines; or empty */
	unsigned pause_sec; /* before the next question when something failed */
};

/*
 * The script of a job. Returns 0 or an outcome above.
 */
int grub_script_job(const struct grub_job *job, struct bytes *out);

/*
 * How much longer the command line is when the kernel gets it: GRUB puts BOOT_IMAGE=<its name of
 * the kernel> and a space before it.
 */
size_t grub_script_cmdline_extra(struct slice kernel_url);

struct grub_wait {
	struct slice host; /* name of the machine */
	struct slice note; /* one more line for who looks at the screen; or empty */
	unsigned pause_sec;
};

/* `No job now`, and a pause. Returns 0 or an outcome above. */
int grub_script_wait(const struct grub_wait *wait, struct bytes *out);
