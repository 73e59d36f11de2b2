/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * TFTP on the wire: one listening socket for each interface, one fresh socket (TID) for each
 * transfer, and the timers that server/core/tftp_session wants.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct boot_service;
struct event_base;
struct file_loader;
struct file_service;
struct transfer_service;
struct tftp_io;

struct tftp_io_config {
	const char *const
		*interfaces;   /* names to listen on; borrowed for the call of tftp_io_new */
	size_t n_interfaces;   /* 1..TFTP_LISTEN_INTERFACES_MAX */
	uint16_t port;         /* 0: 69 */
	unsigned sessions_max; /* transfers at a time; 0: 1024 */
	uint64_t cache_max;    /* bytes of files kept in memory; 0: 256 MiB */
};

/* Numbers since the start, for metrics. */
struct tftp_io_counters {
	uint64_t n_malformed; /* packets dropped: not TFTP */
	uint64_t n_requests, n_refused, n_repeated, n_busy;
	uint64_t n_finished, n_aborted, n_timed_out, n_failed;
	uint64_t n_retransmits, n_bytes;
	unsigned n_sessions;  /* now */
	uint64_t cache_bytes; /* now */
};

/*
 * Listens on UDP port 69 of each interface and serves until tftp_io_free. An interface that goes
 * away is waited for. All parameters but the
 * configuration must live longer than what is returned. transfers and boot may be NULL (no reports;
 * boot.ipxe is a file like any other).
 * Returns 0, or -errno: -EADDRINUSE, -EACCES, -ENODEV (an interface is not there).
 */
int tftp_io_new(struct event_base *base, const struct tftp_io_config *config,
                struct file_service *files, struct transfer_service *transfers,
                struct boot_service *boot, struct file_loader *loader, struct tftp_io **ret);

/* Ends all transfers without a word to the peers and frees everything. NULL is fine. */
struct tftp_io *tftp_io_free(struct tftp_io *io);

const struct tftp_io_counters *tftp_io_get_counters(struct tftp_io *io);
