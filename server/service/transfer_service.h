/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Transfers of boot files as events: which machine fetched what, how much of it, how long it took.
 * They move the attempt of that machine (offered → loading → booting) and draw the boot's picture.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/usec.h"

struct transfer_service;

enum transfer_phase { TRANSFER_START, TRANSFER_DONE };

struct transfer {
	enum transfer_phase phase;
	bool is_tftp;
	uint32_t peer;     /* client's address, host order */
	struct slice path; /* as asked, decoded */
	int64_t offset;    /* first byte asked for (HTTP range); 0 */
	int64_t bytes;     /* DONE: sent and, for TFTP, acknowledged */
	int64_t size;      /* of the whole file */
	usec_t elapsed;    /* DONE */
	bool is_aborted;   /* DONE: the client went away before the end */
};

/* Records it. A peer we gave no lease to is recorded without host. Returns 0 or -errno. */
int transfer_service_report(struct transfer_service *transfers, const struct transfer *t,
                            usec_t now, usec_t wall);
