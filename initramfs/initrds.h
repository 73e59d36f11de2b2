/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The archives that a kernel command line names (initrd=NAME, one word each), and by which file in
 * the initramfs each is known to have arrived. Pure.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/bytes.h"

#define INITRD_WITNESSES   2
#define INITRD_WITNESS_MAX 160

struct initrd {
	struct slice name; /* last component, a view into the line */
	/* Each is brought by this archive alone; "": nobody knows what it brings. */
	char witness[INITRD_WITNESSES][INITRD_WITNESS_MAX];
	bool is_job; /* without it there is nothing to run */
};

/* Takes the next archive off *line. Returns whether there was one. */
bool initrds_next(struct slice *line, struct initrd *ret);

enum initrd_state { INITRD_HERE, INITRD_MISSING, INITRD_UNKNOWN, _INITRD_STATE_MAX };

/* Appends "STATE NAME\n", as /run/cci/initrds and a report have it. */
void initrds_append(struct bytes *out, const struct initrd *initrd, enum initrd_state state);
