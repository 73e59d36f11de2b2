/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What the sockets' side has counted, as text for GET /metrics.
 */
#pragma once

#include "lib/base/buffer.h"

struct dhcp_io;
struct dhcp_service;
struct http_io;
struct tftp_io;
struct file_service;
struct worker_pool;

/* Those that are NULL are left out. */
struct metrics {
	const struct dhcp_io *dhcp_io;
	const struct dhcp_service *dhcp;
	struct http_io *http_io;
	struct tftp_io *tftp_io;
	const struct file_service *tftp_files;
	struct worker_pool *workers;
};

/*
 * Appends every number in Prometheus' text format (version 0.0.4). A number that has never been
 * other than 0 and is one of a family by reason is left out.
 */
void metrics_append(const struct metrics *metrics, struct buffer *out);
