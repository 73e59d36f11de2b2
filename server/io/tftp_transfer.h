/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One TFTP transfer with its own socket (TID), timer and content: does what its tftp_session wants.
 * Only server/io/tftp_io makes them.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/hash.h"
#include "lib/base/rng.h"
#include "server/core/tftp_session.h"
#include "server/io/file_cache.h"
#include "server/io/tftp_io.h"

struct event;
struct event_base;
struct tftp_transfer;

/* Names in logs and reports are cut to this. */
#define TFTP_NAME_TEXT_MAX 256

/* Who asked, where. All addresses in host order. */
struct tftp_peer {
	uint32_t address, local;
	uint16_t port;
	uint16_t zero;      /* no padding: it is a key */
	uint32_t interface; /* index of the arrival interface */
};

/* What all transfers of a tftp_io share; owned by tftp_io. */
struct tftp_shared {
	struct event_base *base;
	struct transfer_service *transfers; /* may be NULL */
	struct tftp_io_counters counters;
	struct tftp_limits limits;
	struct rng rng;
	/* Called when a transfer is over; frees it. */
	void (*over)(struct tftp_shared *shared, struct tftp_transfer *transfer);
};

/* Where the bytes come from: one of the two. */
struct tftp_source {
	struct file_content *content; /* NULL: script */
	struct buffer script;
	uint64_t size;
};

/* Gives back what the source holds. */
void tftp_source_release(struct tftp_source *source);

struct tftp_transfer {
	struct map_node node; /* of tftp_io, key: peer */
	struct tftp_peer peer;
	struct tftp_shared *shared;
	int fd;
	struct event *readable, *timer;
	struct tftp_session session;
	struct tftp_source source;
	struct file_waiter waiter;
	char *name; /* as asked, cut to what is printable */
	usec_t began;
	usec_t heard;     /* when the client last said something */
	bool has_started; /* its start was reported: data flows */
};

/*
 * Opens a socket from peer->local to the peer and makes the transfer; nothing is sent yet. Takes
 * what source holds, also on an error. request is borrowed.
 * Returns 0, or -errno.
 */
int tftp_transfer_new(struct tftp_shared *shared, const struct tftp_peer *peer,
                      const char *interface, const struct tftp_packet *request,
                      struct tftp_source *source, usec_t now, struct tftp_transfer **ret);

/* Closes it without a word to the client. NULL is fine. */
struct tftp_transfer *tftp_transfer_free(struct tftp_transfer *transfer);

/* Sends what is to be sent. May end the transfer: it is freed then. */
void tftp_transfer_run(struct tftp_transfer *transfer, usec_t now);

/* The client has begun anew: counts and reports this one as aborted; the caller frees it. */
void tftp_transfer_supersede(struct tftp_transfer *transfer, usec_t now);
