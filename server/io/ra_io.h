/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Router solicitations on the wire, answered by an advertisement that makes nobody a router; see
 * proto/router_advert for why.
 */
#pragma once

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/macro.h"

struct event_base;
struct ra_io;

#define RA_IO_INTERFACES_MAX 64

struct ra_io_config {
	const char *const *interfaces; /* borrowed for the call of ra_io_new */
	size_t n_interfaces;           /* up to RA_IO_INTERFACES_MAX */
};

struct ra_io_counters {
	uint64_t n_solicits, n_malformed, n_sent, n_unsent;
};

/*
 * Answers on the interfaces until ra_io_free, and advertises once at the start. Where there is no
 * IPv6 it does nothing and says so once in the log: machines boot slower, but they boot.
 * Returns 0, or -errno with a line in the log: -ENODEV, -EPERM.
 */
int ra_io_new(struct event_base *base, const struct ra_io_config *config, struct ra_io **ret);

/* NULL is fine; returns NULL. */
struct ra_io *ra_io_free(struct ra_io *io);

DEFINE_FREEP(struct ra_io, ra_io_free);

const struct ra_io_counters *ra_io_get_counters(const struct ra_io *io);
