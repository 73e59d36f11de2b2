/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Scripts for iPXE as text (ipxe.org/scripting): the first one, boot.ipxe; the one that boots a
 * job; and those that wait. Every fetch has a way back to the server, and every way back frees the
 * images first, because iPXE would hand initrds of an earlier try to the kernel as well. Scripts
 * follow each other by `chain --replace`: plain chain nests, and a machine that waits for days
 * would run out of stack.
 *
 * iPXE expands ${...} in each line and splits it at white space, with no way to quote. Values that
 * would be read as something else are therefore refused, never escaped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/bytes.h"

#define IPXE_SCRIPT_MAX 16384 /* the longest we make; the seed's job script has 2.3 kB */

enum {
	IPXE_SCRIPT_BAD = 1, /* a value cannot stand in a script; nothing useful was appended */
	IPXE_SCRIPT_TOO_LONG = 2,
};

/* Whether text may stand as one word of a script: printable ASCII without space, `$`, `{`, `}`,
 * quotes and backslash, not one of iPXE's own operators. */
bool ipxe_word_is_good(struct slice text);

/*
 * boot.ipxe: asks `http://server:port/boot.ipxe/mac/<mac>?b=<session>` for ever, with a pause after
 * each failure. session 0 leaves `?b=` out. Returns 0 or IPXE_SCRIPT_TOO_LONG.
 */
int ipxe_script_first(struct slice server, uint16_t port, int64_t session, struct bytes *out);

struct ipxe_job {
	struct slice job, result_root; /* for the two lines that a console log is read by */
	const struct slice *initrds;   /* URLs, in order */
	size_t n_initrds;
	struct slice kernel;                     /* URL */
	struct slice cmdline;                    /* words for the kernel, initrd= words included */
	struct slice nr_nic, nr_disk, disk_size; /* comment lines for virtual machines; or empty */
	struct slice again;                      /* URL to ask when something failed */
	unsigned pause_sec;                      /* before that */
};

/* The script of a job, in the shape of compass-ci-protocol.md 4. */
int ipxe_script_job(const struct ipxe_job *job, struct bytes *out);

struct ipxe_wait {
	struct slice host; /* name of the machine */
	struct slice note; /* one more line for who looks at the screen; or empty */
	struct slice again;
	unsigned pause_sec;
};

/* `No job now`, a pause, and the same question again. */
int ipxe_script_wait(const struct ipxe_wait *wait, struct bytes *out);
