/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What workers count, on its way to main and to GET /metrics.
 */
#pragma once

#include "server/core/worker_message.h"
#include "server/io/http_server.h"
#include "server/proto/url_path.h"
#include "server/service/file_service.h"

struct worker_totals {
	struct file_service_counters names;              /* GET of files */
	uint64_t upload_bad_path[_URL_PATH_OUTCOME_MAX]; /* PUT, MKCOL, HEAD of results */
	struct http_server_counters files, upload;
};

/* As numbers for a message. */
void worker_counts_pack(const struct worker_totals *totals, struct worker_counts *ret);

/* Adds what a message says to *totals; numbers that are missing add nothing. */
void worker_counts_add(const struct worker_counts *counts, struct worker_totals *totals);
